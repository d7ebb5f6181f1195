/// A line of code with carets under a part of it.
enum SourceExcerpt {
  private static let widthMax = 100

  /// - Parameters:
  ///   - line: from 1.
  ///   - column: in code points, from 1.
  ///   - endColumn: not part of it; 0, or on another line than `line`: the caret marks one place.
  /// - Returns: two lines without a line break at the end; nil where the file has no such line.
  static func text(
    of content: String, line: Int, column: Int, endLine: Int = 0, endColumn: Int = 0
  ) -> String? {
    guard line > 0, column > 0, let source = self.line(line, of: content) else { return nil }
    let scalars = Array(source.unicodeScalars)
    let start = min(column - 1, scalars.count)
    var end = endLine == line || endLine == 0 ? endColumn - 1 : scalars.count
    end = min(max(end, start + 1), max(scalars.count, start + 1))
    // A window around the place: lines may be a megabyte long.
    let first = start < widthMax - 20 ? 0 : start - widthMax / 2
    let last = min(scalars.count, first + widthMax)
    let shown = TerminalText.clean(expanded(scalars[first..<last]))
    let before = TerminalText.clean(expanded(scalars[first..<start]))
    let marked =
      start < last ? TerminalText.clean(expanded(scalars[start..<min(end, last)])) : " "
    let number = "\(line)"
    let margin = String(repeating: " ", count: number.count)
    let gap = String(repeating: " ", count: TerminalWidth.of(before) + (first > 0 ? 1 : 0))
    let carets = String(repeating: "^", count: max(1, TerminalWidth.of(marked)))
    let head = first > 0 ? "…" : ""
    let tail = last < scalars.count ? "…" : ""
    return "  \(number) | \(head)\(shown)\(tail)\n  \(margin) | \(gap)\(carets)"
  }

  private static func line(_ number: Int, of content: String) -> Substring? {
    var rest = content.utf8[...]
    for _ in 1..<max(number, 1) {
      guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
      rest = rest[content.utf8.index(after: end)...]
    }
    let line = rest.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    return Substring(line)
  }

  /// A tab takes four columns everywhere, so that the carets stand under what they mean.
  private static func expanded(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var text = ""
    for scalar in scalars { text += scalar == "\t" ? "    " : String(scalar) }
    return text
  }
}

/// How many columns a terminal shows a text in.
enum TerminalWidth {
  static func of(_ text: String) -> Int {
    text.reduce(0) { $0 + width($1) }
  }

  private static func width(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    return switch scalar.value {
    // East Asian wide and full-width forms, and emoji.
    case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
      0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
      2
    default: 1
    }
  }
}
