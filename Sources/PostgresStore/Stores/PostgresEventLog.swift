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
    in window: EventWindow, limits: WindowLimits, scope: AccessScope
  ) async throws(StoreError) -> WindowPage {
    let interest = EventInterest(window.filter, scope)
    guard interest.lead != .nothing, window.after < window.through else {
      return WindowPage(
        events: [], completeTo: max(window.after, window.through), lookedCount: 0)
    }
    let viewer = scope.role == .instructor ? Viewer.system(.log) : Viewer(scope)
    if let page = try await read(window, limits, interest, by: interest.lead, viewer) {
      return page
    }
    guard let page = try await read(window, limits, interest, by: .everything, viewer) else {
      throw .corrupt("a window by position gave no result")
    }
    return page
  }

  /// Nil where there is too much to look by.
  private func read(
    _ window: EventWindow, _ limits: WindowLimits, _ interest: EventInterest,
    by lead: EventInterest.Lead, _ viewer: Viewer
  ) async throws(StoreError) -> WindowPage? {
    let filter = interest.filter
    let eventCount = Int64(min(limits.eventCount, PostgresEventLog.pageMax))
    let call = EventStatements.window(by: lead)(
      window.after, window.through, Int64(min(limits.lookedCount, PostgresEventLog.pageMax)),
      eventCount, Int64(limits.byteCount), filter.userIDs, filter.goalIDs, filter.taskIDs,
      filter.courseIDs, filter.types, interest.overseerID)
    let unit = StatementUnit([EventStatements.inOrderOfIndexes(), call], as: viewer)
    // After the event and what came before it.
    let extra = EventRow.width + 1
    guard let rows = try await database.run(unit).last, let first = rows.first else {
      throw .corrupt("\(call.statement.name): the server gave no result")
    }
    if try first.value(extra + 3, as: Bool.self) { return nil }
    let lookedCount: Int64 = try first.value(extra + 1)
    let epoch: Int64 = try first.value(extra + 4)
    var page = WindowPage(
      events: [], completeTo: try first.value(extra), lookedCount: Int(lookedCount),
      epoch: UInt32(truncatingIfNeeded: epoch))
    if try first.value(extra - 1, as: Int64?.self) != nil {
      page.events = try rows.map(EventRow.read)
    }
    let wantedCount: Int64 = try first.value(extra + 2)
    if Int64(page.events.count) < wantedCount || wantedCount == eventCount {
      page.completeTo = page.events.last?.position ?? window.after
    }
    return page
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
