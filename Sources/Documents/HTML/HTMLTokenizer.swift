/// Takes HTML apart into tokens, as section 13.2.5 ("Tokenization") of the WHATWG's HTML standard says.
///
/// It has the whole document before it, so that nothing depends on where pieces end, and looks at
/// each byte a fixed number of times: its time is proportional to the length, and of a tag it keeps
/// only the attributes that are asked for. What the standard leaves to the construction of the
/// tree is here by the name of the tag alone: after `<script>`, `<title>` and the like comes raw
/// text, unless `isForeign`.
struct HTMLTokenizer {
  /// The attributes that are kept.
  static let attributeNames: Set<String> = [
    "id", "name", "class", "alt", "href", "colspan", "rowspan", "style",
  ]
  /// Bytes of a name that count; no element of HTML has a longer one.
  private static let nameByteCountMax = 64

  /// Whether SVG or MathML is being read, where there is no raw text, but CDATA.
  var isForeign = false
  /// Whether tags that end with `/>` are empty, as in XHTML.
  let isXML: Bool

  let bytes: [UInt8]
  var index = 0
  private var rawText: RawText?

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = Array(bytes)
    isXML = bytes.starts(with: "<?xml".utf8)
  }

  /// The next token; nil at the end.
  mutating func next() -> HTMLToken? {
    if let raw = rawText {
      rawText = nil
      if let text = takeRaw(raw) { return text }
    }
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "<"): if let token = takeMarkup() { return token }
      case UInt8(ascii: "&"): return .text(CharacterReference.take(bytes, &index)[...])
      default: return .text(takeText())
      }
    }
    return nil
  }

  func peek(_ offset: Int = 0) -> UInt8? {
    index + offset < bytes.count ? bytes[index + offset] : nil
  }

  private mutating func takeText() -> ArraySlice<UInt8> {
    let start = index
    while index < bytes.count, bytes[index] != UInt8(ascii: "<"), bytes[index] != UInt8(ascii: "&")
    {
      index += 1
    }
    return bytes[start..<index]
  }

  /// What begins with `<`; nil where that is nothing to hand on.
  private mutating func takeMarkup() -> HTMLToken? {
    switch peek(1) {
    case UInt8(ascii: "!"): return takeDeclaration()
    case UInt8(ascii: "?"):
      skip(past: ">")
      return nil
    case UInt8(ascii: "/"):
      guard let byte = peek(2) else { return takeLone(2) }
      if byte.isASCIILetter { return takeEndTag() }
      skip(past: ">")
      return nil
    case let byte? where byte.isASCIILetter: return takeStartTag()
    default: return takeLone(1)
    }
  }

  private mutating func takeLone(_ count: Int) -> HTMLToken {
    defer { index += count }
    return .text(bytes[index..<(index + count)])
  }

  /// A comment, a doctype, or what is taken for a comment; the text of CDATA.
  private mutating func takeDeclaration() -> HTMLToken? {
    if starts(with: "<!--", at: index) {
      index += 4
      if peek() == UInt8(ascii: ">") {
        index += 1
      } else if starts(with: "->", at: index) {
        index += 2
      } else {
        skipComment()
      }
    } else if isForeign || isXML, starts(with: "<![CDATA[", at: index) {
      let start = index + 9
      skip(past: "]]>")
      let end = bytes[start..<index].suffix(3).elementsEqual("]]>".utf8) ? index - 3 : index
      return end > start ? .text(bytes[start..<end]) : nil
    } else {
      skip(past: ">")
    }
    return nil
  }

  private mutating func skipComment() {
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "-") {
        if starts(with: "-->", at: index) {
          index += 3
          return
        }
        if starts(with: "--!>", at: index) {
          index += 4
          return
        }
      }
      index += 1
    }
  }

  private mutating func takeEndTag() -> HTMLToken? {
    index += 2
    let name = takeName()
    return takeAttributes(of: name).map { .end($0.name) }
  }

  private mutating func takeStartTag() -> HTMLToken? {
    index += 1
    let name = takeName()
    guard let tag = takeAttributes(of: name) else { return nil }
    if !isForeign, !(isXML && tag.isSelfClosing) { rawText = RawText(tag.name) }
    return .start(tag)
  }

  private mutating func takeName() -> String {
    let start = index
    while let byte = peek(), !byte.isHTMLSpace, byte != UInt8(ascii: "/"), byte != UInt8(ascii: ">")
    {
      index += 1
    }
    return Self.lowercased(bytes[start..<min(index, start + Self.nameByteCountMax)])
  }

  /// From behind the name to behind the end of the tag; nil where the document ends before it does:
  /// then there is no tag.
  private mutating func takeAttributes(of name: String) -> HTMLTag? {
    var tag = HTMLTag(name: name)
    while let byte = peek() {
      if byte == UInt8(ascii: ">") {
        index += 1
        return tag
      }
      if byte == UInt8(ascii: "/") {
        index += 1
        tag.isSelfClosing = peek() == UInt8(ascii: ">")
      } else if byte.isHTMLSpace {
        index += 1
      } else {
        takeAttribute(&tag)
      }
    }
    return nil
  }

  private mutating func takeAttribute(_ tag: inout HTMLTag) {
    let start = index
    // An equals sign at the beginning is part of the name.
    index += 1
    while let byte = peek(), !byte.isHTMLSpace, byte != UInt8(ascii: "/"),
      byte != UInt8(ascii: ">"), byte != UInt8(ascii: "=")
    {
      index += 1
    }
    let name = bytes[start..<index]
    skipSpace()
    var value = bytes[index..<index]
    if peek() == UInt8(ascii: "=") {
      index += 1
      skipSpace()
      value = takeValue()
    }
    guard name.count <= 8 else { return }
    let key = Self.lowercased(name)
    guard Self.attributeNames.contains(key), tag.attributes[key] == nil else { return }
    tag.attributes[key] = CharacterReference.replaced(in: value, isAttribute: true)
  }

  private mutating func takeValue() -> ArraySlice<UInt8> {
    guard let quote = peek() else { return [] }
    let start: Int
    guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
      start = index
      while let byte = peek(), !byte.isHTMLSpace, byte != UInt8(ascii: ">") { index += 1 }
      return bytes[start..<index]
    }
    index += 1
    start = index
    while let byte = peek(), byte != quote { index += 1 }
    defer { if index < bytes.count { index += 1 } }
    return bytes[start..<index]
  }

  private mutating func skipSpace() {
    while let byte = peek(), byte.isHTMLSpace { index += 1 }
  }

  /// Everything up to behind `mark`; all of it where that does not come.
  private mutating func skip(past mark: String) {
    let first = mark.utf8.first ?? 0
    while index < bytes.count {
      if bytes[index] == first, starts(with: mark, at: index) {
        index += mark.utf8.count
        return
      }
      index += 1
    }
  }

  /// In any case of ASCII letters; `text` is in lower case where it has letters.
  func starts(with text: String, at place: Int) -> Bool {
    guard place + text.utf8.count <= bytes.count else { return false }
    var place = place
    for wanted in text.utf8 {
      if bytes[place] != wanted, bytes[place].asciiLowercased != wanted { return false }
      place += 1
    }
    return true
  }

  private static func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.lazy.map(\.asciiLowercased), as: UTF8.self)
  }
}
