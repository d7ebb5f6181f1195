/// Finds where statements, tags and expressions of MDX end.
struct JSXScanner {
  /// A tag or a comment, and what stands for it in Markdown.
  struct Piece {
    var end: Int
    var replacement = ""
    /// 1 where a component begins, -1 where one ends.
    var depth = 0
  }

  let bytes: [UInt8]
  /// Bytes that may still be looked at beyond reading the text once.
  private(set) var work: Int

  /// Whether there is work left to do so much.
  mutating func spend(_ count: Int) -> Bool {
    work -= count
    return work > 0
  }

  private func byte(_ place: Int) -> UInt8 { place < bytes.count ? bytes[place] : 0 }

  // MARK: Statements

  /// Where an `import` or `export` of JavaScript ends, at the beginning of a line; nil where there is
  /// none.
  mutating func statementEnd(at start: Int) -> Int? {
    guard starts(with: "import", at: start) || starts(with: "export", at: start),
      byte(start + 6) == UInt8(ascii: " ") || byte(start + 6) == UInt8(ascii: "{")
        || byte(start + 6) == UInt8(ascii: "*")
    else { return nil }
    var place = start
    var depth = 0
    var last: UInt8 = 0
    while place < bytes.count {
      guard spend(1) else { return nil }
      let current = bytes[place]
      if current == UInt8(ascii: "\n"), depth == 0, !Self.goesOn(last) { break }
      if let after = skipQuoted(place) {
        last = current
        place = after
        continue
      }
      switch current {
      case UInt8(ascii: "{"), UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      if !current.isHTMLSpace { last = current }
      place += 1
    }
    guard depth == 0 else { return nil }
    let text = String(decoding: bytes[start..<place].prefix(4096), as: UTF8.self)
    var tail = String(decoding: bytes[start..<place].suffix(256), as: UTF8.self)
    tail = String(tail.split(separator: "\n").last ?? "")
    // A comment behind it; an address has no blank before its slashes.
    if let comment = tail.firstRange(of: " //") { tail = String(tail[..<comment.lowerBound]) }
    tail = tail.trimmed
    return Self.isStatement(text, tail: tail) ? place + 1 : nil
  }

  /// Whether a statement cannot end behind this byte.
  private static func goesOn(_ byte: UInt8) -> Bool { "=,+&|?:".utf8.contains(byte) }

  private static func isStatement(_ text: String, tail: String) -> Bool {
    let words = text.split(whereSeparator: \.isWhitespace)
    let rest = text.dropFirst(6).drop(while: \.isWhitespace)
    let end = tail.hasSuffix(";") ? String(tail.dropLast()).trimmed : tail
    if text.hasPrefix("import") {
      if let quote = rest.first, quote == "'" || quote == "\"" { return words.count == 2 }
      return isFrom(end)
    }
    guard rest.first != "{", rest.first != "*" else { return isFrom(end) || end.hasSuffix("}") }
    guard words.count > 2 else { return false }
    switch words[1] {
    case "const", "let", "var", "type": return text.contains("=")
    case "function", "async", "class", "interface", "enum": return end.hasSuffix("}")
    case "default":
      if words.count == 3 { return tail.hasSuffix(";") || words[2].first?.isUppercase == true }
      return end.hasSuffix("}") || end.hasSuffix(")") || end.hasSuffix(">")
    default: return false
    }
  }

  /// Whether a statement ends with `from` and a module, and perhaps `with {…}` behind it.
  private static func isFrom(_ end: String) -> Bool {
    var rest = end[...]
    if rest.last == "}", let brace = rest.lastIndex(of: "{") {
      rest = rest[..<brace]
      while rest.last?.isWhitespace == true { rest.removeLast() }
      guard rest.hasSuffix("with") || rest.hasSuffix("assert") else { return false }
      rest = rest.dropLast(rest.hasSuffix("with") ? 4 : 6)
      while rest.last?.isWhitespace == true { rest.removeLast() }
    }
    guard let quote = rest.popLast(), quote == "'" || quote == "\"",
      let start = rest.lastIndex(of: quote)
    else { return false }
    rest = rest[..<start]
    while rest.last?.isWhitespace == true { rest.removeLast() }
    guard rest.hasSuffix("from") else { return false }
    return rest.dropLast(4).last.map { !$0.isLetter && !$0.isNumber } ?? true
  }

  // MARK: Expressions

  /// Where the line ends that holds nothing but an expression in braces; it may take several lines.
  mutating func expressionLine(at start: Int) -> Int? {
    guard byte(start) == UInt8(ascii: "{"),
      !"#*{%:!".utf8.contains(byte(start + 1)), byte(start + 1) != UInt8(ascii: " "),
      var place = skipBraces(start)
    else { return nil }
    while place < bytes.count, bytes[place] != UInt8(ascii: "\n") {
      guard bytes[place].isHTMLSpace else { return nil }
      place += 1
    }
    return place + 1
  }

  /// An expression in braces, and the text that stands for it: its own where it is a string.
  mutating func expression(at start: Int) -> Piece? {
    guard let end = skipBraces(start) else { return nil }
    let inside = bytes[(start + 1)..<(end - 1)].drop { $0.isHTMLSpace }
    let text = String(decoding: inside.prefix(20_000), as: UTF8.self).trimmed
    // An empty line ends the paragraph, and what began in it is text.
    guard !text.contains("\n\n") else { return nil }
    guard let quote = text.first, "\"'`".contains(quote), text.count > 1, text.last == quote,
      !text.dropFirst().dropLast().contains(quote)
    else { return Piece(end: end) }
    return Piece(end: end, replacement: String(text.dropFirst().dropLast()))
  }

  /// A comment in braces, a component's tag, or a tag of HTML with attributes of JSX.
  mutating func markup(at start: Int) -> Piece? {
    if byte(start) == UInt8(ascii: "{") {
      guard starts(with: "{/*", at: start) else { return nil }
      return skipBraces(start).map { Piece(end: $0) }
    }
    return tag(at: start)
  }

  /// The place behind the brace that ends the one at `start`.
  private mutating func skipBraces(_ start: Int) -> Int? {
    var depth = 0
    var place = start
    while place < bytes.count {
      guard spend(1) else { return nil }
      if let after = skipQuoted(place) ?? skipComment(place) {
        place = after
        continue
      }
      if bytes[place] == UInt8(ascii: "{") { depth += 1 }
      if bytes[place] == UInt8(ascii: "}") { depth -= 1 }
      place += 1
      if depth == 0 { return place }
    }
    return nil
  }

  /// The place behind a text between quotes; one in simple quotes ends with its line.
  private mutating func skipQuoted(_ start: Int) -> Int? {
    let quote = bytes[start]
    guard "\"'`".utf8.contains(quote) else { return nil }
    var place = start + 1
    while place < bytes.count, spend(1) {
      if bytes[place] == quote { return place + 1 }
      // An apostrophe.
      if bytes[place] == UInt8(ascii: "\n"), quote != UInt8(ascii: "`") { return start + 1 }
      place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
    }
    return start + 1
  }

  private mutating func skipComment(_ start: Int) -> Int? {
    guard starts(with: "/*", at: start) else { return nil }
    var place = start + 2
    while place < bytes.count, spend(1) {
      if starts(with: "*/", at: place) { return place + 2 }
      place += 1
    }
    return nil
  }

  // MARK: Tags

  private mutating func tag(at start: Int) -> Piece? {
    var place = start + 1
    let isEnd = byte(place) == UInt8(ascii: "/")
    if isEnd { place += 1 }
    let nameStart = place
    while Self.isNameByte(byte(place)) { place += 1 }
    let name = bytes[nameStart..<min(place, bytes.count)]
    guard spend(place - start) else { return nil }
    if name.isEmpty {
      guard byte(place) == UInt8(ascii: ">") else { return nil }
      return Piece(end: place + 1, depth: isEnd ? -1 : 1)
    }
    guard let first = name.first, first.isASCIILetter else { return nil }
    let isComponent = first & 0x20 == 0 || name.contains(UInt8(ascii: "."))
    guard let found = attributes(from: place) else { return nil }
    if isComponent {
      let isEmpty = bytes[found.end - 2] == UInt8(ascii: "/")
      return Piece(end: found.end, depth: isEnd ? -1 : isEmpty ? 0 : 1)
    }
    // HTML goes to whoever reads HTML, without what is none.
    guard found.hasBraces else { return nil }
    let text = String(decoding: name, as: UTF8.self)
    return Piece(end: found.end, replacement: isEnd ? "</\(text)>" : "<\(text)>")
  }

  private mutating func attributes(from start: Int) -> (end: Int, hasBraces: Bool)? {
    var place = start
    var hasBraces = false
    while place < bytes.count {
      guard spend(1) else { return nil }
      let before = place
      while place < bytes.count, bytes[place].isHTMLSpace { place += 1 }
      let isApart = place > before
      switch byte(place) {
      case UInt8(ascii: ">"): return (place + 1, hasBraces)
      case UInt8(ascii: "/"):
        guard byte(place + 1) == UInt8(ascii: ">") else { return nil }
        return (place + 2, hasBraces)
      case UInt8(ascii: "{") where isApart:
        guard let after = skipBraces(place) else { return nil }
        hasBraces = true
        place = after
      case let first where isApart && (first.isASCIILetter || first == UInt8(ascii: "_")):
        while Self.isNameByte(byte(place)) || byte(place) == UInt8(ascii: ":") { place += 1 }
        guard byte(place) == UInt8(ascii: "=") else { continue }
        guard let value = value(from: place + 1) else { return nil }
        hasBraces = hasBraces || value.isBraces
        place = value.end
      default: return nil
      }
    }
    return nil
  }

  private mutating func value(from start: Int) -> (end: Int, isBraces: Bool)? {
    let first = byte(start)
    if first == UInt8(ascii: "{") { return skipBraces(start).map { ($0, true) } }
    var place = start
    if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
      place += 1
      while place < bytes.count, bytes[place] != first, spend(1) { place += 1 }
      return byte(place) == first ? (place + 1, false) : nil
    }
    while place < bytes.count, !bytes[place].isHTMLSpace, !"\"'=<>`{".utf8.contains(bytes[place]) {
      guard spend(1) else { return nil }
      place += 1
    }
    return place > start ? (place, false) : nil
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte.isASCIILetter || byte.isASCIIDigit || "._$-".utf8.contains(byte)
  }

  private func starts(with text: String, at place: Int) -> Bool {
    guard place + text.utf8.count <= bytes.count else { return false }
    return bytes[place..<(place + text.utf8.count)].elementsEqual(text.utf8)
  }
}
