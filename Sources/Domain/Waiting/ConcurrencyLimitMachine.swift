/// How many calls of a class run at a time, so that they do not wait for each other where nobody sees it: the limit
/// falls while calls take several times as long as they do without load, and rises while all places are taken and
/// they do not. Pure: time is an argument.
///
/// Additive increase and multiplicative decrease by latency, as TCP Vegas does by round-trip times (Brakmo and
/// Peterson 1995); what a call is compared with is its own method's time without load, since the methods of a class
/// differ.
package struct ConcurrencyLimitMachine: Sendable {
  package struct Configuration: Sendable, Hashable {
    /// The limit is never below and never above these.
    package var min: Int
    package var max: Int
    /// The slowdown that is too much: the mean of a window, in times of what calls take without load.
    package var slowdownMax = 4.0
    package var window = Duration.milliseconds(100)
    /// Fewer calls say nothing.
    package var sampleCountMin = 8

    package init(min: Int, max: Int) {
      self.min = Swift.max(1, Swift.min(min, max))
      self.max = Swift.max(1, max)
    }
  }

  package enum Window: Sendable, Hashable {
    /// It has not ended.
    case open
    /// Calls are too slow.
    case slow
    case well
  }

  /// Below this share of what is too much the limit rises.
  private static let shareToRise = 0.75

  private let configuration: Configuration
  package private(set) var limit: Int
  /// The mean of the last window, in times of what calls take without load.
  package private(set) var slowdown = 1.0

  private var windowEnd: ContinuousClock.Instant?
  private var sum = 0.0
  private var count = 0
  private var wasFull = false

  package init(_ configuration: Configuration) {
    self.configuration = configuration
    limit = configuration.max
  }

  /// A call has ended.
  ///
  /// - Parameters:
  ///   - slowdown: in times of what it takes without load.
  ///   - insideCount: how many ran, with this one. Those that ran nearly alone say nothing of load.
  package mutating func ended(
    slowdown: Double, insideCount: Int, isQuiet: Bool, at now: ContinuousClock.Instant
  ) -> Window {
    let end = windowEnd ?? now + configuration.window
    windowEnd = end
    if !isQuiet {
      sum += slowdown
      count += 1
    }
    if insideCount >= limit { wasFull = true }
    guard now >= end else { return .open }
    defer {
      windowEnd = now + configuration.window
      (sum, count, wasFull) = (0, 0, false)
    }
    guard count >= configuration.sampleCountMin else {
      self.slowdown = 1
      return .well
    }
    self.slowdown = sum / Double(count)
    let isSlow = self.slowdown > configuration.slowdownMax
    if isSlow {
      fall(by: configuration.slowdownMax / self.slowdown, insideCount)
    } else if wasFull, self.slowdown < configuration.slowdownMax * Self.shareToRise {
      limit = min(configuration.max, limit + max(1, limit / 8))
    }
    return isSlow ? .slow : .well
  }

  /// From where calls are, not from a limit that nobody met; at most by half at a time.
  private mutating func fall(by factor: Double, _ insideCount: Int) {
    let from = min(limit, max(insideCount, configuration.min))
    limit = max(configuration.min, Int(Double(from) * max(0.5, factor)))
  }
}

/// How many calls of a class run that gives way to another one: half as many each time that the other is slow, and
/// one more after each pause in which it was not. Pure.
package struct YieldingLimitMachine: Sendable {
  private static let pause = Duration.milliseconds(500)

  private let most: Int
  package private(set) var limit: Int
  private var changedAt: ContinuousClock.Instant?

  package init(max most: Int) {
    self.most = max(1, most)
    limit = self.most
  }

  /// The other class is slow.
  package mutating func yield(at now: ContinuousClock.Instant) {
    limit = max(1, limit / 2)
    changedAt = now
  }

  /// Time has passed.
  package mutating func recover(at now: ContinuousClock.Instant) {
    guard limit < most, let changedAt, now - changedAt >= Self.pause else { return }
    limit += 1
    self.changedAt = now
  }
}
