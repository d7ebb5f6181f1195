/// The YAML block that many tools put at the head of Markdown, between two lines of hyphens. Only
/// its title is of interest; the rest is about the tool.
struct FrontMatter {
  /// Lines that are looked at; without an end among them it is a rule and text.
  private static let lineCountMax = 500

  var title = ""
  /// What follows it.
  var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) {
    rest = bytes
    var lines = LineCursor(bytes)
    guard lines.next() == "---" else { return }
    var title = ""
    for _ in 0..<Self.lineCountMax {
      guard let line = lines.next() else { return }
      if line == "---" || line == "..." {
        self.title = title
        rest = lines.rest
        return
      }
      if title.isEmpty, line.hasPrefix("title:") {
        title = Self.unquoted(String(line.dropFirst("title:".count)).trimmed)
      }
    }
  }

  private static func unquoted(_ text: String) -> String {
    guard text.count >= 2, let quote = text.first, quote == "\"" || quote == "'",
      text.last == quote
    else { return text }
    return String(text.dropFirst().dropLast())
  }
}

/// Takes lines off the front, without the white space at their ends.
private struct LineCursor {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  mutating func next() -> String? {
    guard !rest.isEmpty else { return nil }
    let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
    // A line longer than any title is none that counts here.
    let line = String(decoding: rest[..<end].prefix(2000), as: UTF8.self)
    rest = rest[min(end + 1, rest.endIndex)...]
    return line.trimmed
  }
}
