import Contract
import Glibc

/// How an ingestion shows itself.
enum IngestText {
  private static let barWidth = 30

  /// `[######----]  12/40 documents guia/a.md`: a line of a terminal that is written over.
  static func bar(
    _ done: Int, of total: Int, _ what: String, _ detail: String = "",
    columns: Int = TerminalSize.columns(of: STDERR_FILENO) ?? TerminalSize.standard
  ) -> String {
    let text = line(done, of: total, what)
    // One column less than there are: a full line would continue in the next, and not be written over.
    let width = min(barWidth, columns - text.count - 4)
    guard width >= 5 else { return TerminalText.clean(text, maximum: columns - 1) }
    let filled = total > 0 ? min(width, width * done / total) : width
    let bar =
      String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
    let room = min(40, columns - width - text.count - 5)
    let shown = room < 5 ? "" : TerminalText.clean(detail, maximum: room)
    return "[\(bar)] \(text)" + (shown.isEmpty ? "" : " \(shown)")
  }

  static func line(_ done: Int, of total: Int, _ what: String) -> String {
    "\(done)/\(total) \(what)"
  }

  static func refused(_ path: String, _ reason: String) -> String {
    "refused: \(TerminalText.clean(path)): \(TerminalText.clean(reason))"
  }

  static func skipped(_ path: String, _ reason: String) -> String {
    "skipped: \(TerminalText.clean(path)): \(TerminalText.clean(reason))"
  }

  static func converted(_ path: String, _ encoding: String) -> String {
    "note: \(TerminalText.clean(path)): converted to UTF-8 from \(encoding)"
  }

  /// `2 of 7 documents were refused`.
  static func refusedCount(_ count: Int, of total: Int) -> String {
    "\(count) of \(total) documents \(count == 1 ? "was" : "were") refused"
  }

  /// What went into the course; refused documents only where there are some.
  static func summary(_ response: IngestDocumentsResponse, refusedCount: Int = 0) -> String {
    var table = TextTable(rightColumns: [1])
    table.add(["documents", "\(Int(response.documentsReceived) - response.refused.count)"])
    table.add(["changed", "\(response.documentsChanged)"])
    table.add(["removed", "\(response.documentsRemoved)"])
    table.add(["sections changed", "\(response.sectionsChanged)"])
    if refusedCount > 0 { table.add(["refused", "\(refusedCount)"]) }
    return table.text
  }

  /// What would go into the course and out of it, path by path, and how many.
  static func plan(_ plan: IngestPlan) -> String {
    var lines: [String] = []
    for (what, paths) in [
      ("add", plan.added), ("change", plan.changed), ("remove", plan.removed),
    ] {
      for path in paths {
        lines.append("would \(what)  \(TerminalText.clean(path))\n")
      }
    }
    var table = TextTable(rightColumns: [1])
    table.add(["would add", "\(plan.added.count)"])
    table.add(["would change", "\(plan.changed.count)"])
    table.add(["would remove", "\(plan.removed.count)"])
    table.add(["unchanged", "\(plan.unchangedCount)"])
    if !plan.refused.isEmpty { table.add(["refused", "\(plan.refused.count)"]) }
    return lines.joined() + table.text
  }
}
