package import Domain

/// The log for its readers.
package struct PostgresEventLog: EventLog {
  /// The most events that one call returns.
  package static let pageMax = 10_000
  /// The most events of one user that may wait for the lake.
  package static let tailMax = 100_000
  /// How far commits may overtake each other, for `position(at:)`.
  private static let disorderMax: Int64 = 10_000

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func events(
    after position: Int64, limit: Int
  ) async throws(StoreError) -> [StoredEvent] {
    let limit = Int64(max(0, min(limit, PostgresEventLog.pageMax)))
    return try await database.rows(
      EventStatements.after(position, limit), as: .system(.log)
    ).map(EventRow.read)
  }

  package func head() async throws(StoreError) -> Int64 {
    try await database.rows(EventStatements.head(), as: .nobody).first?.value(0) ?? 0
  }

  package func position(of eventID: EntityID) async throws(StoreError) -> Int64? {
    try await database.rows(
      EventStatements.positionOfEvent(eventID), as: .system(.log)
    ).first?.value(0, as: Int64?.self) ?? nil
  }

  package func newestUnsequenced() async throws(StoreError) -> EntityID? {
    try await database.rows(
      EventStatements.newestUnsequenced(), as: .system(.log)
    ).first?.value(0)
  }

  package func position(at time: Timestamp) async throws(StoreError) -> Int64 {
    try await database.rows(
      EventStatements.positionAtTime(time, PostgresEventLog.disorderMax), as: .system(.log)
    ).first?.value(0) ?? 0
  }

  package func tail(
    user: EntityID, from: Timestamp, to: Timestamp, after position: Int64, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent] {
    let rows = try await database.rows(
      EventStatements.tail(scope, user, from, to, position, Int64(PostgresEventLog.tailMax) + 1),
      as: Viewer(scope), on: .long)
    guard rows.count <= PostgresEventLog.tailMax else {
      throw .unavailable(
        "more than \(PostgresEventLog.tailMax) events of a user are not in the lake yet",
        maybeCommitted: false)
    }
    return try rows.map(EventRow.read)
  }
}

/// Gives events their positions on a session of its own that holds the deployment's lock. Servers
/// that do not hold it get it when the holder's session ends.
package struct PostgresEventSequencer: EventSequencer {
  /// "hito" in ASCII, and a number of its own.
  private static let lockKey: Int64 = 0x6869_746f_0002

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func sequence(limit: Int) async throws(StoreError) -> [StoredEvent]? {
    let limit = Int64(max(1, min(limit, PostgresEventLog.pageMax)))
    let unit = StatementUnit(
      writing: [
        EventStatements.lead(PostgresEventSequencer.lockKey), EventStatements.sequence(limit),
      ], for: .sequencing)
    let results = try await database.run(unit, on: .sequencer)
    guard results.count == 2, let leads = results[0].first else {
      throw .corrupt("the sequencer's batch gave no result")
    }
    guard try leads.value(0, as: Bool.self) else { return nil }
    return try results[1].map(EventRow.read)
  }

  /// Wakes the sequencers of other servers. Many wakes while one is under way are one: the caller
  /// awaits it before the next. A lost one costs latency, never data.
  package func notify() async throws(StoreError) {
    _ = try await database.rows(
      EventStatements.notify(PostgresDatabase.wakeChannel), as: .nobody, on: .listener)
  }
}

package struct PostgresCursorStore: CursorStore {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func cursor(_ name: String) async throws(StoreError) -> Int64 {
    try await database.rows(EventStatements.cursor(name), as: .nobody).first?.value(0) ?? 0
  }

  package func advance(_ name: String, to position: Int64) async throws(StoreError) {
    _ = try await database.write(EventStatements.advanceCursor(name, position), for: .log)
  }
}
