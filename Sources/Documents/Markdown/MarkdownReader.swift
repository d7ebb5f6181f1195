import CMd4c
import Domain

/// CommonMark with the tables of GitHub, read with md4c; beyond it the anchors (`{ #name }`),
/// admonitions (`/// note | Title`) and includes (`{* file *}`) of documentation tools, and what
/// `MarkdownDialect` knows. What MDX adds is taken out; pieces of HTML are read as HTML.
enum MarkdownReader {
  static func read(_ bytes: ArraySlice<UInt8>) throws(DocumentError) -> ReadDocument {
    let front = try FrontMatter(bytes, knowsHeaders: true)
    let text = MarkdownDialect.normalized(MDXStripper.strip(front.rest))
    try MarkdownCost.check(text)
    let events = MarkdownEvents(title: front.title)
    let status = text.withUnsafeBytes { text in
      var parser = MarkdownEvents.parser
      return md_parse(
        text.baseAddress?.assumingMemoryBound(to: CChar.self), MD_SIZE(text.count), &parser,
        Unmanaged.passUnretained(events).toOpaque())
    }
    let document = try events.finish()
    guard status == 0 else { throw .tooComplex("beyond what the parser takes") }
    return document
  }
}

/// What md4c calls while it reads; lives as long as one `md_parse`.
final class MarkdownEvents {
  private static let depthMax = 100
  private static let columnCountMax = 128
  /// Bytes of addresses that links may bring: each use of a reference brings the whole of it.
  private static let addressByteCountMax = 64 << 20

  static var parser: MD_PARSER {
    MD_PARSER(
      abi_version: 0,
      flags: UInt32(MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS),
      enter_block: { type, detail, events in MarkdownEvents.of(events).entered(type, detail) },
      leave_block: { type, detail, events in MarkdownEvents.of(events).left(type, detail) },
      enter_span: { type, detail, events in MarkdownEvents.of(events).enteredSpan(type, detail) },
      leave_span: { _, _, _ in 0 },
      text: { type, text, count, events in MarkdownEvents.of(events).text(type, text, count) },
      debug_log: nil, syntax: nil)
  }

  private static func of(_ pointer: UnsafeMutableRawPointer?) -> MarkdownEvents {
    // What `md_parse` was given comes back as it was.
    Unmanaged<MarkdownEvents>.fromOpaque(pointer.unsafelyUnwrapped).takeUnretainedValue()
  }

  private var outline: Outline
  /// The UTF-8 of the block that is being read; cut pieces of text are whole again here.
  private var buffer: [UInt8] = []
  private var depth = 0
  private var addressByteCount = 0
  /// The lists that are open: the number of the next item, nil where they have none.
  private var lists: [Int?] = []
  /// What an item begins with, until its first text.
  private var bullet = ""
  private var cells: [String] = []
  /// Tags within a paragraph come as the same type of text as a whole block of HTML.
  private var isInHTMLBlock = false
  private var isInParagraph = false
  /// A heading of HTML within a paragraph: md4c takes only `<h1>` for a block.
  private var tagHeading: (level: Int, anchor: String)?
  private var superscriptStart: Int?

  init(title: String) { outline = Outline(root: title) }

  func finish() throws(DocumentError) -> ReadDocument { try outline.finish() }

  private func refuse(_ what: String) -> CInt {
    outline.fail(.tooComplex(what))
    return 1
  }

  private func entered(_ type: MD_BLOCKTYPE, _ detail: UnsafeMutableRawPointer?) -> CInt {
    depth += 1
    guard depth <= Self.depthMax else {
      return refuse("nested more than \(Self.depthMax) deep")
    }
    flush()
    switch type {
    case MD_BLOCK_UL: lists.append(nil)
    case MD_BLOCK_OL:
      lists.append(detail.map { Int($0.load(as: MD_BLOCK_OL_DETAIL.self).start) } ?? 1)
    case MD_BLOCK_LI:
      if let last = lists.last, let number = last {
        bullet = "\(number). "
        lists[lists.count - 1] = number + 1
      } else {
        bullet = "- "
      }
    case MD_BLOCK_TABLE:
      let columns = detail?.load(as: MD_BLOCK_TABLE_DETAIL.self).col_count ?? 0
      if columns > Self.columnCountMax {
        return refuse("a table of more than \(Self.columnCountMax) columns")
      }
    case MD_BLOCK_TR: cells = []
    case MD_BLOCK_HTML: isInHTMLBlock = true
    case MD_BLOCK_P: isInParagraph = true
    default: break
    }
    return outline.isBroken ? 1 : 0
  }

  private func left(_ type: MD_BLOCKTYPE, _ detail: UnsafeMutableRawPointer?) -> CInt {
    depth -= 1
    switch type {
    case MD_BLOCK_H:
      let level = detail?.load(as: MD_BLOCK_H_DETAIL.self).level ?? 1
      let (title, anchor) = AnchorMaker.split(Outline.collapsed(taken()))
      outline.heading(level: Int(level), title, anchor: anchor)
    case MD_BLOCK_CODE:
      let info = detail.map { Self.string($0.load(as: MD_BLOCK_CODE_DETAIL.self).info) } ?? ""
      outline.code(taken(), language: FenceInfo.language(info))
    case MD_BLOCK_HTML:
      isInHTMLBlock = false
      HTMLReader.read(piece: buffer, into: &outline)
      buffer.removeAll(keepingCapacity: true)
    case MD_BLOCK_TH, MD_BLOCK_TD: cells.append(Outline.collapsed(taken()))
    case MD_BLOCK_TR:
      if cells.contains(where: { !$0.isEmpty }) {
        outline.prose(cells.joined(separator: " | "))
      }
    case MD_BLOCK_P:
      endTagHeading()
      isInParagraph = false
      flush()
    case MD_BLOCK_UL, MD_BLOCK_OL:
      flush()
      _ = lists.popLast()
    case MD_BLOCK_LI:
      flush()
      bullet = ""
    default: flush()
    }
    return outline.isBroken ? 1 : 0
  }

  private func enteredSpan(_ type: MD_SPANTYPE, _ detail: UnsafeMutableRawPointer?) -> CInt {
    // Both details begin with the address and the title.
    if type == MD_SPAN_A || type == MD_SPAN_IMG,
      let link = detail?.load(as: MD_SPAN_A_DETAIL.self)
    {
      addressByteCount += Int(link.href.size) + Int(link.title.size)
      if addressByteCount > Self.addressByteCountMax {
        return refuse("too long addresses of links")
      }
    }
    return 0
  }

  private func text(
    _ type: MD_TEXTTYPE, _ text: UnsafePointer<MD_CHAR>?, _ count: MD_SIZE
  ) -> CInt {
    switch type {
    case MD_TEXT_BR, MD_TEXT_SOFTBR: buffer.append(UInt8(ascii: "\n"))
    case MD_TEXT_ENTITY:
      let bytes = UnsafeRawBufferPointer(start: text, count: Int(count))
      buffer += CharacterReference.text(of: String(decoding: bytes, as: UTF8.self)).utf8
    case MD_TEXT_HTML where !isInHTMLBlock:
      // One tag, or a comment.
      var tokenizer = HTMLTokenizer(
        Array(UnsafeRawBufferPointer(start: text, count: Int(count)))[...])
      if let token = tokenizer.next() { take(token) }
    case MD_TEXT_NULLCHAR: buffer += "\u{fffd}".utf8
    default: buffer += UnsafeRawBufferPointer(start: text, count: Int(count))
    }
    return 0
  }

  /// A tag within a paragraph.
  private func take(_ token: HTMLToken) {
    switch token {
    case .start(let tag) where tag.name == "br": buffer.append(UInt8(ascii: "\n"))
    case .start(let tag) where tag.name == "sup": superscriptStart = buffer.count
    case .end("sup"):
      if let start = superscriptStart { Superscript.end(&buffer, from: start) }
      superscriptStart = nil
    case .start(let tag):
      guard isInParagraph, case .heading(let level) = HTMLRole.of(tag.name) else { return }
      endTagHeading()
      flush()
      tagHeading = (level, tag.anchor)
    case .end(let name): if HTMLRole.of(name).isHeading { endTagHeading() }
    case .text: break
    }
  }

  private func endTagHeading() {
    guard let heading = tagHeading else { return }
    tagHeading = nil
    outline.heading(level: heading.level, taken(), anchor: heading.anchor)
  }

  private func taken() -> String {
    superscriptStart = nil
    defer { buffer.removeAll(keepingCapacity: true) }
    return String(decoding: buffer, as: UTF8.self)
  }

  /// Ends a paragraph, if one is being read.
  private func flush() {
    guard !buffer.isEmpty else { return }
    let text = Paragraph.text(of: taken())
    guard !text.isEmpty else { return }
    outline.prose(bullet + text)
    bullet = ""
  }

  private static func string(_ attribute: MD_ATTRIBUTE) -> String {
    String(
      decoding: UnsafeRawBufferPointer(start: attribute.text, count: Int(attribute.size)),
      as: UTF8.self)
  }
}
