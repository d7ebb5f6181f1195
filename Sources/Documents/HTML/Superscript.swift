/// What is raised, in plain text.
enum Superscript {
  private static let ordinals: Set<String> = [
    "st", "nd", "rd", "th", "er", "ère", "re", "nd", "nde", "e", "ème", "o", "a", "os", "as", "ro",
    "ra",
    "do", "da", "to", "ta", "mo", "ma", "vo", "va", "no", "na",
  ]

  /// Parts what was raised, from `start` on, from the word or number before it: `10^6` is not 106, and
  /// the mark of a note is no part of its word.
  static func end(_ buffer: inout [UInt8], from start: Int) {
    guard start > 0, start < buffer.count, buffer.count - start <= 64 else { return }
    let before = buffer[start - 1]
    let isDigitBefore = before.isASCIIDigit
    guard isDigitBefore || before.isASCIILetter || before >= 0x80 || before == UInt8(ascii: ")")
    else { return }
    let text = String(decoding: buffer[start...], as: UTF8.self)
    guard let first = text.first, !first.isWhitespace else { return }
    guard
      first.isNumber || first == "-" || first == "+" || isDigitBefore && !ordinals.contains(text)
    else { return }
    buffer.insert(UInt8(ascii: "^"), at: start)
  }
}
