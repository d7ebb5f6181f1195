/// A table that is being read: the cells of its row, in their columns.
struct TableState {
  /// Columns that spans may make: they bring text that the document does not have.
  private static let spanColumnCountMax = 64

  /// Nil between rows, and in a row that turned out to be layout.
  private var cells: [String]?
  /// Whether the row holds more than text, so that its cells are read as what they contain.
  private(set) var isLayout = false
  /// For each column, how many more rows a cell from above reaches into.
  private var rowSpans: [Int] = []
  private var cellSpan = (columns: 1, rows: 1)

  var isInRow: Bool { cells != nil }

  mutating func beginRow() {
    cells = []
    isLayout = false
    cellSpan = (1, 1)
  }

  mutating func beginCell(columns: String?, rows: String?) {
    cellSpan = (
      min(max(columns.flatMap { Int($0) } ?? 1, 1), Self.spanColumnCountMax),
      min(max(rows.flatMap { Int($0) } ?? 1, 1), 65_534)
    )
  }

  mutating func endCell(_ text: String) {
    guard cells != nil else { return }
    skipSpanned()
    add(text)
    for _ in 1..<max(cellSpan.columns, 1) where (cells?.count ?? 0) < Self.spanColumnCountMax {
      add("")
    }
    cellSpan = (1, 1)
  }

  /// Ends the row.
  ///
  /// - Returns: the row in one line; empty where no cell has a text.
  mutating func endRow() -> String {
    guard let row = cells else { return "" }
    cells = nil
    for column in row.count..<max(row.count, rowSpans.count) where rowSpans[column] > 0 {
      rowSpans[column] -= 1
    }
    return row.allSatisfy(\.isEmpty) ? "" : row.joined(separator: " | ")
  }

  /// Ends the row for what is no text: its cells so far are a line, those that come are read as
  /// what they contain.
  mutating func turnToLayout() -> String {
    isLayout = true
    return (endRowCells()).filter { !$0.isEmpty }.joined(separator: " | ")
  }

  private mutating func endRowCells() -> [String] {
    defer { cells = nil }
    return cells ?? []
  }

  /// Leaves the columns empty that cells from above reach into.
  private mutating func skipSpanned() {
    while let column = cells?.count, column < rowSpans.count, rowSpans[column] > 0 {
      rowSpans[column] -= 1
      cells?.append("")
    }
  }

  private mutating func add(_ text: String) {
    let column = cells?.count ?? 0
    cells?.append(text)
    guard column < Self.spanColumnCountMax else { return }
    if column >= rowSpans.count {
      // Only those that reach down need a place.
      guard cellSpan.rows > 1 else { return }
      rowSpans += repeatElement(0, count: column + 1 - rowSpans.count)
    }
    rowSpans[column] = cellSpan.rows - 1
  }
}
