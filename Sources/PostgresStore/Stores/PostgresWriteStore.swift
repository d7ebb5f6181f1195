package import Domain

/// Commits writes, each as one unit of statements: one implicit transaction, one round trip.
package struct PostgresWriteStore: WriteStore {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  /// The order of the statements matters. The reply comes first, so that a concurrent repeat waits
  /// there until the first has ended; the events come last, behind every row lock, so that their
  /// order is causal per entity.
  package func commit(_ write: Write) async throws(StoreError) -> CommitOutcome {
    var calls: [StatementCall] = []
    if let reply = write.reply { calls.append(WriteCalls.insert(reply)) }
    for change in write.changes { calls += WriteCalls.calls(for: change) }
    if !write.events.isEmpty { calls.append(WriteCalls.insert(write.events)) }
    let unit = StatementUnit(calls, isWrite: true)
    // The second turn is for a key that had expired and was not purged yet.
    for _ in 0..<2 {
      do throws(UnitError) {
        _ = try await database.attempt(unit)
        return .committed
      } catch {
        guard let outcome = try await outcome(of: error, write) else { continue }
        return outcome
      }
    }
    return .stale
  }

  /// What a refused unit means; nil to try again.
  private func outcome(
    of error: UnitError, _ write: Write
  ) async throws(StoreError) -> CommitOutcome? {
    guard let server = error.serverError else { throw error.storeError }
    switch (server.sqlState, server.constraint) {
    case (ServerError.stale, _), ("40001", _), ("40P01", _):
      return .stale
    case ("23505", "events_entity_version_key"), ("23503", _):
      // Another write of the same entity came first, or what a row refers to has gone.
      return .stale
    case ("23505", "idempotency_keys_pkey"):
      guard let request = write.reply?.request else { throw error.storeError }
      if let stored = try await reply(to: request) { return CommitOutcome(stored) }
      _ = try await database.run(
        StatementUnit([WriteCalls.deleteExpired(request)], isWrite: true))
      return nil
    default:
      throw error.storeError
    }
  }

  package func reply(to request: RequestKey) async throws(StoreError) -> StoredReply? {
    let rows = try await database.rows(
      WriteStatements.findReply { parameters in
        parameters.append(request.callerID)
        parameters.append(request.method)
        parameters.append(request.key)
      })
    guard let row = rows.first else { return nil }
    return try row.bytes(0) == request.requestHash ? .reply(row.bytes(1)) : .otherRequest
  }

  /// Removes at most `limit` remembered replies made before `time`; for a job that runs now and
  /// then with a time 24 hours ago.
  ///
  /// - Returns: how many were removed.
  package func purgeReplies(
    before time: Timestamp, limit: Int = 10_000
  ) async throws(StoreError) -> Int {
    let call = WriteStatements.purgeReplies { parameters in
      parameters.append(time)
      parameters.append(Int64(limit))
    }
    let results = try await database.run(StatementUnit([call], isWrite: true), on: .long)
    return Int(try results.first?.first?.int64(0) ?? 0)
  }
}
