/// Numbers as text.
package enum Digits {
  /// `value` in decimal, with zeros before it where it has fewer than `width` digits.
  package static func decimal(_ value: some BinaryInteger, width: Int) -> String {
    padded(String(value), to: width)
  }

  /// `value` in lower-case hexadecimal, with all digits of its type.
  package static func hexadecimal(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
    padded(String(value, radix: 16), to: value.bitWidth / 4)
  }

  /// Two lower-case hexadecimal digits for each byte.
  package static func hexadecimal(_ bytes: some Collection<UInt8>) -> String {
    String(unsafeUninitializedCapacity: 2 * bytes.count) { text in
      var index = 0
      for byte in bytes {
        text[index] = digit(byte >> 4)
        text[index + 1] = digit(byte & 15)
        index += 2
      }
      return index
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }

  private static func padded(_ digits: String, to width: Int) -> String {
    String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}
