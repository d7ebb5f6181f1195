import CYAML
import Domain

/// The title of a mapping of YAML, read with libyaml. What it is worth is counted while it is read:
/// aliases are followed nowhere, and those that would make much of little are refused.
struct YAMLTitle {
  enum Outcome: Equatable {
    /// Empty where the mapping has none.
    case title(String)
    /// YAML, but no mapping: text.
    case notMapping
    case invalid
  }

  static let depthMax = 32
  /// Values, with those that aliases stand for.
  static let valueCountMax = 50_000

  static func read(_ block: ArraySlice<UInt8>) throws(DocumentError) -> Outcome {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { parser.deallocate() }
    guard yaml_parser_initialize(parser) == 1 else { throw .tooComplex("no memory for its YAML") }
    defer { yaml_parser_delete(parser) }
    let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(block.count, 1))
    defer { bytes.deallocate() }
    _ = bytes.initialize(from: block)
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, bytes.baseAddress, block.count)
    var reader = YAMLTitle()
    while true {
      var event = yaml_event_t()
      guard yaml_parser_parse(parser, &event) == 1 else { return .invalid }
      defer { yaml_event_delete(&event) }
      switch event.type {
      case YAML_STREAM_END_EVENT, YAML_DOCUMENT_END_EVENT: return reader.outcome
      default: try reader.take(event)
      }
    }
  }

  private struct Collection {
    let isMapping: Bool
    let anchor: String
    var valueCount = 1
    /// The key whose value comes; nil where a key comes.
    var key: String?
    var isKeyNext = true
  }

  private struct Anchored {
    var valueCount: Int
    var text: String?
  }

  private var collections: [Collection] = []
  private var anchors: [String: Anchored] = [:]
  private var isOther = false
  private var title: String?

  private var outcome: Outcome {
    isOther ? .notMapping : .title(title ?? "")
  }

  private mutating func take(_ event: yaml_event_t) throws(DocumentError) {
    switch event.type {
    case YAML_MAPPING_START_EVENT:
      try begin(isMapping: true, Self.string(event.data.mapping_start.anchor))
    case YAML_SEQUENCE_START_EVENT:
      try begin(isMapping: false, Self.string(event.data.sequence_start.anchor))
    case YAML_MAPPING_END_EVENT, YAML_SEQUENCE_END_EVENT:
      guard let ended = collections.popLast() else { return }
      try complete(Anchored(valueCount: ended.valueCount, text: nil), anchor: ended.anchor)
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let text = String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      let isNull =
        scalar.style == YAML_PLAIN_SCALAR_STYLE && ["", "~", "null", "Null", "NULL"].contains(text)
      try complete(
        Anchored(valueCount: 1, text: isNull ? "" : text), anchor: Self.string(scalar.anchor))
    case YAML_ALIAS_EVENT:
      let known = anchors[Self.string(event.data.alias.anchor)]
      try complete(known ?? Anchored(valueCount: 1, text: nil), anchor: "")
    default: break
    }
  }

  private mutating func begin(isMapping: Bool, _ anchor: String) throws(DocumentError) {
    guard collections.count < Self.depthMax else {
      throw .tooComplex("front matter nested more than \(Self.depthMax) deep")
    }
    if collections.isEmpty, !isMapping { isOther = true }
    collections.append(Collection(isMapping: isMapping, anchor: anchor))
  }

  /// A value is whole: a scalar, what an alias stands for, a collection with all that is in it.
  private mutating func complete(_ value: Anchored, anchor: String) throws(DocumentError) {
    if !anchor.isEmpty { anchors[anchor] = value }
    guard let last = collections.indices.last else {
      // The whole document.
      if let text = value.text, !text.isEmpty { isOther = true }
      return
    }
    collections[last].valueCount += value.valueCount
    guard collections[last].valueCount <= Self.valueCountMax else {
      throw .tooComplex("front matter whose aliases stand for too many values")
    }
    guard collections[last].isMapping else { return }
    if collections[last].isKeyNext {
      collections[last].key = value.text
    } else if last == 0, title == nil, collections[last].key?.lowercased() == "title" {
      title = value.text
    }
    collections[last].isKeyNext.toggle()
  }

  private static func string(_ text: UnsafePointer<UInt8>?) -> String {
    text.map { String(cString: $0) } ?? ""
  }
}
