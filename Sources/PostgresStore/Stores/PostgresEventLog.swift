package import Domain

/// The log for its readers.
package struct PostgresEventLog: EventLog {
  /// The most events that one call returns.
  package static let pageMax = 10_000
  /// The most events of one user that may wait for the lake.
  package static let tailMax = 100_000
  /// How far commits may overtake each other, for `position(at:)`.
  private static let disorderMax: Int64 = 10_000

  let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func events(
    in window: EventWindow, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent] {
    let viewer = scope.role == .instructor ? Viewer.system(.log) : Viewer(scope)
    let limit = Int64(max(0, min(limit, PostgresEventLog.pageMax)))
    return try await database.rows(
      EventStatements.window(
        window.after, window.through, window.userIDs, window.types, limit), as: viewer
    ).map(EventRow.read)
  }

  package func page(
    after position: Int64, limit: Int, byteCountMax: Int
  ) async throws(StoreError) -> LogPage {
    let limit = Int64(max(1, min(limit, PostgresEventLog.pageMax)))
    let rows = try await database.rows(
      EventStatements.page(max(0, position), limit, Int64(max(1, byteCountMax))),
      as: .system(.log))
    let events = try rows.map(EventRow.read)
    // After the event and what came before it.
    let last = try rows.first?.value(EventRow.width + 1, as: Int64.self)
    let epoch = try rows.first?.value(EventRow.width + 2, as: Int64.self)
    return LogPage(
      events: events, isEnd: events.last?.position == last,
      epoch: epoch.map(UInt32.init(truncatingIfNeeded:)))
  }

  package func end(unsequencedMax: Int) async throws(StoreError) -> LogEnd? {
    let rows = try await database.rows(
      EventStatements.end(Int64(unsequencedMax) + 1), as: .system(.log))
    // One row without a range where every event has a position.
    let ranges = try rows.map { (row) throws(StoreError) -> ClosedRange<Int64>? in
      guard let low = try row.value(1, as: Int64?.self) else { return nil }
      return low...(try row.value(2))
    }
    let end = LogEnd(
      position: try rows.first?.value(0) ?? 0, unsequenced: ranges.compactMap { $0 },
      epoch: UInt32(truncatingIfNeeded: try rows.first?.value(3, as: Int64.self) ?? 0))
    return end.unsequencedCount <= unsequencedMax ? end : nil
  }

  package func head() async throws(StoreError) -> Int64 {
    try await database.rows(
      EventStatements.head(), as: .system(.log)
    ).first?.value(0) ?? 0
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
