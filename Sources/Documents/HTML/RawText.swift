/// The content of elements in which tags are text: all of it up to the element's own end tag.
struct RawText: Equatable {
  enum Kind { case plain, withReferences, script, toTheEnd }

  let name: String
  let kind: Kind

  /// Nil where the content of the element is HTML.
  init?(_ name: String) {
    self.name = name
    switch name {
    case "title", "textarea": kind = .withReferences
    case "style", "xmp", "iframe", "noembed", "noframes": kind = .plain
    case "script": kind = .script
    case "plaintext": kind = .toTheEnd
    default: return nil
    }
  }
}

extension HTMLTokenizer {
  /// The text up to the end tag of the element, which comes next; nil where it is empty.
  mutating func takeRaw(_ raw: RawText) -> HTMLToken? {
    let start = index
    switch raw.kind {
    case .toTheEnd: index = bytes.count
    case .script: skipScript()
    case .plain, .withReferences:
      while index < bytes.count, !isEndTag(raw.name, at: index) { index += 1 }
    }
    guard index > start else { return nil }
    let text = bytes[start..<index]
    guard raw.kind == .withReferences else { return .text(text) }
    return .text(Array(CharacterReference.replaced(in: text, isAttribute: false).utf8)[...])
  }

  /// Within `<!--` in a script, `<script>` and `</script>` are a pair of their own.
  private mutating func skipScript() {
    var isEscaped = false
    var isDoublyEscaped = false
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "-") where isEscaped && starts(with: "-->", at: index):
        (isEscaped, isDoublyEscaped) = (false, false)
        index += 3
      case UInt8(ascii: "<") where !isEscaped && starts(with: "<!--", at: index):
        isEscaped = true
        // The hyphens may be those of the end as well.
        index += 2
      case UInt8(ascii: "<") where isEndTag("script", at: index):
        guard isDoublyEscaped else { return }
        isDoublyEscaped = false
        index += 1
      case UInt8(ascii: "<")
      where isEscaped && starts(with: "<script", at: index) && isTagNameEnd(at: index + 7):
        isDoublyEscaped = true
        index += 1
      default: index += 1
      }
    }
  }

  private func isEndTag(_ name: String, at place: Int) -> Bool {
    guard bytes[place] == UInt8(ascii: "<"), place + 1 < bytes.count,
      bytes[place + 1] == UInt8(ascii: "/")
    else { return false }
    return starts(with: name, at: place + 2) && isTagNameEnd(at: place + 2 + name.utf8.count)
  }

  private func isTagNameEnd(at place: Int) -> Bool {
    guard place < bytes.count else { return false }
    return bytes[place].isHTMLSpace || bytes[place] == UInt8(ascii: "/")
      || bytes[place] == UInt8(ascii: ">")
  }
}
