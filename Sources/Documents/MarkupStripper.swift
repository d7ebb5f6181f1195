/// The text of a piece of HTML inside Markdown: without tags, comments, scripts and styles. A piece
/// is what md4c takes for one (often a lone `<div>`), so it need not be whole.
enum MarkupStripper {
  static func text(of markup: String) -> String {
    var output: [UInt8] = []
    var rest = Array(markup.utf8)[...]
    while let byte = rest.first {
      switch byte {
      case UInt8(ascii: "<"): skipMarkup(&rest, &output)
      case UInt8(ascii: "&"):
        // The longest reference that HTML knows is 33 bytes long.
        guard let end = rest.prefix(40).firstIndex(of: UInt8(ascii: ";")) else {
          output.append(byte)
          rest.removeFirst()
          continue
        }
        output += Entities.text(of: String(decoding: rest[...end], as: UTF8.self)).utf8
        rest = rest[(end + 1)...]
      default:
        output.append(byte)
        rest.removeFirst()
      }
    }
    let lines = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline)
    return lines.map { String($0).trimmed }.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// Takes a tag or a comment off the front; a lone `<` is text.
  private static func skipMarkup(_ rest: inout ArraySlice<UInt8>, _ output: inout [UInt8]) {
    if rest.starts(with: "<!--".utf8) { return skip(past: "-->", &rest) }
    for name in ["script", "style"] where starts(rest.dropFirst(), with: name) {
      return skip(past: "</\(name)", &rest, andPast: ">")
    }
    let next = rest.dropFirst().first ?? 0
    let isTag =
      next == UInt8(ascii: "/") || next == UInt8(ascii: "!") || next == UInt8(ascii: "?")
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(next | 0x20)
    guard isTag else {
      output.append(rest.removeFirst())
      return
    }
    skip(past: ">", &rest)
    // What two tags stand between are two words.
    output.append(UInt8(ascii: " "))
  }

  /// Everything up to the end of `mark`; all of it where that does not come.
  private static func skip(
    past mark: String, _ rest: inout ArraySlice<UInt8>, andPast second: String? = nil
  ) {
    let first = mark.utf8.first ?? 0
    var index = rest.startIndex
    while index < rest.endIndex {
      if rest[index] == first, starts(rest[index...], with: mark) {
        rest = rest[(index + mark.utf8.count)...]
        if let second { skip(past: second, &rest) }
        return
      }
      index += 1
    }
    rest = rest[rest.endIndex...]
  }

  /// In any case of ASCII letters.
  private static func starts(_ bytes: ArraySlice<UInt8>, with text: String) -> Bool {
    let head = bytes.prefix(text.utf8.count)
    return head.count == text.utf8.count
      && zip(head, text.utf8).allSatisfy { byte, wanted in
        let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        return (isUpper ? byte | 0x20 : byte) == wanted
      }
  }
}
