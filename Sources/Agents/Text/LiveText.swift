/// Takes away what text does by itself where it is shown, a character at a time: no hidden character,
/// and a space inside tags, links, fences and addresses that run code.
package struct LiveText: Sendable {
  private static let schemes = ["javascript:", "vbscript:", "data:"].map(\.unicodeScalars).map(
    Array.init)
  private static let reach = 11

  private var last: [Unicode.Scalar] = []

  mutating func take(_ part: String) -> String {
    var output = String.UnicodeScalarView()
    for scalar in part.unicodeScalars where !TextHygiene.isHidden(scalar, after: last.last) {
      if isActive(scalar) { output.append(" ") }
      output.append(scalar)
      last.append(scalar)
      if last.count > 2 * Self.reach { last.removeFirst(Self.reach) }
    }
    return String(output)
  }

  package static func shown(_ text: String) -> String {
    var live = LiveText()
    return live.take(text)
  }

  /// Whether the character completes what must not be, after those before it.
  private func isActive(_ scalar: Unicode.Scalar) -> Bool {
    let isLetter = scalar.isASCII && scalar.properties.isAlphabetic
    switch last.last {
    case "<": return isLetter || scalar == "/" || scalar == "!" || scalar == "?"
    case "]": return scalar == "(" || scalar == ":"
    case "~": return scalar == "~" && last.suffix(2) == ["~", "~"]
    case ":":
      guard scalar.value > 0x20 else { return false }
      let folded = last.map(\.asciiLowercased)
      return Self.schemes.contains { folded.suffix($0.count).elementsEqual($0) }
    default: return false
    }
  }
}
