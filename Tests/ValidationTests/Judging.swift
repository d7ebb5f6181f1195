import Domain
import Logging
import Sandbox
import Synchronization

@testable import Validation

/// One judge for every test: the real sandbox, and what the set-up installed.
enum Judging {
  static let sandbox = BubblewrapSandbox(SandboxConfiguration(slotCount: 2))
  static let judge = CodeJudge(
    sandbox: sandbox, toolchain: .found(), logger: Logger(label: "test"))
  static let caller = EntityID(high: 1, low: 2)

  static func report(
    _ language: String, _ files: [String: String], main: String? = nil, suite: TestSuite? = nil,
    runCount: Int = 1, step: @escaping @Sendable (ValidationStep) -> Void = { _ in }
  ) async throws -> ValidationReport {
    let sources = files.map { SourceFile(path: $0.key, content: $0.value) }.sorted {
      $0.path < $1.path
    }
    let submission = Submission(
      language: language, mainPath: main ?? sources[0].path, files: sources)
    return try await judge.validate(
      ValidationJob(
        submission: submission, suite: suite, callerID: caller, runCount: runCount, seed: 7)
    ) { step($0) }
  }

  /// A suite of one file.
  static func suite(
    _ language: String, _ kind: TestKind, _ path: String, _ content: String, ids: [String],
    hidden: Set<String> = [], limits: RunLimits = RunLimits()
  ) -> TestSuite {
    TestSuite(
      language: language, kind: kind, files: [SourceFile(path: path, content: content)],
      tests: ids.map { ExpectedTest(id: $0, isHidden: hidden.contains($0)) }, limits: limits)
  }
}

extension ValidationReport {
  var statuses: [TestStatus] { tests.map(\.status) }
  /// An empty outcome where there is none: an expectation fails, and the process does not end.
  func test(_ index: Int) -> TestOutcome {
    tests.indices.contains(index) ? tests[index] : TestOutcome(id: "", title: "", status: .error)
  }
  func status(_ stage: ValidationStage) -> StageStatus? {
    stages.first { $0.stage == stage }?.status
  }
}

/// Steps in the order in which they were told.
final class StepLog: Sendable {
  private let steps = Mutex<[ValidationStep]>([])

  func add(_ step: ValidationStep) { steps.withLock { $0.append(step) } }
  var all: [ValidationStep] { steps.withLock { $0 } }
}
