internal import Contract
internal import Domain
internal import EventLog
internal import RPC

/// Runs one subscription: performs the steps of its machine and sends what comes of them.
struct EventSubscription: Sendable {
  /// A message that has not gone out, and where the subscription stood before it.
  private struct Unsent {
    let message: EncodedMessage<WatchResponse>
    let cursor: String
    let before: SubscriptionMachine
  }

  let pages: EventPages
  let windows: EventWindows
  let hub: EventHub
  let cursors: CursorCodec
  let visibility: EventVisibility
  let selection: EventSelection
  let filter: Domain.EventFilter
  let interest: EventInterest
  let caller: Caller
  let responses: ResponseWriter<EncodedMessage<WatchResponse>>

  /// The log's history that the subscription continues.
  private(set) var history: LogHistory

  /// Runs until the call ends. Every error says where to resume.
  mutating func run(_ start: SubscriptionMachine) async throws {
    var machine = start
    do {
      while true {
        try Task.checkCancellation()
        guard !hub.isDraining else { throw RPCError.draining() }
        guard let unsent = try await step(&machine) else { continue }
        // However long this takes, it holds one message, whose bytes all subscribers share.
        do {
          try await responses.write(unsent.message, resumeCursor: unsent.cursor)
        } catch {
          // Not sent: it is the first to be sent again.
          machine = unsent.before
          throw error
        }
      }
    } catch {
      var error = ErrorTable.rpcError(error)
      error.resumeCursor = error.resumeCursor ?? cursors.cursor(machine.cursor, in: history)
      throw error
    }
  }

  /// Looks at a page of the log or a batch of the ring, or waits for one. Ends early, and lets go of
  /// it, with a message that cannot go out at once.
  private mutating func step(_ machine: inout SubscriptionMachine) async throws -> Unsent? {
    switch machine.next {
    case .readLog(let position):
      // A page that others read needs no wait: the loop gets its turn.
      await Task.yield()
      // Asked before the page is read: what the ring gets meanwhile comes after the target.
      let ringHead = hub.head ?? 0
      guard interest.lead == .everything || machine.awaitsEarlier else {
        return try await readWindow(after: position, ringHead: ringHead, &machine)
      }
      let page = try await pages.page(after: position)
      guard try isContinued(machine) else { return nil }
      if let unsent = try await consider(page.events, &machine) { return unsent }
      return marking(machine.logPageEnded(isEnd: page.isEnd, ringHead: ringHead), machine)
    case .takeFromRing(let position, let limit):
      let take = hub.take(after: position, limit: limit)
      guard try isContinued(machine) else { return nil }
      switch take {
      case .events(let events):
        if let unsent = try await consider(events, &machine) { return unsent }
        return marking(machine.ringBatchEnded(), machine)
      case .empty:
        if let mark = machine.ringWasEmpty() { return marking(mark, machine) }
        guard machine.isLive else {
          // What it waits for need not concern it.
          await hub.wait(after: position)
          return nil
        }
        let quiet = await hub.wait(
          after: position, for: interest, due: machine.checkpointDue)
        guard try isContinued(machine) else { return nil }
        return passing(over: quiet, &machine)
      case .gone: return marking(machine.cursorLeftRing(), machine)
      }
    }
  }

  /// Whether the history is still the one that the subscription continues, so that what was just read
  /// comes after its cursor. Throws where the log has lost what the client has seen.
  private mutating func isContinued(_ machine: SubscriptionMachine) throws(RPCError) -> Bool {
    let known = hub.history
    guard known != history else { return true }
    let shared = history.shared(with: known)
    guard machine.cursor <= shared else {
      throw RPCError.logForked(resumeCursor: cursors.cursor(shared, in: known))
    }
    history = known
    return false
  }

  /// Reads what may be wanted of the log, by what leads to it.
  private mutating func readWindow(
    after position: Int64, ringHead: Int64, _ machine: inout SubscriptionMachine
  ) async throws -> Unsent? {
    let head = ringHead > position ? ringHead : max(position, try await windows.head())
    let page = try await windows.page(
      after: position, through: head, filter, AccessScope(caller))
    guard try isContinued(machine) else { return nil }
    if let unsent = try await consider(page.events, &machine) { return unsent }
    if let unsent = passing(over: page.completeTo, &machine) { return unsent }
    return marking(
      machine.logPageEnded(isEnd: page.completeTo >= head, ringHead: ringHead), machine)
  }

  private func passing(
    over position: Int64, _ machine: inout SubscriptionMachine
  ) -> Unsent? {
    switch machine.passedOver(through: position) {
    case .checkpoint: message(.checkpoint, machine)
    case .pass, .send: nil
    }
  }

  /// Sends what is wanted of `events`, up to a message that would have to wait.
  private func consider(
    _ events: some Sequence<SharedEvent>, _ machine: inout SubscriptionMachine
  ) async throws -> Unsent? {
    for event in events {
      let isEarlier = machine.isEarlier(event.event.seq)
      var isWanted = !isEarlier && selection.wants(event.event, event.facts)
      if isWanted { isWanted = try await visibility.allows(event, to: caller) }
      let before = machine
      let unsent: Unsent
      switch machine.considered(
        event.event.position, isWanted: isWanted, isEarlier: isEarlier)
      {
      case .pass: continue
      case .checkpoint: unsent = message(.checkpoint, machine)
      case .send:
        let (message, cursor) = event.message(cursors, in: history)
        unsent = Unsent(message: message, cursor: cursor, before: before)
      }
      if try await !offer(unsent, &machine) { return unsent }
    }
    return nil
  }

  private func offer(
    _ unsent: Unsent, _ machine: inout SubscriptionMachine
  ) async throws -> Bool {
    do {
      return try await responses.offer(unsent.message, resumeCursor: unsent.cursor)
    } catch {
      machine = unsent.before
      throw error
    }
  }

  private func marking(
    _ mark: SubscriptionMachine.Mark?, _ machine: SubscriptionMachine
  ) -> Unsent? {
    switch mark {
    case .caughtUp: message(.caughtUp, machine)
    case .fellBehind: message(.fellBehind, machine)
    case nil: nil
    }
  }

  private func message(_ mark: SubscriptionMark, _ machine: SubscriptionMachine) -> Unsent {
    let cursor = cursors.cursor(machine.cursor, in: history)
    let response = WatchResponse(cursor: cursor, step: .mark(mark))
    return Unsent(message: EncodedMessage(response), cursor: cursor, before: machine)
  }
}
