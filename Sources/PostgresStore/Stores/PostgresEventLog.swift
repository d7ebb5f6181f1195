package import Domain

/// The log for its readers.
package struct PostgresEventLog: EventLog {
  /// The most events that one call returns.
  package static let pageMaximum = 10_000
  /// The most events of one user that may wait for the lake.
  package static let tailMaximum = 100_000
  /// How far commits may overtake each other, for `position(at:)`.
  private static let disorderMaximum: Int64 = 10_000

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func events(
    after position: Int64, limit: Int
  ) async throws(StoreError) -> [StoredEvent] {
    let limit = Int64(max(0, min(limit, PostgresEventLog.pageMaximum)))
    return try await database.rows(EventStatements.after(position, limit)).map(EventRow.read)
  }

  package func head() async throws(StoreError) -> Int64 {
    try await database.rows(EventStatements.head()).first?.value(0) ?? 0
  }

  package func position(of eventID: UUIDv7) async throws(StoreError) -> Int64? {
    try await database.rows(
      EventStatements.positionOfEvent(eventID)
    ).first?.value(0, as: Int64?.self) ?? nil
  }

  package func newestUnstamped() async throws(StoreError) -> UUIDv7? {
    try await database.rows(EventStatements.newestUnstamped()).first?.value(0)
  }

  package func position(at time: Timestamp) async throws(StoreError) -> Int64 {
    try await database.rows(
      EventStatements.positionAtTime(time, PostgresEventLog.disorderMaximum)
    ).first?.value(0) ?? 0
  }

  package func tail(
    user: UUIDv7, from: Timestamp, to: Timestamp, after position: Int64
  ) async throws(StoreError) -> [StoredEvent] {
    let rows = try await database.rows(
      EventStatements.tail(user, from, to, position, Int64(PostgresEventLog.tailMaximum) + 1),
      on: .long)
    guard rows.count <= PostgresEventLog.tailMaximum else {
      throw .unavailable(
        "more than \(PostgresEventLog.tailMaximum) events of a user are not in the lake yet",
        maybeCommitted: false)
    }
    return try rows.map(EventRow.read)
  }
}

/// Stamps positions on a session of its own that holds the deployment's lock. Servers that do not
/// hold it get it when the holder's session ends.
package struct PostgresEventStamper: EventStamper {
  /// "hito" in ASCII, and a number of its own.
  private static let lockKey: Int64 = 0x6869_746f_0002

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func stamp(limit: Int) async throws(StoreError) -> [StoredEvent]? {
    let limit = Int64(max(1, min(limit, PostgresEventLog.pageMaximum)))
    let unit = StatementUnit(
      [EventStatements.lead(PostgresEventStamper.lockKey), EventStatements.stamp(limit)],
      isWrite: true)
    let results = try await database.run(unit, on: .stamper)
    guard results.count == 2, let leads = results[0].first else {
      throw .corrupt("the stamp gave no result")
    }
    guard try leads.value(0, as: Bool.self) else { return nil }
    return try results[1].map(EventRow.read)
  }

  /// Wakes the stampers of other servers. Many wakes while one is under way are one: the caller
  /// awaits it before the next. A lost one costs latency, never data.
  package func notify() async throws(StoreError) {
    _ = try await database.run(
      StatementUnit([EventStatements.notify(PostgresDatabase.wakeChannel)]), on: .listener)
  }
}

package struct PostgresCursorStore: CursorStore {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func cursor(_ name: String) async throws(StoreError) -> Int64 {
    try await database.rows(EventStatements.cursor(name)).first?.value(0) ?? 0
  }

  package func advance(_ name: String, to position: Int64) async throws(StoreError) {
    _ = try await database.write(EventStatements.advanceCursor(name, position))
  }
}
