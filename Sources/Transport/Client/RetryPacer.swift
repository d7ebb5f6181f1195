internal import Wire

/// How many repeats the calls of a client have together: a burst is free, then so many a second.
package struct RetryBudget: Sendable, Hashable {
  package var burst = 100
  package var perSecond = 200

  package init() {}
}

/// Spreads the repeats of all calls of a client, so that a server that comes back meets a bounded stream of them.
/// A pure value: time is an argument.
struct RetryPacer: Sendable {
  private let interval: Duration
  private let free: Duration
  private var next: Moment?

  init(_ budget: RetryBudget) {
    interval = .seconds(1) / max(1, budget.perSecond)
    free = interval * max(1, budget.burst)
  }

  /// Books a repeat: how much later than planned it is to happen.
  mutating func delay(now: Moment) -> Duration {
    let start = now - free
    let booked = max(next ?? start, start) + interval
    next = booked
    return max(.zero, now.duration(to: booked))
  }

  /// Books a repeat that is of use now or not at all; false where there is none left.
  mutating func takeNow(now: Moment) -> Bool {
    let start = now - free
    guard max(next ?? start, start) + interval <= now else { return false }
    _ = delay(now: now)
    return true
  }
}
