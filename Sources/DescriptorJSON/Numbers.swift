import JSON

/// Reads the numbers of JSON exactly, never through a Double where an integer is meant.
enum Numbers {
  /// A decimal number longer than this is refused.
  private static let digitCountMax = 400

  /// The integer that JSON digits such as `12`, `-3`, `1.0` or `1e3` stand for; nil when they stand
  /// for something else or do not fit.
  static func integer<Integer: FixedWidthInteger>(_ text: String, as: Integer.Type) -> Integer? {
    if let value = Integer(text), !text.hasPrefix("+") { return value }
    guard let parts = Parts(text), text.utf8.count <= digitCountMax else { return nil }
    var digits = parts.digits
    var exponent = parts.exponent
    while exponent < 0, digits.last == UInt8(ascii: "0") {
      digits.removeLast()
      exponent += 1
    }
    if digits.allSatisfy({ $0 == UInt8(ascii: "0") }) { return 0 }
    // No integer that we hold has more than 20 digits.
    guard exponent >= 0, exponent <= 20 else { return nil }
    digits += [UInt8](repeating: UInt8(ascii: "0"), count: exponent)
    let sign = parts.isNegative ? "-" : ""
    return Integer(sign + String(decoding: digits, as: UTF8.self))
  }

  /// The Double that JSON digits stand for; nil when they are none or beyond its range.
  static func double(_ text: String) -> Double? {
    guard Parts(text) != nil, let value = Double(text), value.isFinite else { return nil }
    return value
  }

  static func node(_ value: Double) -> JSONValue {
    JSONNumber(value).map { .number($0) } ?? notFinite(value)
  }

  static func node(_ value: Float) -> JSONValue {
    JSONNumber(value).map { .number($0) } ?? notFinite(Double(value))
  }

  private static func notFinite(_ value: Double) -> JSONValue {
    if value.isNaN { return .string("NaN") }
    return .string(value < 0 ? "-Infinity" : "Infinity")
  }

  /// A decimal number: its digits as one integer, times ten to the exponent.
  private struct Parts {
    var isNegative = false
    var digits: [UInt8] = []
    var exponent = 0

    init?(_ text: String) {
      var rest = Substring(text)
      if rest.hasPrefix("-") {
        isNegative = true
        rest = rest.dropFirst()
      }
      let mantissa = rest.prefix { $0 != "e" && $0 != "E" }
      let power = rest.dropFirst(mantissa.count)
      if !power.isEmpty {
        guard let value = Int(power.dropFirst()), (-100_000...100_000).contains(value) else {
          return nil
        }
        exponent = value
      }
      let halves = mantissa.split(separator: ".", omittingEmptySubsequences: false)
      guard (1...2).contains(halves.count), halves.allSatisfy({ !$0.isEmpty }) else { return nil }
      for half in halves {
        guard half.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else {
          return nil
        }
        digits += Array(half.utf8)
      }
      if halves.count == 2 { exponent -= halves[1].utf8.count }
      while digits.count > 1, digits.first == UInt8(ascii: "0") { digits.removeFirst() }
    }
  }
}
