/// A point in time of the clock that never stops or jumps, in nanoseconds: what `ContinuousClock.Instant` is. The layout
/// of that type is known at run time only, so a struct that has one is copied, field by field, by functions that are
/// looked up, and each read of such a struct out of an object is a copy. On the way of a call that was a tenth of its
/// time (ADR 0044).
package struct Moment: Sendable, Hashable, InstantProtocol {
  /// Since the program's first look at the clock.
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  package static var now: Moment { Moment(.now) }

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
  private static let zero = ContinuousClock.now

  package init(_ instant: ContinuousClock.Instant) {
    nanoseconds = Self.zero.duration(to: instant).wholeNanoseconds
  }

  package var instant: ContinuousClock.Instant { Self.zero + .nanoseconds(nanoseconds) }
}

extension Duration {
  /// As far as 292 years reach.
  package var wholeNanoseconds: Int64 {
    Int64(clamping: attoseconds / 1_000_000_000)
  }
}
