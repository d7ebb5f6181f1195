import Digits

/// A moment in UTC, in whole microseconds since 1970: what PostgreSQL's timestamptz and Parquet's
/// timestamp[us] hold exactly.
package struct Timestamp: Sendable, Hashable, Comparable {
  package var microsecondsSinceEpoch: Int64

  package init(microsecondsSinceEpoch: Int64) {
    self.microsecondsSinceEpoch = microsecondsSinceEpoch
  }

  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microsecondsSinceEpoch < right.microsecondsSinceEpoch
  }

  /// This moment moved by `duration`, cut to whole microseconds; stops at the ends of the range.
  package func advanced(by duration: Duration) -> Timestamp {
    let (seconds, attoseconds) = duration.components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    guard !overflow else { return Timestamp(microsecondsSinceEpoch: seconds < 0 ? .min : .max) }
    let (delta, deltaOverflow) =
      whole.addingReportingOverflow(attoseconds / 1_000_000_000_000)
    let (sum, sumOverflow) = microsecondsSinceEpoch.addingReportingOverflow(delta)
    guard !deltaOverflow, !sumOverflow else {
      return Timestamp(microsecondsSinceEpoch: seconds < 0 ? .min : .max)
    }
    return Timestamp(microsecondsSinceEpoch: sum)
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with six digits of fraction, for example `2026-01-31T09:05:00.000001Z`.
  package var description: String {
    let civil = CivilTime(self)
    if 0...9999 ~= civil.year { return Self.text(civil) }
    func pad(_ value: Int, _ width: Int) -> String { Digits.decimal(value, width: width) }
    return "\(pad(civil.year, 4))-\(pad(civil.month, 2))-\(pad(civil.day, 2))"
      + "T\(pad(civil.hour, 2)):\(pad(civil.minute, 2)):\(pad(civil.second, 2))"
      + ".\(pad(civil.microsecond, 6))Z"
  }

  /// The same in one piece: every payload has several.
  private static func text(_ civil: CivilTime) -> String {
    String(unsafeUninitializedCapacity: 27) { output in
      var end = 0
      func put(_ value: Int, _ width: Int, before separator: UInt8) {
        var rest = value
        for place in stride(from: end + width - 1, through: end, by: -1) {
          output[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
          rest /= 10
        }
        output[end + width] = separator
        end += width + 1
      }
      put(civil.year, 4, before: UInt8(ascii: "-"))
      put(civil.month, 2, before: UInt8(ascii: "-"))
      put(civil.day, 2, before: UInt8(ascii: "T"))
      put(civil.hour, 2, before: UInt8(ascii: ":"))
      put(civil.minute, 2, before: UInt8(ascii: ":"))
      put(civil.second, 2, before: UInt8(ascii: "."))
      put(civil.microsecond, 6, before: UInt8(ascii: "Z"))
      return end
    }
  }
}

/// The parts of a moment on the proleptic Gregorian calendar in UTC.
package struct CivilTime: Sendable, Hashable {
  package var year: Int
  package var month: Int
  package var day: Int
  package var hour: Int
  package var minute: Int
  package var second: Int
  package var microsecond: Int
  /// Days since 1970-01-01, negative before it.
  package var dayNumber: Int64

  /// Algorithm: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
  package init(_ timestamp: Timestamp) {
    let micros = timestamp.microsecondsSinceEpoch
    let dayLength: Int64 = 86_400_000_000
    var days = micros / dayLength
    var rest = micros % dayLength
    if rest < 0 {
      rest += dayLength
      days -= 1
    }
    dayNumber = days
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthIndex = (5 * dayOfYear + 2) / 153
    day = Int(dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    month = Int(monthIndex < 10 ? monthIndex + 3 : monthIndex - 9)
    year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    hour = Int(rest / 3_600_000_000)
    minute = Int(rest / 60_000_000 % 60)
    second = Int(rest / 1_000_000 % 60)
    microsecond = Int(rest % 1_000_000)
  }

  /// 0 is Monday, 6 is Sunday.
  package var weekday: Int {
    let shifted = (dayNumber + 3) % 7
    return Int(shifted < 0 ? shifted + 7 : shifted)
  }
}
