package import Domain

extension CodeJudge {
  /// The tests that a suite's files hold, as a run with a solution that is known to be right reports them.
  /// For whoever sets tests: what code of a learner's reports is never taken for a suite's own.
  ///
  /// Of kind `stdio` a suite's tests are what it says, and are given back.
  ///
  /// - Throws: `SandboxError` where nothing could be run.
  package func tests(of suite: TestSuite, solvedBy solution: Submission) async throws
    -> [ExpectedTest]
  {
    guard suite.kind != .stdio, let language = Language(solution.language) else {
      return suite.tests
    }
    var open = suite
    open.tests = []
    let toolchain = await tools()
    let job = ValidationJob(submission: solution, suite: open, callerID: ownID)
    var run = ValidationRun(job: job, sandbox: sandbox, toolchain: toolchain)
    let plan = run.plan(language)
    if plan.build != nil { _ = try await run.check(plan) { _ in } }
    var found: [String] = []
    for group in TestGroup.groups(of: open) {
      let findings = try await run.run(
        group, open, language, plan, outcome: { _ in }, queued: { _ in })
      // What even the solution skips is not a test of anything.
      found += findings.plan.filter { findings.results[$0]?.isSkipped != true }
    }
    let known = Dictionary(suite.tests.map { ($0.id, $0) }) { first, _ in first }
    return found.map { known[$0] ?? ExpectedTest(id: $0) }
  }
}

extension TestOutcome {
  fileprivate var isSkipped: Bool { status == .error && message.hasPrefix("skipped") }
}
