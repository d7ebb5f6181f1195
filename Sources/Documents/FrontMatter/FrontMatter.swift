import Domain
import TOML

/// The block that many tools put at the head of a document: YAML between two lines of hyphens, TOML
/// between two of plus signs, and what `FrontMatterHeader` knows. Only its title is of interest; the rest
/// is about the tool.
struct FrontMatter {
  static let byteCountMax = 64 << 10

  private(set) var title = ""
  /// What follows it.
  private(set) var rest: ArraySlice<UInt8>

  /// - Parameter knowsHeaders: whether heads without marks are known too.
  init(_ bytes: ArraySlice<UInt8>, knowsHeaders: Bool = false) throws(DocumentError) {
    rest = bytes
    var lines = LineCursor(bytes)
    let first = lines.next() ?? []
    let isTOML = first.elementsEqual("+++".utf8) || first.elementsEqual("---toml".utf8)
    guard isTOML || ["---", "---yaml", "---json"].contains(where: { first.elementsEqual($0.utf8) })
    else {
      if knowsHeaders, let header = try FrontMatterHeader.read(bytes) {
        title = Self.shown(header.title)
        rest = header.rest
      }
      return
    }
    let mark = first.prefix(3)
    let start = lines.rest.startIndex
    var end = start
    // Without an end it is a rule and text.
    while true {
      guard let line = lines.next() else { return }
      if line.elementsEqual(mark) || (!isTOML && line.elementsEqual("...".utf8)) { break }
      end = lines.rest.startIndex
    }
    let block = bytes[start..<end]
    guard block.count <= Self.byteCountMax else {
      guard FrontMatterLines.begin(block, isTOML: isTOML) else { return }
      throw .tooComplex("front matter longer than \(Self.byteCountMax >> 10) KiB")
    }
    guard let found = try isTOML ? Self.toml(block) : Self.yaml(block) else { return }
    title = Self.shown(found)
    rest = lines.rest
  }

  private static func shown(_ title: String) -> String {
    // Escapes may bring characters that no text may have.
    let scalars = title.unicodeScalars.filter {
      $0.properties.isWhitespace || $0.properties.generalCategory != .control
    }
    return Outline.collapsed(String(String.UnicodeScalarView(scalars)))
  }

  /// - Returns: the title, empty where there is none; nil where the block is no front matter.
  private static func yaml(_ block: ArraySlice<UInt8>) throws(DocumentError) -> String? {
    switch try YAMLTitle.read(block) {
    case .title(let title): title
    case .notMapping: nil
    // `title: Zig: a tour` is what people write, and no YAML.
    case .invalid:
      FrontMatterLines.begin(block, isTOML: false)
        ? FrontMatterLines.title(block, isTOML: false) : nil
    }
  }

  private static func toml(_ block: ArraySlice<UInt8>) -> String? {
    do throws(TOMLError) {
      let values = try TOMLReader.values(String(decoding: block, as: UTF8.self))
      return values.first { $0.key == "title" && $0.kind == .text }?.text ?? ""
    } catch {
      return FrontMatterLines.begin(block, isTOML: true)
        ? FrontMatterLines.title(block, isTOML: true) : nil
    }
  }
}

/// Takes lines off the front, without the white space at their ends.
struct LineCursor {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  mutating func next() -> ArraySlice<UInt8>? {
    guard !rest.isEmpty else { return nil }
    let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
    var line = rest[..<end]
    while line.last?.isHTMLSpace == true { line.removeLast() }
    rest = rest[min(end + 1, rest.endIndex)...]
    return line
  }
}
