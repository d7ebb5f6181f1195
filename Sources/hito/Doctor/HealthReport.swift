import JSON

/// What `hito doctor` found.
struct HealthReport: Sendable {
  enum Verdict: String, Sendable, Hashable {
    case ok, warn, fail
  }

  struct Finding: Sendable, Hashable {
    /// What was looked at: `pgvector`.
    var subject: String
    var verdict: Verdict
    /// What it is like.
    var text: String
    /// What to do; empty where all is well.
    var advice: String

    init(_ subject: String, _ verdict: Verdict, _ text: String, advice: String = "") {
      self.subject = subject
      self.verdict = verdict
      self.text = text
      self.advice = advice
    }

    static func ok(_ subject: String, _ text: String) -> Finding {
      Finding(subject, .ok, text)
    }
    static func warn(_ subject: String, _ text: String, _ advice: String) -> Finding {
      Finding(subject, .warn, text, advice: advice)
    }
    static func fail(_ subject: String, _ text: String, _ advice: String) -> Finding {
      Finding(subject, .fail, text, advice: advice)
    }
  }

  private(set) var findings: [Finding] = []

  init() {}

  mutating func add(_ finding: Finding) { findings.append(finding) }
  mutating func add(_ more: [Finding]) { findings += more }

  var hasFailed: Bool { findings.contains { $0.verdict == .fail } }

  /// - Parameter columns: what lines may be long; nil: any length.
  func text(_ style: Style, columns: Int?) -> String {
    let width = findings.map(\.subject.count).max() ?? 0
    // Before a narrow terminal has a word a line, texts go below what they are about.
    let indent = columns.map { $0 < 60 } ?? false ? 4 : width + 8
    let blanks = String(repeating: " ", count: indent)
    let lines = findings.map { finding in
      let verdict = style.verdict(finding.verdict)
      let subject = TerminalText.padded(finding.subject, width)
      let gap = indent == 4 ? "\n\(blanks)" : "  "
      let text = Paragraph.wrapped(
        TerminalText.clean(finding.text), columns: columns, indent: indent, used: indent)
      let line = "\(verdict)  \(subject)\(gap)\(text)\n"
      if finding.advice.isEmpty { return line }
      let advice = Paragraph.wrapped(
        finding.advice, columns: columns, indent: indent + 3, used: indent + 3)
      return "\(line)\(blanks)-> \(advice)\n"
    }
    return lines.joined() + "\n" + summary + "\n"
  }

  private var summary: String {
    let failures = findings.count { $0.verdict == .fail }
    let warnings = findings.count { $0.verdict == .warn }
    if failures + warnings == 0 { return "Everything is well." }
    return "\(failures) failed, \(warnings) warned, "
      + "\(findings.count - failures - warnings) well."
  }

  var json: JSONValue {
    .object([
      ("ok", .bool(!hasFailed)),
      (
        "findings",
        .array(
          findings.map { finding in
            .object([
              ("subject", .string(finding.subject)),
              ("verdict", .string(finding.verdict.rawValue)),
              ("text", .string(finding.text)),
              ("advice", .string(finding.advice)),
            ])
          })
      ),
    ])
  }
}

extension Style {
  fileprivate func verdict(_ verdict: HealthReport.Verdict) -> String {
    let text = TerminalText.padded(verdict.rawValue, 4)
    return switch verdict {
    case .ok: green(text)
    case .warn: yellow(text)
    case .fail: red(text)
    }
  }
}
