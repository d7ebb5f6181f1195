package import Domain

/// Reads of a part of the log.
extension PostgresEventLog {
  package func events(
    in window: EventWindow, limits: WindowLimits, scope: AccessScope
  ) async throws(StoreError) -> WindowPage {
    let interest = EventInterest(window.filter, scope)
    guard interest.lead != .nothing, window.after < window.through else {
      return WindowPage(
        events: [], completeTo: max(window.after, window.through), lookedCount: 0)
    }
    for lead in [interest.lead, .everything] {
      if window.after >= knownFloor.position {
        switch try await read(window, limits, interest, by: lead, scope) {
        case .page(let page): return page
        case .tooManyKeys: continue
        case .belowFloor: break
        }
      }
      if let page = try await archivedPage(window, limits, interest, by: lead, scope) {
        return page
      }
    }
    throw .corrupt("a window by position gave no result")
  }

  private enum WindowResult {
    case page(WindowPage)
    /// There is too much to look by.
    case tooManyKeys
    /// The window begins below the floor.
    case belowFloor
  }

  static func viewer(_ scope: AccessScope) -> Viewer {
    scope.role == .instructor ? .system(.log) : Viewer(scope)
  }

  /// Runs one of the two statements of a leading property.
  func rows(
    _ statement: EventStatements.Window, _ window: EventWindow, _ limits: WindowLimits,
    _ interest: EventInterest, _ scope: AccessScope
  ) async throws(StoreError) -> ResultSet {
    let filter = interest.filter
    let call = statement(
      window.after, window.through, Int64(min(limits.lookedCount, PostgresEventLog.pageMax)),
      Int64(min(limits.eventCount, PostgresEventLog.pageMax)), Int64(limits.byteCount),
      filter.userIDs, filter.goalIDs, filter.taskIDs, filter.courseIDs, filter.types,
      interest.overseerID)
    let unit = StatementUnit(
      [EventStatements.inOrderOfIndexes(), call], as: Self.viewer(scope))
    guard let rows = try await database.run(unit).last, rows.count > 0 else {
      throw .corrupt("\(call.statement.name): the server gave no result")
    }
    return rows
  }

  private func read(
    _ window: EventWindow, _ limits: WindowLimits, _ interest: EventInterest,
    by lead: EventInterest.Lead, _ scope: AccessScope
  ) async throws(StoreError) -> WindowResult {
    let rows = try await rows(
      EventStatements.window(by: lead), window, limits, interest, scope)
    // After the event and what came before it.
    let extra = EventRow.width + 1
    let first = rows[0]
    let floor = try EventStatements.floor(of: first, from: extra + 5)
    knownFloor.found(floor.position)
    guard window.after >= floor.position else { return .belowFloor }
    if try first.value(extra + 3, as: Bool.self) { return .tooManyKeys }
    let lookedCount: Int64 = try first.value(extra + 1)
    let epoch: Int64 = try first.value(extra + 4)
    var page = WindowPage(
      events: [], completeTo: try first.value(extra), lookedCount: Int(lookedCount),
      epoch: UInt32(truncatingIfNeeded: epoch))
    if try first.value(extra - 1, as: Int64?.self) != nil {
      page.events = try rows.map(EventRow.read)
    }
    let wantedCount: Int64 = try first.value(extra + 2)
    let eventCount = Int64(min(limits.eventCount, PostgresEventLog.pageMax))
    if Int64(page.events.count) < wantedCount || wantedCount == eventCount {
      page.completeTo = page.events.last?.position ?? window.after
    }
    return .page(page)
  }
}
