/// Tells UTF-16 without a byte order mark: its blanks and ends of lines have a zero byte each, all of them
/// on the same side.
enum UnmarkedUTF16 {
  static func read(_ bytes: [UInt8]) -> TextDecoding.Text? {
    guard bytes.count >= 4, bytes.count.isMultiple(of: 2), bytes.contains(0) else { return nil }
    var zeros = (even: 0, odd: 0)
    for (place, byte) in bytes.enumerated() where byte == 0 {
      if place.isMultiple(of: 2) { zeros.even += 1 } else { zeros.odd += 1 }
    }
    guard zeros.even == 0 || zeros.odd == 0, (zeros.even + zeros.odd) * 16 >= bytes.count else {
      return nil
    }
    guard let text = decoded(bytes, isBig: zeros.odd == 0) else { return nil }
    let decoded = String(decoding: text.bytes, as: UTF8.self)
    return decoded.unicodeScalars.allSatisfy(isText) ? text : nil
  }

  private static func decoded(_ bytes: [UInt8], isBig: Bool) -> TextDecoding.Text? {
    isBig
      ? try? TextDecoding.decoded(bytes[...], UTF16.self, "UTF-16BE") { UInt16(bigEndian: $0) }
      : try? TextDecoding.decoded(bytes[...], UTF16.self, "UTF-16LE") { UInt16(littleEndian: $0) }
  }

  /// What is no text has characters that nothing is written with.
  private static func isText(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control: scalar.properties.isWhitespace || scalar == "\u{1b}"
    case .unassigned, .privateUse: false
    default: true
    }
  }
}
