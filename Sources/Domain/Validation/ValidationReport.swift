/// Everything that a validation found, and what it was found with, so that it can be found again.
package struct ValidationReport: Sendable, Hashable {
  package var verdict: Verdict
  /// 0 to 1; nil where nothing was decided.
  package var score: Double?
  /// Why, for people, in English: what decided, or why nothing could.
  package var reason: String
  package var stages: [StageReport]
  /// At most 200, the most serious first; `droppedDiagnosticCount` says how many more there were.
  package var diagnostics: [Diagnostic]
  package var droppedDiagnosticCount: Int
  /// In the suite's order.
  package var tests: [TestOutcome]
  package var runs: [RunOutcome]
  /// Versions by tool.
  package var toolVersions: [String: String]
  /// Limits by name, with units.
  package var limits: [String: String]
  /// The policy's name.
  package var policy: String
  /// SHA-256 of the submission (`SubmissionHash`), and of the suite; empty without one.
  package var submissionHash: [UInt8]
  package var suiteHash: [UInt8]
  /// What hash randomisation and the like of the languages were seeded with.
  package var seed: UInt32

  package init(
    verdict: Verdict, score: Double?, reason: String, stages: [StageReport] = [],
    diagnostics: [Diagnostic] = [], droppedDiagnosticCount: Int = 0, tests: [TestOutcome] = [],
    runs: [RunOutcome] = [], toolVersions: [String: String] = [:], limits: [String: String] = [:],
    policy: String = "", submissionHash: [UInt8] = [], suiteHash: [UInt8] = [], seed: UInt32 = 0
  ) {
    self.verdict = verdict
    self.score = score
    self.reason = reason
    self.stages = stages
    self.diagnostics = diagnostics
    self.droppedDiagnosticCount = droppedDiagnosticCount
    self.tests = tests
    self.runs = runs
    self.toolVersions = toolVersions
    self.limits = limits
    self.policy = policy
    self.submissionHash = submissionHash
    self.suiteHash = suiteHash
    self.seed = seed
  }
}
