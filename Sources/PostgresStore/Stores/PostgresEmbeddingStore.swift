package import Domain

/// What waits for its vector, and the vectors of the active model.
package struct PostgresEmbeddingStore: EmbeddingStore {
  /// How many problems a status names.
  private static let problemsMax: Int64 = 100
  /// The looks of the worker are on few sessions. What they ask is planned six times on each (20 ms the
  /// first time, with the policies of all that passages belong to): on the many of the short lane a
  /// server under load was still planning after minutes.
  private static let lookLane = PostgresDatabase.Lane.long
  /// From so many passages on, they are not counted one by one.
  package static let countMax = 10_000

  private let database: PostgresDatabase
  private let countMax: Int

  /// - Parameter countMax: another limit, for tests.
  package init(_ database: PostgresDatabase, countMax: Int = PostgresEmbeddingStore.countMax) {
    self.database = database
    self.countMax = countMax
  }

  package func models() async throws(StoreError) -> StoredModels {
    let rows = try await database.rows(SearchStatements.activeModel(), as: .nobody)
    var active: StoredModel?
    var next: StoredModel?
    for index in 0..<rows.count {
      let (name, dimensionCount, state): (String, Int32, String) = try rows[index].values()
      let model = StoredModel(name: name, dimensionCount: Int(dimensionCount))
      if state == "active" { active = model } else { next = model }
    }
    guard let active else { throw .corrupt("no embedding model is active") }
    return StoredModels(active: active, next: next)
  }

  package func takeWaiting(
    limit: Int, at now: Timestamp, until: Timestamp, includingTaken: Bool
  ) async throws(StoreError) -> [WaitingPassage] {
    try await database.write(
      EmbeddingStatements.take(Int64(limit), now, until, includingTaken), for: .embedding,
      on: Self.lookLane
    ).map(WaitingPassage.init)
  }

  package func store(
    _ made: [MadeEmbedding], model: String, at now: Timestamp
  ) async throws(StoreError) {
    guard !made.isEmpty else { return }
    _ = try await database.run(
      StatementUnit(
        writing: made.flatMap { WriteCalls.embed($0, model: model) }, for: .embedding))
  }

  package func fail(
    _ keys: [PassageKey], error: String, nextAttemptAt: Timestamp
  ) async throws(StoreError) {
    _ = try await database.write(
      EmbeddingStatements.fail(PassageStatements.keys(keys), error, nextAttemptAt),
      for: .embedding)
  }

  package func hasUntried() async throws(StoreError) -> Bool {
    try await database.rows(
      EmbeddingStatements.hasUntried(), as: .system(.embedding), on: Self.lookLane
    ).first?.value(0) ?? false
  }

  package func isEmbedded(event: EntityID) async throws(StoreError) -> Bool {
    try await database.rows(
      EmbeddingStatements.isEmbedded(event), as: .system(.embedding)
    ).first?.value(0) ?? false
  }

  package func counts() async throws(StoreError) -> EmbeddingCounts {
    let models = try await models()
    let counts = try await database.rows(
      EmbeddingStatements.counts(Int64(countMax)), as: .system(.embedding), on: .long)
    let (stored, waiting): (Int64, Int64) = try counts.first?.values() ?? (0, 0)
    let problems = try await database.rows(
      EmbeddingStatements.problems(Self.problemsMax), as: .system(.embedding), on: .long)
    var nextCount: Int64 = 0
    if models.next != nil {
      nextCount =
        try await database.rows(
          SwitchStatements.count(), as: .system(.embedding), on: .long
        ).first?.value(0) ?? 0
    }
    return EmbeddingCounts(
      models: models, storedCount: stored, waitingCount: waiting, nextCount: nextCount,
      problems: try problems.map { (row) throws(StoreError) in
        let (kind, id, number, error, count, next):
          (PassageKind, EntityID, Int32, String, Int32, Timestamp) = try row.values()
        return EmbeddingProblem(
          key: PassageKey(kind: kind, entityID: id, chunkNumber: number), error: error,
          attemptCount: Int(count), nextAttemptAt: next)
      })
  }
}

extension WaitingPassage {
  init(_ row: Row) throws(StoreError) {
    let (kind, id, number, content, hash, count):
      (PassageKind, EntityID, Int32, String, Bytes, Int32) = try row.values()
    self.init(
      key: PassageKey(kind: kind, entityID: id, chunkNumber: number), content: content,
      contentHash: hash.bytes, attemptCount: Int(count))
  }
}
