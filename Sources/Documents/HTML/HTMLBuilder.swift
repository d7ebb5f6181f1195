import Domain

/// Makes headings, paragraphs, rows and listings of the tokens of HTML.
final class HTMLBuilder {
  private static let depthMax = 256
  /// Start tags that end SVG or MathML whose end tags were left out.
  private static let breakouts: Set<String> = [
    "b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em",
    "embed", "h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "i", "img", "li", "listing", "menu",
    "meta", "nobr", "ol", "p", "pre", "ruby", "s", "small", "span", "strike", "strong", "sub",
    "sup", "table", "tt", "u", "ul", "var",
  ]
  /// Elements of SVG and MathML that hold HTML.
  private static let integrations: Set<String> = [
    "foreignobject", "desc", "title", "annotation-xml", "mi", "mo", "mn", "ms", "mtext",
  ]
  /// Blocks that no heading continues behind, whose end tag was left out.
  private static let headingEnds: Set<String> = ["p", "ul", "ol", "dl", "table", "hr", "section"]

  private var outline: Outline
  var isXML = false
  private let isPiece: Bool

  private var open = OpenElements()
  private var tables = [TableState()]
  private var buffer: [UInt8] = []
  private var hiddenDepth = 0
  private var foreignDepth = 0
  private var integrationDepth = 0
  private var listingDepth = 0
  private var language = ""
  /// A line of a listing ended, and nothing of the next one has come.
  private var isLineEnded = false
  private var headingLevel = 0
  private var anchor = ""
  /// The name of the section or of the place that began last; a heading that comes next has it.
  private var waitingAnchor = ""
  /// What the block around a listing says of its language.
  private var waitingLanguage = ""
  private var superscriptStart: Int?
  /// Where the text of a link to a place in the page begins.
  private var ownLink: (start: Int, target: String)?
  private var isInTitle = false
  private var isItemNew = false

  init(_ outline: Outline, isPiece: Bool = false) {
    self.outline = outline
    self.isPiece = isPiece
  }

  var isBroken: Bool { outline.isBroken }
  var isForeign: Bool { foreignDepth > 0 && integrationDepth == 0 }

  func take(_ token: HTMLToken) {
    switch token {
    case .text(let bytes): take(bytes)
    case .start(let tag): start(tag)
    case .end(let name): end(name)
    }
  }

  /// Closes what is still open.
  func end() {
    close(open.count)
    // A row without a table around it, in a piece.
    endRow()
    flush()
  }

  /// Hands the outline on: this has none then, so that nothing of it is copied.
  func takeOutline() -> Outline {
    defer { outline = Outline() }
    return outline
  }

  // MARK: Text

  private func take(_ bytes: ArraySlice<UInt8>) {
    guard hiddenDepth == 0 else { return }
    if listingDepth > 0 { endLine() }
    if !waitingAnchor.isEmpty, bytes.contains(where: { !$0.isHTMLSpace }) { waitingAnchor = "" }
    buffer += bytes
  }

  private func endLine() {
    if isLineEnded, let last = buffer.last, last != UInt8(ascii: "\n") {
      buffer.append(UInt8(ascii: "\n"))
    }
    isLineEnded = false
  }

  private func taken() -> String {
    superscriptStart = nil
    ownLink = nil
    defer { buffer.removeAll(keepingCapacity: true) }
    return String(decoding: buffer, as: UTF8.self)
  }

  /// Whether anything but white space was read; nothing is left of that then, so that it is looked at
  /// once.
  private func hasText() -> Bool {
    if buffer.contains(where: { !$0.isHTMLSpace }) { return true }
    buffer.removeAll(keepingCapacity: true)
    return false
  }

  private var isInRow: Bool { tables[tables.count - 1].isInRow }

  /// Ends a paragraph, if one is being read. What stands in a heading, a title or a row stays there.
  private func flush() {
    guard !isInTitle, !buffer.isEmpty else { return }
    guard headingLevel == 0, !isInRow else {
      if buffer.last != UInt8(ascii: " ") { buffer.append(UInt8(ascii: " ")) }
      return
    }
    let text = Outline.collapsed(taken())
    guard !text.isEmpty else { return }
    outline.prose(isItemNew ? "- " + text : text)
    isItemNew = false
  }

  // MARK: Tags

  private func start(_ tag: HTMLTag) {
    if foreignDepth > 0, integrationDepth == 0, Self.breakouts.contains(tag.name) {
      while foreignDepth > 0 { close(1) }
    }
    guard hiddenDepth == 0 else { return startHidden(tag) }
    let role = HTMLRole.of(tag.name)
    close(open.depth(ofStart: role))
    let isControl = tag.isEditLink || listingDepth > 0 && tag.name == "button"
    if role.isHidden || isControl || isLineNumbers(tag, role) {
      hide(tag, role.isHidden ? role : .hidden)
    } else if listingDepth > 0 {
      startInListing(tag, role)
    } else {
      startVisible(tag, role)
    }
  }

  /// The numbers of lines are no code: words would begin with them.
  private func isLineNumbers(_ tag: HTMLTag, _ role: HTMLRole) -> Bool {
    guard tag.isLineNumbers else { return false }
    return listingDepth > 0 || role == .cell || role == .listing
  }

  private func push(_ name: String, _ role: HTMLRole) {
    guard open.count < Self.depthMax else {
      return outline.fail(.tooComplex("nested more than \(Self.depthMax) deep"))
    }
    open.push(name, role)
  }

  private func hide(_ tag: HTMLTag, _ role: HTMLRole) {
    if tag.isSelfClosing, role == .foreign || isXML { return }
    push(tag.name, role)
    hiddenDepth += 1
    if role == .foreign { foreignDepth += 1 }
  }

  /// Within what is hidden, elements are kept for their end tags alone.
  private func startHidden(_ tag: HTMLTag) {
    let isEmpty = tag.isSelfClosing && (isForeign || isXML)
    if isEmpty { return }
    if foreignDepth > 0, Self.integrations.contains(tag.name) {
      push(tag.name, .hidden)
      hiddenDepth += 1
      integrationDepth += 1
      return
    }
    let role = HTMLRole.of(tag.name)
    // Those of the name of what is hidden are kept, so that their end is not taken for its.
    guard role.isKept || open.elements.last?.name == tag.name else { return }
    close(open.depth(ofStart: role))
    push(tag.name, role)
    if role.isHidden { hiddenDepth += 1 }
    if role == .foreign { foreignDepth += 1 }
  }

  private func startInListing(_ tag: HTMLTag, _ role: HTMLRole) {
    language = tag.language ?? language
    switch role {
    case .inline: if tag.isBlock { isLineEnded = true }
    case .lineBreak:
      endLine()
      buffer.append(UInt8(ascii: "\n"))
    case .cell:
      if let last = buffer.last, !last.isHTMLSpace, !isLineEnded {
        buffer.append(UInt8(ascii: " "))
      }
    case .void: break
    default: isLineEnded = true
    }
    guard role.isKept, !(isXML && tag.isSelfClosing) else { return }
    push(tag.name, role)
    if role == .listing { listingDepth += 1 }
  }

  private func startVisible(_ tag: HTMLTag, _ role: HTMLRole) {
    if headingLevel > 0 {
      if anchor.isEmpty { anchor = tag.anchor }
      if role == .listing || (Self.headingEnds.contains(tag.name) && hasText()) { closeHeading() }
    }
    if role.isKept {
      if isXML, tag.isSelfClosing { return startEmpty(tag, role) }
      push(tag.name, role)
    }
    if tag.name == "section" || tag.name == "a", !tag.anchor.isEmpty { waitingAnchor = tag.anchor }
    switch role {
    case .inline:
      if tag.name == "a", let href = tag.attributes["href"], href.first == "#" {
        ownLink = (buffer.count, String(href.dropFirst()))
      }
      if tag.name == "sup" { superscriptStart = buffer.count }
    case .heading(let level):
      turnRowToLayout()
      flush()
      headingLevel = level
      anchor = tag.anchor.isEmpty ? waitingAnchor : tag.anchor
      waitingAnchor = ""
    case .listing:
      turnRowToLayout()
      flush()
      listingDepth = 1
      isLineEnded = false
      language = tag.language ?? waitingLanguage
    case .title:
      flush()
      isInTitle = true
    case .lineBreak: flush()
    case .image:
      // Of the link to itself of a heading it says what the link is, and nothing of the heading.
      if headingLevel == 0 || ownLink == nil { buffer += (tag.attributes["alt"] ?? "").utf8 }
    case .table:
      turnRowToLayout()
      flush()
      tables.append(TableState())
    case .row:
      endRow()
      flush()
      tables[tables.count - 1].beginRow()
    case .cell: startCell(tag)
    case .item:
      flush()
      isItemNew = true
    case .void: break
    default:
      flush()
      if role == .block, let language = tag.language { waitingLanguage = language }
    }
  }

  /// An element that ends where it begins.
  private func startEmpty(_ tag: HTMLTag, _ role: HTMLRole) {
    flush()
    if role == .cell {
      startCell(tag)
      endCell()
    }
  }

  private func end(_ name: String) {
    let role = HTMLRole.of(name)
    if hiddenDepth > 0 {
      // Any end tag may be that of what is around the hidden.
      return close(open.depth(ofEnd: name, role))
    }
    if listingDepth > 0 {
      if !role.isKept, role != .inline, role != .void { isLineEnded = true }
      return close(open.depth(ofEnd: name, role))
    }
    if name == "a" { endOwnLink() }
    if name == "sup", let start = superscriptStart {
      superscriptStart = nil
      Superscript.end(&buffer, from: start)
    }
    if role.isKept { return close(open.depth(ofEnd: name, role)) }
    if role != .inline, role != .void { flush() }
  }

  // MARK: Ends

  private func close(_ count: Int) {
    for _ in 0..<count {
      guard let element = open.pop() else { return }
      ended(element)
    }
  }

  private func ended(_ element: OpenElements.Element) {
    if hiddenDepth > 0 {
      guard element.role.isHidden else { return }
      hiddenDepth -= 1
      if element.role == .foreign { foreignDepth -= 1 }
      if Self.integrations.contains(element.name), integrationDepth > 0 { integrationDepth -= 1 }
      return
    }
    if listingDepth > 0 {
      guard element.role == .listing else {
        if element.role != .cell { isLineEnded = true }
        return
      }
      listingDepth -= 1
      if listingDepth == 0 { endListing() }
      return
    }
    switch element.role {
    case .heading: endHeading()
    case .title: endTitle()
    case .cell: endCell()
    case .row:
      endRow()
      flush()
    case .table:
      endRow()
      flush()
      if tables.count > 1 { tables.removeLast() }
    case .item:
      flush()
      isItemNew = false
    default: flush()
    }
  }

  private func endListing() {
    var text = taken().replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    // The line break after `<pre>` is none of the listing.
    if text.first == "\n" { text.removeFirst() }
    outline.code(text, language: language)
    language = ""
    waitingLanguage = ""
    isLineEnded = false
  }

  private func endHeading() {
    guard headingLevel > 0 else { return }
    endOwnLink()
    // A pilcrow at the end is the link to itself that generators put there.
    var title = Outline.collapsed(taken())
    if title.hasSuffix("¶") { title = String(title.dropLast()).trimmed }
    outline.heading(level: headingLevel, title, anchor: anchor)
    headingLevel = 0
  }

  /// A link to a place in the page whose text has no letters is the one to itself that generators put
  /// behind headings and terms; it knows the anchor.
  private func endOwnLink() {
    guard let link = ownLink else { return }
    ownLink = nil
    guard link.start <= buffer.count, buffer.count - link.start <= 64 else { return }
    let text = String(decoding: buffer[link.start...], as: UTF8.self)
    guard !text.contains(where: { $0.isLetter || $0.isNumber }) else { return }
    buffer.removeSubrange(link.start...)
    if headingLevel > 0, anchor.isEmpty, AnchorMaker.isAnchor(link.target) { anchor = link.target }
  }

  private func closeHeading() {
    close(open.depth(ofEnd: "h1", .heading(1)))
    endHeading()
  }

  private func endTitle() {
    let title = Outline.collapsed(taken())
    if isInTitle, !isPiece, outline.title.isEmpty {
      outline.title = String(title.unicodeScalars.prefix(Outline.headingLengthMax))
    }
    isInTitle = false
  }

  // MARK: Tables

  private func startCell(_ tag: HTMLTag) {
    let table = tables.count - 1
    if !tables[table].isInRow {
      flush()
      // In a row that is layout its cells are blocks; else it has no `<tr>`.
      guard !tables[table].isLayout else { return }
      tables[table].beginRow()
    } else {
      // Text between cells belongs to none, and must not be lost.
      if hasText() { endCell() }
    }
    tables[table].beginCell(columns: tag.attributes["colspan"], rows: tag.attributes["rowspan"])
  }

  private func endCell() {
    guard isInRow else { return flush() }
    tables[tables.count - 1].endCell(Outline.collapsed(taken()))
  }

  private func endRow() {
    guard isInRow else { return }
    if hasText() { endCell() }
    outline.prose(tables[tables.count - 1].endRow())
  }

  /// A heading, a listing or a table in a cell: the row is there to put things beside each other.
  private func turnRowToLayout() {
    guard isInRow else { return }
    outline.prose(tables[tables.count - 1].turnToLayout())
    flush()
  }
}
