/// Rows under each other that fit a width: the columns that matter least are left out, and the first one, which
/// names what a row is about, is cut.
struct FittingTable: Sendable {
  struct Column: Sendable {
    var head: String
    /// Those with the highest number go first; 0 stays.
    var rank: Int
    var isRight: Bool

    init(_ head: String, rank: Int, isRight: Bool = true) {
      self.head = head
      self.rank = rank
      self.isRight = isRight
    }
  }

  /// What the first column has at least.
  private static let nameWidthMin = 12
  private static let gap = 2

  let columns: [Column]
  private(set) var rows: [[String]] = []

  init(_ columns: [Column]) { self.columns = columns }

  mutating func add(_ cells: [String]) {
    rows.append(cells.map { TerminalText.clean($0) })
  }

  /// The head and at most so many rows, each a line.
  ///
  /// - Parameter width: nil: any.
  func lines(width: Int?, rowMax: Int = .max) -> [String] {
    let shown = Array(rows.prefix(rowMax))
    var kept = Array(columns.indices)
    var widths = columns.indices.map { column in
      max(
        TerminalWidth.of(columns[column].head),
        shown.map { TerminalWidth.of($0[column]) }.max() ?? 0)
    }
    if let width {
      func total() -> Int {
        min(widths[0], Self.nameWidthMin)
          + kept.dropFirst().reduce(0) { $0 + widths[$1] + Self.gap }
      }
      while total() > width, kept.count > 1 {
        let last = kept.dropFirst().max { columns[$0].rank < columns[$1].rank } ?? kept[1]
        kept.removeAll { $0 == last }
      }
      let others = kept.dropFirst().reduce(0) { $0 + widths[$1] + Self.gap }
      widths[0] = min(widths[0], max(1, width - others))
    }
    return ([columns.map(\.head)] + shown).map { row in
      let cells = kept.map { column in
        Self.fitted(row[column], widths[column], isRight: columns[column].isRight)
      }
      let line = cells.joined(separator: String(repeating: " ", count: Self.gap))
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// Cut or filled up to exactly `width` columns of the terminal.
  static func fitted(_ text: String, _ width: Int, isRight: Bool = false) -> String {
    var text = text
    if TerminalWidth.of(text) > width {
      while TerminalWidth.of(text) > width - 1, !text.isEmpty { text.removeLast() }
      text += "…"
    }
    let blanks = String(repeating: " ", count: max(0, width - TerminalWidth.of(text)))
    return isRight ? blanks + text : text + blanks
  }
}
