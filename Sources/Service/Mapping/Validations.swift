internal import Contract
internal import Domain

extension Contract.ValidationStage {
  init(_ stage: Domain.ValidationStage) {
    self =
      switch stage {
      case .prepare: .prepare
      case .syntax: .syntax
      case .lint: .lint
      case .build: .build
      case .test: .test
      case .retrieve: .retrieve
      case .feedback: .feedback
      case .verdict: .verdict
      }
  }
}

extension ValidateCodeResponse.Step {
  /// Nil for a step that is not shown.
  init?(_ step: ValidationStep) {
    switch step {
    case .queued(let position): self = .queued(QueuePlace(position: Int32(clamping: position)))
    case .stageStarted: self = .started(true)
    case .diagnostic(let diagnostic): self = .diagnostic(Contract.Diagnostic(diagnostic))
    case .test(let test): self = .test(TestResult(test))
    case .run(_, let outcome): self = .run(Contract.RunOutcome(outcome))
    case .stageFinished(let report): self = .stageFinished(Contract.StageReport(report))
    }
  }
}

extension Contract.Diagnostic {
  init(_ diagnostic: Domain.Diagnostic) {
    let region = diagnostic.region
    self.init(
      level: Contract.DiagnosticLevel(diagnostic.level), ruleId: diagnostic.ruleID,
      message: diagnostic.message, line: Int32(clamping: region?.line ?? 0),
      column: Int32(clamping: region?.column ?? 0),
      endLine: Int32(clamping: region?.endLine ?? 0),
      endColumn: Int32(clamping: region?.endColumn ?? 0), tool: diagnostic.tool,
      path: diagnostic.path, ruleUrl: diagnostic.ruleURL,
      advice: Contract.Advice(diagnostic.advice),
      fix: diagnostic.fix.map(Contract.SourceEdit.init), fixIsSafe: diagnostic.isFixSafe)
  }
}

extension Contract.SourceEdit {
  init(_ edit: Domain.SourceEdit) {
    self.init(
      line: Int32(clamping: edit.region.line), column: Int32(clamping: edit.region.column),
      endLine: Int32(clamping: edit.region.endLine),
      endColumn: Int32(clamping: edit.region.endColumn), replacement: edit.replacement)
  }
}

extension Contract.DiagnosticLevel {
  init(_ level: Domain.DiagnosticLevel) {
    self =
      switch level {
      case .note: .note
      case .warning: .warning
      case .error: .error
      }
  }
}

extension Contract.Advice {
  init(_ advice: Domain.Advice) {
    self =
      switch advice {
      case .informative: .informative
      case .actionable: .actionable
      case .essential: .essential
      }
  }
}

extension TestResult {
  init(_ test: TestOutcome) {
    self.init(
      name: test.title.isEmpty ? test.id : test.title, status: Contract.TestStatus(test.status),
      message: test.message, output: test.output, weight: test.weight, hidden: test.isHidden,
      id: test.id, points: Int32(clamping: test.points), durationUs: test.durationMicroseconds,
      flaky: test.isFlaky)
  }
}

extension Contract.TestStatus {
  init(_ status: Domain.TestStatus) {
    self =
      switch status {
      case .pass: .pass
      case .fail: .fail
      case .error: .error
      }
  }
}

extension Contract.RunOutcome {
  init(_ outcome: Domain.RunOutcome) {
    self.init(
      status: Contract.RunStatus(outcome.status), code: outcome.code,
      cpuUs: outcome.cpuMicroseconds, wallUs: outcome.wallMicroseconds,
      memoryBytes: outcome.memoryBytes)
  }
}

extension Contract.RunStatus {
  init(_ status: Domain.RunStatus) {
    self =
      switch status {
      case .ok: .ok
      case .exitCode: .exitCode
      case .signal: .signal
      case .cpuLimit: .cpuLimit
      case .wallLimit: .wallLimit
      case .memoryLimit: .memoryLimit
      case .outputLimit: .outputLimit
      case .processLimit: .processLimit
      case .compileError: .compileError
      case .reportMissing: .reportMissing
      case .sandboxUnavailable: .sandboxUnavailable
      }
  }
}

extension Contract.StageReport {
  init(_ report: Domain.StageReport) {
    self.init(
      stage: Contract.ValidationStage(report.stage), status: Contract.StageStatus(report.status),
      tool: report.tool, note: report.note, durationUs: report.durationMicroseconds)
  }
}

extension Contract.StageStatus {
  init(_ status: Domain.StageStatus) {
    self =
      switch status {
      case .ok: .ok
      case .issues: .issues
      case .skipped: .skipped
      case .unavailable: .unavailable
      case .timedOut: .timedOut
      case .errored: .errored
      }
  }
}

extension Contract.ValidationReport {
  init(_ report: Domain.ValidationReport) {
    self.init(
      verdict: Contract.Verdict(report.verdict), score: report.score, reason: report.reason,
      stages: report.stages.map(Contract.StageReport.init),
      diagnostics: report.diagnostics.map(Contract.Diagnostic.init),
      droppedDiagnosticCount: Int32(clamping: report.droppedDiagnosticCount),
      tests: report.tests.map(TestResult.init), runs: report.runs.map(Contract.RunOutcome.init),
      toolVersions: report.toolVersions, limits: report.limits, policy: report.policy,
      submissionHash: report.submissionHash, suiteHash: report.suiteHash, seed: report.seed)
  }
}

extension Contract.ValidationRun {
  /// As much as the caller may see: the whole report where there is one for them.
  init(_ found: FoundValidation) {
    self.init(found.run)
    report = (found.fullReport ?? found.run.report).map(Contract.ValidationReport.init)
  }

  /// Without a report.
  init(_ run: Domain.ValidationRun) {
    self.init(
      runId: run.id.description, snapshotId: run.snapshotID.description,
      userId: run.userID.description, callerId: run.callerID.description,
      taskId: run.taskID?.description ?? "", suiteId: run.suiteID?.description ?? "",
      status: Contract.ValidationStatus(run.status),
      verdict: run.verdict.map { Contract.Verdict($0) } ?? .unspecified, score: run.score,
      attempts: Int32(clamping: run.attempt), preview: run.isPreview,
      groupId: run.groupID?.description ?? "", createdAt: Contract.Timestamp(run.createdAt),
      startedAt: Contract.Timestamp(run.startedAt), finishedAt: Contract.Timestamp(run.finishedAt))
  }
}

extension Contract.ValidationStatus {
  init(_ status: Domain.ValidationStatus) {
    self =
      switch status {
      case .queued: .queued
      case .running: .running
      case .completed: .completed
      case .cancelled: .cancelled
      }
  }
}

extension Domain.ValidationStatus {
  /// The status of a filter; nil for an unspecified one.
  static func filter(
    _ status: Contract.ValidationStatus
  ) throws(DomainError) -> Domain.ValidationStatus? {
    switch status {
    case .unspecified: return nil
    case .queued: return .queued
    case .running: return .running
    case .completed: return .completed
    case .cancelled: return .cancelled
    default: throw .invalid("status", "is no status that this server knows")
    }
  }
}

extension Contract.LanguageSupport {
  init(_ support: Domain.LanguageSupport) {
    self.init(
      language: support.language, stages: support.stages.map(Contract.ValidationStage.init),
      testKinds: support.testKinds.map { Contract.TestKind($0) },
      toolVersions: support.toolVersions, missingTools: support.missingTools)
  }
}
