import Domain

/// Turns what documentation tools write beyond CommonMark into CommonMark, line by line: admonitions and
/// tabs of MkDocs (`!!! note`, `=== "Linux"`), containers (`::: tip`), directives of MyST, notes at the
/// foot (`[^1]:`), attribute lists of kramdown (`{: .class }`), and tables as GitHub takes them.
/// What stands in listings stays.
///
/// Its time is proportional to the length: each line is looked at a fixed number of times.
struct MarkdownDialect {
  /// Blocks whose content is indented, within each other.
  private static let depthMax = 16

  private struct Fence: Equatable {
    let mark: UInt8
    let count: Int
    /// How many indented blocks were open around it.
    let depth: Int
  }

  private let lines: [ArraySlice<UInt8>]
  private var index = 0
  private var output: [UInt8] = []
  /// The columns that the content of the open blocks is indented by, from the outermost in.
  private var indentations: [Int] = []
  /// A listing.
  private var fence: Fence?
  /// Directives between fences, whose content is text.
  private var directives: [Fence] = []
  private var isInList = false
  private var isInTable = false
  private var isAfterBlank = true
  /// Options of a directive (`:class: x`) may come.
  private var areOptionsNext = false

  static func normalized(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var dialect = MarkdownDialect(bytes)
    while dialect.index < dialect.lines.count {
      dialect.take(dialect.lines[dialect.index])
      dialect.index += 1
    }
    return dialect.output[...]
  }

  private init(_ bytes: ArraySlice<UInt8>) {
    lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    output.reserveCapacity(bytes.count + bytes.count / 16)
  }

  private mutating func take(_ whole: ArraySlice<UInt8>) {
    guard let indentation = Self.indentation(of: whole) else {
      isAfterBlank = true
      isInTable = false
      areOptionsNext = false
      return emit(whole)
    }
    while let inner = indentations.last, indentation < inner { closeIndented() }
    let line = dedented(whole)
    let content = line.drop { $0.isHTMLSpace }
    let own = Self.indentation(of: line) ?? 0
    defer { isAfterBlank = false }
    if fence != nil { return takeFence(line, content) ? () : emit(line) }
    if areOptionsNext, Self.isOption(content) { return }
    areOptionsNext = false
    noteList(content, own)
    // Indented code.
    guard own < 4 || isInList || isInTable else { return emit(line) }
    if takeFence(line, content) { return }
    let space = line.prefix(line.count - content.count)
    if takeIndented(content, space, indentation) || takeContainer(content, space)
      || takeNote(content, space, indentation) || takeTable(line)
    {
      return
    }
    // Attributes of the block above.
    if content.starts(with: "{:".utf8), Self.trimmed(content).last == UInt8(ascii: "}") { return }
    emit(line)
  }

  private mutating func emit(_ line: some Sequence<UInt8>) {
    output += line
    // What was split at its line ends is put together again.
    if index < lines.count - 1 { output.append(UInt8(ascii: "\n")) }
  }

  /// A paragraph of its own.
  private mutating func emitTitle(_ title: String, _ space: ArraySlice<UInt8>) {
    output.append(UInt8(ascii: "\n"))
    guard !title.isEmpty else { return }
    output += space
    output += title.utf8
    output += "\n\n".utf8
  }

  // MARK: Blocks whose content is indented

  private mutating func closeIndented() {
    indentations.removeLast()
    if let fence, fence.depth > indentations.count { self.fence = nil }
    directives.removeAll { $0.depth > indentations.count }
  }

  private mutating func open(_ indentation: Int) {
    if indentations.count < Self.depthMax { indentations.append(indentation + 4) }
  }

  /// Whether the next line that says something is indented by four more columns.
  private func isContentNext(_ indentation: Int) -> Bool {
    for line in lines[(index + 1)...].prefix(3) {
      if let next = Self.indentation(of: line) { return next >= indentation + 4 }
    }
    return false
  }

  private mutating func takeIndented(
    _ content: ArraySlice<UInt8>, _ space: ArraySlice<UInt8>, _ indentation: Int
  ) -> Bool {
    guard let title = Admonition.indented(content), isContentNext(indentation) else { return false }
    emitTitle(title, space)
    open(indentation)
    return true
  }

  /// A note at the foot; md4c would take one of a single word for the address of a link, and drop it.
  private mutating func takeNote(
    _ content: ArraySlice<UInt8>, _ space: ArraySlice<UInt8>, _ indentation: Int
  ) -> Bool {
    guard content.starts(with: "[^".utf8),
      let end = content.prefix(100).firstIndex(of: UInt8(ascii: "]")), end > content.startIndex + 2,
      end + 1 < content.endIndex, content[end + 1] == UInt8(ascii: ":")
    else { return false }
    output.append(UInt8(ascii: "\n"))
    output += space
    output.append(UInt8(ascii: "\\"))
    emit(content)
    if isContentNext(indentation) { open(indentation) }
    return true
  }

  // MARK: Blocks between marks

  private mutating func takeContainer(
    _ content: ArraySlice<UInt8>, _ space: ArraySlice<UInt8>
  ) -> Bool {
    guard let container = Admonition.container(content) else { return false }
    emitTitle(container.title, space)
    areOptionsNext = container.hasOptions
    return true
  }

  /// - Returns: whether the line was one of a fence, and is dealt with.
  private mutating func takeFence(_ line: ArraySlice<UInt8>, _ content: ArraySlice<UInt8>) -> Bool {
    // Fences may stand in quotes and items.
    let text = content.drop { $0 == UInt8(ascii: ">") || $0.isHTMLSpace }
    guard let mark = text.first, mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~") else {
      return false
    }
    let count = text.prefix { $0 == mark }.count
    let info = text.dropFirst(count)
    let isBare = info.allSatisfy(\.isHTMLSpace)
    guard count >= 3 else { return false }
    if let open = fence {
      if mark == open.mark, count >= open.count, isBare { fence = nil }
      emit(line)
      return true
    }
    if isBare, let last = directives.last, mark == last.mark, count >= last.count {
      directives.removeLast()
      emit([])
      return true
    }
    guard mark == UInt8(ascii: "~") || !info.contains(mark) else { return false }
    let new = Fence(mark: mark, count: count, depth: indentations.count)
    switch FenceInfo.directive(info) {
    case .text(let title)? where directives.count < Self.depthMax && text.count == content.count:
      emitTitle(title, line.prefix(line.count - content.count))
      directives.append(new)
      areOptionsNext = true
    case .code(let language)?:
      emit(line.prefix(line.count - text.count + count) + Array(language.utf8))
      fence = new
      areOptionsNext = true
      skipOptions()
    default:
      emit(line)
      fence = new
    }
    return true
  }

  /// Leaves out the options at the head of a listing.
  private mutating func skipOptions() {
    while index + 1 < lines.count, Self.isOption(lines[index + 1].drop { $0.isHTMLSpace }) {
      index += 1
    }
    areOptionsNext = false
  }

  // MARK: Tables

  private mutating func takeTable(_ line: ArraySlice<UInt8>) -> Bool {
    guard line.contains(UInt8(ascii: "|")) else {
      isInTable = false
      return false
    }
    if !isInTable {
      let isHead = index + 1 < lines.count && TableLine.isDelimiter(lines[index + 1])
      guard isHead else { return false }
      isInTable = true
    }
    emit(TableLine.isDelimiter(line) ? TableLine.widened(line) : TableLine.withEmptyCells(line))
    return true
  }

  // MARK: Lines

  /// What is indented in a list is no code for that.
  private mutating func noteList(_ content: ArraySlice<UInt8>, _ indentation: Int) {
    let digits = content.prefix { $0.isASCIIDigit }.count
    let mark = content.dropFirst(digits)
    let marks = digits > 0 ? ".)" : "-*+"
    if let first = mark.first, marks.utf8.contains(first),
      mark.dropFirst().first?.isHTMLSpace == true
    {
      isInList = true
    } else if indentation == 0, isAfterBlank {
      isInList = false
    }
  }

  /// `:class: x`.
  private static func isOption(_ content: ArraySlice<UInt8>) -> Bool {
    guard content.first == UInt8(ascii: ":") else { return false }
    let name = content.dropFirst().prefix {
      $0.isASCIILetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
    }
    return !name.isEmpty && name.endIndex < content.endIndex
      && content[name.endIndex] == UInt8(ascii: ":")
  }

  /// Columns before the first character; nil where there is none.
  private static func indentation(of line: ArraySlice<UInt8>) -> Int? {
    var columns = 0
    for byte in line {
      switch byte {
      case UInt8(ascii: " "): columns += 1
      case UInt8(ascii: "\t"): columns += 4 - columns % 4
      case UInt8(ascii: "\r"): return nil
      default: return columns
      }
    }
    return nil
  }

  /// Without four columns for each block that is open.
  private func dedented(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var columns = 4 * indentations.count
    var rest = line
    while columns > 0, let first = rest.first,
      first == UInt8(ascii: " ") || first == UInt8(ascii: "\t")
    {
      columns -= first == UInt8(ascii: " ") ? 1 : 4
      rest.removeFirst()
    }
    return rest
  }

  private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var line = line
    while line.last?.isHTMLSpace == true { line.removeLast() }
    return line
  }
}
