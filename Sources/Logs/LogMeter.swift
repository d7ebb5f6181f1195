/// How often a line of one kind is written: `burst` at once, then one each `interval`; those that are
/// not written are counted. A pure value: the time is an argument.
package struct LogMeter: Sendable, Hashable {
  package static let burstDefault = 20

  private let burst: Int
  private let interval: Duration
  /// When everything that was written would be through at one each interval.
  private var paidAt: ContinuousClock.Instant?
  /// Not written since the last one that was.
  package private(set) var droppedCount = 0

  package init(burst: Int = LogMeter.burstDefault, interval: Duration = .seconds(1)) {
    self.burst = burst
    self.interval = interval
  }

  /// Counts an occasion for a line.
  ///
  /// - Returns: how many were dropped since the last line where this one is to be written; nil where
  ///   it is dropped.
  package mutating func admit(now: ContinuousClock.Instant) -> Int? {
    let start = max(paidAt ?? now, now)
    guard now.duration(to: start) <= interval * (burst - 1) else {
      droppedCount += 1
      return nil
    }
    paidAt = start + interval
    defer { droppedCount = 0 }
    return droppedCount
  }

  /// Whether it is as good as new, but for what it has dropped.
  package func isFull(now: ContinuousClock.Instant) -> Bool { paidAt.map { $0 <= now } ?? true }

  /// Takes over what another one dropped.
  package mutating func inherit(_ count: Int) { droppedCount += count }
}

/// A meter for each of many kinds, whose number peers may choose. A pure value.
package struct LogMeters: Sendable {
  private let fresh: LogMeter
  private let kindCountMax: Int
  private var meters: [String: LogMeter] = [:]
  /// Shared by the kinds that have no room.
  private var others: LogMeter

  package init(_ fresh: LogMeter = LogMeter(), kindCountMax: Int = 1024) {
    self.fresh = fresh
    self.kindCountMax = kindCountMax
    others = fresh
  }

  /// As `LogMeter.admit`, for one kind.
  package mutating func admit(_ kind: String, now: ContinuousClock.Instant) -> Int? {
    if meters[kind] == nil, meters.count >= kindCountMax { forgetFull(now: now) }
    guard meters[kind] != nil || meters.count < kindCountMax else { return others.admit(now: now) }
    var meter = meters[kind] ?? fresh
    defer { meters[kind] = meter }
    return meter.admit(now: now)
  }

  /// Looks at all of them at most once in the time of a line: the search itself must cost little.
  private mutating func forgetFull(now: ContinuousClock.Instant) {
    guard others.isFull(now: now) else { return }
    for (kind, meter) in meters where meter.isFull(now: now) {
      others.inherit(meter.droppedCount)
      meters[kind] = nil
    }
  }
}
