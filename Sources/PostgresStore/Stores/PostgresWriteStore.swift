package import Domain

/// Commits writes, each as one unit of statements: one implicit transaction, one round trip.
package struct PostgresWriteStore: WriteStore {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  /// The order of the statements matters. The reply comes first, so that a concurrent repeat waits
  /// there until the first has ended; the events come last, after every row lock, so that their
  /// order is causal per entity.
  package func commit(_ write: Write) async throws(StoreError) -> CommitOutcome {
    var calls: [StatementCall] = []
    let chargedByteCount = write.storedByteCount
    if let reply = write.reply {
      calls.append(
        ReplyStatements.insert(
          reply.request.parameters, Bytes(reply.request.requestHash), Bytes(reply.reply),
          chargedByteCount))
    } else if let user = write.chargedTo {
      calls.append(UsageStatements.charge(user, chargedByteCount))
    }
    for change in write.changes { calls += WriteCalls.calls(for: change) }
    if !write.events.isEmpty {
      calls.append(EventStatements.insert(try Self.sealed(write.events)))
    }
    let unit = StatementUnit(writing: calls, for: .commit)
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

  /// Events as they are stored.
  static func sealed(_ events: [NewEvent]) throws(StoreError) -> [StoredEvent] {
    do throws(SealingFailed) {
      return try events.map(StoredEvent.init(sealing:))
    } catch {
      throw .unavailable(error.reason, maybeCommitted: false)
    }
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
      _ = try await database.write(
        ReplyStatements.deleteExpired(request.parameters), for: .commit)
      return nil
    default:
      throw error.storeError
    }
  }

  package func reply(to request: RequestKey) async throws(StoreError) -> StoredReply? {
    guard
      let row = try await database.rows(
        ReplyStatements.find(request.parameters), as: .own(request.callerID)
      ).first
    else { return nil }
    let (hash, reply): (Bytes, Bytes) = try row.values()
    return hash.bytes == request.requestHash ? .reply(reply.bytes) : .otherRequest
  }

  /// What one batch of a purge came to.
  package struct PurgedKeys: Sendable, Hashable {
    package var count: Int
    /// Where the next batch starts, also one of later; nil where there was nothing to remove.
    package var next: Timestamp?
  }

  /// Removes at most `limit` keys made from `start` on and before `end`, the oldest first; for a job
  /// that runs now and then with an `end` 24 hours ago.
  package func purgeKeys(
    from start: Timestamp, before end: Timestamp, limit: Int, databaseTime: Timestamp? = nil
  ) async throws(StoreError) -> PurgedKeys {
    guard
      let row = try await database.write(
        ReplyStatements.purgeKeys(start, end, Int64(limit), databaseTime), for: .housekeeping,
        on: .long
      ).first
    else { return PurgedKeys(count: 0, next: nil) }
    let (count, last): (Int64, Timestamp?) = try row.values()
    return PurgedKeys(count: Int(count), next: last)
  }

  /// Empties the partitions of the replies of hours that have passed before `start`, without reading
  /// them.
  ///
  /// - Parameter now: later than any reply is made until the next time, but for an hour.
  /// - Returns: how many partitions were emptied.
  package func emptyReplies(
    before start: Timestamp, now: Timestamp, databaseTime: Timestamp? = nil
  ) async throws(StoreError) -> Int {
    let count = try await database.write(
      ReplyStatements.empty(Self.hour(of: start), Self.hour(of: now) + 1, databaseTime),
      for: .housekeeping,
      on: .long
    ).first?.value(0, as: Int32.self)
    return Int(count ?? 0)
  }

  private static func hour(of time: Timestamp) -> Int64 {
    time.microsecondsSinceEpoch / 3_600_000_000
  }
}
