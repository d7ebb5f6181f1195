import Contract
import DescriptorJSON

/// A productivity report for people.
enum ProductivityText {
  private static let barWidth = 30

  static func describe(_ report: GetProductivityResponse) -> String {
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
    for entry in report.eventsByType.prefix(100) {
      let length = Int((Double(entry.count) / Double(most) * Double(barWidth)).rounded())
      types.add([
        entry.type, "\(entry.count)", String(repeating: "▇", count: max(1, min(length, barWidth))),
      ])
    }
    return text + "\n" + types.text
  }

  private static func percent(_ score: Double) -> String {
    score.isFinite ? "\((score * 1000).rounded() / 10) %" : "-"
  }
}
