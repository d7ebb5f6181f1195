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
    try await database.rows(
      EventStatements.after { parameters in
        parameters.append(position)
        parameters.append(Int64(max(0, min(limit, PostgresEventLog.pageMaximum))))
      }
    ).map(StoredEvent.init)
  }

  package func head() async throws(StoreError) -> Int64 {
    try await database.rows(EventStatements.head()).first { (row) throws(StoreError) in
      try row.int64(0)
    } ?? 0
  }

  package func position(of eventID: UUIDv7) async throws(StoreError) -> Int64? {
    try await database.rows(
      EventStatements.positionOfEvent { $0.append(eventID) }
    ).first?.optionalInt64(0)
  }

  package func newestUnstamped() async throws(StoreError) -> UUIDv7? {
    try await database.rows(EventStatements.newestUnstamped { _ in }).first?.uuid(0)
  }

  package func position(at time: Timestamp) async throws(StoreError) -> Int64 {
    try await database.rows(
      EventStatements.positionAtTime { parameters in
        parameters.append(time)
        parameters.append(PostgresEventLog.disorderMaximum)
      }
    ).first?.int64(0) ?? 0
  }

  package func tail(
    user: UUIDv7, from: Timestamp, to: Timestamp, after position: Int64
  ) async throws(StoreError) -> [StoredEvent] {
    let rows = try await database.rows(
      EventStatements.tail { parameters in
        parameters.append(user)
        parameters.append(from)
        parameters.append(to)
        parameters.append(position)
        parameters.append(Int64(PostgresEventLog.tailMaximum) + 1)
      }, on: .long)
    guard rows.count <= PostgresEventLog.tailMaximum else {
      throw .unavailable(
        "more than \(PostgresEventLog.tailMaximum) events of a user are not in the lake yet",
        maybeCommitted: false)
    }
    return try rows.map(StoredEvent.init)
  }
}

extension StoredEvent {
  /// An event of the columns that the log's statements select; without a position it has 0.
  init(_ row: Row) throws(StoreError) {
    self.init(
      id: try row.uuid(0), seq: try row.int64(1), position: try row.optionalInt64(2) ?? 0,
      type: try row.text(3), entityType: try row.text(4), entityID: try row.uuid(5),
      version: try row.int64(6), userID: try row.optionalUUID(7), payload: try row.json(8),
      metadata: try row.json(9), schemaVersion: try row.int32(10),
      createdAt: try row.timestamp(11))
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
    let unit = StatementUnit(
      [
        EventStatements.lead { $0.append(PostgresEventStamper.lockKey) },
        EventStatements.stamp {
          $0.append(Int64(max(1, min(limit, PostgresEventLog.pageMaximum))))
        },
      ], isWrite: true)
    let results = try await database.run(unit, on: .stamper)
    guard results.count == 2, let leads = results[0].first else {
      throw .corrupt("the stamp gave no result")
    }
    guard try leads.bool(0) else { return nil }
    return try results[1].map(StoredEvent.init)
  }

  /// Wakes the stampers of other servers. Many wakes while one is under way are one: the caller
  /// awaits it before the next. A lost one costs latency, never data.
  package func notify() async throws(StoreError) {
    _ = try await database.run(
      StatementUnit([EventStatements.notify { $0.append(PostgresDatabase.wakeChannel) }]),
      on: .listener)
  }
}

package struct PostgresCursorStore: CursorStore {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func cursor(_ name: String) async throws(StoreError) -> Int64 {
    try await database.rows(EventStatements.cursor { $0.append(name) }).first?.int64(0) ?? 0
  }

  package func advance(_ name: String, to position: Int64) async throws(StoreError) {
    let call = EventStatements.advanceCursor { parameters in
      parameters.append(name)
      parameters.append(position)
    }
    _ = try await database.run(StatementUnit([call], isWrite: true))
  }
}
