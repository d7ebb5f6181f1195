internal import Glibc

/// A point in time of the clock that never stops or jumps, in nanoseconds: what `ContinuousClock.Instant` is. The layout
/// of that type is known at run time only, so a struct that has one is copied, field by field, by functions that are
/// looked up, and each read of such a struct out of an object is a copy. On the way of a call that was a tenth of its
/// time (ADR 0044).
package struct Moment: Sendable, Hashable, InstantProtocol {
  /// Since the system's start.
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// The same clock as that of `ContinuousClock`.
  package static var now: Moment {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Moment(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
  }

  /// Saturates: a year of nanoseconds has 55 bits.
  package func advanced(by duration: Duration) -> Moment {
    let (sum, hasOverflowed) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
    guard hasOverflowed else { return Moment(nanoseconds: sum) }
    return Moment(nanoseconds: duration < .zero ? .min : .max)
  }

  package func duration(to other: Moment) -> Duration {
    .nanoseconds(other.nanoseconds &- nanoseconds)
  }

  package static func < (left: Moment, right: Moment) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  package static func + (moment: Moment, duration: Duration) -> Moment {
    moment.advanced(by: duration)
  }

  package static func - (moment: Moment, duration: Duration) -> Moment {
    moment.advanced(by: .zero - duration)
  }

  package static func - (later: Moment, earlier: Moment) -> Duration {
    earlier.duration(to: later)
  }

  package static func += (moment: inout Moment, duration: Duration) {
    moment = moment.advanced(by: duration)
  }
}

// Where others are told of a point in time, by the standard library's type.
extension Moment {
  /// Of both clocks the same point.
  private static let epoch = (moment: Moment.now, instant: ContinuousClock.now)

  package init(_ instant: ContinuousClock.Instant) {
    self = Self.epoch.moment + Self.epoch.instant.duration(to: instant)
  }

  package var instant: ContinuousClock.Instant {
    Self.epoch.instant + Self.epoch.moment.duration(to: self)
  }
}

extension Duration {
  /// As far as 292 years reach.
  fileprivate var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, hasOverflowed) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !hasOverflowed else { return seconds < 0 ? .min : .max }
    let (sum, exceeds) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
    return exceeds ? (seconds < 0 ? .min : .max) : sum
  }
}
