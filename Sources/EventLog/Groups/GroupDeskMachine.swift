package import Domain

/// What one server does for the consumers of one group that are connected to it, without store and clock.
///
/// The owner asks `next`, does what it says, and reports what came of it:
///
///   settlements wait ───────────────────────────▶ exchange
///   a consumer has left ────────────────────────▶ leave, once its settlements are exchanged
///   room, and the last exchange left some of it ─▶ read, where the log has more; its reading goes with an exchange
///   room, and something may be due ─────────────▶ exchange
///   otherwise ──────────────────────────────────▶ wait
///
/// Consumers, their room and their settlements may change at any moment; what an exchange takes for a consumer
/// that has left meanwhile is given back with its leave.
package struct GroupDeskMachine: Sendable {
  package typealias Instant = ContinuousClock.Instant

  package enum Step: Sendable, Hashable {
    /// Read what the group wants after the position, at most so many events.
    case read(after: Int64, limit: Int)
    case exchange(GroupExchange)
    case leave(GroupLeave)
    /// Until something changes here, or for so long; the live end of the log may wake it if asked.
    case wait(upTo: Duration, after: Int64?)
  }

  /// What became of a consumer's settlements.
  package struct Answer: Sendable, Hashable {
    package var settled: [EntityID] = []
    package var notHeld: [EntityID] = []

    package init() {}
    package var isEmpty: Bool { settled.isEmpty && notHeld.isEmpty }
  }

  /// What an exchange brings the consumers, by session.
  package struct Outcome: Sendable, Hashable {
    package var deliveries: [EntityID: [GroupDelivery]] = [:]
    package var answers: [EntityID: Answer] = [:]
  }

  private struct Held: Sendable {
    var position: Int64
    var attempt: Int32
    var until: Instant
    var isSettling = false
    /// Whether it will be held no more: the exchange that settles it may bring another one.
    var isLeaving = false
  }

  private struct Member: Sendable {
    var bufferSize: Int
    var held: [EntityID: Held] = [:]
    /// Whether all that it was given has been sent: only then it is given more.
    var isDrained = true

    var room: Int {
      isDrained ? max(0, bufferSize - held.values.count { !$0.isLeaving }) : 0
    }
  }

  private struct Queued: Sendable {
    var eventID: EntityID
    var settlement: Settlement
  }

  /// How long nothing is asked where others' consumers may free something, and where nothing is there.
  private static let outstandingInterval = Duration.milliseconds(500)
  private static let idleInterval = Duration.seconds(10)

  private var group: ConsumerGroup
  private var members: [EntityID: Member] = [:]
  /// Whose turn it is, the next first.
  private var turns: [EntityID] = []
  private var queue: [Queued] = []
  private var exchanging: [Queued] = []
  private var leaves: [GroupLeave] = []
  private var reading: GroupReading?
  private var outstandingCount = 0
  private var parkedCount = 0
  /// Whether entries may be due that nobody has asked for.
  private var mayTake = true
  /// Whether the last exchange left room.
  private var isStarved = false
  private var nextDue: Instant?
  private var lastExchange: Instant?

  package init(_ group: ConsumerGroup) { self.group = group }

  /// Whether there is nobody to serve and nothing to give back.
  package var isIdle: Bool { members.isEmpty && leaves.isEmpty && queue.isEmpty }

  package var sessionIDs: [EntityID] { Array(members.keys) }

  // MARK: Consumers

  package mutating func joined(_ sessionID: EntityID, bufferSize: Int) {
    members[sessionID] = Member(bufferSize: bufferSize)
    turns.append(sessionID)
    mayTake = true
  }

  /// - Parameter unsent: what was not sent to it of what it was given.
  package mutating func left(
    _ sessionID: EntityID, unsent: [GroupDelivery], isOrderly: Bool
  ) {
    guard members.removeValue(forKey: sessionID) != nil else { return }
    turns.removeAll { $0 == sessionID }
    leaves.append(
      GroupLeave(
        groupID: group.id, sessionID: sessionID, unsent: unsent.map(\.position),
        isOrderly: isOrderly))
  }

  /// All that the consumer was given has been sent.
  package mutating func drained(_ sessionID: EntityID) {
    members[sessionID]?.isDrained = true
    mayTake = true
  }

  /// Takes in settlements of a consumer.
  ///
  /// - Returns: those of events that it does not have.
  package mutating func settle(
    _ eventIDs: [EntityID], _ action: SettleAction, reason: String, by sessionID: EntityID
  ) -> [EntityID] {
    var notHeld: [EntityID] = []
    for eventID in eventIDs {
      guard let held = members[sessionID]?.held[eventID], !held.isSettling else {
        notHeld.append(eventID)
        continue
      }
      members[sessionID]?.held[eventID]?.isSettling = true
      members[sessionID]?.held[eventID]?.isLeaving = action != .extend
      queue.append(
        Queued(
          eventID: eventID,
          settlement: Settlement(
            position: held.position, sessionID: sessionID, attempt: held.attempt, action: action,
            reason: reason)))
    }
    return notHeld
  }

  /// Entries may be due that nobody has asked for.
  package mutating func mayBeDue() { mayTake = true }

  /// A step failed, and the consumers are sent away: what became of their settlements is not known.
  package mutating func failed() {
    (queue, exchanging, reading) = ([], [], nil)
    for id in members.keys { members[id]?.isDrained = false }
  }

  // MARK: Steps

  /// - Parameter head: the last position of the log.
  package mutating func next(at now: Instant, head: Int64) -> Step {
    forgetExpired(at: now)
    let rooms = rooms()
    if mayRead(head, rooms) {
      return .read(after: group.readPosition, limit: readLimit)
    }
    if nextDue.map({ $0 <= now }) ?? false { mayTake = true }
    if let last = lastExchange, now - last >= interval { mayTake = true }
    if !queue.isEmpty || reading != nil || !rooms.isEmpty && mayTake {
      return .exchange(exchange(rooms))
    }
    if !leaves.isEmpty { return .leave(leaves.removeFirst()) }
    var wait = interval
    if let due = nextDue { wait = min(wait, now.duration(to: due)) }
    if let due = members.values.flatMap(\.held.values).map(\.until).min() {
      wait = min(wait, now.duration(to: due))
    }
    let reads = !rooms.isEmpty && !isFull
    return .wait(
      upTo: max(wait, .milliseconds(1)), after: reads ? max(group.readPosition, head) : nil)
  }

  private var interval: Duration {
    outstandingCount > 0 ? Self.outstandingInterval : Self.idleInterval
  }

  private var isFull: Bool {
    outstandingCount >= Int(group.limits.outstandingMax)
      || parkedCount >= Int(group.limits.parkedMax)
  }

  private func mayRead(_ head: Int64, _ rooms: [EntityID]) -> Bool {
    isStarved && reading == nil && !rooms.isEmpty && head > group.readPosition && !isFull
  }

  private var readLimit: Int {
    max(
      1, min(GroupExchange.readingMax, Int(group.limits.outstandingMax) - outstandingCount))
  }

  /// Each session as often as it has room, in turn.
  private func rooms() -> [EntityID] {
    var left = turns.map { ($0, members[$0]?.room ?? 0) }.filter { $0.1 > 0 }
    var rooms: [EntityID] = []
    while !left.isEmpty, rooms.count < GroupExchange.roomMax {
      for index in left.indices where rooms.count < GroupExchange.roomMax {
        rooms.append(left[index].0)
        left[index].1 -= 1
      }
      left.removeAll { $0.1 == 0 }
    }
    return rooms
  }

  private mutating func exchange(_ rooms: [EntityID]) -> GroupExchange {
    var exchange = GroupExchange()
    exchanging = queue
    queue = []
    exchange.settlements = exchanging.map(\.settlement)
    exchange.reading = reading
    reading = nil
    exchange.rooms = rooms
    return exchange
  }

  /// What is held for too long has gone to others.
  private mutating func forgetExpired(at now: Instant) {
    for (id, member) in members where member.held.values.contains(where: { $0.until <= now }) {
      members[id]?.held = member.held.filter { $0.value.until > now || $0.value.isSettling }
    }
  }

  // MARK: What came of steps

  package mutating func read(_ reading: GroupReading) {
    self.reading = reading
  }

  /// - Parameter asked: when the exchange was begun: what it gave is held from then on at the earliest.
  package mutating func exchanged(
    _ exchange: GroupExchange, _ result: GroupExchanged, asked: Instant
  ) -> Outcome {
    group = result.group
    outstandingCount = result.outstandingCount
    parkedCount = result.parkedCount
    nextDue = result.nextDue.map { asked.advanced(by: max($0, .milliseconds(1))) }
    lastExchange = asked
    // What was settled may let others of its pin go.
    mayTake =
      result.deliveries.count == exchange.rooms.count && !exchange.rooms.isEmpty
    isStarved = result.deliveries.count < exchange.rooms.count
    var outcome = Outcome()
    let until = asked.advanced(by: group.limits.ackTimeout)
    for (queued, isSettled) in zip(exchanging, result.settled) {
      answer(queued, isSettled, until, &outcome)
    }
    exchanging = []
    for delivery in result.deliveries { deliver(delivery, until, &outcome) }
    for id in outcome.deliveries.keys {
      members[id]?.isDrained = false
      // It has had its turn.
      turns.removeAll { $0 == id }
      turns.append(id)
    }
    return outcome
  }

  private mutating func answer(
    _ queued: Queued, _ isSettled: Bool, _ until: Instant, _ outcome: inout Outcome
  ) {
    let session = queued.settlement.sessionID
    if isSettled {
      outcome.answers[session, default: Answer()].settled.append(queued.eventID)
    } else {
      outcome.answers[session, default: Answer()].notHeld.append(queued.eventID)
    }
    if isSettled, queued.settlement.action == .extend {
      members[session]?.held[queued.eventID]?.until = until
      members[session]?.held[queued.eventID]?.isSettling = false
    } else {
      members[session]?.held[queued.eventID] = nil
    }
  }

  private mutating func deliver(
    _ delivery: GroupDelivery, _ until: Instant, _ outcome: inout Outcome
  ) {
    let session = delivery.sessionID
    guard members[session] != nil else {
      if let index = leaves.firstIndex(where: { $0.sessionID == session }) {
        leaves[index].unsent.append(delivery.position)
      }
      return
    }
    members[session]?.held[delivery.eventID] = Held(
      position: delivery.position, attempt: delivery.attempt, until: until)
    outcome.deliveries[session, default: []].append(delivery)
  }
}
