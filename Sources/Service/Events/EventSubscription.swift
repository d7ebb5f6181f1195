internal import Contract
internal import Domain
internal import EventLog
internal import RPC

/// Runs one subscription: performs the steps of its machine and sends what comes of them.
struct EventSubscription: Sendable {
  let log: any EventLog
  let hub: EventHub
  let cursors: CursorCodec
  let visibility: EventVisibility
  let selection: EventSelection
  let caller: Caller
  let responses: ResponseWriter<EncodedMessage<WatchResponse>>

  /// Runs until the call ends. Every error says where to resume.
  func run(_ start: SubscriptionMachine) async throws {
    var machine = start
    do {
      while true {
        try Task.checkCancellation()
        guard !hub.isDraining else { throw RPCError.draining(resumeCursor: nil) }
        switch machine.next {
        case .readLog(let position, let limit): try await read(position, limit, &machine)
        case .takeFromRing(let position, let limit): try await take(position, limit, &machine)
        }
      }
    } catch {
      var error = ErrorTable.rpcError(error)
      error.resumeCursor = error.resumeCursor ?? cursors.cursor(machine.cursor)
      throw error
    }
  }

  private func read(
    _ position: Int64, _ limit: Int, _ machine: inout SubscriptionMachine
  ) async throws {
    // Asked before the page is read: what the ring gets meanwhile comes after the target.
    let ringHead = hub.head ?? 0
    let events = try await log.events(after: position, limit: limit)
    for event in events { try await consider(SharedEvent(event), &machine) }
    try await send(machine.logPageEnded(count: events.count, ringHead: ringHead), machine)
  }

  private func take(
    _ position: Int64, _ limit: Int, _ machine: inout SubscriptionMachine
  ) async throws {
    switch hub.take(after: position, limit: limit) {
    case .events(let events):
      for event in events { try await consider(event, &machine) }
      try await send(machine.ringBatchEnded(), machine)
    case .empty:
      try await send(machine.ringWasEmpty(), machine)
      await hub.wait(after: position)
    case .gone:
      try await send(machine.cursorLeftRing(), machine)
    }
  }

  private func consider(
    _ event: SharedEvent, _ machine: inout SubscriptionMachine
  ) async throws {
    visibility.observed(event)
    var isWanted = selection.wants(event.event, event.facts)
    if isWanted { isWanted = try await visibility.allows(event, to: caller) }
    let before = machine
    switch machine.considered(event.event.position, isWanted: isWanted) {
    case .send:
      let message = event.message(cursors)
      do {
        try await responses.write(message.response, resumeCursor: message.cursor)
      } catch {
        // Not sent: it is the first to be sent again.
        machine = before
        throw error
      }
    case .checkpoint: try await send(.checkpoint, machine.cursor)
    case .pass: break
    }
  }

  private func send(
    _ mark: SubscriptionMachine.Mark?, _ machine: SubscriptionMachine
  ) async throws {
    switch mark {
    case .caughtUp: try await send(.caughtUp, machine.cursor)
    case .fellBehind: try await send(.fellBehind, machine.cursor)
    case nil: break
    }
  }

  private func send(_ mark: SubscriptionMark, _ position: Int64) async throws {
    let cursor = cursors.cursor(position)
    let response = WatchResponse(cursor: cursor, step: .mark(mark))
    try await responses.write(EncodedMessage(response), resumeCursor: cursor)
  }
}
