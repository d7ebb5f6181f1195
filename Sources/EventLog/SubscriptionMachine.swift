package import Domain

/// One subscription to the log, from any point of it to the live end and back, without the log.
///
///                    ┌──────────────── cursor left the ring ───────────────┐
///                    ▼                                                     │
///   start ──▶ reading the log ── page ended at the log's end ──▶ joining the ring
///                    ▲                                                     │
///                    │ cursor left the ring: FELL_BEHIND                   │ cursor ≥ target:
///                    └──────────────────── live ◀──────────────────────────┘ CAUGHT_UP
///
/// The owner asks `next`, does what it says, and reports what came of it; each event that it saw is
/// given to `considered` in order, and what it knows to be unwanted without having seen it is passed
/// over. The cursor is the only memory: a subscription that is cut off
/// anywhere continues after the cursor of the last message, with nothing skipped or doubled. So the
/// owner may let go of a page or a batch in the middle, and ask `next` again.
///
/// A subscription that starts live passes over what was committed before and had no position yet:
/// it is caught up when the last of that has come by.
package struct SubscriptionMachine: Sendable, Hashable {
  /// How many events one step takes at most.
  package static let pageLimit = 500

  /// What the owner is to do.
  package enum Step: Sendable, Hashable {
    /// Read a page of the log after the position, all of it or what may be wanted, then report
    /// `logPageEnded`.
    case readLog(after: Int64)
    /// Take events of the ring after the position, then report `ringBatchEnded`,
    /// `ringWasEmpty` or `cursorLeftRing`.
    case takeFromRing(after: Int64, limit: Int)
  }

  /// What becomes of one event.
  package enum Verdict: Sendable, Hashable {
    case send
    case pass
    /// The event is not sent, but the client is told how far the subscription is.
    case checkpoint
  }

  /// A message about the subscription itself; it carries the cursor.
  package enum Mark: Sendable, Hashable {
    case caughtUp
    case fellBehind
  }

  private enum Phase: Sendable, Hashable {
    case reading
    /// The log was read to its end, as far as it was then; the ring was at `target` or after it.
    case joining(target: Int64)
    case live
  }

  private var phase = Phase.reading
  /// What a live start passes over, and how much of it has not come by.
  private var start: LogEnd?
  private var earlierCount = 0
  /// Every event up to here was considered.
  package private(set) var cursor: Int64
  /// Events passed over since the last message.
  private var passedCount = 0
  private let checkpointInterval: Int

  /// - Parameters:
  ///   - cursor: the subscription begins after it.
  ///   - checkpointInterval: how many events may be passed over in silence; at least 1.
  package init(after cursor: Int64, checkpointInterval: Int) {
    self.cursor = cursor
    self.checkpointInterval = max(1, checkpointInterval)
  }

  /// A subscription to what is committed after `end` was asked for.
  package init(live end: LogEnd, checkpointInterval: Int) {
    self.init(after: end.position, checkpointInterval: checkpointInterval)
    phase = .joining(target: end.position)
    earlierCount = end.unsequencedCount
    if earlierCount > 0 { start = end }
  }

  package var isLive: Bool { phase == .live }

  /// Whether something that it passes over has not come by: until then it has to see every event.
  package var awaitsEarlier: Bool { earlierCount > 0 }

  package var next: Step {
    switch phase {
    case .reading: .readLog(after: cursor)
    case .joining, .live: .takeFromRing(after: cursor, limit: SubscriptionMachine.pageLimit)
    }
  }

  /// Whether the event of this number was committed before a live start.
  package func isEarlier(_ seq: Int64) -> Bool { start?.isUnsequenced(seq) ?? false }

  /// One event was looked at. Events at or before the cursor were considered already: the log and
  /// the ring overlap. One that `isEarlier` is not wanted.
  package mutating func considered(
    _ position: Int64, isWanted: Bool, isEarlier: Bool = false
  ) -> Verdict {
    guard position > cursor else { return .pass }
    cursor = position
    if isEarlier {
      earlierCount -= 1
      if earlierCount == 0 { start = nil }
    }
    if isWanted {
      passedCount = 0
      return .send
    }
    return passed(1)
  }

  /// Nothing after the cursor is wanted up to `position`.
  package mutating func passedOver(through position: Int64) -> Verdict {
    guard position > cursor else { return .pass }
    let count = Int(clamping: position - cursor)
    cursor = position
    return passed(count)
  }

  /// Where the client is to be told how far the subscription is, if nothing is sent before.
  package var checkpointDue: Int64 { cursor + Int64(checkpointInterval - passedCount) }

  private mutating func passed(_ count: Int) -> Verdict {
    passedCount += count
    guard passedCount >= checkpointInterval else { return .pass }
    passedCount = 0
    return .checkpoint
  }

  /// A page of the log was considered whole; `isEnd`: the log ended with it.
  package mutating func logPageEnded(isEnd: Bool, ringHead: Int64) -> Mark? {
    guard phase == .reading, isEnd else { return nil }
    phase = .joining(target: ringHead)
    return goLiveIfDue()
  }

  /// A batch of the ring was considered whole.
  package mutating func ringBatchEnded() -> Mark? { goLiveIfDue() }

  /// The ring has nothing after the cursor: wait for it to grow, then ask `next` again.
  package mutating func ringWasEmpty() -> Mark? {
    guard case .joining = phase, earlierCount == 0 else { return nil }
    return goLive()
  }

  /// The ring no longer holds the event after the cursor: it is read from the log.
  package mutating func cursorLeftRing() -> Mark? {
    let wasLive = phase == .live
    phase = .reading
    guard wasLive else { return nil }
    passedCount = 0
    return .fellBehind
  }

  private mutating func goLiveIfDue() -> Mark? {
    guard case .joining(let target) = phase, cursor >= target, earlierCount == 0 else {
      return nil
    }
    return goLive()
  }

  private mutating func goLive() -> Mark {
    phase = .live
    passedCount = 0
    return .caughtUp
  }
}
