package import Domain

/// The `Retry-After` header (RFC 9110 §10.2.3): seconds, or a date in the form that is in use.
package enum RetryAfter {
  /// How long to wait from `now` on, never less than nothing; nil for anything else.
  package static func duration(_ header: some StringProtocol, now: Timestamp) -> Duration? {
    let text = Array(header.utf8)
    guard text.count <= 32 else { return nil }
    if !text.isEmpty, text.allSatisfy(isDigit) {
      guard text.count <= 9 else { return nil }
      return .seconds(number(text[...]))
    }
    guard let date = date(text) else { return nil }
    let (wait, isOverflow) =
      date.microsecondsSinceEpoch.subtractingReportingOverflow(now.microsecondsSinceEpoch)
    return isOverflow ? nil : .microseconds(max(wait, 0))
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// `Sun, 06 Nov 1994 08:49:37 GMT`.
  private static func date(_ text: [UInt8]) -> Timestamp? {
    let form = Array("AAA, 00 AAA 0000 00:00:00 GMT".utf8)
    guard text.count == form.count else { return nil }
    for (byte, expected) in zip(text.dropFirst(3), form.dropFirst(3)) {
      switch expected {
      case UInt8(ascii: "0"): guard isDigit(byte) else { return nil }
      case UInt8(ascii: "A"): continue
      default: guard byte == expected else { return nil }
      }
    }
    let name = String(decoding: text[8..<11], as: UTF8.self)
    guard let month = months.firstIndex(of: name).map({ $0 + 1 }) else { return nil }
    let (day, year) = (number(text[5..<7]), number(text[12..<16]))
    let (hour, minute, second) = (
      number(text[17..<19]), number(text[20..<22]), number(text[23..<25])
    )
    guard (1...31).contains(day), year >= 1970, hour < 24, minute < 60, second <= 60 else {
      return nil
    }
    let seconds = (dayNumber(year, month, day) * 24 + hour) * 3600 + minute * 60 + second
    return Timestamp(microsecondsSinceEpoch: Int64(seconds) * 1_000_000)
  }

  /// Days since 1970-01-01. Algorithm: Howard Hinnant, days_from_civil, for years from 1970 on.
  private static func dayNumber(_ civilYear: Int, _ month: Int, _ day: Int) -> Int {
    let year = month <= 2 ? civilYear - 1 : civilYear
    let era = year / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int {
    digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
  }
}
