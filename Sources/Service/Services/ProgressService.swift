internal import Contract
internal import Domain
internal import EventLog
internal import RPC

/// Registered by hand: events go out as bytes that all subscribers share.
struct ProgressService: Sendable {
  private static let checkpointIntervalDefault: Int32 = 1000
  private static let checkpointIntervalMax: Int32 = 1_000_000
  /// How many events may wait for their positions when a subscription starts live.
  private static let unsequencedMax = 10_000

  let log: any EventLog
  let sources: EventSources
  let waiter: CursorWaiter

  private var hub: EventHub { sources.hub }

  func register(in router: inout Router) throws(RegistrationError) {
    try router.serverStreaming(ProgressServiceMethods.watch) {
      (
        request: WatchRequest, context: CallContext,
        responses: ResponseWriter<EncodedMessage<WatchResponse>>
      ) in
      try await watch(request, context, responses)
    }
  }

  func watch(
    _ request: WatchRequest, _ context: CallContext,
    _ responses: ResponseWriter<EncodedMessage<WatchResponse>>
  ) async throws {
    // Out of the frame that lasts: what the request said is not kept.
    try await subscription(request, context, responses).run()
  }

  private func subscription(
    _ request: WatchRequest, _ context: CallContext,
    _ responses: ResponseWriter<EncodedMessage<WatchResponse>>
  ) async throws -> EventSubscription {
    let caller = try context.caller
    let filter = try Domain.EventFilter(request.filter)
    context.concerns(usersOf: filter, caller)
    guard (0...Self.checkpointIntervalMax).contains(request.checkpointInterval) else {
      throw DomainError.invalid(
        "checkpoint_interval", "must be 0 to \(Self.checkpointIntervalMax)")
    }
    let interval =
      request.checkpointInterval == 0
      ? Self.checkpointIntervalDefault : request.checkpointInterval
    var from: Domain.Timestamp?
    if case .fromTimeUs(let micros) = request.start {
      from = try Domain.Timestamp(micros: micros, field: "from_time_us")
    }
    // Before the place is looked at: what is found out later is of a history that continues this one,
    // or ends the subscription.
    var history = hub.history
    let machine = try await start(request, from, Int(interval), &history, context)
    return EventSubscription(sources, filter, from: from, caller, machine, history, responses)
  }

  private func start(
    _ request: WatchRequest, _ from: Domain.Timestamp?, _ checkpointInterval: Int,
    _ history: inout LogHistory, _ context: CallContext
  ) async throws -> SubscriptionMachine {
    let cursor: Int64
    switch (from, request.start) {
    case (let from?, _):
      // The port answers the last event at or before a moment; the first at or after this one
      // stands after the last before it.
      cursor = try await log.position(at: from.advanced(by: .microseconds(-1)))
    case (nil, .afterCursor(let text)): cursor = try await waiter.position(of: text, context)
    case (nil, .fromBeginning(true)): cursor = 0
    case (nil, .fromBeginning(false)), (nil, .fromTimeUs), (nil, nil):
      // The log itself, not its live end: a write that was acknowledged may not have got there.
      guard let end = try await log.end(unsequencedMax: Self.unsequencedMax) else {
        throw RPCError.logIsBehind()
      }
      try await hub.follow(end.epoch, of: log)
      history = hub.history
      // Cut again in this moment: what the end says may be of before.
      guard history.current.id == end.epoch else { throw RPCError.logIsBehind() }
      return SubscriptionMachine(live: end, checkpointInterval: checkpointInterval)
    }
    return SubscriptionMachine(after: cursor, checkpointInterval: checkpointInterval)
  }
}
