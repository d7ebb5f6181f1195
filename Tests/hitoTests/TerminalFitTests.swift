import Contract
import Testing

@testable import hito

@Suite("Texts on terminals of 40 to 200 columns")
struct TerminalFitTests {
  private static let widths = [40, 59, 80, 132, 200]

  private func widest(_ text: String) -> Int {
    text.split(separator: "\n").map { TerminalWidth.of(String($0)) }.max() ?? 0
  }

  @Test("fit: paragraphs", arguments: widths)
  func paragraphs(columns: Int) {
    var report = HealthReport()
    let text = String(repeating: "some words of a long text ", count: 30)
    report.add(.fail("subject", text, text))
    report.add(.ok("time zones", text))
    #expect(widest(report.text(.none, columns: columns)) <= columns)
    #expect(report.text(.none, columns: nil).split(separator: "\n").count == 4)
    let word = String(repeating: "x", count: 300)
    #expect(Paragraph.wrapped("a \(word) b", columns: columns, indent: 2) == "a\n  \(word)\n  b")
    #expect(Paragraph.wrapped("", columns: columns).isEmpty)
  }

  @Test("fit: bars", arguments: widths)
  func bars(columns: Int) {
    let report = GetProductivityResponse(
      totalEvents: 12345,
      eventsByType: [
        EventTypeCount(type: "course.learner_invited", count: 12000),
        EventTypeCount(type: "goal.created", count: 345),
      ])
    let rows = ProductivityText.describe(report, columns: columns).split(separator: "\n").suffix(2)
    #expect(rows.count == 2 && rows.allSatisfy { TerminalWidth.of(String($0)) <= columns })
    for (done, total) in [(0, 1), (123_456, 123_456), (41, 41)] {
      let bar = IngestText.bar(
        done, of: total, "sections can be found by meaning", String(repeating: "x", count: 99),
        columns: columns)
      #expect(TerminalWidth.of(bar) < columns, "\(bar)")
    }
  }

  @Test("fit: comments of requests, which stay comments", arguments: widths)
  func comments(columns: Int) {
    let words = String(repeating: "words of a text ", count: 20)
    let text = "// \(words)\n{\n    // \(words)\n  \"a\": \"b\"\n}\n//     // \(words)\n"
    let wrapped = TerminalText.wrappedComments(text, columns: columns)
    #expect(widest(wrapped) <= columns && wrapped.hasSuffix("\n"))
    let lines = wrapped.split(separator: "\n").filter { !$0.contains("//") }
    #expect(lines == ["{", "  \"a\": \"b\"", "}"])
    #expect(wrapped.contains("\n//     // words") && wrapped.contains("\n    // "))
    #expect(TerminalText.wrappedComments(text, columns: nil) == text)
    let long = "\"a\": \"\(words)\""
    #expect(TerminalText.wrappedComments(long, columns: columns) == long)
  }

  @Test("fit: tables, whose last column is cut", arguments: widths)
  func tables(columns: Int) {
    var table = TextTable()
    table.add(["GoalService/CreateGoal", "writes", String(repeating: "word ", count: 60)])
    #expect(widest(table.text(columns: columns)) <= columns)
    #expect(table.text.count > 300)
  }

  @Test("of the help are paragraphs, and examples stay lines")
  func prose() {
    #expect(
      HelpText.prose("one\ntwo\n\n  hito a\n  hito b\n\nthree\nfour")
        == "one two\n\n  hito a\n  hito b\n\nthree four")
  }
}

@Suite("Misspelt commands")
struct CommandSuggestionTests {
  @Test("are told what was meant")
  func near() {
    #expect(problem("reprot")?.contains("did you mean `hito report`?") == true)
    #expect(problem("token", "crate", "--json")?.contains("`hito token create`") == true)
    #expect(problem("\u{1b}[2Jzzz")?.contains("\u{1b}") == false)
  }

  @Test("are none where there is nothing wrong")
  func right() {
    for words in [
      [], ["--help"], ["help", "token"], ["call", "CreatGoal"], ["token", "create", "x"],
      ["audit", "--limit"],
      ["--generate-completion-script", "bash"],
    ] { #expect(CommandSuggestion.problem(with: words, of: Hito.self) == nil, "\(words)") }
  }

  private func problem(_ words: String...) -> String? {
    CommandSuggestion.problem(with: words, of: Hito.self)
  }
}
