internal import Contract
internal import Domain
internal import EventLog
internal import RPC

struct EventService: EventServiceHandler {
  /// After how many events that were looked at, wanted or not, a call ends; the client continues at
  /// `next_cursor`.
  static let scanMax = 5000
  /// Most events of one read of the log, and most that it looks at.
  private static let pageMax = 100
  private static let lookedMax = 1000

  let log: any EventLog
  let visibility: EventVisibility
  let waiter: CursorWaiter
  let cursors: CursorCodec
  let groups: GroupParts?
  let externals: (any ExternalEventStore)?
  let users: any UserRepository
  let writes: WriteExecutor

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
      if history == waiter.hub.history { return response }
    }
    throw StoreError.unavailable("the log's history changes", maybeCommitted: false)
  }

  private func read(
    after start: Int64, _ limit: Int, _ filter: Domain.EventFilter, _ caller: Caller,
    _ history: LogHistory
  ) async throws -> ReadEventsResponse {
    let head = try await log.head()
    var window = EventWindow(after: start, through: max(start, head), filter: filter)
    var response = ReadEventsResponse()
    var room = Paging.replyByteCountMax
    var lookedCount = 0
    while response.events.count < limit, room > 0, window.after < window.through,
      lookedCount < Self.scanMax
    {
      let page = try await log.events(
        in: window, limits: limits(limit - response.events.count, room, lookedCount),
        scope: AccessScope(caller))
      if let epoch = page.epoch { try await waiter.hub.follow(epoch, of: log) }
      lookedCount += page.lookedCount
      window.after = page.completeTo
      for event in page.events {
        let shared = SharedEvent(event)
        guard try await visibility.allows(shared, to: caller) else { continue }
        guard room > 0 else {
          // The client continues with it.
          window.after = event.position - 1
          break
        }
        let cursor = cursors.cursor(event.position, in: history)
        response.events.append(Contract.Event(shared, cursor: cursor))
        room -= event.payload.byteCount + event.metadata.byteCount + 512
      }
    }
    response.atEnd = window.after >= head
    response.nextCursor = cursors.cursor(window.after, in: history)
    return response
  }

  /// What is looked at in vain doubles what is looked at next.
  private func limits(_ left: Int, _ room: Int, _ lookedCount: Int) -> WindowLimits {
    WindowLimits(
      eventCount: min(left, Self.pageMax), byteCount: room,
      lookedCount: min(max(left, lookedCount), Self.lookedMax))
  }
}
