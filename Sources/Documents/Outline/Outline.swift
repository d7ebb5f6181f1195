import Domain

/// Puts headings, paragraphs and listings together to sections, in the order in which they come.
///
/// A problem is remembered instead of thrown, because the callbacks of C libraries call this: they
/// ask `isBroken` and stop, and `finish` throws it.
struct Outline {
  static let sectionCountMax = 5000
  /// Headings, with those that stand over nothing: each takes a look at all above it and an anchor, so that
  /// two megabytes of nothing else took longer than any text.
  static let headingCountMax = 100_000
  /// Characters of a heading that are kept.
  static let headingLengthMax = 200

  private struct Heading {
    var level: Int
    var title: String
  }

  private var path: [Heading] = []
  private var anchors = AnchorMaker()
  private var sections: [DocumentSection] = []
  private var current = DocumentSection(anchor: "", headings: [], blocks: [])
  private var firstHeading = ""
  private var headingCount = 0
  /// A title that stands over every section, as an outermost heading: nothing else in the text says it.
  private let root: String
  private(set) var problem: DocumentError?
  /// What the document says of itself; stands before the first heading.
  var title = ""

  /// - Parameter root: the title that the document has beside its text; empty where it has none.
  init(root: String = "") {
    self.root = String(Self.collapsed(root).unicodeScalars.prefix(Self.headingLengthMax))
    title = self.root
  }

  var isBroken: Bool { problem != nil }

  mutating func fail(_ error: DocumentError) {
    if problem == nil { problem = error }
  }

  /// - Parameter anchor: empty where the author gave none.
  mutating func heading(level: Int, _ text: String, anchor: String) {
    headingCount += 1
    guard headingCount <= Self.headingCountMax else {
      return fail(.tooComplex("more than \(Self.headingCountMax) headings"))
    }
    // A heading without a text of its own stands above those that follow it, and is found with them.
    close(isLeaf: level <= path.last?.level ?? 0)
    let title = String(
      Self.collapsed(Self.visible(text)).unicodeScalars.prefix(Self.headingLengthMax))
    if firstHeading.isEmpty { firstHeading = title }
    while let last = path.last, last.level >= level { path.removeLast() }
    path.append(Heading(level: level, title: title))
    current = DocumentSection(
      anchor: anchors.anchor(given: anchor, heading: title),
      headings: headings(), blocks: [])
  }

  /// Adds a paragraph, unless there is nothing but white space in it.
  mutating func prose(_ text: String) {
    let text = Self.visible(text).trimmed
    if !text.isEmpty { current.blocks.append(.prose(text)) }
  }

  mutating func code(_ text: String, language: String) {
    var text = text[...]
    while text.last?.isNewline == true { text.removeLast() }
    guard text.contains(where: { !$0.isWhitespace }) else { return }
    current.blocks.append(.code(String(text), language: Self.language(language)))
  }

  mutating func finish() throws(DocumentError) -> ReadDocument {
    close(isLeaf: true)
    if sections.isEmpty, !title.isEmpty {
      sections.append(DocumentSection(anchor: "", headings: [title], blocks: []))
    }
    if let problem { throw problem }
    return ReadDocument(
      title: title.isEmpty ? firstHeading : title, sections: sections)
  }

  private func headings() -> [String] {
    let own = path.map(\.title).filter { !$0.isEmpty }
    // Many documents repeat their title as the first heading.
    guard !root.isEmpty, own.first?.lowercased() != root.lowercased() else { return own }
    return [root] + own
  }

  /// - Parameter isLeaf: whether the section is kept for its heading alone.
  private mutating func close(isLeaf: Bool) {
    let isNamed = isLeaf && path.last?.title.isEmpty == false
    guard isNamed || !current.blocks.isEmpty else { return }
    // What stands before the first heading is the document's own.
    if current.headings.isEmpty, !title.isEmpty { current.headings = [title] }
    guard sections.count < Self.sectionCountMax else {
      return fail(.tooComplex("more than \(Self.sectionCountMax) sections"))
    }
    sections.append(current)
    current.blocks = []
  }

  /// A language's name as people write it (`python`, `c++`); anything else is none.
  private static func language(_ text: String) -> String {
    let isName =
      text.utf8.count <= 32
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "#"),
          UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
    return isName ? text : ""
  }

  /// Without characters that only say where a word may be broken or not: nobody asks for a word with them.
  private static func visible(_ text: String) -> String {
    // The first bytes of all of them.
    guard text.utf8.contains(where: { $0 == 0xc2 || $0 == 0xe2 || $0 == 0xef }) else { return text }
    let scalars = text.unicodeScalars
    guard scalars.contains(where: isBreakMark) else { return text }
    return String(String.UnicodeScalarView(scalars.filter { !isBreakMark($0) }))
  }

  private static func isBreakMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    // Soft hyphen, zero width space, word joiner, zero width no-break space.
    case "\u{ad}", "\u{200b}", "\u{2060}", "\u{feff}": true
    default: false
    }
  }

  /// One line, one blank between words.
  static func collapsed(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}

extension String {
  /// Without white space at both ends.
  var trimmed: String {
    var rest = self[...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest.count == count ? self : String(rest)
  }
}
