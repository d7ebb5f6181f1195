package import Domain

/// What agents find: everything under the learner's own name, whoever calls for them.
package struct Retriever: ContextRetriever {
  private static let goalLimit = 5
  private static let documentLimit = 5
  private static let codeLimit = 3

  private let searcher: Searcher
  private let store: any RetrievalStore

  package init(searcher: Searcher, store: any RetrievalStore) {
    self.searcher = searcher
    self.store = store
  }

  package func context(
    for query: String, learnerID: EntityID, courseID: EntityID?
  ) async throws -> AgentContext {
    let readable = try await store.readableCourses(of: learnerID)
    let courses = courseID.map { id in readable.filter { $0 == id } } ?? readable
    func found(_ scope: SearchScope, _ limit: Int) async throws -> [RetrievedPassage] {
      try await searcher.search(
        SearchQuestion(text: query, scopes: [scope], learnerID: learnerID, limit: limit)
      ).hits
    }
    return AgentContext(
      goals: try await found(
        .goals(learnerID: learnerID, statuses: [.completed]), Self.goalLimit),
      documents: courses.isEmpty ? [] : try await found(.courses(courses), Self.documentLimit),
      code: try await found(
        .code(learnerID: learnerID, courses: readable, language: nil, onlyValidated: true),
        Self.codeLimit))
  }

  package func documents(
    for query: String, learnerID: EntityID, courseID: EntityID, limit: Int
  ) async throws -> [RetrievedPassage] {
    guard try await store.readableCourses(of: learnerID).contains(courseID) else { return [] }
    return try await searcher.search(
      SearchQuestion(
        text: query, scopes: [.courses([courseID])], learnerID: learnerID, limit: limit)
    ).hits
  }

  package func validatedCode(
    like code: String, language: String, learnerID: EntityID, excluding: EntityID?, limit: Int
  ) async throws -> [RetrievedPassage] {
    let readable = try await store.readableCourses(of: learnerID)
    return try await searcher.search(
      SearchQuestion(
        text: code,
        scopes: [
          .code(
            learnerID: learnerID, courses: readable, language: language.isEmpty ? nil : language,
            onlyValidated: true)
        ],
        learnerID: learnerID, limit: limit, excluded: excluding)
    ).hits
  }

  package func closestOpenGoals(
    to text: String, learnerID: EntityID, limit: Int
  ) async throws -> [RetrievedPassage] {
    let question = SearchQuestion(
      text: text,
      scopes: [.goals(learnerID: learnerID, statuses: [.pending, .inProgress])],
      learnerID: learnerID, mode: .vector, limit: limit, minimumSimilarity: -1)
    do {
      return try await searcher.search(question).hits
    } catch is SearchUnavailable {
      return []
    }
  }
}
