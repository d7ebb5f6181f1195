import CLibXML2
import Domain

/// What libxml2 calls while it reads HTML; lives as long as the parser.
final class HTMLEvents {
  private static let depthMax = 256
  /// Elements of which nothing is text.
  private static let hidden: Set<String> = [
    "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "select",
  ]
  /// Elements that stand within a line.
  private static let inline: Set<String> = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "img", "ins", "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp",
    "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
  ]

  static var handler: htmlSAXHandler {
    var handler = htmlSAXHandler()
    handler.startElement = { events, name, attributes in
      HTMLEvents.of(events).started(HTMLEvents.string(name), attributes)
    }
    handler.endElement = { events, name in HTMLEvents.of(events).ended(HTMLEvents.string(name)) }
    handler.characters = { events, text, count in HTMLEvents.of(events).text(text, count) }
    handler.ignorableWhitespace = { events, text, count in HTMLEvents.of(events).text(text, count) }
    return handler
  }

  private static func of(_ pointer: UnsafeMutableRawPointer?) -> HTMLEvents {
    // What the parser was made with comes back as it was.
    Unmanaged<HTMLEvents>.fromOpaque(pointer.unsafelyUnwrapped).takeUnretainedValue()
  }

  private static func string(_ text: UnsafePointer<UInt8>?) -> String {
    text.map { String(cString: $0) } ?? ""
  }

  /// The parser, to stop it.
  var context: htmlParserCtxtPtr?

  private var outline = Outline()
  private var buffer: [UInt8] = []
  private var depth = 0
  /// How deep within hidden elements, listings and headings.
  private var hiddenDepth = 0
  private var listingDepth = 0
  private var language = ""
  private var headingLevel = 0
  private var anchor = ""
  private var isInTitle = false
  private var isItemNew = false
  private var cells: [String]?

  var isBroken: Bool { outline.isBroken }

  func finish() throws(DocumentError) -> ReadDocument {
    flush()
    return try outline.finish()
  }

  private func refuse(_ what: String) {
    outline.fail(.tooComplex(what))
    if let context { xmlStopParser(context) }
  }

  private func started(
    _ name: String, _ attributes: UnsafeMutablePointer<UnsafePointer<UInt8>?>?
  ) {
    depth += 1
    guard depth <= Self.depthMax else {
      return refuse("nested more than \(Self.depthMax) deep")
    }
    if hiddenDepth > 0 || Self.hidden.contains(name) {
      hiddenDepth += 1
      return
    }
    if listingDepth > 0 || name == "pre" {
      if listingDepth == 0 { flush() }
      listingDepth += 1
      language = Self.language(attributes) ?? language
      return
    }
    if headingLevel > 0, anchor.isEmpty { anchor = Self.anchor(attributes) }
    switch name {
    case "h1", "h2", "h3", "h4", "h5", "h6":
      flush()
      headingLevel = Int(name.suffix(1)) ?? 1
      anchor = Self.anchor(attributes)
    case "title": isInTitle = true
    case "br": buffer.append(UInt8(ascii: "\n"))
    case "img": buffer += (Self.attribute("alt", attributes) ?? "").utf8
    case "tr":
      flush()
      cells = []
    case "td", "th": takeCell()
    case "li":
      flush()
      isItemNew = true
    default: if !Self.inline.contains(name) { flush() }
    }
  }

  private func ended(_ name: String) {
    depth -= 1
    if hiddenDepth > 0 {
      hiddenDepth -= 1
      return
    }
    if listingDepth > 0 {
      listingDepth -= 1
      if listingDepth == 0 { endListing() }
      return
    }
    switch name {
    case "h1", "h2", "h3", "h4", "h5", "h6": endHeading()
    case "title": endTitle()
    case "tr":
      takeCell()
      let row = (cells ?? []).filter { !$0.isEmpty }
      cells = nil
      outline.prose(row.joined(separator: " | "))
    case "td", "th": takeCell()
    case "li":
      flush()
      isItemNew = false
    default: if !Self.inline.contains(name) { flush() }
    }
    if outline.isBroken, let context { xmlStopParser(context) }
  }

  private func text(_ text: UnsafePointer<UInt8>?, _ count: CInt) {
    guard hiddenDepth == 0, !outline.isBroken else { return }
    buffer += UnsafeBufferPointer(start: text, count: Int(count))
  }

  private func endListing() {
    // The line break after `<pre>` is none of the listing.
    let text = taken()
    outline.code(text.first == "\n" ? String(text.dropFirst()) : text, language: language)
    language = ""
  }

  private func endHeading() {
    guard headingLevel > 0 else { return }
    // A pilcrow at the end is the link to itself that generators put there.
    var title = Outline.collapsed(taken())
    if title.hasSuffix("¶") { title = String(title.dropLast()).trimmed }
    outline.heading(level: headingLevel, title, anchor: anchor)
    headingLevel = 0
  }

  private func endTitle() {
    let title = Outline.collapsed(taken())
    if isInTitle, outline.title.isEmpty {
      outline.title = String(title.unicodeScalars.prefix(Outline.headingLengthMax))
    }
    isInTitle = false
  }

  private func taken() -> String {
    defer { buffer.removeAll(keepingCapacity: true) }
    return String(decoding: buffer, as: UTF8.self)
  }

  private func takeCell() {
    let text = Outline.collapsed(taken())
    if cells != nil, !text.isEmpty { cells?.append(text) }
  }

  /// Ends a paragraph, if one is being read. What stands in a heading, a title or a row stays there.
  private func flush() {
    guard headingLevel == 0, !isInTitle, !buffer.isEmpty else { return }
    guard cells == nil else { return buffer.append(UInt8(ascii: " ")) }
    let text = Outline.collapsed(taken())
    guard !text.isEmpty else { return }
    outline.prose(isItemNew ? "- " + text : text)
    isItemNew = false
  }

  private static func attribute(
    _ wanted: String, _ attributes: UnsafeMutablePointer<UnsafePointer<UInt8>?>?
  ) -> String? {
    guard var pair = attributes else { return nil }
    // Name, value, name, value, …, nil.
    while let name = pair[0] {
      if string(name) == wanted { return string(pair[1]) }
      pair += 2
    }
    return nil
  }

  private static func anchor(
    _ attributes: UnsafeMutablePointer<UnsafePointer<UInt8>?>?
  ) -> String {
    for name in ["id", "name"] {
      if let value = attribute(name, attributes), AnchorMaker.isAnchor(value) { return value }
    }
    return ""
  }

  /// `language-python` and `lang-python` among the classes, as highlighters write them.
  private static func language(
    _ attributes: UnsafeMutablePointer<UnsafePointer<UInt8>?>?
  ) -> String? {
    let classes = (attribute("class", attributes) ?? "").split(separator: " ")
    for prefix in ["language-", "lang-"] {
      if let found = classes.first(where: { $0.hasPrefix(prefix) }) {
        return String(found.dropFirst(prefix.count))
      }
    }
    return nil
  }
}
