/// Whose turn it is: a queue for each caller, served in turn, one place at a time. Pure: time is an
/// argument.
///
///   entered ── a place is free ──▶ inside ── left ──▶ gone
///      │                             ▲
///      ├── too many wait: refused    │ the turn of its caller
///      └──▶ waiting ─────────────────┘
///              └── withdrawn, overdue, or its deadline has passed ──▶ gone
///
/// A caller with a hundred calls costs another one the wait for one of them: the round has each
/// caller once, and one that has had its turn goes to the end of it.
package struct FairQueueMachine<Caller: Hashable & Sendable>: Sendable {
  package struct Limits: Sendable, Hashable {
    /// Calls at a time: of everybody, and of one caller.
    package var insideMax: Int
    package var callerInsideMax: Int
    /// Calls that wait: of everybody, and of one caller.
    package var waitingMax: Int
    package var callerWaitingMax: Int

    package init(insideMax: Int, callerInsideMax: Int, waitingMax: Int, callerWaitingMax: Int) {
      self.insideMax = insideMax
      self.callerInsideMax = callerInsideMax
      self.waitingMax = waitingMax
      self.callerWaitingMax = callerWaitingMax
    }
  }

  package enum Entry: Sendable, Hashable {
    case inside
    case waiting
    /// As many as this wait already.
    case refused(maximum: Int)
  }

  /// A call that waits no longer.
  package enum Turn: Sendable, Hashable {
    case inside(UInt64)
    /// Its deadline has passed: it has no place.
    case expired(UInt64)
    /// It waited longer than `waitMax` allows: it has no place.
    case overdue(UInt64)
  }

  /// What a call of a caller would wait behind.
  package struct Line: Sendable, Hashable {
    /// Whether it would have a place at once.
    package var isFree: Bool
    /// Calls of the same caller that wait.
    package var ownCount: Int
    /// Callers that have a turn in each round.
    package var callerCount: Int

    package init(isFree: Bool, ownCount: Int, callerCount: Int) {
      self.isFree = isFree
      self.ownCount = ownCount
      self.callerCount = callerCount
    }
  }

  private struct Waiting: Sendable {
    let call: UInt64
    let deadline: ContinuousClock.Instant?
    let enteredAt: ContinuousClock.Instant
    /// In how many rounds its turn comes, from 1.
    let roundCount: Int
  }

  private struct Queue: Sendable {
    var insideCount = 0
    var waiting: [Waiting] = []
    var isInRound = false
  }

  private var limits: Limits
  /// How long a round may take before calls that have waited for more than their rounds lose their turn; nil: as
  /// long as it takes.
  package var waitMax: Duration?
  private var queues: [Caller: Queue] = [:]
  /// Callers that have a call waiting and may have one more inside, in the order of their turns.
  private var round: [Caller] = []
  package private(set) var insideCount = 0
  package private(set) var waitingCount = 0

  package init(_ limits: Limits) { self.limits = limits }

  /// How many callers it knows: those with a call inside or waiting.
  package var callerCount: Int { queues.count }

  /// Calls at a time.
  package var insideMax: Int { limits.insideMax }

  /// Callers that wait for a turn.
  package var roundCount: Int { round.count }

  /// What a call of `caller` would find now.
  package func line(of caller: Caller) -> Line {
    let queue = queues[caller] ?? Queue()
    return Line(
      isFree: insideCount < limits.insideMax && queue.insideCount < limits.callerInsideMax
        && queue.waiting.isEmpty,
      ownCount: queue.waiting.count, callerCount: round.count + (queue.isInRound ? 0 : 1))
  }

  /// Lets so many calls in at a time from now on; those that are inside stay.
  ///
  /// - Returns: who has a place now, and who has lost it meanwhile.
  package mutating func allow(insideMax: Int, at now: ContinuousClock.Instant) -> [Turn] {
    limits.insideMax = insideMax
    return fill(at: now)
  }

  /// A call came. One that waits is named in a later `Turn`, unless it is withdrawn before.
  package mutating func entered(
    _ call: UInt64, of caller: Caller, deadline: ContinuousClock.Instant?,
    at now: ContinuousClock.Instant
  ) -> Entry {
    var queue = queues[caller] ?? Queue()
    let isRoomForCaller = queue.insideCount < limits.callerInsideMax
    if insideCount < limits.insideMax, isRoomForCaller, queue.waiting.isEmpty {
      queue.insideCount += 1
      insideCount += 1
      queues[caller] = queue
      return .inside
    }
    guard queue.waiting.count < limits.callerWaitingMax else {
      return .refused(maximum: limits.callerWaitingMax)
    }
    guard waitingCount < limits.waitingMax else { return .refused(maximum: limits.waitingMax) }
    queue.waiting.append(
      Waiting(
        call: call, deadline: deadline, enteredAt: now, roundCount: queue.waiting.count + 1))
    waitingCount += 1
    if isRoomForCaller, !queue.isInRound {
      queue.isInRound = true
      round.append(caller)
    }
    queues[caller] = queue
    return .waiting
  }

  /// A call of `caller` that was inside has ended.
  ///
  /// - Returns: who has a place now, and whose deadline has passed meanwhile.
  package mutating func left(_ caller: Caller, at now: ContinuousClock.Instant) -> [Turn] {
    guard var queue = queues[caller], queue.insideCount > 0 else {
      assertionFailure("a call left that was not inside")
      return []
    }
    queue.insideCount -= 1
    insideCount -= 1
    if !queue.waiting.isEmpty, !queue.isInRound {
      queue.isInRound = true
      round.append(caller)
    }
    keep(queue, of: caller)
    return fill(at: now)
  }

  private mutating func fill(at now: ContinuousClock.Instant) -> [Turn] {
    var turns: [Turn] = []
    while insideCount < limits.insideMax, !round.isEmpty {
      turns += turn(of: round.removeFirst(), at: now)
    }
    return turns
  }

  /// A call that waits is given up. False where it waits no longer: it has a place, or had its turn.
  package mutating func withdrawn(_ call: UInt64, of caller: Caller) -> Bool {
    guard var queue = queues[caller],
      let index = queue.waiting.firstIndex(where: { $0.call == call })
    else { return false }
    queue.waiting.remove(at: index)
    waitingCount -= 1
    if queue.waiting.isEmpty, queue.isInRound {
      queue.isInRound = false
      round.removeAll { $0 == caller }
    }
    keep(queue, of: caller)
    return true
  }

  /// How many calls have their turn before this one if all that are inside end in time; nil where it does
  /// not wait. Looks at every caller that waits.
  package func aheadCount(of call: UInt64, _ caller: Caller) -> Int? {
    guard let own = queues[caller]?.waiting.firstIndex(where: { $0.call == call }) else {
      return nil
    }
    // Each other caller has a turn before each turn of this one, and one more where it is before it in
    // the round. A caller that is not in the round has all its places, and comes after those that are.
    var isBefore = true
    var count = own
    for other in round {
      if other == caller {
        isBefore = false
      } else {
        count += min(queues[other]?.waiting.count ?? 0, own + (isBefore ? 1 : 0))
      }
    }
    return count
  }

  /// One place for the caller whose turn it is.
  private mutating func turn(of caller: Caller, at now: ContinuousClock.Instant) -> [Turn] {
    guard var queue = queues[caller] else { return [] }
    queue.isInRound = false
    var turns: [Turn] = []
    while let next = queue.waiting.first {
      queue.waiting.removeFirst()
      waitingCount -= 1
      if let deadline = next.deadline, deadline <= now {
        turns.append(.expired(next.call))
        continue
      }
      if let waitMax, now - next.enteredAt > waitMax * next.roundCount {
        turns.append(.overdue(next.call))
        continue
      }
      turns.append(.inside(next.call))
      queue.insideCount += 1
      insideCount += 1
      break
    }
    if !queue.waiting.isEmpty, queue.insideCount < limits.callerInsideMax {
      queue.isInRound = true
      round.append(caller)
    }
    keep(queue, of: caller)
    return turns
  }

  private mutating func keep(_ queue: Queue, of caller: Caller) {
    queues[caller] = queue.insideCount == 0 && queue.waiting.isEmpty ? nil : queue
  }
}
