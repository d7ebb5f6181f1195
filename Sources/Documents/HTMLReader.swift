import CLibXML2
import Domain

/// HTML, read with the push parser of libxml2: nothing is loaded from anywhere, no entity of the
/// document's own is known, and what it builds is thrown away as it goes.
enum HTMLReader {
  private static let chunkByteCount = 1024
  /// The library sets itself up once, before the first use by any thread.
  private static let isReady: Bool = {
    xmlInitParser()
    return true
  }()

  static func read(_ bytes: ArraySlice<UInt8>) throws(DocumentError) -> ReadDocument {
    guard isReady else { throw .tooComplex("the parser is not there") }
    let events = HTMLEvents()
    var handler = HTMLEvents.handler
    let context = htmlCreatePushParserCtxt(
      &handler, Unmanaged.passUnretained(events).toOpaque(), nil, 0, nil, XML_CHAR_ENCODING_UTF8)
    guard let context else { throw .tooComplex("no memory for the parser") }
    defer { htmlFreeParserCtxt(context) }
    events.context = context
    let options =
      HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue | HTML_PARSE_NOWARNING.rawValue
      | HTML_PARSE_NONET.rawValue | HTML_PARSE_IGNORE_ENC.rawValue | HTML_PARSE_NODEFDTD.rawValue
    htmlCtxtUseOptions(context, CInt(bitPattern: options))
    var cost = AttributeCost()
    var rest = withoutLeadingEndTags(bytes)
    while !rest.isEmpty, !events.isBroken {
      let chunk = rest.prefix(chunkByteCount)
      rest = rest.dropFirst(chunkByteCount)
      push(chunk, isLast: false, context)
      try cost.add(chunk, pending: pending(context))
    }
    if !events.isBroken { push([], isLast: true, context) }
    return try events.finish()
  }

  /// The push parser takes an end tag before any start tag for the end of the whole document.
  private static func withoutLeadingEndTags(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = bytes
    while true {
      let visible = rest.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
      guard visible.starts(with: "</".utf8), let end = visible.firstIndex(of: UInt8(ascii: ">"))
      else { return rest }
      rest = visible[(end + 1)...]
    }
  }

  private static func push(
    _ chunk: ArraySlice<UInt8>, isLast: Bool, _ context: htmlParserCtxtPtr
  ) {
    chunk.withUnsafeBytes { chunk in
      _ = htmlParseChunk(
        context, chunk.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(chunk.count),
        isLast ? 1 : 0)
    }
  }

  /// What the parser was given and has not looked at yet.
  private static func pending(_ context: htmlParserCtxtPtr) -> UnsafeBufferPointer<UInt8> {
    var start: UnsafePointer<UInt8>?
    let count = hito_html_pending(context, &start)
    return UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(count))
  }
}

/// Keeps tags with very many attributes from the parser, which compares each with all before it.
///
/// It waits for the end of a tag before it looks at the attributes, so that they can be counted
/// while it waits: by what separates them, which says how many there are at most.
private struct AttributeCost {
  /// Comparisons that take about half a second.
  private static let stepCountMax = 500_000_000

  private var steps = 0
  private var separators = 0
  private var fed = 0
  private var tagStart = -1

  mutating func add(
    _ chunk: ArraySlice<UInt8>, pending: UnsafeBufferPointer<UInt8>
  ) throws(DocumentError) {
    fed += chunk.count
    let isTag =
      pending.count > 1 && pending[0] == UInt8(ascii: "<")
      && (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(pending[1] | 0x20)
    let start = isTag ? fed - pending.count : -1
    if start >= 0, start == tagStart {
      separators += chunk.count(where: Self.isSeparator)
    } else {
      steps += separators * separators
      separators = isTag ? pending.count(where: Self.isSeparator) : 0
    }
    tagStart = start
    if steps + separators * separators > Self.stepCountMax {
      throw .tooComplex("tags with too many attributes")
    }
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte <= UInt8(ascii: " ") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
  }
}
