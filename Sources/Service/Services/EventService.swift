internal import Contract
internal import Domain
internal import EventLog
internal import RPC

struct EventService: EventServiceHandler {
  /// How many events one call looks at, wanted or not; the client continues at `next_cursor`.
  static let scanMax: Int64 = 5000
  private static let pageMax = 100

  let log: any EventLog
  let visibility: EventVisibility
  let waiter: CursorWaiter
  let cursors: CursorCodec

  func readEvents(
    _ request: ReadEventsRequest, _ context: CallContext
  ) async throws -> ReadEventsResponse {
    let caller = try context.caller
    let limit = try Paging.limit(request.pageSize, field: "page_size")
    let filter = try Domain.EventFilter(request.filter)
    // Again where the log was found to have another history meanwhile.
    for _ in 0..<3 {
      let history = waiter.hub.history
      try await waiter.waitForLog(request.minCursor, context)
      let start =
        request.afterCursor.isEmpty
        ? 0 : try await waiter.position(of: request.afterCursor, context)
      let response = try await read(after: start, limit, filter, caller, history)
      try await waiter.hub.follow(log)
      if history == waiter.hub.history { return response }
    }
    throw StoreError.unavailable("the log's history changes", maybeCommitted: false)
  }

  private func read(
    after start: Int64, _ limit: Int, _ filter: Domain.EventFilter, _ caller: Caller,
    _ history: LogHistory
  ) async throws -> ReadEventsResponse {
    let selection = EventSelection(filter)
    let head = try await log.head()
    let end = min(start + Self.scanMax, max(head, start))
    var window = Self.window(of: filter, caller)
    (window.after, window.through) = (start, end)
    var response = ReadEventsResponse()
    var room = Paging.replyByteCountMax
    while response.events.count < limit, room > 0, window.after < end {
      let page = try await log.events(
        in: window, limit: Self.pageMax, scope: AccessScope(caller))
      var consideredCount = 0
      for event in page where response.events.count < limit && room > 0 {
        consideredCount += 1
        window.after = event.position
        let shared = SharedEvent(event)
        visibility.observed(shared)
        guard selection.wants(event, shared.facts),
          try await visibility.allows(shared, to: caller)
        else { continue }
        let cursor = cursors.cursor(event.position, in: history)
        response.events.append(Contract.Event(shared, cursor: cursor))
        room -= event.payload.byteCount + event.metadata.byteCount + 512
      }
      // A page that is not full is all there is up to the end.
      if page.count < Self.pageMax, consideredCount == page.count { window.after = end }
    }
    response.atEnd = window.after >= head
    response.nextCursor = cursors.cursor(window.after, in: history)
    return response
  }

  /// What of the filter the log itself can ask, so that what a caller can not see, or does not want,
  /// is neither moved nor parsed. Whose courses an event belongs to is in its payload: what an owner
  /// of courses may see is decided here, who is enrolled also by events that the filter leaves out.
  private static func window(of filter: Domain.EventFilter, _ caller: Caller) -> EventWindow {
    var window = EventWindow(after: 0, through: 0, userIDs: filter.userIDs, types: filter.types)
    switch caller.role {
    case .learner: window.userIDs = [caller.userID]
    case .instructor: window.types = []
    case .service, .admin: break
    }
    return window
  }
}
