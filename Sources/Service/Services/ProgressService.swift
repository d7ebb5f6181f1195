internal import Contract
internal import Domain
internal import EventLog
internal import RPC

/// Registered by hand: events go out as bytes that all subscribers share.
struct ProgressService: Sendable {
  private static let checkpointIntervalDefault: Int32 = 1000
  private static let checkpointIntervalMax: Int32 = 1_000_000

  let log: any EventLog
  let hub: EventHub
  let visibility: EventVisibility
  let waiter: CursorWaiter
  let cursors: CursorCodec

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
    let caller = try context.caller
    let filter = try Domain.EventFilter(request.filter)
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
    let (cursor, isLive) = try await start(request, from, context)
    let subscription = EventSubscription(
      log: log, hub: hub, cursors: cursors, visibility: visibility,
      selection: EventSelection(filter, from: from), caller: caller, responses: responses)
    try await subscription.run(
      SubscriptionMachine(after: cursor, isLive: isLive, checkpointInterval: Int(interval)))
  }

  private func start(
    _ request: WatchRequest, _ from: Domain.Timestamp?, _ context: CallContext
  ) async throws -> (cursor: Int64, isLive: Bool) {
    if let from {
      // The port answers the last event at or before a moment; the first at or after this one
      // stands after the last before it.
      return (try await log.position(at: from.advanced(by: .microseconds(-1))), false)
    }
    switch request.start {
    case .afterCursor(let text):
      return (try await waiter.position(of: text, context), false)
    case .fromBeginning(true):
      return (0, false)
    case .fromBeginning(false), .fromTimeUs, nil:
      if let head = hub.head { return (head, true) }
      return (try await log.head(), true)
    }
  }
}
