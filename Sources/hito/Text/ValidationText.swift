import Contract

/// A validation for people: each step as it comes, and what became of it.
struct ValidationText {
  private static let messageMax = 2000
  let style: Style
  /// The submitted files by path, for the lines that diagnostics are about.
  let sources: [String: String]

  /// What a step shows, with its line break; empty for nothing.
  func describe(_ response: ValidateCodeResponse) -> String {
    switch response.step {
    case .diagnostic(let diagnostic): describe(diagnostic)
    case .test(let test): describe(test)
    case .run(let run): describe(run)
    case .stageFinished(let report): describe(report)
    case .context(let context): describe(context)
    case .token(let token): TerminalText.cleanLines(token.text)
    case .feedback, .started, .queued, .result, nil: ""
    }
  }

  /// The last word.
  func describe(_ snapshot: CodeSnapshot, _ validation: ValidationRun?) -> String {
    var text = "\n" + verdict(snapshot.verdict)
    let report = validation?.report
    if let score = report?.score { text += "  score \(Self.percent(score))" }
    if let report, !report.tests.isEmpty {
      let passed = report.tests.filter { $0.status == .pass }.count
      text += "  \(passed) of \(report.tests.count) tests"
    }
    text += "\n"
    if let reason = report?.reason, !reason.isEmpty {
      text += style.dim(TerminalText.clean(reason, maximum: Self.messageMax)) + "\n"
    }
    if !snapshot.validationFeedback.isEmpty {
      text += "\n" + TerminalText.cleanLines(snapshot.validationFeedback) + "\n"
    }
    return text
  }

  private func describe(_ context: AgentContext) -> String {
    context.citations.map { citation in
      style.dim("  like it: \(TerminalText.clean(citation.title, maximum: 200))") + "\n"
    }.joined()
  }

  private func verdict(_ verdict: Verdict) -> String {
    switch verdict {
    case .passed: style.bold(style.green("✓ PASSED"))
    case .failed: style.bold(style.red("✗ FAILED"))
    case .inconclusive: style.bold(style.yellow("? INCONCLUSIVE"))
    case .errored: style.bold(style.yellow("! ERRORED"))
    default: style.bold("NOT JUDGED")
    }
  }

  private func describe(_ diagnostic: Diagnostic) -> String {
    let level =
      switch diagnostic.level {
      case .error: style.red("error")
      case .warning: style.yellow("warning")
      default: style.blue("note")
      }
    var place = TerminalText.clean(diagnostic.path)
    if diagnostic.line > 0 { place += ":\(diagnostic.line):\(diagnostic.column)" }
    var rule = TerminalText.clean(diagnostic.tool)
    if !diagnostic.ruleId.isEmpty { rule += " \(TerminalText.clean(diagnostic.ruleId))" }
    let message = TerminalText.clean(diagnostic.message, maximum: Self.messageMax)
    var text = place.isEmpty ? "" : style.bold(place) + ": "
    text += "\(level): \(message) \(style.dim("[\(rule)]"))\n"
    if let source = sources[diagnostic.path],
      let excerpt = SourceExcerpt.text(
        of: source, line: Int(diagnostic.line), column: Int(diagnostic.column),
        endLine: Int(diagnostic.endLine), endColumn: Int(diagnostic.endColumn))
    {
      text += excerpt + "\n"
    }
    return text
  }

  private func describe(_ test: TestResult) -> String {
    let name = TerminalText.clean(test.name.isEmpty ? test.id : test.name, maximum: 200)
    let mark =
      switch test.status {
      case .pass: style.green("✓")
      case .fail: style.red("✗")
      default: style.yellow("!")
      }
    var text = "  \(mark) \(name)"
    if test.flaky { text += style.yellow("  passes and fails by chance") }
    text += "\n"
    guard test.status != .pass else { return text }
    for said in [test.message, test.output] where !said.isEmpty {
      let cut = String(said.prefix(Self.messageMax))
      for line in TerminalText.cleanLines(cut).split(separator: "\n") { text += "      \(line)\n" }
    }
    return text
  }

  private func describe(_ run: RunOutcome) -> String {
    let what: String? =
      switch run.status {
      case .cpuLimit: "it used up its CPU time"
      case .wallLimit: "it took too long by the clock"
      case .memoryLimit: "it used up its memory"
      case .outputLimit: "it wrote too much"
      case .processLimit: "it started too many processes"
      case .signal: "it was ended by signal \(run.code)"
      default: nil
      }
    return what.map { "  \(style.red("✗")) \($0)\n" } ?? ""
  }

  private func describe(_ report: StageReport) -> String {
    guard report.status != .skipped else { return "" }
    let mark =
      switch report.status {
      case .ok: style.green("✓")
      case .issues: style.red("✗")
      default: style.yellow("!")
      }
    var text = "\(mark) \(Self.name(report.stage))"
    if !report.tool.isEmpty { text += style.dim("  \(TerminalText.clean(report.tool))") }
    if report.durationUs > 0 { text += style.dim("  \(report.durationUs / 1000) ms") }
    if !report.note.isEmpty {
      text += "  \(TerminalText.clean(report.note, maximum: Self.messageMax))"
    }
    return text + "\n"
  }

  static func name(_ stage: ValidationStage) -> String {
    switch stage {
    case .prepare: "prepare"
    case .syntax: "syntax"
    case .lint: "lint"
    case .build: "build"
    case .test: "tests"
    case .retrieve: "similar code"
    case .feedback: "feedback"
    case .verdict: "verdict"
    default: "stage"
    }
  }

  private static func percent(_ score: Double) -> String {
    score.isFinite ? "\((score * 1000).rounded() / 10) %" : "-"
  }
}
