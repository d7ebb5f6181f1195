/// Bounds a rate: `burst` at once, `perSecond` in the long run.
package struct RateMeter: Sendable, Hashable {
  private let burst: Int
  private let perSecond: Int
  private var used = 0
  private var refilledAt: Moment?

  package init(burst: Int, perSecond: Int) {
    self.burst = burst
    self.perSecond = perSecond
  }

  /// Counts one event; false when it is one too many.
  package mutating func admit(now: Moment) -> Bool {
    if used >= burst { refill(now: now) }
    if used >= burst { return false }
    if used == 0 { refilledAt = now }
    used += 1
    return true
  }

  private mutating func refill(now: Moment) {
    guard let since = refilledAt else { return }
    let elapsed = since.duration(to: now)
    let milliseconds = min(elapsed / .milliseconds(1), 1e9)
    let refill = Int(milliseconds) * perSecond / 1000
    guard refill > 0 else { return }
    used = max(0, used - refill)
    refilledAt = now
  }
}
