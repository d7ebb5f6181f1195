/// How long to wait before the next connection: longer with each that fails, until one has worked for a
/// while. A pure value: time and chance are arguments.
struct ReconnectMachine: Sendable, Hashable {
  typealias Instant = ContinuousClock.Instant

  var delayMin = Duration.milliseconds(200)
  var delayMax = Duration.seconds(15)
  /// A connection that held for so long was well.
  var holdMin = Duration.seconds(5)

  private var failureCount = 0
  private var connectedAt: Instant?

  init() {}

  mutating func connected(at now: Instant) { connectedAt = now }

  /// A connection broke, or was not made.
  ///
  /// - Parameter chance: 0 to 1, so that many that lost one broker do not come back at once.
  /// - Returns: how long to wait before the next.
  mutating func lost(at now: Instant, chance: Double) -> Duration {
    if let connectedAt, now - connectedAt >= holdMin { failureCount = 0 }
    connectedAt = nil
    let delay = min(delayMin * (1 << min(failureCount, 16)), delayMax)
    failureCount += 1
    return delay * (0.5 + chance / 2)
  }
}
