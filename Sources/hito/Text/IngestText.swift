import Contract

/// How an ingestion shows itself.
enum IngestText {
  private static let barWidth = 30

  /// `[######----]  12/40 documents guia/a.md`: a line of a terminal that is written over.
  static func bar(_ done: Int, of total: Int, _ what: String, _ detail: String = "")
    -> String
  {
    let filled = total > 0 ? min(barWidth, barWidth * done / total) : barWidth
    let bar =
      String(repeating: "#", count: filled) + String(repeating: "-", count: barWidth - filled)
    let shown = TerminalText.clean(detail, maximum: 40)
    return "[\(bar)] \(line(done, of: total, what))" + (shown.isEmpty ? "" : " \(shown)")
  }

  static func line(_ done: Int, of total: Int, _ what: String) -> String {
    "\(done)/\(total) \(what)"
  }

  static func summary(_ response: IngestDocumentsResponse) -> String {
    var table = TextTable(rightColumns: [1])
    table.add(["documents", "\(response.documentsReceived)"])
    table.add(["changed", "\(response.documentsChanged)"])
    table.add(["removed", "\(response.documentsRemoved)"])
    table.add(["sections changed", "\(response.sectionsChanged)"])
    return table.text
  }
}
