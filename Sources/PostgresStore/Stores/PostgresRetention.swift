package import Domain

/// Removes what was kept long enough, in batches.
package struct PostgresRetention: Sendable {
  /// What ends, and is kept for a while after that.
  package enum Kind: Sendable, CaseIterable {
    /// Tokens that expired or were revoked, none of which another one was made with that is still there.
    case tokens
    /// Runs of agents that ended. Their events stay in the log.
    case runs
    /// Validations that ended. Their events and the snapshots' verdicts stay.
    case validations
    /// What users used of models, by the hour.
    case usage
    /// Entries of the audit that are sealed: the first ones, in their order. An entry says that they went.
    case audit
  }

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  /// Removes at most `limit` that ended before `time`, the oldest first.
  ///
  /// - Returns: how many were removed. Nothing of the last day is, by the database's clock.
  package func purge(
    _ kind: Kind, before time: Timestamp, limit: Int
  ) async throws(StoreError) -> Int {
    let statement =
      switch kind {
      case .tokens: RetentionStatements.tokens
      case .runs: RetentionStatements.runs
      case .usage: RetentionStatements.usage
      case .validations: RetentionStatements.validations
      case .audit: RetentionStatements.audit
      }
    let count: Int64? = try await database.write(
      statement(time, Int64(max(0, min(limit, 100_000)))), for: .housekeeping, on: .long
    ).first?.value(0)
    return Int(count ?? 0)
  }
}

/// Takes events out of the database that the lake has: see `EventRemoval`.
package struct PostgresEventRemoval: EventRemoval {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func floor() async throws(StoreError) -> LogFloor {
    try await PostgresEventLog(database).floor()
  }

  package func remove(_ batch: RemovalBatch) async throws(StoreError) -> Int {
    let call = RetentionStatements.events(
      batch.archiveID, Int64(batch.epoch), batch.firstPosition, batch.eventIDs, batch.before)
    let count: Int64? = try await database.write(call, for: .housekeeping, on: .long)
      .first?.value(0)
    return Int(count ?? 0)
  }
}
