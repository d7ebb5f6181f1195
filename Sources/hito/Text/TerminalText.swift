/// Text of other people, made harmless for a terminal.
enum TerminalText {
  /// Without control characters (which could move the cursor or worse) and without those that turn
  /// the direction of text; cut to `maximum` characters.
  static func clean(_ text: String, maximum: Int = .max) -> String {
    var result = ""
    var count = 0
    for character in text {
      guard count < maximum else { return result.dropLast() + "…" }
      count += 1
      let isHarmless = character.unicodeScalars.allSatisfy { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
          scalar == "\u{200d}"
        default: true
        }
      }
      result.append(isHarmless ? character : character.isNewline ? " " : "\u{fffd}")
    }
    return result
  }

  /// The same for a text of several lines, which stay lines.
  static func cleanLines(_ text: String) -> String {
    text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { clean(String($0).replacing("\t", with: "    ")) }.joined(separator: "\n")
  }

  /// JSON with comments whose comments are broken into lines of at most `columns`; nil leaves them.
  static func wrappedComments(_ text: String, columns: Int?) -> String {
    guard let columns else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { wrappedComment(String($0), columns: columns) }.joined(separator: "\n")
  }

  private static func wrappedComment(_ line: String, columns: Int) -> String {
    guard line.count > columns else { return line }
    var rest = line.drop { $0 == " " }
    guard rest.hasPrefix("//") else { return line }
    while rest.hasPrefix("//") { rest = rest.dropFirst(2).drop { $0 == " " } }
    let head = line[..<rest.startIndex]
    let room = columns - head.count
    guard room >= 16 else { return line }
    return Paragraph.wrapped(String(rest), columns: room)
      .split(separator: "\n").map { head + $0 }.joined(separator: "\n")
  }

  /// `text` filled up with blanks to `width` characters.
  static func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
    let blanks = String(repeating: " ", count: max(0, width - text.count))
    return right ? blanks + text : text + blanks
  }
}

/// Rows under each other, in columns as wide as they need.
struct TextTable: Sendable {
  private let rightColumns: Set<Int>
  private var rows: [[String]]

  /// - Parameter rightColumns: the columns that are aligned to the right: numbers.
  init(_ heads: [String]? = nil, rightColumns: Set<Int> = []) {
    self.rightColumns = rightColumns
    rows = heads.map { [$0] } ?? []
  }

  mutating func add(_ cells: [String]) {
    rows.append(cells.map { TerminalText.clean($0) })
  }

  var text: String { text(columns: nil) }

  /// - Parameter columns: what lines may be long, for which the last column is cut; nil: any length.
  func text(columns: Int?) -> String {
    let columnCount = rows.map(\.count).max() ?? 0
    let widths = (0..<columnCount).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { index, cell in
        let isLast = index == row.count - 1
        let isRight = rightColumns.contains(index)
        let before = widths.dropLast().reduce(0) { $0 + $1 + 2 }
        return isLast && !isRight
          ? columns.map { TerminalText.clean(cell, maximum: max(8, $0 - before)) } ?? cell
          : TerminalText.padded(cell, widths[index], right: isRight)
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
  }
}
