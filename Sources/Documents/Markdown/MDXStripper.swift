/// Takes out of Markdown what MDX adds to it: imports and exports, components, comments in braces. What
/// stands in listings and between backticks stays.
///
/// Its time is bounded whatever is in the text: what is begun and has no end is given up, and when
/// that has cost as much as reading the text some times over, the rest stays as it is.
struct MDXStripper {
  private static let workFactor = 4

  private var scanner: JSXScanner
  private let bytes: [UInt8]
  private var output: [UInt8] = []
  private var index = 0
  private var fence: (mark: UInt8, count: Int, indentation: Int)?
  /// Components that are open: what stands in them is indented for looks, and no code for that.
  private var componentCount = 0
  /// Nothing of a paragraph was read: the place where an import may stand.
  private var isBetweenBlocks = true
  /// Whether the document has imports or exports, and so is MDX and not Markdown.
  private var isModule = false

  static func strip(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    // Nothing of MDX goes without one of these.
    let hasSigns =
      bytes.contains { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: "{") }
      || bytes.starts(with: "import".utf8) || bytes.starts(with: "export".utf8)
      || bytes.indices.dropLast().contains {
        bytes[$0] == UInt8(ascii: "\n")
          && (bytes[$0 + 1] == UInt8(ascii: "i") || bytes[$0 + 1] == UInt8(ascii: "e"))
      }
    guard hasSigns else { return bytes }
    var stripper = MDXStripper(Array(bytes))
    while stripper.index < stripper.bytes.count { stripper.takeLine() }
    return stripper.output[...]
  }

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
    scanner = JSXScanner(bytes: bytes, work: bytes.count * Self.workFactor + 4096)
    output.reserveCapacity(bytes.count)
  }

  private mutating func takeLine() {
    let end = lineEnd(index)
    let content = contentStart(index, end)
    if content == end {
      isBetweenBlocks = true
      return copy(to: end + 1)
    }
    if takeFence(content, end) {
      isBetweenBlocks = true
      return
    }
    if isBetweenBlocks, content == index, let after = scanner.statementEnd(at: index) {
      isModule = true
      output.append(UInt8(ascii: "\n"))
      index = min(after, bytes.count)
      return
    }
    if isBetweenBlocks, isIndented(index, content) {
      // The lines of indented code follow each other.
      guard componentCount > 0 || isModule && bytes[content] == UInt8(ascii: "<") else {
        return copy(to: end + 1)
      }
      index = content
    }
    isBetweenBlocks = false
    takeText(content, end)
  }

  private func lineEnd(_ start: Int) -> Int {
    var end = start
    while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
    return end
  }

  private func contentStart(_ start: Int, _ end: Int) -> Int {
    var place = start
    while place < end, bytes[place].isHTMLSpace { place += 1 }
    return place
  }

  private func isIndented(_ start: Int, _ content: Int) -> Bool {
    content - start >= 4 || bytes[start..<content].contains(UInt8(ascii: "\t"))
  }

  private mutating func copy(to end: Int) {
    let end = min(end, bytes.count)
    if index < end { output += bytes[index..<end] }
    index = max(index, end)
  }

  /// Listings between fences, which may stand in quotes.
  private mutating func takeFence(_ content: Int, _ end: Int) -> Bool {
    var place = content
    while place < end, bytes[place] == UInt8(ascii: ">") || bytes[place].isHTMLSpace { place += 1 }
    let mark = place < end ? bytes[place] : 0
    var count = 0
    while place < end, bytes[place] == mark {
      count += 1
      place += 1
    }
    if let fence {
      // A fence in a component is indented as that is.
      index += min(fence.indentation, content - index)
      let isEnd =
        mark == fence.mark && count >= fence.count
        && bytes[place..<end].allSatisfy(\.isHTMLSpace)
      if isEnd { self.fence = nil }
    } else {
      let isBegin =
        count >= 3
        && (mark == UInt8(ascii: "~")
          || (mark == UInt8(ascii: "`") && !bytes[place..<end].contains(mark)))
      guard isBegin else { return false }
      let indentation = componentCount > 0 ? content - index : 0
      fence = (mark, count, indentation)
      index += indentation
    }
    copy(to: end + 1)
    return true
  }

  private mutating func takeText(_ content: Int, _ end: Int) {
    let outputStart = output.count
    var end = end
    var hasRemoved = false
    var depth = 0
    copy(to: content)
    if isModule, let after = scanner.expressionLine(at: content) {
      output.append(UInt8(ascii: "\n"))
      index = min(after, bytes.count)
      return
    }
    while index < end {
      switch bytes[index] {
      case UInt8(ascii: "`"): copyCode(end)
      case UInt8(ascii: "\\"): copy(to: min(index + 2, end))
      case UInt8(ascii: "<"), UInt8(ascii: "{"):
        guard let piece = scanner.markup(at: index) ?? expression() else {
          copy(to: index + 1)
          continue
        }
        output += piece.replacement.utf8
        depth += piece.depth
        hasRemoved = true
        index = piece.end
        if index > end { end = lineEnd(index) }
      default: copy(to: index + 1)
      }
    }
    // A line that held nothing else parts the blocks around it.
    if hasRemoved, output[outputStart...].allSatisfy(\.isHTMLSpace) {
      output.removeSubrange(outputStart...)
      isBetweenBlocks = true
    } else {
      // `Vec<String>` in a sentence opens nothing.
      depth = min(depth, 0)
    }
    componentCount = max(0, componentCount + depth)
    copy(to: end + 1)
  }

  /// An expression within a text, which ends in the same paragraph; of one that is a string the text.
  private mutating func expression() -> JSXScanner.Piece? {
    guard isModule, bytes[index] == UInt8(ascii: "{"), index + 1 < bytes.count,
      !"#*{%:!".utf8.contains(bytes[index + 1])
    else { return nil }
    return scanner.expression(at: index)
  }

  /// A span of code, in one line; a run of backticks without its like is text.
  private mutating func copyCode(_ end: Int) {
    var start = index
    while start < end, bytes[start] == UInt8(ascii: "`") { start += 1 }
    let count = start - index
    var place = start
    while place < end, scanner.spend(1) {
      guard bytes[place] == UInt8(ascii: "`") else {
        place += 1
        continue
      }
      let run = place
      while place < end, bytes[place] == UInt8(ascii: "`") { place += 1 }
      if place - run == count { return copy(to: place) }
    }
    copy(to: start)
  }
}
