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
/// given to `considered` in order. The cursor is the only memory: a subscription that is cut off
/// anywhere continues after the cursor of the last message, with nothing skipped or doubled.
package struct SubscriptionMachine: Sendable, Hashable {
  /// How many events one step takes at most.
  package static let pageLimit = 500

  /// What the owner is to do.
  package enum Step: Sendable, Hashable {
    /// Read events of the log after the position, then report `logPageEnded`.
    case readLog(after: Int64, limit: Int)
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
  /// Every event up to here was considered.
  package private(set) var cursor: Int64
  /// Events passed over since the last message.
  private var passedCount = 0
  private let checkpointInterval: Int

  /// - Parameters:
  ///   - cursor: the subscription begins after it.
  ///   - isLive: whether the owner took the cursor from the live end just now, so that there is
  ///     no past to read.
  ///   - checkpointInterval: how many events may be passed over in silence; at least 1.
  package init(after cursor: Int64, isLive: Bool = false, checkpointInterval: Int) {
    self.cursor = cursor
    self.checkpointInterval = max(1, checkpointInterval)
    if isLive { phase = .joining(target: cursor) }
  }

  package var isLive: Bool { phase == .live }

  package var next: Step {
    switch phase {
    case .reading: .readLog(after: cursor, limit: SubscriptionMachine.pageLimit)
    case .joining, .live: .takeFromRing(after: cursor, limit: SubscriptionMachine.pageLimit)
    }
  }

  /// One event was looked at. Events at or before the cursor were considered already: the log and
  /// the ring overlap.
  package mutating func considered(_ position: Int64, isWanted: Bool) -> Verdict {
    guard position > cursor else { return .pass }
    cursor = position
    if isWanted {
      passedCount = 0
      return .send
    }
    passedCount += 1
    guard passedCount >= checkpointInterval else { return .pass }
    passedCount = 0
    return .checkpoint
  }

  /// A page of the log was considered whole. A short one was the log's end.
  package mutating func logPageEnded(count: Int, ringHead: Int64) -> Mark? {
    guard phase == .reading, count < SubscriptionMachine.pageLimit else { return nil }
    phase = .joining(target: ringHead)
    return goLiveIfDue()
  }

  /// A batch of the ring was considered whole.
  package mutating func ringBatchEnded() -> Mark? { goLiveIfDue() }

  /// The ring has nothing after the cursor: wait for it to grow, then ask `next` again.
  package mutating func ringWasEmpty() -> Mark? {
    guard case .joining = phase else { return nil }
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
    guard case .joining(let target) = phase, cursor >= target else { return nil }
    return goLive()
  }

  private mutating func goLive() -> Mark {
    phase = .live
    passedCount = 0
    return .caughtUp
  }
}
