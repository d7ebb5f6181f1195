package import Domain

/// The log for its readers: what is above the floor is in the database, and the rest in the archive.
///
/// Every statement that reads events says the floor of the same snapshot, so that none is taken for
/// missing that has left.
package struct PostgresEventLog: EventLog {
  /// The most events that one call returns.
  package static let pageMax = 10_000
  /// The most events of one user that may wait for the lake.
  package static let tailMax = 100_000
  /// How far commits may overtake each other, for `position(at:)`.
  private static let disorderMax: Int64 = 10_000

  let database: PostgresDatabase
  let archive: (any ArchivedLog)?
  let knownFloor = KnownFloor()

  /// - Parameter archive: what has the events below the floor; nil: they cannot be read.
  package init(_ database: PostgresDatabase, archive: (any ArchivedLog)? = nil) {
    self.database = database
    self.archive = archive
  }

  package func page(
    after position: Int64, limit: Int, byteCountMax: Int
  ) async throws(StoreError) -> LogPage {
    let position = max(0, position)
    let limit = max(1, min(limit, PostgresEventLog.pageMax))
    if position >= knownFloor.position {
      let rows = try await database.rows(
        EventStatements.page(position, Int64(limit), Int64(max(1, byteCountMax))),
        as: .system(.log))
      if let page = try page(of: rows, after: position) { return page }
    }
    return try await archivedPage(after: position, limit: limit, byteCountMax: byteCountMax)
  }

  package func events(
    at positions: [Int64], byteCountMax: Int
  ) async throws(StoreError) -> [StoredEvent] {
    guard let first = positions.first else { return [] }
    // What has left is read one by one: hardly anything waits for so long.
    if first <= knownFloor.position {
      return try await page(after: first - 1, limit: 1, byteCountMax: 1).events.filter {
        $0.position == first
      }
    }
    let unit = StatementUnit(
      [
        EventStatements.inOrderOfIndexes(),
        EventStatements.atPositions(positions, Int64(max(1, byteCountMax))),
      ], as: .system(.log))
    let events = try await database.run(unit).last?.map(EventRow.read) ?? []
    // Another server may have moved the floor.
    if events.first?.position != first {
      _ = try await floor()
      guard first <= knownFloor.position else {
        throw .corrupt("there is no event at the position \(first)")
      }
      return try await self.events(at: [first], byteCountMax: byteCountMax)
    }
    return events
  }

  /// Nil where the page begins below the floor.
  private func page(of rows: ResultSet, after position: Int64) throws(StoreError) -> LogPage? {
    // After the event and what came before it.
    let extra = EventRow.width + 1
    guard let first = rows.first else { throw .corrupt("events.page: the server gave no result") }
    let floor: Int64 = try first.value(extra + 2)
    knownFloor.found(floor)
    guard position >= floor else { return nil }
    let isEmpty = try first.value(extra - 1, as: Int64?.self) == nil
    let events = isEmpty ? [] : try rows.map(EventRow.read)
    let last: Int64 = try first.value(extra)
    let epoch: Int64 = try first.value(extra + 1)
    return LogPage(
      events: events, isEnd: (events.last?.position ?? position) >= last,
      epoch: isEmpty ? nil : UInt32(truncatingIfNeeded: epoch))
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
    try await find(eventID)?.position
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
    guard let first = rows.first else { throw .corrupt("events.tail: the server gave no result") }
    let floor = try EventStatements.floor(of: first, from: EventRow.width)
    if position < floor.position, floor.createdUntil.map({ from <= $0 }) ?? true {
      throw .archived(.notHere)
    }
    guard rows.count <= PostgresEventLog.tailMax else {
      throw .unavailable(
        "more than \(PostgresEventLog.tailMax) events of a user are not in the lake yet",
        maybeCommitted: false)
    }
    return try first.value(1, as: Int64?.self) == nil ? [] : try rows.map(EventRow.read)
  }
}
