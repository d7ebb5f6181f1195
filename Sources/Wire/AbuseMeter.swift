/// Bounds a rate: `burst` at once, `perSecond` in the long run.
package struct RateMeter: Sendable, Hashable {
  private let burst: Int
  private let perSecond: Int
  private var used = 0
  private var refilledAt: ContinuousClock.Instant?

  package init(burst: Int, perSecond: Int) {
    self.burst = burst
    self.perSecond = perSecond
  }

  /// Counts one event; false when it is one too many.
  package mutating func admit(now: ContinuousClock.Instant) -> Bool {
    if used >= burst { refill(now: now) }
    if used >= burst { return false }
    if used == 0 { refilledAt = now }
    used += 1
    return true
  }

  private mutating func refill(now: ContinuousClock.Instant) {
    guard let since = refilledAt else { return }
    let elapsed = since.duration(to: now)
    let milliseconds = min(elapsed / .milliseconds(1), 1e9)
    let refill = Int(milliseconds) * perSecond / 1000
    guard refill > 0 else { return }
    used = max(0, used - refill)
    refilledAt = now
  }
}

/// The rule on a client's PINGs (W10.2).
package struct PingGuard: Sendable, Hashable {
  package static let strikeCountMax = 5

  private let interval: Duration
  private var last: ContinuousClock.Instant?
  private var strikes = 0

  /// `interval` is what clients are told; a tenth of it is forgiven, because clocks and networks
  /// jitter and a client that pings at the limit means no harm.
  package init(interval: Duration) {
    self.interval = interval - interval / 10
  }

  /// Counts one PING; false when it is one strike too many.
  package mutating func admit(now: ContinuousClock.Instant) -> Bool {
    defer { last = now }
    guard let last, last.duration(to: now) < interval else {
      strikes = 0
      return true
    }
    strikes += 1
    return strikes <= Self.strikeCountMax
  }
}
