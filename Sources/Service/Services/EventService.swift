internal import Contract
internal import Domain
internal import EventLog
internal import RPC

struct EventService: EventServiceHandler {
  /// How many events one call looks at, wanted or not; the client continues at `next_cursor`.
  static let scanMax = 5000

  let log: any EventLog
  let visibility: EventVisibility
  let waiter: CursorWaiter
  let cursors: CursorCodec

  func readEvents(
    _ request: ReadEventsRequest, _ context: CallContext
  ) async throws -> ReadEventsResponse {
    let caller = try context.caller
    let limit = try Paging.limit(request.pageSize, field: "page_size")
    let selection = EventSelection(try Domain.EventFilter(request.filter))
    try await waiter.waitForLog(request.minCursor, context)
    let start =
      request.afterCursor.isEmpty
      ? 0 : try await waiter.position(of: request.afterCursor, context)
    return try await read(after: start, limit, selection, caller)
  }

  private func read(
    after start: Int64, _ limit: Int, _ selection: EventSelection, _ caller: Caller
  ) async throws -> ReadEventsResponse {
    let pageLimit = SubscriptionMachine.pageLimit
    var response = ReadEventsResponse()
    var position = start
    var room = Paging.replyByteCountMax
    while response.events.count < limit, room > 0, !response.atEnd,
      position - start < Self.scanMax
    {
      let page = try await log.page(
        after: position, limit: pageLimit, byteCountMax: Paging.replyByteCountMax)
      var consideredCount = 0
      for event in page.events where response.events.count < limit && room > 0 {
        let shared = SharedEvent(event)
        position = event.position
        consideredCount += 1
        visibility.observed(shared)
        guard selection.wants(event, shared.facts),
          try await visibility.allows(shared, to: caller)
        else { continue }
        let cursor = cursors.cursor(position)
        response.events.append(Contract.Event(event, cursor: cursor))
        room -= event.payload.utf8.count + event.metadata.utf8.count + 512
      }
      response.atEnd = page.isEnd && consideredCount == page.events.count
    }
    response.nextCursor = cursors.cursor(position)
    return response
  }
}
