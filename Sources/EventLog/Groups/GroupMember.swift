package import Domain
internal import Synchronization

/// A connected consumer of a group: what is on its way to it. One task takes from it.
package final class GroupMember: Sendable {
  /// What is to be sent next.
  package enum Item: Sendable {
    case answer(GroupDeskMachine.Answer)
    /// Some of what it was given, in order; each is to be reported as sent.
    case deliveries([GroupDelivery])
    /// The consumer said that it is done, and everything it has settled is answered.
    case end
  }

  private struct Unsent {
    var delivery: GroupDelivery
    /// When it goes to another consumer.
    var until: ContinuousClock.Instant
  }

  private struct State {
    var unsent: [Unsent] = []
    var answer = GroupDeskMachine.Answer()
    var unansweredCount = 0
    var isEnding = false
    var failure: (any Error)?

    var backlog: Int { unansweredCount + answer.settled.count + answer.notHeld.count }
  }

  private let state = Mutex(State())
  /// How many settlements may wait for their answer, or their answer for being sent.
  private static let backlogMax = 4000

  private let bell = WakeSignal()
  private let settledBell = WakeSignal()
  package let sessionID: EntityID
  private let desk: GroupDesk

  init(_ sessionID: EntityID, _ desk: GroupDesk) {
    self.sessionID = sessionID
    self.desk = desk
  }

  /// Waits for what is to be sent next.
  ///
  /// - Parameter limit: most deliveries of one answer.
  package func next(limit: Int) async throws -> Item {
    while true {
      try Task.checkCancellation()
      var hasExpired = false
      let item: Item? = try state.withLock { state in
        if let failure = state.failure { throw failure }
        if !state.answer.isEmpty {
          defer { state.answer = GroupDeskMachine.Answer() }
          return .answer(state.answer)
        }
        if state.isEnding { return state.unansweredCount == 0 ? .end : nil }
        let count = state.unsent.count
        let now = ContinuousClock.now
        state.unsent.removeAll { $0.until <= now }
        hasExpired = count > 0 && state.unsent.isEmpty
        return state.unsent.isEmpty
          ? nil : .deliveries(state.unsent.prefix(limit).map(\.delivery))
      }
      // What another consumer has by now is not sent.
      if hasExpired { desk.drained(self) }
      if let item {
        if case .answer = item { settledBell.ring() }
        return item
      }
      await bell.wait()
    }
  }

  /// The first `count` of what it was given have been sent, or are not to be sent any more.
  package func sent(_ count: Int) {
    let isDrained = state.withLock { state in
      state.unsent.removeFirst(min(count, state.unsent.count))
      return state.unsent.isEmpty
    }
    if isDrained { desk.drained(self) }
  }

  /// Takes in settlements; their answer comes with `next`. Waits while too many have none yet. For one task.
  package func settle(
    _ eventIDs: [EntityID], _ action: SettleAction, reason: String
  ) async throws {
    while try state.withLock({ state in
      if let failure = state.failure { throw failure }
      return state.backlog > Self.backlogMax
    }) {
      try Task.checkCancellation()
      await settledBell.wait()
    }
    state.withLock { $0.unansweredCount += eventIDs.count }
    let notHeld = desk.settle(eventIDs, action, reason: reason, by: self)
    guard !notHeld.isEmpty else { return }
    var answer = GroupDeskMachine.Answer()
    answer.notHeld = notHeld
    receive([], until: .now, answer)
  }

  /// The consumer settles nothing more.
  package func end() {
    state.withLock { $0.isEnding = true }
    bell.ring()
  }

  /// Gives back what is not settled.
  package func leave() {
    let (unsent, isOrderly) = state.withLock { ($0.unsent.map(\.delivery), $0.isEnding) }
    desk.leave(self, unsent: unsent, isOrderly: isOrderly)
  }

  func fail(_ error: any Error) {
    state.withLock { $0.failure = $0.failure ?? error }
    bell.ring()
    settledBell.ring()
  }

  /// - Parameter until: when the deliveries go to others.
  func receive(
    _ deliveries: [GroupDelivery], until: ContinuousClock.Instant,
    _ answer: GroupDeskMachine.Answer?
  ) {
    state.withLock { state in
      state.unsent += deliveries.map { Unsent(delivery: $0, until: until) }
      if let answer {
        state.answer.settled += answer.settled
        state.answer.notHeld += answer.notHeld
        state.unansweredCount -= answer.settled.count + answer.notHeld.count
      }
    }
    bell.ring()
  }
}
