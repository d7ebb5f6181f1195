/// Character references (`&eacute;`, `&#233;`, `&#xe9;`, `&eacute`), as section 13.2.5.72 of the
/// WHATWG's HTML standard reads them.
enum CharacterReference {
  /// The longest name, `CounterClockwiseContourIntegral;`, has 32 bytes.
  private static let nameByteCountMax = 32

  /// The text of one reference that ends with a semicolon; itself where it names nothing.
  static func text(of reference: String) -> String {
    let bytes = Array(reference.utf8)
    guard bytes.count <= 64, bytes.first == UInt8(ascii: "&"), bytes.last == UInt8(ascii: ";")
    else { return reference }
    var index = 0
    let text = take(bytes, &index)
    return index == bytes.count ? String(decoding: text, as: UTF8.self) : reference
  }

  static func replaced(in bytes: ArraySlice<UInt8>, isAttribute: Bool) -> String {
    guard bytes.contains(UInt8(ascii: "&")) else { return String(decoding: bytes, as: UTF8.self) }
    let source = Array(bytes)
    var output: [UInt8] = []
    output.reserveCapacity(source.count)
    var index = 0
    while index < source.count {
      if source[index] == UInt8(ascii: "&") {
        output += take(source, &index, isAttribute: isAttribute)
      } else {
        output.append(source[index])
        index += 1
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  /// Takes a reference off `bytes` at `index`, where there is an ampersand; the ampersand itself where
  /// there is no reference.
  ///
  /// - Parameter isAttribute: in a value such as `?a=1&copy=2`, what has no semicolon and continues is
  ///   none.
  static func take(
    _ bytes: [UInt8], _ index: inout Int, isAttribute: Bool = false
  ) -> [UInt8] {
    let start = index + 1
    if start < bytes.count, bytes[start] == UInt8(ascii: "#") {
      if let value = takeNumber(bytes, start + 1, &index) { return Array(String(value).utf8) }
    } else if let found = name(bytes, start, isAttribute: isAttribute) {
      index = found.end
      return found.text
    }
    index += 1
    return [UInt8(ascii: "&")]
  }

  private static func name(
    _ bytes: [UInt8], _ start: Int, isAttribute: Bool
  ) -> (text: [UInt8], end: Int)? {
    var end = start
    while end < bytes.count, end - start < nameByteCountMax,
      bytes[end].isASCIILetter || bytes[end].isASCIIDigit
    {
      end += 1
    }
    guard end > start else { return nil }
    if end < bytes.count, bytes[end] == UInt8(ascii: ";"),
      let text = NamedReferences.text(bytes[start..<end])
    {
      return (text, end + 1)
    }
    // The oldest names need no semicolon, whatever follows; the longest that fits is meant.
    var length = min(end - start, NamedReferences.bareByteCountMax)
    while length >= NamedReferences.bareByteCountMin {
      if let text = NamedReferences.bareText(bytes[start..<(start + length)]) {
        let next = start + length < bytes.count ? bytes[start + length] : 0
        let goesOn = next == UInt8(ascii: "=") || next.isASCIILetter || next.isASCIIDigit
        return isAttribute && goesOn ? nil : (text, start + length)
      }
      length -= 1
    }
    return nil
  }

  private static func takeNumber(_ bytes: [UInt8], _ start: Int, _ index: inout Int) -> Character? {
    var place = start
    let isHexadecimal = place < bytes.count && bytes[place] | 0x20 == UInt8(ascii: "x")
    if isHexadecimal { place += 1 }
    let first = place
    var value: UInt32 = 0
    while place < bytes.count, let digit = digit(bytes[place], isHexadecimal) {
      // Beyond the last character, more digits change nothing.
      value = min(value * (isHexadecimal ? 16 : 10) + digit, 0x11_0000)
      place += 1
    }
    guard place > first else { return nil }
    if place < bytes.count, bytes[place] == UInt8(ascii: ";") { place += 1 }
    index = place
    return Character(scalar(value))
  }

  private static func digit(_ byte: UInt8, _ isHexadecimal: Bool) -> UInt32? {
    if byte.isASCIIDigit { return UInt32(byte - 0x30) }
    let letter = byte | 0x20
    guard isHexadecimal, (0x61...0x66).contains(letter) else { return nil }
    return UInt32(letter - 0x61 + 10)
  }

  private static func scalar(_ value: UInt32) -> Unicode.Scalar {
    if (0x80...0x9f).contains(value) {
      // What old pages mean by these numbers is the place in Windows-1252.
      return Windows1252.scalar(UInt8(value))
    }
    // Zero is what no text of ours may contain.
    return value == 0 ? "\u{fffd}" : Unicode.Scalar(value) ?? "\u{fffd}"
  }
}
