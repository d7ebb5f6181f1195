/// Front matter line by line, where it is not quite what it should be.
enum FrontMatterLines {
  private static let blockMarks: Set<String> = [">", ">-", ">+", "|", "|-", "|+"]

  /// Whether the first line that says something is a key (`title:`, `title =`) or a table.
  static func begin(_ block: ArraySlice<UInt8>, isTOML: Bool) -> Bool {
    var lines = LineCursor(block)
    while let line = lines.next() {
      guard let first = line.first, first != UInt8(ascii: "#") else { continue }
      if isTOML, first == UInt8(ascii: "[") { return true }
      return key(String(decoding: line.prefix(200), as: UTF8.self), isTOML: isTOML) != nil
    }
    return true
  }

  static func title(_ block: ArraySlice<UInt8>, isTOML: Bool) -> String {
    var lines = LineCursor(block)
    while let line = lines.next() {
      // A line longer than any title is none that counts here.
      let text = String(decoding: line.prefix(2000), as: UTF8.self)
      guard let (name, value) = key(text, isTOML: isTOML), name.lowercased() == "title" else {
        continue
      }
      guard value.isEmpty || (!isTOML && blockMarks.contains(value)) else { return unquoted(value) }
      var parts: [String] = []
      while parts.count < 20, let more = lines.next(), more.first?.isHTMLSpace == true {
        parts.append(String(decoding: more.prefix(2000), as: UTF8.self).trimmed)
      }
      return unquoted(parts.joined(separator: " "))
    }
    return ""
  }

  /// A key at the beginning of a line, and what stands behind it.
  private static func key(_ line: String, isTOML: Bool) -> (name: String, value: String)? {
    guard let place = line.firstIndex(of: isTOML ? "=" : ":") else { return nil }
    let name = line[..<place]
    let value = line[line.index(after: place)...]
    guard let first = name.first, first.isLetter || first == "_" || first == "\"" else {
      return nil
    }
    guard isTOML || value.isEmpty || value.first?.isWhitespace == true else { return nil }
    let bare = unquoted(String(name).trimmed)
    let isName = bare.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_" || $0 == "-"
        || $0 == "."
    }
    return isName ? (bare, String(value).trimmed) : nil
  }

  private static func unquoted(_ text: String) -> String {
    guard text.count >= 2, let quote = text.first, quote == "\"" || quote == "'",
      text.last == quote
    else { return text }
    return String(text.dropFirst().dropLast())
  }
}
