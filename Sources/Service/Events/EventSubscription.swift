internal import Contract
internal import Domain
internal import EventLog
internal import RPC

/// Runs one subscription: performs the steps of its machine and sends what comes of them.
///
/// A subscriber waits for nearly all of its time, and then costs this object and the frames from `run` up:
/// so `run` waits itself, and what looks and sends is called when there is something.
final class EventSubscription {
  /// A message that has not gone out, and where the subscription stood before it.
  private struct Unsent {
    let message: EncodedMessage<WatchResponse>
    let cursor: String
    let before: SubscriptionMachine
  }

  private let sources: EventSources
  private let selection: EventSelection
  private let filter: Domain.EventFilter
  private let lead: EventInterest.Lead
  private let keys: InterestKeys
  private let caller: Caller
  private let responses: ResponseWriter<EncodedMessage<WatchResponse>>
  private var machine: SubscriptionMachine
  /// The log's history that the subscription continues.
  private var history: LogHistory

  private var hub: EventHub { sources.hub }
  private var cursors: CursorCodec { sources.cursors }

  /// - Parameters:
  ///   - start: where it begins, in `history`.
  ///   - from: nothing that happened before is wanted.
  init(
    _ sources: EventSources, _ filter: Domain.EventFilter, from: Domain.Timestamp?,
    _ caller: Caller, _ start: SubscriptionMachine, _ history: LogHistory,
    _ responses: ResponseWriter<EncodedMessage<WatchResponse>>
  ) {
    self.sources = sources
    self.filter = filter
    self.caller = caller
    self.history = history
    self.responses = responses
    selection = EventSelection(filter, from: from)
    let interest = EventInterest(filter, AccessScope(caller))
    lead = interest.lead
    keys = InterestKeys(interest)
    machine = start
  }

  /// Runs until the call ends. Every error says where to resume.
  @inline(never) func run() async throws {
    do {
      while true {
        try Task.checkCancellation()
        guard !hub.isDraining else { throw RPCError.draining() }
        let unsent: Unsent?
        if machine.isLive, case .takeFromRing(let position, let limit) = machine.next {
          unsent = try await look(
            at: await hub.next(
              after: position, for: keys, due: machine.checkpointDue, limit: limit))
        } else {
          unsent = try await step()
        }
        if let unsent { try await send(unsent) }
      }
    } catch {
      throw resumable(error)
    }
  }

  @inline(never) private func resumable(_ error: any Error) -> RPCError {
    var error = ErrorTable.rpcError(error)
    error.resumeCursor = error.resumeCursor ?? cursors.cursor(machine.cursor, in: history)
    return error
  }

  /// However long this takes, it holds one message, whose bytes all subscribers share.
  @inline(never) private func send(_ unsent: Unsent) async throws {
    do {
      try await responses.write(unsent.message, resumeCursor: unsent.cursor)
    } catch {
      // Not sent: it is the first to be sent again.
      machine = unsent.before
      throw error
    }
  }

  /// Looks at a page of the log or a batch of the ring, or waits for one. Ends early, and lets go of
  /// it, with a message that cannot go out at once.
  @inline(never) private func step() async throws -> Unsent? {
    switch machine.next {
    case .readLog(let position):
      // A page that others read needs no wait: the loop gets its turn.
      await Task.yield()
      // Asked before the page is read: what the ring gets meanwhile comes after the target.
      let ringHead = hub.head ?? 0
      guard lead == .everything || machine.awaitsEarlier else {
        return try await readWindow(after: position, ringHead: ringHead)
      }
      let page = try await sources.pages.page(after: position)
      guard try isContinued() else { return nil }
      if let unsent = try await consider(page.events) { return unsent }
      return marking(machine.logPageEnded(isEnd: page.isEnd, ringHead: ringHead))
    case .takeFromRing(let position, let limit):
      return try await look(at: hub.look(after: position, limit: limit))
    }
  }

  /// Looks at what the ring had; waits for more where it has nothing and is not live.
  @inline(never) private func look(at found: EventHub.Next) async throws -> Unsent? {
    guard try isContinued() else { return nil }
    if let unsent = passing(over: found.quietThrough) { return unsent }
    switch found.take {
    case .events(let events):
      if let unsent = try await consider(events) { return unsent }
      return marking(machine.ringBatchEnded())
    case .empty:
      if let mark = machine.ringWasEmpty() { return marking(mark) }
      // What it waits for need not concern it.
      if !machine.isLive { await hub.wait(after: machine.cursor) }
      return nil
    case .gone: return marking(machine.cursorLeftRing())
    }
  }

  /// Whether the history is still the one that the subscription continues, so that what was just read
  /// comes after its cursor. Throws where the log has lost what the client has seen.
  private func isContinued() throws(RPCError) -> Bool {
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
  private func readWindow(
    after position: Int64, ringHead: Int64
  ) async throws -> Unsent? {
    let head = ringHead > position ? ringHead : max(position, try await sources.windows.head())
    let page = try await sources.windows.page(
      after: position, through: head, filter, AccessScope(caller))
    guard try isContinued() else { return nil }
    if let unsent = try await consider(page.events[...]) { return unsent }
    if let unsent = passing(over: page.completeTo) { return unsent }
    return marking(
      machine.logPageEnded(isEnd: page.completeTo >= head, ringHead: ringHead))
  }

  private func passing(
    over position: Int64
  ) -> Unsent? {
    switch machine.passedOver(through: position) {
    case .checkpoint: message(.checkpoint)
    case .pass, .send: nil
    }
  }

  /// Sends what is wanted of `events`, up to a message that would have to wait.
  private func consider(
    _ events: ArraySlice<SharedEvent>
  ) async throws -> Unsent? {
    for event in events {
      let isEarlier = machine.isEarlier(event.event.seq)
      var isWanted = !isEarlier && selection.wants(event.event, event.facts)
      if isWanted {
        isWanted =
          if let known = sources.visibility.allowsAtOnce(event, to: caller) { known } else {
            try await sources.visibility.allows(event, to: caller)
          }
      }
      let before = machine
      let unsent: Unsent
      switch machine.considered(
        event.event.position, isWanted: isWanted, isEarlier: isEarlier)
      {
      case .pass: continue
      case .checkpoint: unsent = message(.checkpoint)
      case .send:
        let (message, cursor) = event.message(cursors, in: history)
        unsent = Unsent(message: message, cursor: cursor, before: before)
      }
      if try await !offer(unsent) { return unsent }
    }
    return nil
  }

  private func offer(
    _ unsent: Unsent
  ) async throws -> Bool {
    do {
      return try await responses.offer(unsent.message, resumeCursor: unsent.cursor)
    } catch {
      machine = unsent.before
      throw error
    }
  }

  private func marking(
    _ mark: SubscriptionMachine.Mark?
  ) -> Unsent? {
    switch mark {
    case .caughtUp: message(.caughtUp)
    case .fellBehind: message(.fellBehind)
    case nil: nil
    }
  }

  private func message(_ mark: SubscriptionMark) -> Unsent {
    let cursor = cursors.cursor(machine.cursor, in: history)
    let response = WatchResponse(cursor: cursor, step: .mark(mark))
    return Unsent(message: EncodedMessage(response), cursor: cursor, before: machine)
  }
}
