internal import Contract
internal import Domain
internal import RPC
internal import Writes

/// What groups have put aside.
extension EventService {
  private static let eventMax = 1000

  func listParkedEvents(
    _ request: ListParkedEventsRequest, _ context: CallContext
  ) async throws -> ListParkedEventsResponse {
    let limit = try Paging.limit(request.pageSize, field: "page_size")
    let after =
      request.afterCursor.isEmpty
      ? 0 : try await waiter.position(of: request.afterCursor, context)
    let status = try await group(named: request.group, try context.caller)
    let found = try await groupParts().store.parked(
      in: status.group.id, after: after, limit: limit + 1)
    let history = waiter.hub.history
    var response = ListParkedEventsResponse()
    for entry in found.prefix(limit) {
      response.events.append(
        ParkedEvent(
          eventId: entry.eventID.description, cursor: cursors.cursor(entry.position, in: history),
          attempts: entry.attempt, reason: entry.reason,
          parkedAt: Contract.Timestamp(entry.parkedAt)))
    }
    if found.count > limit { response.nextCursor = response.events.last?.cursor ?? "" }
    return response
  }

  func replayParked(
    _ request: ReplayParkedRequest, _ context: CallContext
  ) async throws -> ReplayParkedResponse {
    try await unpark(request.group, request.eventIds, isReplay: true, context) {
      ReplayParkedResponse(replayed: $0)
    }
  }

  func skipParked(
    _ request: SkipParkedRequest, _ context: CallContext
  ) async throws -> SkipParkedResponse {
    try await unpark(request.group, request.eventIds, isReplay: false, context) {
      SkipParkedResponse(skipped: $0)
    }
  }

  private func unpark<Response: WriteResponse>(
    _ name: String, _ texts: [String], isReplay: Bool, _ context: CallContext,
    _ response: (Int64) -> Response
  ) async throws -> Response {
    let caller = try context.caller
    let parts = try groupParts()
    guard texts.count <= Self.eventMax else {
      throw DomainError.invalid("event_ids", "has more than \(Self.eventMax) entries")
    }
    var ids: [EntityID] = []
    for (index, text) in texts.enumerated() {
      ids.append(try EntityID(parsing: text, field: "event_ids[\(index)]"))
    }
    let events = ids.isEmpty ? nil : ids
    var groupID: EntityID?
    let written = try await writes.perform(context, caller, .uncharged) { _ in
      let status = try await group(named: name, caller)
      groupID = status.group.id
      let positions = try await parts.store.parkedPositions(in: status.group.id, events: events)
      return Decision(
        changes: positions.isEmpty
          ? []
          : [.unpark(status.group.id, positions: positions, isReplay: isReplay)],
        events: [], response: response(Int64(positions.count)))
    }
    // Wherever its consumers are, they look by themselves within a while; here at once.
    if let groupID { parts.desks.ring(groupID) }
    return written
  }
}
