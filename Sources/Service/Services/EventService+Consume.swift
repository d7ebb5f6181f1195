internal import Contract
internal import Domain
internal import EventLog
internal import RPC

extension EventService {
  private static let bufferSizeDefault: Int32 = 10
  private static let bufferSizeMax: Int32 = 1000
  private static let instanceMax = 100

  func consume(
    _ requests: RequestStream<ConsumeRequest>, _ context: CallContext,
    _ responses: ResponseWriter<ConsumeResponse>
  ) async throws {
    let caller = try context.caller
    let parts = try groupParts()
    var requests = requests
    guard case .join(let join)? = try await requests.next()?.step else {
      throw DomainError.invalid("join", "must be the first message of the stream")
    }
    let group = try await group(named: join.group, caller).group
    let request = try Self.request(join, group, caller, parts)
    context.concerns(usersOf: group.filter, caller)
    let bufferSize = join.bufferSize == 0 ? Self.bufferSizeDefault : join.bufferSize
    let settlements = requests
    try await parts.desks.withMember(of: group, request, bufferSize: Int(bufferSize)) { member in
      try await responses.write(
        ConsumeResponse(
          joined: JoinedGroup(
            consumer: request.name, ackTimeoutUs: group.limits.ackTimeout.wholeMicroseconds)))
      try await GroupConsumption(member: member, log: log, hub: parts.hub, cursors: cursors)
        .run(settlements, responses)
    }
  }

  private static func request(
    _ join: JoinGroup, _ group: Domain.ConsumerGroup, _ caller: Caller, _ parts: GroupParts
  ) throws -> GroupJoin {
    guard (0...bufferSizeMax).contains(join.bufferSize) else {
      throw DomainError.invalid("join.buffer_size", "must be 0 to \(bufferSizeMax)")
    }
    guard join.consumer.isEmpty || Domain.ConsumerGroup.isConsumerName(join.consumer) else {
      throw DomainError.invalid(
        "join.consumer", "must be 1 to 100 characters of a-z, 0-9, ., - and _")
    }
    var check = Domain.Validation()
    check.text("join.instance", join.instance, maximum: instanceMax, singleLine: true)
    try check.check()
    let sessionID = parts.ids.next(at: parts.clock.now())
    return GroupJoin(
      groupID: group.id, name: join.consumer.isEmpty ? sessionID.description : join.consumer,
      instance: join.instance, userID: caller.userID, serverID: parts.serverID,
      sessionID: sessionID)
  }
}

/// One consumer's stream: sends what the consumer is given, and takes in what it settles.
struct GroupConsumption: Sendable {
  /// What of its deliveries is read and sent at a time.
  private static let chunk = (eventCount: 50, byteCount: 256 << 10)
  private static let idMax = 1000

  let member: GroupMember
  let log: any EventLog
  let hub: EventHub
  let cursors: CursorCodec

  /// Runs until the consumer has half-closed and all is answered, or the call ends.
  func run(
    _ requests: RequestStream<ConsumeRequest>, _ responses: ResponseWriter<ConsumeResponse>
  ) async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await takeIn(requests)
        return false
      }
      group.addTask {
        try await send(responses)
        return true
      }
      while let isOver = try await group.next() {
        guard isOver else { continue }
        group.cancelAll()
        return
      }
    }
  }

  private func takeIn(_ requests: RequestStream<ConsumeRequest>) async throws {
    var requests = requests
    while let request = try await requests.next() {
      guard case .settle(let settle)? = request.step else {
        throw DomainError.invalid("settle", "must be what each message after the first brings")
      }
      let action = try Self.action(settle)
      guard (1...Self.idMax).contains(settle.eventIds.count) else {
        throw DomainError.invalid("settle.event_ids", "must have 1 to \(Self.idMax) entries")
      }
      var ids: [EntityID] = []
      for (index, text) in settle.eventIds.enumerated() {
        ids.append(try EntityID(parsing: text, field: "settle.event_ids[\(index)]"))
      }
      var check = Domain.Validation()
      check.text("settle.reason", settle.reason, maximum: Settlement.reasonMax)
      try check.check()
      try await member.settle(ids, action, reason: settle.reason)
    }
    member.end()
  }

  private static func action(_ settle: Settle) throws(DomainError) -> Domain.SettleAction {
    let delay = Duration.microseconds(settle.retryAfterUs)
    guard (.zero...Settlement.delayMax).contains(delay) else {
      throw .invalid("settle.retry_after_us", "must be 0 to \(Settlement.delayMax)")
    }
    switch settle.action {
    case .ack, .skip: return .done
    case .retry: return .retry(after: settle.retryAfterUs == 0 ? nil : delay)
    case .park: return .park
    case .extend: return .extend
    default: throw .invalid("settle.action", "is no action that this server knows")
    }
  }

  private func send(_ responses: ResponseWriter<ConsumeResponse>) async throws {
    while true {
      switch try await member.next(limit: Self.chunk.eventCount) {
      case .end: return
      case .answer(let answer):
        try await responses.write(
          ConsumeResponse(
            settled: Settled(
              eventIds: answer.settled.map(\.description),
              notHeld: answer.notHeld.map(\.description))))
      case .deliveries(let deliveries): try await send(deliveries, responses)
      }
    }
  }

  /// Sends the first of the deliveries, as many as are read at a time.
  private func send(
    _ deliveries: [GroupDelivery], _ responses: ResponseWriter<ConsumeResponse>
  ) async throws {
    let history = hub.history
    let events = try await log.events(
      at: deliveries.map(\.position), byteCountMax: Self.chunk.byteCount)
    for (delivery, event) in zip(deliveries, events) {
      guard event.position == delivery.position, event.id == delivery.eventID else {
        throw StoreError.unavailable("the log's history changes", maybeCommitted: false)
      }
      let shared = SharedEvent(event)
      try await responses.write(
        ConsumeResponse(
          event: Contract.Event(shared, cursor: cursors.cursor(event.position, in: history)),
          attempt: delivery.attempt, settleBy: Contract.Timestamp(delivery.until)))
      member.sent(1)
    }
  }
}
