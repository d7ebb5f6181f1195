/// How the tests of a suite are run.
package enum TestKind: String, Sendable, Hashable, CaseIterable {
  /// Python's `unittest`.
  case unittest
  case pytest
  /// Node's own runner.
  case nodeTest = "node_test"
  /// Programs that read standard input and write standard output, compared outside the sandbox.
  case stdio
  /// Any other runner: JSON lines on a descriptor (docs/validation.md).
  case protocolLines = "protocol"
}

/// One test that a suite expects. What a run reports beyond these counts for nothing, and one that it
/// does not report has failed: the code under test may write reports, too.
package struct ExpectedTest: Sendable, Hashable {
  /// What the runner calls it, for example `test_sum.SumTest.test_empty`; unique in the suite.
  package var id: String
  /// What people call it; empty means the id.
  package var title: String
  /// Its share of the score; above 0.
  package var weight: Double
  /// Shown to learners beside the weight; 0 means none.
  package var points: Int
  /// Its content, id, title, input, output and messages are never shown to learners.
  package var isHidden: Bool
  /// Of kind `stdio` only: what the program reads.
  package var input: String
  /// Of kind `stdio` only: what it must write; line ends and blanks at the ends of lines do not count.
  package var output: String
  /// Of kind `stdio` only: arguments of the program.
  package var arguments: [String]

  package init(
    id: String, title: String = "", weight: Double = 1, points: Int = 0, isHidden: Bool = false,
    input: String = "", output: String = "", arguments: [String] = []
  ) {
    self.id = id
    self.title = title
    self.weight = weight
    self.points = points
    self.isHidden = isHidden
    self.input = input
    self.output = output
    self.arguments = arguments
  }
}

/// Limits of one run inside the sandbox. Nil means the language's default.
package struct RunLimits: Sendable, Hashable {
  /// CPU time that judges, in milliseconds: 100 to 60,000.
  package var cpuMilliseconds: Int?
  /// In bytes: 16 MiB to 1 GiB.
  package var memoryBytes: Int?
  /// 1 to 256.
  package var processCount: Int?
  /// Of standard output and standard error together, in bytes: up to 1 MiB.
  package var outputBytes: Int?
  /// Of one file that the program writes, in bytes: up to 64 MiB.
  package var fileBytes: Int?

  package init(
    cpuMilliseconds: Int? = nil, memoryBytes: Int? = nil, processCount: Int? = nil,
    outputBytes: Int? = nil, fileBytes: Int? = nil
  ) {
    self.cpuMilliseconds = cpuMilliseconds
    self.memoryBytes = memoryBytes
    self.processCount = processCount
    self.outputBytes = outputBytes
    self.fileBytes = fileBytes
  }
}

/// How a score is made of what was found. `default@1`: code that does not parse, build or pass each test
/// has failed; the score is 0.8 times the weighted share of tests that passed plus 0.2 times the share
/// that lint leaves.
package struct ScorePolicy: Sendable, Hashable {
  package static let standard = ScorePolicy()

  /// For example `default@1`; a custom one is `custom@<hash>`.
  package var name: String
  /// Share of the tests in the score, 0 to 1; the rest is lint's.
  package var testShare: Double
  /// Score from which code has passed, although not every test did; nil: every test must pass.
  package var passingScore: Double?
  /// Lint findings by rule id that count nothing.
  package var ignoredRules: [String]

  package init(
    name: String = "default@1", testShare: Double = 0.8, passingScore: Double? = nil,
    ignoredRules: [String] = []
  ) {
    self.name = name
    self.testShare = testShare
    self.passingScore = passingScore
    self.ignoredRules = ignoredRules
  }
}

/// The tests of a task. What is stored never changes: new tests are a new suite, so that an old verdict
/// can be made again.
package struct TestSuite: Sendable, Hashable {
  /// Of the submission; code in another language is not judged by it.
  package var language: String
  package var kind: TestKind
  /// Files of the tests; they take the place of the learner's of the same path.
  package var files: [SourceFile]
  /// In the order in which they are shown; at most 500.
  package var tests: [ExpectedTest]
  /// Of kind `protocol` only: the command that runs the tests, below the folder of the submission.
  package var command: [String]
  package var limits: RunLimits
  package var policy: ScorePolicy
  /// Whether code that passes completes the task.
  package var completesTask: Bool

  package init(
    language: String, kind: TestKind, files: [SourceFile] = [], tests: [ExpectedTest],
    command: [String] = [], limits: RunLimits = RunLimits(), policy: ScorePolicy = .standard,
    completesTask: Bool = false
  ) {
    self.language = language
    self.kind = kind
    self.files = files
    self.tests = tests
    self.command = command
    self.limits = limits
    self.policy = policy
    self.completesTask = completesTask
  }
}
