import Contract
import DescriptorJSON

/// A productivity report for people.
enum ProductivityText {
  private static let barWidth = 30
  private static let barWidthMin = 4

  /// - Parameter columns: what lines may be long; nil: bars of the usual length.
  static func describe(
    _ report: GetProductivityResponse, columns: Int? = nil
  ) -> String {
    func moment(_ time: Contract.Timestamp?) -> String {
      time.flatMap { TimeText.text(seconds: $0.seconds) } ?? "-"
    }
    var text = "Productivity of \(TerminalText.clean(report.userId))\n"
    text += "from \(moment(report.from)) until \(moment(report.until))\n\n"
    var table = TextTable(rightColumns: [1])
    table.add(["Events", "\(report.totalEvents)"])
    table.add(["Goals created", "\(report.goalsCreated)"])
    table.add(["Goals completed", "\(report.goalsCompleted)"])
    table.add(["Tasks completed", "\(report.tasksCompleted)"])
    table.add(["Code validated", "\(report.codeValidated)"])
    table.add(["Mean score", report.avgValidationScore.map(percent) ?? "-"])
    let day = report.mostActiveDay
    table.add(["Most active day", day.isEmpty ? "-" : day])
    text += table.text
    guard let most = report.eventsByType.map(\.count).max(), most > 0 else { return text }
    var types = TextTable(rightColumns: [1])
    let shown = report.eventsByType.prefix(100)
    let used = shown.map { $0.type.count + "\(most)".count + 4 }.max() ?? 0
    let width = columns.map { max(barWidthMin, min($0 - used, 2 * barWidth)) } ?? barWidth
    for entry in shown {
      let length = Int((Double(entry.count) / Double(most) * Double(width)).rounded())
      types.add([
        entry.type, "\(entry.count)", String(repeating: "▇", count: max(1, min(length, width))),
      ])
    }
    return text + "\n" + types.text
  }

  private static func percent(_ score: Double) -> String {
    score.isFinite ? "\((score * 1000).rounded() / 10) %" : "-"
  }
}
