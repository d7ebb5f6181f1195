import Domain

/// Heads of documents without lines that mark them: an object of JSON (Hugo), the title block of Pandoc
/// (`% Title`), and keys up to the first empty line (MultiMarkdown, Pelican). Each is text unless it has
/// a title.
enum FrontMatterHeader {
  private static let lineCountMax = 200

  static func read(
    _ bytes: ArraySlice<UInt8>
  ) throws(DocumentError) -> (title: String, rest: ArraySlice<UInt8>)? {
    switch bytes.first {
    case UInt8(ascii: "{"): try json(bytes)
    case UInt8(ascii: "%"): pandoc(bytes)
    case let byte? where byte.isASCIILetter: keys(bytes)
    default: nil
    }
  }

  private static func json(
    _ bytes: ArraySlice<UInt8>
  ) throws(DocumentError) -> (title: String, rest: ArraySlice<UInt8>)? {
    var lines = LineCursor(bytes)
    guard lines.next()?.elementsEqual("{".utf8) == true else { return nil }
    while let line = lines.next() {
      let count = lines.rest.startIndex - bytes.startIndex
      guard count <= FrontMatter.byteCountMax else { return nil }
      guard line.elementsEqual("}".utf8) else { continue }
      // Every object of JSON is a mapping of YAML.
      guard case .title(let title) = try YAMLTitle.read(bytes.prefix(count)), !title.isEmpty else {
        return nil
      }
      return (title, lines.rest)
    }
    return nil
  }

  private static func pandoc(
    _ bytes: ArraySlice<UInt8>
  ) -> (title: String, rest: ArraySlice<UInt8>)? {
    var lines = LineCursor(bytes)
    var title = ""
    var markCount = 0
    var rest = bytes
    for _ in 0..<lineCountMax {
      guard let line = lines.next(), !line.isEmpty else { break }
      let text = String(decoding: line.prefix(2000), as: UTF8.self)
      if text == "%" || text.hasPrefix("% ") {
        markCount += 1
        guard markCount <= 3 else { return nil }
        if markCount == 1 { title = String(text.dropFirst()).trimmed }
      } else if text.first == " ", markCount > 0 {
        if markCount == 1 { title += " " + text.trimmed }
      } else {
        return nil
      }
      rest = lines.rest
    }
    return title.isEmpty ? nil : (title, rest)
  }

  private static func keys(
    _ bytes: ArraySlice<UInt8>
  ) -> (title: String, rest: ArraySlice<UInt8>)? {
    var lines = LineCursor(bytes)
    var title = ""
    var isTitle = false
    for number in 0..<lineCountMax {
      guard let line = lines.next(), !line.isEmpty else {
        return title.isEmpty ? nil : (title, lines.rest)
      }
      let text = String(decoding: line.prefix(2000), as: UTF8.self)
      if text.first?.isWhitespace == true {
        guard number > 0 else { return nil }
        if isTitle { title += " " + text.trimmed }
        continue
      }
      guard let colon = text.firstIndex(of: ":"), isKey(text[..<colon]),
        text.index(after: colon) == text.endIndex || text[text.index(after: colon)].isWhitespace
      else { return nil }
      isTitle = text[..<colon].lowercased() == "title"
      if isTitle, title.isEmpty { title = String(text[text.index(after: colon)...]).trimmed }
    }
    return nil
  }

  /// One or two words: a sentence with a colon is none.
  private static func isKey(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.count <= 40
      && text.allSatisfy { $0.isLetter || $0.isNumber || "-_ ".contains($0) }
      && text.split(separator: " ").count <= 2
  }
}
