import Contract
import Domain
import Logging
import RPC
import Service
import Synchronization
import Testing

/// A validator that does what a test says; it runs nothing.
final class ScriptedValidator: CodeValidator {
  typealias Step = @Sendable (ValidationStep) async throws -> Void
  typealias Script =
    @Sendable (ValidationJob, Step) async throws -> Domain.ValidationReport

  private let script: Script
  private let calls = Mutex<[ValidationJob]>([])

  init(_ script: @escaping Script = ScriptedValidator.byContent) { self.script = script }

  /// What was asked of it, in order.
  var jobs: [ValidationJob] { calls.withLock { $0 } }

  func languages() async -> [Domain.LanguageSupport] {
    [
      Domain.LanguageSupport(
        language: "python", stages: [.syntax, .test], testKinds: [.unittest],
        toolVersions: ["script": "1"], missingTools: ["ruff"])
    ]
  }

  func validate(
    _ job: ValidationJob, step: Step
  ) async throws -> Domain.ValidationReport {
    calls.withLock { $0.append(job) }
    return try await script(job, step)
  }

  /// Each test passes whose id stands in the main file; hidden ones say what they are.
  static let byContent: Script = { job, step in
    let main = job.submission.files.first { $0.path == job.submission.mainPath }?.content ?? ""
    try await step(.stageStarted(.test))
    var report = Domain.ValidationReport(
      verdict: .inconclusive, score: nil, reason: "no test could decide",
      toolVersions: ["script": "1"], limits: ["cpu": "1 s"], policy: "default@1", seed: job.seed)
    for test in job.suite?.tests ?? [] {
      let passes = main.contains(test.id)
      let outcome = TestOutcome(
        id: test.id, title: test.title, status: passes ? .pass : .fail,
        message: "\(test.id) says \(test.title)", weight: test.weight, points: test.points,
        isHidden: test.isHidden)
      report.tests.append(outcome)
      try await step(.test(outcome))
    }
    let diagnostic = Domain.Diagnostic(
      level: .warning, advice: .actionable, tool: "script", ruleID: "S1",
      ruleURL: "https://example.org/S1", message: "could be shorter",
      path: job.submission.mainPath, region: SourceRegion(line: 1, column: 2),
      fix: [
        Domain.SourceEdit(
          region: SourceRegion(line: 1, column: 1, endLine: 1, endColumn: 2), replacement: "")
      ], isFixSafe: true)
    report.diagnostics = [diagnostic]
    try await step(.diagnostic(diagnostic))
    if let suite = job.suite {
      let passed = report.tests.count { $0.status == .pass }
      report.verdict = passed == suite.tests.count ? .passed : .failed
      report.score = Double(passed) / Double(suite.tests.count)
      report.reason = "\(passed) of \(suite.tests.count) tests passed"
    }
    let stage = Domain.StageReport(
      stage: .test, status: report.verdict == .passed ? .ok : .issues, tool: "script 1")
    report.stages = [stage]
    try await step(.stageFinished(stage))
    return report
  }
}

typealias ValidationProbe = StreamProbe<ValidateCodeResponse>

extension ValidateCodeResponse {
  /// The step in a word, for comparing whole streams.
  var word: String {
    switch step {
    case .started: "started"
    case .diagnostic(let diagnostic): "diagnostic \(diagnostic.ruleId)"
    case .test(let test): "\(test.id) \(test.status == .pass ? "passes" : "fails")"
    case .run: "run"
    case .token: "token"
    case .result: "result"
    case .queued(let place): "queued \(place.position)"
    case .stageFinished(let report): "finished \(report.stage.rawValue)"
    case .feedback: "feedback"
    case .context(let context): "context \(context.citations.count)"
    case nil: "nothing"
    }
  }
}

extension ServiceFixture {
  /// Runs validations while `body` does.
  func validating<Output: Sendable>(
    _ body: () async throws -> Output
  ) async throws -> Output {
    let worker = services.validationWorker
    let task = Task {
      try? await worker.run(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
    defer { task.cancel() }
    let output = try await body()
    worker.stop()
    await task.value
    return output
  }

  func submission(
    _ content: String, task: GoalTask? = nil, others: [String: String] = [:],
    language: String = "", main: String = "main.py"
  ) -> Contract.Submission {
    Contract.Submission(
      taskId: task?.id ?? "", language: language,
      files: [Contract.SourceFile(path: main, content: content)]
        + others.sorted { $0.key < $1.key }.map {
          Contract.SourceFile(path: $0.key, content: $0.value)
        }, mainPath: main)
  }

  func validate(
    _ submission: Contract.Submission?, snapshot: String = "", as user: Domain.User,
    key: String? = nil, withFeedback: Bool = false, runs: Int32 = 0,
    suite: Contract.TestSuite? = nil
  ) -> ValidationProbe {
    ValidationProbe(
      self, CodeValidationServiceMethods.validateCode,
      ValidateCodeRequest(
        snapshotId: snapshot, withFeedback: withFeedback, submission: submission, runs: runs,
        suite: suite),
      as: user, key: key)
  }

  func watchValidation(
    _ id: String, cursor: String = "", as user: Domain.User
  ) -> ValidationProbe {
    ValidationProbe(
      self, CodeValidationServiceMethods.watchValidation,
      WatchValidationRequest(runId: id, cursor: cursor), as: user)
  }

  func setTests(
    of tasks: [GoalTask], _ suite: Contract.TestSuite, as user: Domain.User, key: String? = nil
  ) async throws -> SetTaskTestsResponse {
    try await call(
      CodeValidationServiceMethods.setTaskTests,
      SetTaskTestsRequest(taskIds: tasks.map(\.id), suite: suite), as: user, key: key)
  }

  func tests(
    of task: GoalTask, as user: Domain.User, withHistory: Bool = false
  ) async throws -> GetTaskTestsResponse {
    try await call(
      CodeValidationServiceMethods.getTaskTests,
      GetTaskTestsRequest(taskId: task.id, withHistory: withHistory), as: user)
  }

  func validation(_ id: String, as user: Domain.User) async throws -> Contract.ValidationRun? {
    try await call(
      CodeValidationServiceMethods.getValidation, GetValidationRequest(runId: id), as: user,
      returning: GetValidationResponse.self
    ).validation
  }

  /// Tests of Python by id; those that begin with `secret` are hidden.
  func suite(_ ids: [String], completesTask: Bool = false) -> Contract.TestSuite {
    Contract.TestSuite(
      language: "python", kind: .unittest,
      files: [Contract.SourceFile(path: "test_main.py", content: ids.joined(separator: "\n"))],
      tests: ids.map {
        Contract.ExpectedTest(
          id: $0, title: "title of \($0)", points: 2, hidden: $0.hasPrefix("secret"))
      }, completesTask: completesTask)
  }
}
