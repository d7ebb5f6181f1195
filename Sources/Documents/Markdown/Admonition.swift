/// The lines that blocks of documentation tools begin with, and what of them is text.
enum Admonition {
  /// The title of a block whose content is indented: `!!! note "Title"`, `??? tip`, `=== "Linux"`.
  ///
  /// - Returns: empty where it has none; nil where the line is something else.
  static func indented(_ content: ArraySlice<UInt8>) -> String? {
    let mark = content.prefix { "!?=+".utf8.contains($0) }
    let isTab: Bool
    switch String(decoding: mark.prefix(5), as: UTF8.self) {
    case "!!!", "???", "???+", "!!!+": isTab = false
    case "===", "===!", "===+": isTab = true
    default: return nil
    }
    let rest = String(decoding: content[mark.endIndex...].prefix(500), as: UTF8.self)
    guard rest.first == " " else { return nil }
    let text = rest.trimmed
    guard let quote = text.firstIndex(where: { $0 == "\"" || $0 == "'" }) else {
      return isTab || !isNames(text) ? nil : text
    }
    let title = text[text.index(after: quote)...]
    let names = String(text[..<quote]).trimmed
    guard title.last == text[quote], isTab ? names.isEmpty : isNames(names) else { return nil }
    return String(title.dropLast()).trimmed
  }

  /// `::: tip Title`, `:::note[Title]`, `:::{note} Title`, `::: {.class}`, and `:::` alone, which ends it.
  static func container(_ content: ArraySlice<UInt8>) -> (title: String, hasOptions: Bool)? {
    let count = content.prefix { $0 == UInt8(ascii: ":") }.count
    guard count >= 3 else { return nil }
    var text = String(decoding: content.dropFirst(count).prefix(500), as: UTF8.self).trimmed
    // `::: note :::` in Pandoc.
    while text.last == ":" { text.removeLast() }
    text = text.trimmed
    guard let first = text.first else { return ("", false) }
    if first == "{" {
      guard let end = text.firstIndex(of: "}") else { return nil }
      let name = text[text.index(after: text.startIndex)..<end]
      let title = String(text[text.index(after: end)...]).trimmed
      return (title.isEmpty ? shown(name) : title, true)
    }
    guard first.isLetter else { return nil }
    let name = text.prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
    var rest = text[name.endIndex...]
    guard rest.isEmpty || rest.first == " " || rest.first == "[" || rest.first == "{" else {
      return nil
    }
    if rest.first == "[", let end = rest.lastIndex(of: "]") {
      rest = rest[rest.index(after: rest.startIndex)..<end]
    } else if let brace = rest.firstIndex(of: "{") {
      rest = rest[..<brace]
    }
    let title = String(rest).trimmed
    return (title.isEmpty ? String(name) : title, false)
  }

  /// `[!NOTE]` at the head of a quote, and `[!info]- Title`; nil where it is something else.
  static func alert(_ line: String) -> String? {
    guard line.hasPrefix("[!"), let end = line.firstIndex(of: "]") else { return nil }
    let name = line[line.index(line.startIndex, offsetBy: 2)..<end]
    guard !name.isEmpty, name.count <= 32, name.allSatisfy({ $0.isLetter || $0 == "-" }) else {
      return nil
    }
    let title = String(line[line.index(after: end)...].drop { $0 == "+" || $0 == "-" }).trimmed
    return title.isEmpty ? name.lowercased() : title
  }

  /// The name of a directive; the classes of Pandoc say nothing.
  private static func shown(_ name: Substring) -> String {
    name.first?.isLetter == true ? String(name) : ""
  }

  /// `note`, `note inline end`.
  private static func isNames(_ text: String) -> Bool {
    text.first?.isLetter == true
      && text.allSatisfy { $0.isLetter || $0.isNumber || "-_ |".contains($0) }
      && text.split(separator: " ").count <= 4
  }
}
