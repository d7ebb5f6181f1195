package import Domain

/// What waits for its vector, and the vectors of the active model.
package struct PostgresEmbeddingStore: EmbeddingStore {
  /// How many problems a status names.
  private static let problemsMaximum: Int64 = 100

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func models() async throws(StoreError) -> StoredModels {
    let rows = try await database.rows(SearchStatements.activeModel())
    var active: StoredModel?
    var next: StoredModel?
    for index in 0..<rows.count {
      let row = rows[index]
      let model = StoredModel(
        name: try row.text(0), dimensionCount: Int(try row.int32(1)))
      if try row.text(2) == "active" { active = model } else { next = model }
    }
    guard let active else { throw .corrupt("no embedding model is active") }
    return StoredModels(active: active, next: next)
  }

  package func takeWaiting(
    limit: Int, at now: Timestamp, until: Timestamp, includingTaken: Bool
  ) async throws(StoreError) -> [WaitingPassage] {
    let call = EmbeddingStatements.take { parameters in
      parameters.append(Int64(limit))
      parameters.append(now)
      parameters.append(until)
      parameters.append(includingTaken)
    }
    let results = try await database.run(StatementUnit([call], isWrite: true))
    return try results.first?.map(WaitingPassage.init) ?? []
  }

  package func store(
    _ made: [MadeEmbedding], model: String, at now: Timestamp
  ) async throws(StoreError) {
    guard !made.isEmpty else { return }
    _ = try await database.run(
      StatementUnit(made.flatMap { WriteCalls.embed($0, model: model) }, isWrite: true))
  }

  package func fail(
    _ keys: [PassageKey], error: String, nextAttemptAt: Timestamp
  ) async throws(StoreError) {
    let call = EmbeddingStatements.fail { parameters in
      parameters.append(keys.map(\.kind.rawValue))
      parameters.append(keys.map { Optional($0.entityID) })
      parameters.append(keys.map(\.chunkNumber))
      parameters.append(error)
      parameters.append(nextAttemptAt)
    }
    _ = try await database.run(StatementUnit([call], isWrite: true))
  }

  package func hasUntried() async throws(StoreError) -> Bool {
    try await database.rows(EmbeddingStatements.hasUntried()).first?.bool(0) ?? false
  }

  package func isEmbedded(event: UUIDv7) async throws(StoreError) -> Bool {
    try await database.rows(
      EmbeddingStatements.isEmbedded { $0.append(event) }
    ).first?.bool(0) ?? false
  }

  package func counts() async throws(StoreError) -> EmbeddingCounts {
    let models = try await models()
    let counts = try await database.rows(EmbeddingStatements.counts(), on: .long)
    let problems = try await database.rows(
      EmbeddingStatements.problems { $0.append(Self.problemsMaximum) }, on: .long)
    var nextCount: Int64 = 0
    if models.next != nil {
      nextCount =
        try await database.rows(SwitchStatements.count(), on: .long).first?.int64(0) ?? 0
    }
    return EmbeddingCounts(
      models: models, storedCount: try counts.first?.int64(0) ?? 0,
      waitingCount: try counts.first?.int64(1) ?? 0, nextCount: nextCount,
      problems: try problems.map { (row) throws(StoreError) in
        EmbeddingProblem(
          key: try PassageKey(row), error: try row.text(3), attemptCount: Int(try row.int32(4)),
          nextAttemptAt: try row.timestamp(5))
      })
  }
}

extension PassageKey {
  /// Of a row that begins with the key.
  init(_ row: Row) throws(StoreError) {
    self.init(kind: try row.value(0), entityID: try row.uuid(1), chunkNumber: try row.int32(2))
  }
}

extension WaitingPassage {
  init(_ row: Row) throws(StoreError) {
    self.init(
      key: try PassageKey(row), content: try row.text(3), contentHash: try row.bytes(4),
      attemptCount: Int(try row.int32(5)))
  }
}
