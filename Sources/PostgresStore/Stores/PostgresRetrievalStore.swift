package import Domain
import Synchronization

/// Searches `passages` and `embeddings`.
///
/// The rule: a scope of at most `exactMax` vectors is compared whole, a larger one is searched
/// through the index, and compared whole after all where the index gave fewer than were wanted
/// (a filter that few rows pass). A learner's goals, which the index does not have, are compared whole
/// up to `goalMax`; of more, the binary codes of all are compared, and the vectors of the nearest
/// of those. So a search never finds fewer than it was asked for while more exist.
package struct PostgresRetrievalStore: RetrievalStore {
  /// The largest scope that is compared whole: some 10 ms of one core.
  package static let exactMax = 20_000
  /// The most goals of a learner that are compared whole: some 3 ms, each row on a page of its own.
  package static let goalMax = 1_000
  /// By their binary codes so many times the goals that are wanted are chosen, and at least
  /// `chosenMin`: of the 10 nearest of 6,000 sentences 99.87 % were among 250 (ADR 0009).
  private static let chosenFactor = 6
  private static let chosenMin = 250
  /// How many rows an iterative scan of the index looks at, at most.
  private static let scanMax: Int32 = 40_000

  private let database: PostgresDatabase
  private let exactMax: Int
  private let goalMax: Int
  /// Whether the database has the reader's role; asked once.
  private let hasReader = ReaderPresence()

  /// - Parameters: other limits, for tests.
  package init(
    _ database: PostgresDatabase, exactMax: Int = PostgresRetrievalStore.exactMax,
    goalMax: Int = PostgresRetrievalStore.goalMax
  ) {
    self.database = database
    self.exactMax = exactMax
    self.goalMax = goalMax
  }

  package func readableCourses(of learnerID: EntityID) async throws(StoreError) -> [EntityID] {
    try await database.rows(
      SearchStatements.readableCourses(learnerID), as: .own(learnerID)
    ).map { (row) throws(StoreError) in try row.value(0) }
  }

  package func candidates(
    _ query: CandidateQuery
  ) async throws(StoreError) -> CandidateOutcome {
    switch query.scope {
    case .goals(let learnerID, let statuses):
      let values = Parameters(learnerID, statuses.filter { $0 != .deleted })
      let hasAll = Set(statuses).union([.deleted]) == Set(WorkStatus.allCases)
      let scope = BoundScope(
        shape: SearchStatements.goals, values: values, kind: .goal,
        wordShape: hasAll ? SearchStatements.allGoals : nil)
      return try await search(query, scope, quantized(query, hasAll, values))
    case .courses(let courses):
      return try await search(
        query, BoundScope(shape: SearchStatements.courses, values: courses, kind: .course))
    case .code(let learnerID, let courses, let language, let onlyValidated):
      let values = Parameters(learnerID, courses, language, onlyValidated)
      return try await search(
        query, BoundScope(shape: SearchStatements.code, values: values, kind: .codeSnapshot))
    }
  }

  /// A scope with the values of its parameters.
  private struct BoundScope<Values: SQLParameters> {
    var shape: SearchStatements.Scope<Values>
    var values: Values
    var kind: PassageKind
    /// Where words are searched in another way.
    var wordShape: SearchStatements.Scope<Values>?
  }

  /// - Parameter quantized: of goals: what finds the nearest of very many.
  private func search<Values>(
    _ query: CandidateQuery, _ scope: BoundScope<Values>, _ quantized: StatementCall? = nil
  ) async throws(StoreError) -> CandidateOutcome {
    var found = Candidates(byMeaning: [], byWords: [], method: .text)
    if let vector = query.vector {
      (found.byMeaning, found.method) = try await byMeaning(
        query, vector.vector.count, scope, quantized)
      // Each statement compares vectors of the active model only. Where it found nothing, that may
      // be why.
      if found.byMeaning.isEmpty, try await !isActive(vector) { return .otherModel }
    }
    if let words = query.words {
      let call = SearchStatements.words(scope.wordShape ?? scope.shape)(
        query.parameters, scope.values, words, Int64(query.limit))
      found.byWords = try await candidates(of: [call], scope.kind)
    }
    return .found(found)
  }

  private func isActive(_ vector: PassageEmbedding) async throws(StoreError) -> Bool {
    let active = try await PostgresEmbeddingStore(database).models().active
    return active.name == vector.model && active.dimensionCount == vector.vector.count
  }

  private func byMeaning<Values>(
    _ query: CandidateQuery, _ dimensionCount: Int, _ scope: BoundScope<Values>,
    _ quantized: StatementCall?
  ) async throws(StoreError) -> ([Candidate], SearchMethod) {
    let (shape, values, kind) = (scope.shape, scope.values, scope.kind)
    let limit = Int64(query.limit)
    let exact = [SearchStatements.exact(shape)(query.parameters, values, limit)]
    if query.mustBeExact { return (try await candidates(of: exact, kind), .exact) }
    if kind == .goal {
      if let quantized {
        let many = try await candidates(of: [quantized], kind)
        if !many.isEmpty { return (many, .quantized) }
      }
      return (try await candidates(of: exact, kind), .exact)
    }
    let counting = SearchStatements.size(shape)(query.parameters, values, Int64(exactMax + 1))
    let size: Int64 = try await rank([counting], on: .short).first?.value(0) ?? 0
    if size <= exactMax { return (try await candidates(of: exact, kind), .exact) }
    let approximate = [
      SearchStatements.iterate(Int32(clamping: query.limit), Self.scanMax),
      SearchStatements.approximate(shape, dimensionCount: dimensionCount)(
        query.parameters, values, limit),
    ]
    let found = try await candidates(of: approximate, kind)
    if found.count >= query.limit { return (found, .hnsw) }
    return (try await candidates(of: exact, kind), .exact)
  }

  /// Finds nothing where the learner has few goals; nil where a binary code says nothing of the
  /// question.
  private func quantized(
    _ query: CandidateQuery, _ hasAll: Bool, _ values: Parameters<EntityID, [WorkStatus]>
  ) -> StatementCall? {
    guard query.vector?.suitsBinaryQuantization == true else { return nil }
    let statement = hasAll ? SearchStatements.quantizedAllGoals : SearchStatements.quantizedGoals
    return statement(
      query.parameters, values, Int64(query.limit),
      Int64(max(Self.chosenMin, query.limit * Self.chosenFactor)), Int64(goalMax))
  }

  /// Statements that may look at many rows go where they can be cancelled.
  private func candidates(
    of calls: [StatementCall], _ kind: PassageKind
  ) async throws(StoreError) -> [Candidate] {
    try await rank(calls, on: .search).map { (row) throws(StoreError) in
      let (id, number, similarity, score, hasAll, coverage):
        (EntityID, Int32, Double?, Double, Bool, Double) = try row.values()
      return Candidate(
        key: PassageKey(kind: kind, entityID: id, chunkNumber: number), similarity: similarity,
        wordScore: score, hasAllWords: hasAll, coverage: coverage)
    }
  }

  /// Runs statements that rank passages, whosever they are, and returns the rows of the last.
  private func rank(
    _ calls: [StatementCall], on lane: PostgresDatabase.Lane
  ) async throws(StoreError) -> ResultSet {
    let role = try await hasReader.value(in: database) ? [ReaderRole.begin()] : []
    let results = try await database.run(
      StatementUnit(role + calls, as: .system(.search)), on: lane)
    guard let rows = results.last else { throw .corrupt("the search gave no result") }
    return rows
  }

  package func passages(
    _ keys: [PassageKey], as learnerID: EntityID
  ) async throws(StoreError) -> [PassageKey: DescribedPassage] {
    guard !keys.isEmpty else { return [:] }
    let rows = try await database.rows(
      SearchStatements.texts(PassageStatements.keys(keys), learnerID),
      as: .withExamples(learnerID))
    var found: [PassageKey: DescribedPassage] = [:]
    for index in 0..<rows.count {
      let described = try DescribedPassageRow.read(rows[index])
      found[described.passage.key] = described
    }
    return found
  }
}

/// Whether the reader's role is there: asked until there is an answer, then remembered.
private final class ReaderPresence: Sendable {
  private let known = Mutex<Bool?>(nil)

  func value(in database: PostgresDatabase) async throws(StoreError) -> Bool {
    if let known = known.withLock({ $0 }) { return known }
    let isThere =
      try await database.rows(ReaderRole.isThere(), as: .nobody).first?.value(0) ?? false
    known.withLock { $0 = isThere }
    return isThere
  }
}

extension PassageEmbedding {
  /// Whether nearly all components have a sign. Those of models of language do; a vector of counted
  /// words does not.
  fileprivate var suitsBinaryQuantization: Bool { vector.count { $0 == 0 } * 10 <= vector.count }
}

extension CandidateQuery {
  /// The vector and its model.
  fileprivate var parameters: SearchStatements.QueryVector {
    Parameters(vector?.vector, vector?.model ?? "")
  }
}
