internal import Domain
internal import JSON

/// One validation, from its files to its verdict.
struct ValidationRun {
  typealias Step = @Sendable (ValidationStep) async throws -> Void

  let job: ValidationJob
  let sandbox: any Sandbox
  let toolchain: Toolchain
  let limits: JudgeLimits
  /// The submission's files that are judged.
  let files: [SourceFile]

  var stages: [StageReport] = []
  var diagnostics: [Diagnostic] = []
  var lint: [Diagnostic] = []
  var tests: [TestOutcome] = []
  var runs: [RunOutcome] = []
  var usedTools: Set<Tool> = []
  /// What a build made, for the tests to run.
  var products: [SandboxPath: [UInt8]] = [:]
  private var startedStage: (ValidationStage, ContinuousClock.Instant)?

  init(job: ValidationJob, sandbox: any Sandbox, toolchain: Toolchain) {
    self.job = job
    self.sandbox = sandbox
    self.toolchain = toolchain
    limits = JudgeLimits(job.suite?.limits, Language(job.submission.language))
    files = WorkFiles.judged(job.submission)
  }

  var policy: ScorePolicy { job.suite?.policy ?? .standard }

  mutating func report(_ step: Step) async throws -> ValidationReport {
    try await start(.prepare, step)
    let language = Language(job.submission.language)
    let plan: LanguagePlan
    switch prepared(language) {
    case .success(let made): plan = made
    case .failure(let refusal):
      try await finish(.prepare, .unavailable, note: refusal.reason, step)
      return try await finish(.inconclusive, refusal.reason, step)
    }
    let left = job.submission.files.count - files.count
    try await finish(
      .prepare, .ok, note: left > 0 ? "\(left) files that steer tools were left out" : "", step)
    if let reason = try await check(plan, step) {
      return try await finish(reason.verdict, reason.text, step)
    }
    guard let suite = job.suite, let language, !plan.isStructureOnly else {
      try await skip([.test], step)
      let reason =
        plan.isStructureOnly
        ? "nothing here can run \(job.submission.language); its structure alone decides nothing"
        : "there are no tests: syntax and lint alone decide nothing but failure"
      return try await finish(.inconclusive, reason, step)
    }
    let decision = try await test(suite, language, plan, step)
    return try await finish(decision.verdict, decision.text, step)
  }

  /// Why nothing can be decided before anything ran.
  struct Refusal: Error {
    var reason: String
  }

  private func prepared(_ language: Language?) -> Result<LanguagePlan, Refusal> {
    let name = job.submission.language
    if let suite = job.suite {
      guard Language(suite.language) == language, suite.language == name || language != nil else {
        return .failure(
          Refusal(reason: "the tests are for \(suite.language), and the code is in \(name)"))
      }
      if let language {
        guard language.testKinds.contains(suite.kind) else {
          return .failure(
            Refusal(reason: "tests of kind \(suite.kind.rawValue) cannot be run for \(name)"))
        }
        if suite.kind == .pytest, !toolchain.has([.pytest]) {
          return .failure(Refusal(reason: "pytest is not installed here"))
        }
      }
    }
    guard let language else {
      return LanguagePlan(structureOf: job.submission, toolchain).map { .success($0) }
        ?? .failure(Refusal(reason: "nothing here can judge \(name)"))
    }
    guard toolchain.has(language.needs) else {
      // Without the language's own tool its structure can still be broken.
      if let plan = LanguagePlan(structureOf: job.submission, toolchain) { return .success(plan) }
      let missing = language.needs.filter { toolchain.paths[$0] == nil }.map(\.rawValue)
      return .failure(
        Refusal(reason: "\(missing.joined(separator: " and ")) is not installed here"))
    }
    return .success(plan(language))
  }

  /// How the submission is judged in its language, built with the files of the suite where there is one.
  func plan(_ language: Language) -> LanguagePlan {
    // TypeScript is made into JavaScript file by file, so that hidden ones reach no other.
    let suiteFiles = job.suite?.files.filter {
      !$0.isHiddenFromCode || language == .typescript
    }
    let judged = Submission(
      language: job.submission.language, mainPath: job.submission.mainPath, files: files)
    return LanguagePlan(language, judged, toolchain, buildsWith: suiteFiles, limits: limits)
  }

  // MARK: Stages

  mutating func start(_ stage: ValidationStage, _ step: Step) async throws {
    startedStage = (stage, .now)
    try await step(.stageStarted(stage))
  }

  mutating func finish(
    _ stage: ValidationStage, _ status: StageStatus, tool: String = "", note: String = "",
    took: Int64? = nil, _ step: Step
  ) async throws {
    let measured = startedStage.map { $0.1.duration(to: .now).microseconds } ?? 0
    startedStage = nil
    let report = StageReport(
      stage: stage, status: status, tool: tool, note: note, durationMicroseconds: took ?? measured)
    stages.append(report)
    try await step(.stageFinished(report))
  }

  mutating func skip(_ stages: [ValidationStage], _ step: Step) async throws {
    for stage in stages {
      try await start(stage, step)
      try await finish(stage, .skipped, step)
    }
  }

  // MARK: The end

  mutating func finish(
    _ verdict: Verdict, _ reason: String, _ step: Step
  ) async throws -> ValidationReport {
    try await start(.verdict, step)
    let isGated = stages.contains {
      [.syntax, .build].contains($0.stage) && $0.status == .issues
    }
    let score =
      verdict.isDecided
      ? isGated ? 0 : Score.value(tests: tests, lint: lint, policy: policy) : nil
    try await finish(.verdict, .ok, note: reason, step)
    let ordered = diagnostics.enumerated().sorted { left, right in
      let (first, second) = (left.element.level.rank, right.element.level.rank)
      return first == second ? left.offset < right.offset : first < second
    }.map(\.element)
    let shown = Array(ordered.prefix(Self.diagnosticCountMax))
    return ValidationReport(
      verdict: verdict, score: score, reason: reason, stages: stages, diagnostics: shown,
      droppedDiagnosticCount: ordered.count - shown.count, tests: tests, runs: runs,
      toolVersions: toolchain.shown(Array(usedTools)), limits: limits.shown, policy: policy.name,
      submissionHash: ValidationHash.submission(job.submission),
      suiteHash: job.suite.map(ValidationHash.suite) ?? [], seed: job.seed)
  }

  static let diagnosticCountMax = 200

  /// The report of a validation that the sandbox did not run: nothing is ever run without one.
  mutating func report(without error: SandboxError, _ step: Step) async throws -> ValidationReport {
    let (verdict, reason): (Verdict, String) =
      switch error {
      case .unavailable(let findings):
        (
          .inconclusive,
          "the sandbox refuses to run code here: "
            + (findings.isEmpty
              ? "it is not set up"
              : findings.map { "\($0.promise.rawValue): \($0.text)" }.joined(separator: "; "))
        )
      case .overloaded(let maximum):
        (.errored, "\(maximum) validations wait already; try again later")
      case .expired: (.errored, "it was not this validation's turn in time; try again later")
      case .invalid(let text): (.inconclusive, "the limits of these tests cannot be had: \(text)")
      case .cancelled, .failed: (.errored, "the sandbox failed")
      }
    if let (stage, _) = startedStage {
      try await finish(stage, verdict == .errored ? .errored : .unavailable, note: reason, step)
    }
    runs.append(RunOutcome(status: .sandboxUnavailable))
    return try await finish(verdict, String(reason.prefix(2000)), step)
  }
}

extension DiagnosticLevel {
  fileprivate var rank: Int {
    switch self {
    case .error: 0
    case .warning: 1
    case .note: 2
    }
  }
}

/// What decided, and why.
struct Decision {
  var verdict: Verdict
  var text: String

  init(_ verdict: Verdict, _ text: String) {
    self.verdict = verdict
    self.text = text
  }
}
