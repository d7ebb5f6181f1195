import Digits

/// The texts that stand for google.protobuf's times and masks in JSON.
enum WellKnownText {
  /// Seconds and nanoseconds, as both Timestamp and Duration hold them.
  struct Seconds: Hashable {
    var seconds: Int64
    var nanos: Int32
  }

  /// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
  static let timestampSeconds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
  /// Ten thousand years.
  static let durationSeconds: ClosedRange<Int64> = -315_576_000_000...315_576_000_000

  // MARK: Timestamp

  /// RFC 3339 in UTC with 0, 3, 6 or 9 digits of fraction; nil when out of range.
  static func timestamp(_ value: Seconds) -> String? {
    guard timestampSeconds.contains(value.seconds), (0..<1_000_000_000).contains(value.nanos)
    else { return nil }
    let dayLength: Int64 = 86_400
    var days = value.seconds / dayLength
    var rest = value.seconds % dayLength
    if rest < 0 {
      rest += dayLength
      days -= 1
    }
    let (year, month, day) = civil(days: days)
    return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))"
      + "T\(pad(rest / 3600, 2)):\(pad(rest / 60 % 60, 2)):\(pad(rest % 60, 2))"
      + "\(fraction(value.nanos))Z"
  }

  static func parseTimestamp(_ text: String) -> Seconds? {
    var scanner = Scanner(text)
    guard let year = scanner.digits(4), scanner.take("-"), let month = scanner.digits(2),
      scanner.take("-"), let day = scanner.digits(2), scanner.take("T") || scanner.take("t"),
      let hour = scanner.digits(2), scanner.take(":"), let minute = scanner.digits(2),
      scanner.take(":"), let second = scanner.digits(2), let nanos = scanner.fraction(),
      let offset = scanner.offset(), scanner.isAtEnd,
      (1...12).contains(month), year >= 1, day >= 1, day <= dayCount(year: year, month: month),
      hour < 24, minute < 60, second < 60
    else { return nil }
    let days = dayNumber(year: year, month: month, day: day)
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    guard timestampSeconds.contains(seconds) else { return nil }
    return Seconds(seconds: seconds, nanos: nanos)
  }

  // MARK: Duration

  /// Decimal seconds with 0, 3, 6 or 9 digits of fraction and an `s`; nil when out of range.
  static func duration(_ value: Seconds) -> String? {
    guard durationSeconds.contains(value.seconds), value.nanos.magnitude < 1_000_000_000,
      value.seconds == 0 || value.nanos == 0 || (value.seconds < 0) == (value.nanos < 0)
    else { return nil }
    let sign = value.seconds < 0 || value.nanos < 0 ? "-" : ""
    return "\(sign)\(value.seconds.magnitude)\(fraction(Int32(value.nanos.magnitude)))s"
  }

  static func parseDuration(_ text: String) -> Seconds? {
    var scanner = Scanner(text)
    let isNegative = scanner.take("-")
    guard let seconds = scanner.number(digitCountMax: 12), let nanos = scanner.fraction(),
      scanner.take("s"), scanner.isAtEnd, seconds <= durationSeconds.upperBound,
      seconds < durationSeconds.upperBound || nanos == 0
    else { return nil }
    return isNegative
      ? Seconds(seconds: -seconds, nanos: -nanos) : Seconds(seconds: seconds, nanos: nanos)
  }

  // MARK: FieldMask

  /// The paths in lowerCamelCase, joined by commas; nil when one has no such spelling.
  static func fieldMask(_ paths: [String]) -> String? {
    var texts: [String] = []
    for path in paths {
      let text = path.split(separator: ".", omittingEmptySubsequences: false)
        .map(FieldNames.camelCase).joined(separator: ".")
      guard FieldNames.snakeCase(text) == path, !path.contains(",") else { return nil }
      texts.append(text)
    }
    return texts.joined(separator: ",")
  }

  /// Also takes the proto spelling of the names, since people read it in the documentation.
  static func parseFieldMask(_ text: String) -> [String] {
    text.isEmpty
      ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map(FieldNames.snakeCase)
  }

  // MARK: Parts

  private static func pad(_ value: Int64, _ width: Int) -> String {
    Digits.decimal(value, width: width)
  }

  private static func fraction(_ nanos: Int32) -> String {
    let nanos = Int64(nanos)
    if nanos == 0 { return "" }
    if nanos % 1_000_000 == 0 { return ".\(pad(nanos / 1_000_000, 3))" }
    if nanos % 1000 == 0 { return ".\(pad(nanos / 1000, 6))" }
    return ".\(pad(nanos, 9))"
  }

  private static func dayCount(year: Int64, month: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 (Howard Hinnant, days_from_civil).
  private static func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The reverse (civil_from_days), for days from the year 1 on.
  private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthIndex = (5 * dayOfYear + 2) / 153
    let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
    let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}

/// Reads a short ASCII text from left to right.
private struct Scanner {
  private var rest: Substring.UTF8View

  init(_ text: String) {
    rest = text[...].utf8
  }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  /// Exactly `count` digits.
  mutating func digits(_ count: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<count {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// One digit or more.
  mutating func number(digitCountMax: Int) -> Int64? {
    guard var value = digit() else { return nil }
    var count = 1
    while let next = digit() {
      count += 1
      guard count <= digitCountMax else { return nil }
      value = value * 10 + next
    }
    return value
  }

  /// Nothing, or a dot and one to nine digits, as nanoseconds.
  mutating func fraction() -> Int32? {
    guard take(".") else { return 0 }
    guard var value = digit() else { return nil }
    var count = 1
    while let next = digit() {
      count += 1
      guard count <= 9 else { return nil }
      value = value * 10 + next
    }
    for _ in count..<9 { value *= 10 }
    return Int32(value)
  }

  /// `Z` or `+hh:mm`, as seconds east of UTC.
  mutating func offset() -> Int64? {
    if take("Z") || take("z") { return 0 }
    let isWest = take("-")
    guard isWest || take("+"), let hours = digits(2), take(":"), let minutes = digits(2),
      hours < 24, minutes < 60
    else { return nil }
    let seconds = hours * 3600 + minutes * 60
    return isWest ? -seconds : seconds
  }

  private mutating func digit() -> Int64? {
    guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else {
      return nil
    }
    rest.removeFirst()
    return Int64(byte - UInt8(ascii: "0"))
  }
}
