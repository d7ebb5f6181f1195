/// The head of an answer, line by line. A pure value.
///
///     interim or none --status line--> reading --empty line--> whole
///            ^                                                   |
///            +------------- of a 1xx answer ---------------------+
struct HTTPHead: Sendable, Hashable {
  struct Field: Sendable, Hashable {
    /// In lower case.
    var name: String
    var value: String
  }

  private(set) var status = 0
  private(set) var fields: [Field] = []
  private var byteCount = 0
  private let byteCountMax: Int

  init(byteCountMax: Int) {
    self.byteCountMax = byteCountMax
  }

  enum Step: Hashable {
    case readOn
    /// The answer's own head is there.
    case isWhole
    case tooLarge
    case malformed
  }

  /// One line, with or without its line end.
  mutating func received(_ line: UnsafeRawBufferPointer) -> Step {
    byteCount += line.count
    // Counted over interim answers too: there may be any number of those.
    guard byteCount <= byteCountMax else { return .tooLarge }
    let text = Self.trimmed(String(decoding: line, as: UTF8.self)[...])
    if text.hasPrefix("HTTP/") { return begin(text) }
    if text.isEmpty { return status == 0 ? .malformed : status < 200 ? .readOn : .isWhole }
    guard let colon = text.firstIndex(of: ":") else { return .readOn }
    let name = text[..<colon].lowercased()
    fields.append(
      Field(name: name, value: String(Self.trimmed(text[text.index(after: colon)...]))))
    return .readOn
  }

  private mutating func begin(_ statusLine: Substring) -> Step {
    let parts = statusLine.split(separator: " ", maxSplits: 2)
    guard parts.count >= 2, let status = Int(parts[1]), (100...999).contains(status) else {
      return .malformed
    }
    self.status = status
    fields = []
    return .readOn
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let last = text.last, last.isWhitespace { text.removeLast() }
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    return text
  }
}
