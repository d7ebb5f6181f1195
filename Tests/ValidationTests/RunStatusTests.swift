import Domain
import JSON
import Testing

@testable import Validation

/// What ended a program, and what that says of it.
@Suite struct RunStatusTests {
  private static let stall = SandboxOutcome.stalled(wasReady: false)
  private static let suite = TestSuite(
    language: "python", kind: .unittest, tests: [ExpectedTest(id: "a"), ExpectedTest(id: "b")])

  private static func result(
    _ outcome: SandboxOutcome, met: Set<SandboxLimit> = []
  ) -> SandboxResult {
    SandboxResult(
      outcome: outcome, limitsMet: met, cpuTime: .seconds(1), wallTime: .seconds(15),
      memoryPeakByteCount: 0)
  }

  /// Of a suite whose every group ended as one of the results says, and reported nothing.
  private static func verdict(_ results: SandboxResult...) -> Verdict {
    var judged = JudgedTests(suite)
    judged.beginRun()
    for (result, test) in zip(results, suite.tests) {
      var findings = TestFindings()
      findings.hasBegun = true
      findings.end(result)
      judged.note(findings, TestGroup(tests: [test], files: [], testPaths: [], isOpen: true))
    }
    _ = judged.finish()
    return judged.decision(JudgeLimits(nil, .python), .standard, score: 0).verdict
  }

  @Test(arguments: [
    (SandboxLimit.processes, RunStatus.processLimit), (.memory, .memoryLimit),
    (.output, .outputLimit), (.fileSize, .outputLimit), (.disk, .outputLimit),
    (.cpuTime, .cpuLimit),
  ])
  func `a limit of its own counts, whatever ended the program`(
    _ limit: SandboxLimit, _ status: RunStatus
  ) {
    for outcome in [Self.stall, .limitReached(.wallTime)] {
      let result = Self.result(outcome, met: [limit, .wallTime])
      #expect(RunStatus(result) == status)
      #expect(Self.verdict(result) == .failed)
    }
    for outcome in [SandboxOutcome.exited(code: 0), .exited(code: 1), .signalled(9)] {
      #expect(Self.verdict(Self.result(outcome, met: [limit])) == .failed)
    }
  }

  @Test func `who only waits has not failed`() {
    for outcome in [Self.stall, .limitReached(.wallTime)] {
      #expect(RunStatus(Self.result(outcome)) == .wallLimit)
      #expect(Self.verdict(Self.result(outcome)) == .errored)
      #expect(Self.verdict(Self.result(outcome, met: [.wallTime])) == .errored)
    }
  }

  @Test func `who got no processor hears that of the machine`() throws {
    func reason(_ findings: TestFindings) -> String {
      var judged = JudgedTests(Self.suite)
      judged.beginRun()
      judged.note(
        findings, TestGroup(tests: Self.suite.tests, files: [], testPaths: [], isOpen: true))
      _ = judged.finish()
      let decision = judged.decision(JudgeLimits(nil, .python), .standard, score: 0)
      #expect(decision.verdict == .errored)
      return decision.text
    }
    for (starved, word) in [(true, "too busy"), (false, "it waits")] {
      let line = try #require(
        JSONValue(
          parsing: Array(#"{"run":0,"exit":-1,"timed_out":true,"starved":\#(starved)}"#.utf8)))
      var inside = TestFindings()
      inside.hasBegun = true
      _ = inside.take(line, cpuMilliseconds: 1000)
      #expect(reason(inside).contains(word))
      var whole = TestFindings()
      whole.hasBegun = true
      whole.end(Self.result(.stalled(wasReady: starved)))
      #expect(reason(whole).contains(word))
      // A tool that got no processor says nothing of the code.
      let output = ToolOutput(line)
      #expect(output.isTimedOut && output.isStarved == starved)
    }
  }

  @Test func `what one job met counts where another one only waited`() {
    let waited = Self.result(Self.stall)
    let met = Self.result(Self.stall, met: [.processes])
    #expect(Self.verdict(met, waited) == .failed)
    #expect(Self.verdict(waited, met) == .failed)
    #expect(Self.verdict(waited, waited) == .errored)
  }

  @Test func `the order of runs does not matter`() {
    func run(_ fields: String) -> JSONValue {
      JSONValue(parsing: Array(#"{"run":0,"exit":-1,\#(fields)}"#.utf8)) ?? .null
    }
    let runs = [
      run(#""cpu_out":true,"cpu_us":2000000"#), run(#""timed_out":true"#), run(#""signal":9"#),
    ]
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
      var findings = TestFindings()
      for index in order { _ = findings.take(runs[index], cpuMilliseconds: 1000) }
      #expect(findings.worst == .cpuLimit, "\(order)")
    }
    var findings = TestFindings()
    for index in [2, 1] { _ = findings.take(runs[index], cpuMilliseconds: 1000) }
    #expect(findings.worst == .signal)
  }
}
