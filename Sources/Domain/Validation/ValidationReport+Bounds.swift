extension ValidationReport {
  /// The same report, as small and clean as the store takes it: without NUL, which no column takes, the
  /// most serious diagnostics of too many, and of long messages the beginning.
  package var bounded: ValidationReport {
    var report = self
    report.reason = reason.cut(ReportLimits.note)
    report.stages = stages.prefix(ReportLimits.stages).map(\.bounded)
    let ordered = diagnostics.enumerated().sorted { left, right in
      (left.element.level.rank, left.offset) < (right.element.level.rank, right.offset)
    }
    let kept = ordered.prefix(ValidationLimits.diagnostics).map(\.element.bounded)
    report.droppedDiagnosticCount = droppedDiagnosticCount + diagnostics.count - kept.count
    report.diagnostics = kept
    report.runs = Array(runs.prefix(ReportLimits.runs))
    // What is left of the whole is shared out among the tests.
    let perTest = max(
      ReportLimits.testMessageMin,
      ValidationLimits.reportByteCount / 2 / max(1, tests.count))
    report.tests = tests.prefix(ReportLimits.tests).map { test in
      var test = test.bounded
      test.message = test.message.cut(min(ReportLimits.testMessage, perTest))
      return test
    }
    report.toolVersions = Self.bounded(toolVersions)
    report.limits = Self.bounded(limits)
    report.policy = policy.cut(CodeLimits.policy)
    return report
  }

  private static func bounded(_ table: [String: String]) -> [String: String] {
    let kept = table.sorted { $0.key < $1.key }.prefix(CodeLimits.provenanceEntries).map {
      ($0.key.cut(CodeLimits.provenanceName), $0.value.cut(CodeLimits.provenanceValue))
    }
    return Dictionary(kept) { first, _ in first }
  }
}

/// The maxima of the parts of a report, in bytes of UTF-8 where they are texts.
enum ReportLimits {
  static let note = 1000
  static let stages = 20
  static let runs = 1000
  static let tests = 500
  static let testID = 300
  /// Of what one test said.
  static let testMessage = 64 * 1024
  static let testMessageMin = 400
  /// As much of it as an event holds: the report has the rest.
  static let testMessageInEvent = 4 * 1024
  static let testOutput = 2000
  static let diagnostic = 1000
  static let edits = 20
}

extension ValidationStep {
  /// The same step, as small and clean as an event takes it.
  package var bounded: ValidationStep {
    switch self {
    case .queued, .stageStarted, .run: return self
    case .diagnostic(let diagnostic): return .diagnostic(diagnostic.bounded)
    case .stageFinished(let report): return .stageFinished(report.bounded)
    case .test(var test):
      test = test.bounded
      test.message = test.message.cut(ReportLimits.testMessageInEvent)
      return .test(test)
    }
  }

  /// About what it takes in an event, in bytes.
  package var byteCount: Int {
    switch self {
    case .queued, .stageStarted: 64
    case .run: 160
    case .diagnostic(let diagnostic):
      300 + diagnostic.message.utf8.count + diagnostic.path.utf8.count
        + diagnostic.ruleURL.utf8.count
        + diagnostic.fix.reduce(0) { $0 + 60 + $1.replacement.utf8.count }
    case .test(let test):
      250 + test.id.utf8.count + test.title.utf8.count + test.message.utf8.count
        + test.output.utf8.count
    case .stageFinished(let report): 160 + report.tool.utf8.count + report.note.utf8.count
    }
  }
}

extension StageReport {
  var bounded: StageReport {
    var copy = self
    copy.tool = tool.cut(ReportLimits.note)
    copy.note = note.cut(ReportLimits.note)
    return copy
  }
}

extension TestOutcome {
  var bounded: TestOutcome {
    var copy = self
    copy.id = id.cut(ReportLimits.testID)
    copy.title = title.cut(ReportLimits.testID)
    copy.message = message.cut(ReportLimits.testMessage)
    copy.output = output.cut(ReportLimits.testOutput)
    if !weight.isFinite { copy.weight = 0 }
    return copy
  }
}

extension Diagnostic {
  var bounded: Diagnostic {
    var copy = self
    copy.tool = tool.cut(ReportLimits.testID)
    copy.ruleID = ruleID.cut(ReportLimits.testID)
    copy.ruleURL = ruleURL.cut(ReportLimits.note)
    copy.message = message.cut(ReportLimits.diagnostic)
    copy.path = path.cut(ReportLimits.note)
    copy.fix = fix.prefix(ReportLimits.edits).map { edit in
      SourceEdit(
        region: edit.region, replacement: edit.replacement.cut(ReportLimits.diagnostic))
    }
    // Part of a fix is none.
    if copy.fix != fix { copy.fix = [] }
    return copy
  }
}

extension DiagnosticLevel {
  /// The most serious first.
  var rank: Int {
    switch self {
    case .error: 0
    case .warning: 1
    case .note: 2
    }
  }
}

extension String {
  /// At most about `count` bytes of it, whole scalars, without NUL, and marked where it was cut.
  fileprivate func cut(_ count: Int) -> String {
    if utf8.count <= count, !utf8.contains(0) { return self }
    var output = ""
    var used = 0
    for scalar in unicodeScalars {
      used += UTF8.width(scalar)
      guard used <= count else { return output + "…" }
      output.unicodeScalars.append(scalar == "\0" ? "\u{fffd}" : scalar)
    }
    return output
  }
}
