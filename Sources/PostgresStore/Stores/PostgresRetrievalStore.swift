package import Domain
import Synchronization

/// Searches `passages` and `embeddings`.
///
/// The rule: a scope of at most `exactMaximum` vectors is compared whole, a larger one is searched
/// through the index, and compared whole after all where the index gave fewer than were wanted
/// (a filter that few rows pass). A learner's goals, which the index does not have, are compared whole
/// up to `goalMaximum`; of more, the signs of all are compared, and the vectors of the nearest of
/// those. So a search never finds fewer than it was asked for while more exist.
package struct PostgresRetrievalStore: RetrievalStore {
  /// The largest scope that is compared whole: some 10 ms of one core.
  package static let exactMaximum = 20_000
  /// The most goals of a learner that are compared whole: some 3 ms, each row on a page of its own.
  package static let goalMaximum = 1_000
  /// By their signs so many times the goals that are wanted are chosen, and at least
  /// `chosenMinimum`: of the 10 nearest of 6,000 sentences 99.87 % were among 250 (ADR 0009).
  private static let chosenFactor = 6
  private static let chosenMinimum = 250
  /// How many rows an iterative scan of the index looks at, at most.
  private static let scanMaximum: Int32 = 40_000

  private let database: PostgresDatabase
  private let exactMaximum: Int
  private let goalMaximum: Int
  /// Whether the database has the reader's role; asked once.
  private let hasReader = ReaderPresence()

  /// - Parameters: other limits, for tests.
  package init(
    _ database: PostgresDatabase, exactMaximum: Int = PostgresRetrievalStore.exactMaximum,
    goalMaximum: Int = PostgresRetrievalStore.goalMaximum
  ) {
    self.database = database
    self.exactMaximum = exactMaximum
    self.goalMaximum = goalMaximum
  }

  package func readableCourses(of learnerID: UUIDv7) async throws(StoreError) -> [UUIDv7] {
    try await database.rows(
      SearchStatements.readableCourses { $0.append(learnerID) }
    ).map { (row) throws(StoreError) in try row.uuid(0) }
  }

  package func candidates(
    _ query: CandidateQuery
  ) async throws(StoreError) -> CandidateOutcome {
    var found = Candidates(byMeaning: [], byWords: [], method: .text)
    if let vector = query.vector {
      (found.byMeaning, found.method) = try await byMeaning(query, vector.vector.count)
      // Each statement compares vectors of the active model only. Where it found nothing, that may
      // be why.
      if found.byMeaning.isEmpty, try await !isActive(vector) { return .otherModel }
    }
    if let words = query.words {
      let call = SearchStatements.words(query.scope.shape).call(query) { parameters in
        parameters.append(words)
        parameters.append(Int64(query.limit))
      }
      found.byWords = try await candidates(of: StatementUnit([call]), query.scope)
    }
    return .found(found)
  }

  private func isActive(_ vector: PassageEmbedding) async throws(StoreError) -> Bool {
    let active = try await PostgresEmbeddingStore(database).models().active
    return active.name == vector.model && active.dimensionCount == vector.vector.count
  }

  private func byMeaning(
    _ query: CandidateQuery, _ dimensionCount: Int
  ) async throws(StoreError) -> ([Candidate], SearchMethod) {
    let shape = query.scope.shape
    func limited(_ limit: Int) -> (inout ParameterBuffer) -> Void {
      { $0.append(Int64(limit)) }
    }
    let exact = StatementUnit([SearchStatements.exact(shape).call(query, limited(query.limit))])
    if query.mustBeExact {
      return (try await candidates(of: exact, query.scope), .exact)
    }
    if case .goals(_, let statuses) = query.scope {
      let many = try await quantized(query, statuses)
      if !many.isEmpty { return (many, .quantized) }
      return (try await candidates(of: exact, query.scope), .exact)
    }
    let size = try await count(
      SearchStatements.size(shape).call(query, limited(exactMaximum + 1)))
    if size <= exactMaximum {
      return (try await candidates(of: exact, query.scope), .exact)
    }
    let approximate = StatementUnit([
      SearchStatements.iterate {
        $0.append(Int32(clamping: query.limit))
        $0.append(Self.scanMaximum)
      },
      SearchStatements.approximate(shape, dimensionCount: dimensionCount)
        .call(query, limited(query.limit)),
    ])
    let found = try await candidates(of: approximate, query.scope)
    if found.count >= query.limit { return (found, .hnsw) }
    return (try await candidates(of: exact, query.scope), .exact)
  }

  /// Nothing where the learner has few goals, or signs say nothing of the question.
  private func quantized(
    _ query: CandidateQuery, _ statuses: [WorkStatus]
  ) async throws(StoreError) -> [Candidate] {
    guard query.vector?.hasTellingSigns == true else { return [] }
    let hasAll = Set(statuses).union([.deleted]) == Set(WorkStatus.allCases)
    let statement = hasAll ? SearchStatements.quantizedAllGoals : SearchStatements.quantizedGoals
    let call = statement.call(query) {
      $0.append(Int64(query.limit))
      $0.append(Int64(max(Self.chosenMinimum, query.limit * Self.chosenFactor)))
      $0.append(Int64(goalMaximum))
    }
    return try await candidates(of: StatementUnit([call]), query.scope)
  }

  private func count(_ call: StatementCall) async throws(StoreError) -> Int {
    Int(try await database.rows(call).first?.int64(0) ?? 0)
  }

  /// Statements that may look at many rows go where they can be cancelled.
  private func candidates(
    of unit: StatementUnit, _ scope: SearchScope
  ) async throws(StoreError) -> [Candidate] {
    let results = try await database.run(unit, on: .search)
    guard let rows = results.last else { throw .corrupt("the search gave no result") }
    let kind = scope.kind
    return try rows.map { (row) throws(StoreError) in
      Candidate(
        key: PassageKey(kind: kind, entityID: try row.uuid(0), chunkNumber: try row.int32(1)),
        similarity: try row.optionalDouble(2), wordScore: try row.double(3),
        hasAllWords: try row.bool(4))
    }
  }

  package func passages(
    _ keys: [PassageKey], as learnerID: UUIDv7
  ) async throws(StoreError) -> [PassageKey: DescribedPassage] {
    guard !keys.isEmpty else { return [:] }
    let texts = SearchStatements.texts { parameters in
      parameters.append(keys.map(\.kind.rawValue))
      parameters.append(keys.map { Optional($0.entityID) })
      parameters.append(keys.map(\.chunkNumber))
    }
    let reader: [StatementCall] =
      try await hasReader.value(in: database) ? [ReaderRole.begin { $0.append(learnerID) }] : []
    let results = try await database.run(StatementUnit(reader + [texts]))
    guard let rows = results.last else { throw .corrupt("the search gave no result") }
    var found: [PassageKey: DescribedPassage] = [:]
    for index in 0..<rows.count {
      let described = try Self.described(rows[index])
      found[described.passage.key] = described
    }
    return found
  }

  private static func described(_ row: Row) throws(StoreError) -> DescribedPassage {
    let (names, values) = (try row.texts(9), try row.texts(10))
    guard names.count == values.count else { throw .corrupt("a passage's attributes are torn") }
    return DescribedPassage(
      passage: Passage(
        kind: try row.value(0), entityID: try row.uuid(1), userID: try row.uuid(3),
        chunkNumber: try row.int32(2), title: try row.text(4), content: try row.text(5),
        language: try row.text(6), documentPath: try row.text(7), anchor: try row.text(8)),
      attributes: Dictionary(zip(names, values)) { first, _ in first })
  }

  /// Whether texts are read under row-level security here (ADR 0008); on a connection of its own.
  package static func hasRowSecurity(_ settings: ConnectionSettings) async throws -> Bool {
    let session = try await ScriptSession(settings)
    return try await session.run(ReaderRole.isThere.text).first?[0] == "t"
  }
}

/// Whether the reader's role is there: asked until there is an answer, then remembered.
private final class ReaderPresence: Sendable {
  private let known = Mutex<Bool?>(nil)

  func value(in database: PostgresDatabase) async throws(StoreError) -> Bool {
    if let known = known.withLock({ $0 }) { return known }
    let isThere = try await database.rows(ReaderRole.isThere()).first?.bool(0) ?? false
    known.withLock { $0 = isThere }
    return isThere
  }
}

extension PassageEmbedding {
  /// Whether nearly all components have a sign. Those of models of language do; a vector of counted
  /// words does not.
  fileprivate var hasTellingSigns: Bool { vector.count { $0 == 0 } * 10 <= vector.count }
}

extension SearchScope {
  fileprivate var kind: PassageKind {
    switch self {
    case .goals: .goal
    case .courses: .course
    case .code: .codeSnapshot
    }
  }

  fileprivate var shape: SearchStatements.Scope {
    switch self {
    case .goals: SearchStatements.goals
    case .courses: SearchStatements.courses
    case .code: SearchStatements.code
    }
  }

  fileprivate func bind(_ parameters: inout ParameterBuffer) {
    switch self {
    case .goals(let learnerID, let statuses):
      parameters.append(learnerID)
      parameters.append(statuses.filter { $0 != .deleted }.map(\.rawValue))
    case .courses(let courses):
      parameters.append(courses.map(Optional.init))
    case .code(let learnerID, let courses, let language, let onlyValidated):
      parameters.append(learnerID)
      parameters.append(courses.map(Optional.init))
      parameters.append(language)
      parameters.append(onlyValidated)
    }
  }
}

extension Statement {
  /// The statement with the query's vector and scope, and what comes behind them.
  fileprivate func call(
    _ query: CandidateQuery, _ rest: (inout ParameterBuffer) -> Void
  ) -> StatementCall {
    self { parameters in
      if let vector = query.vector {
        parameters.append(vector.vector)
      } else {
        parameters.appendNull()
      }
      parameters.append(query.vector?.model ?? "")
      query.scope.bind(&parameters)
      rest(&parameters)
    }
  }
}
