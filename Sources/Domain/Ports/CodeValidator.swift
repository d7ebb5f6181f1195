/// What is to be validated, and with what.
package struct ValidationJob: Sendable, Hashable {
  package var submission: Submission
  /// Nil: syntax and lint alone decide nothing but failure.
  package var suite: TestSuite?
  /// Whose job it is: places in the sandbox are shared out fairly among callers.
  package var callerID: EntityID
  /// How often the tests are run to find flaky ones: 1 to 5.
  package var runCount: Int
  package var seed: UInt32

  package init(
    submission: Submission, suite: TestSuite?, callerID: EntityID, runCount: Int = 1,
    seed: UInt32 = 0
  ) {
    self.submission = submission
    self.suite = suite
    self.callerID = callerID
    self.runCount = runCount
    self.seed = seed
  }
}

/// What can be done with a language here.
package struct LanguageSupport: Sendable, Hashable {
  /// In lower case, for example `python`.
  package var language: String
  /// The stages that can decide: syntax, lint, build, test.
  package var stages: [ValidationStage]
  /// How tests can be run.
  package var testKinds: [TestKind]
  /// Versions by tool.
  package var toolVersions: [String: String]
  /// What is missing and would be used; empty where nothing is.
  package var missingTools: [String]

  package init(
    language: String, stages: [ValidationStage], testKinds: [TestKind],
    toolVersions: [String: String], missingTools: [String]
  ) {
    self.language = language
    self.stages = stages
    self.testKinds = testKinds
    self.toolVersions = toolVersions
    self.missingTools = missingTools
  }
}

/// Judges code by its language's own tools and its task's tests, inside a sandbox.
package protocol CodeValidator: Sendable {
  /// What this machine can validate, by language; looked up once.
  func languages() async -> [LanguageSupport]
  /// Judges a submission. It never throws for what the code does: that is the report's to say. Where no
  /// sandbox can be had the verdict is `inconclusive`, with the reason.
  ///
  /// - Parameter step: is told of each step in order, before the function returns; what it takes long
  ///   for holds the validation up.
  func validate(
    _ job: ValidationJob, step: @Sendable (ValidationStep) async throws -> Void
  ) async throws -> ValidationReport
}
