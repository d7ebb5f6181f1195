/// A number of JSON as its digits say it: nothing is lost of integers with 64 bits, nor of `1.50`.
package struct JSONNumber: Sendable, Hashable {
  /// The digits as they stand in JSON text.
  package let text: String

  package init(_ value: some FixedWidthInteger) { text = String(value) }

  /// Nil for NaN and the infinities, which JSON does not have.
  package init?(_ value: Double) {
    guard value.isFinite else { return nil }
    text = "\(value)"
  }

  /// Nil for NaN and the infinities, which JSON does not have.
  package init?(_ value: Float) {
    guard value.isFinite else { return nil }
    text = "\(value)"
  }

  /// - Parameter digits: text that `JSONReader` found to be a number.
  init(digits: String) { text = digits }

  /// The integer that this is, also where it is written as `1e3`; nil where it is none of 64 bits.
  package var integer: Int64? { Int64(text) ?? Int64(exactly: double) }

  /// The nearest `Double`; an infinity where the number is beyond its range.
  package var double: Double { Double(text) ?? .nan }

  private var isIntegral: Bool {
    text.utf8.allSatisfy { $0 != UInt8(ascii: ".") && $0 | 0x20 != UInt8(ascii: "e") }
  }

  /// Integers are compared digit by digit, others as the `Double`s that they are read as.
  package static func == (left: JSONNumber, right: JSONNumber) -> Bool {
    if left.text == right.text { return true }
    let (a, b) = (left.double, right.double)
    return a == b && (a == 0 || !left.isIntegral || !right.isIntegral)
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(double) }
}
