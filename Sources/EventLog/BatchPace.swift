/// How soon a batch may follow another: at once while few come, and one in each interval under load,
/// so that what is committed within a moment shares a transaction.
///
/// Each batch uses up one interval, up to so many of which may be ahead of time (GCRA).
struct BatchPace: Sendable, Hashable {
  private let interval: Duration
  /// How many batches may come at once after a quiet time.
  private let burst: Int
  /// Until when the batches so far would take at one an interval.
  private var busyUntil: ContinuousClock.Instant?

  init(interval: Duration, burst: Int) {
    self.interval = interval
    self.burst = max(1, burst)
  }

  /// A batch was not empty.
  ///
  /// - Returns: how long the next one is to wait.
  mutating func worked(now: ContinuousClock.Instant) -> Duration {
    let end = max(busyUntil ?? now, now) + interval
    busyUntil = end
    return max(.zero, (end - now) - interval * burst)
  }
}
