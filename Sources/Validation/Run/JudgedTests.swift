internal import Domain

/// The results of a suite's tests over one or several runs, and what follows of them. What a run reports
/// beyond the suite's tests counts for nothing; what it does not report is an error.
struct JudgedTests {
  private let suite: TestSuite
  private var byID: [String: TestOutcome] = [:]
  private var statuses: [String: Set<TestStatus>] = [:]
  private var seenInRun: Set<String> = []
  private var said: Set<String> = []
  private var found: [TestFindings] = []
  private(set) var outcomes: [TestOutcome] = []
  private let expected: [String: ExpectedTest]

  init(_ suite: TestSuite) {
    self.suite = suite
    expected = Dictionary(suite.tests.map { ($0.id, $0) }) { first, _ in first }
  }

  var isOutOfTime: Bool { found.contains { $0.worst == .cpuLimit } }

  mutating func beginRun() { seenInRun = [] }

  /// Takes a result; answers with what is told of it now, if it is told the first time.
  mutating func take(_ outcome: TestOutcome, isOpen: Bool) -> TestOutcome? {
    guard let test = expected[outcome.id], seenInRun.insert(test.id).inserted else { return nil }
    statuses[test.id, default: []].insert(outcome.status)
    var outcome = outcome
    outcome.title = test.title.isEmpty ? test.id : test.title
    outcome.weight = test.weight
    outcome.points = test.points
    outcome.isHidden = test.isHidden
    outcome.message = String(outcome.message.prefix(16_000))
    if !isOpen && !test.isHidden {
      // It ran within reach of hidden tests, whose text could be in what it said.
      outcome.message =
        outcome.status == .pass ? "" : "its file holds hidden tests: what it said is not shown"
      outcome.output = ""
    }
    // Of several runs the first one that did not pass is shown.
    if let known = byID[test.id], known.status != .pass || outcome.status == .pass {
      return nil
    }
    byID[test.id] = outcome
    return said.insert(test.id).inserted ? outcome : nil
  }

  /// In the place of what was said where hidden tests were.
  private static let notShown = "(not shown: hidden tests were there)"

  mutating func note(_ findings: TestFindings, _ group: TestGroup) {
    var findings = findings
    if !group.isOpen {
      // The code ran beside hidden tests, and could have read them: what it says does not come out.
      findings.load?.message = Self.notShown
      findings.load?.place = ""
      if findings.broken != nil { findings.broken = Self.notShown }
    }
    found.append(findings)
    for test in group.tests where !seenInRun.contains(test.id) {
      seenInRun.insert(test.id)
      statuses[test.id, default: []].insert(.error)
      let reason = findings.worst == .ok || findings.worst == .exitCode ? nil : findings.worst
      let message =
        findings.load.map { "the tests could not be loaded: \($0.message)" }
        ?? (reason.map { "the run ended before this test was done (\($0.rawValue))" }
          ?? "the run did not report this test")
      if byID[test.id]?.status ?? .pass == .pass {
        byID[test.id] = TestOutcome(
          id: test.id, title: test.title.isEmpty ? test.id : test.title, status: .error,
          message: group.isOpen || test.isHidden ? message : "", weight: test.weight,
          points: test.points, isHidden: test.isHidden)
      }
    }
  }

  /// Settles what is flaky. Answers with the tests of which nothing was told yet, or something else.
  mutating func finish() -> [TestOutcome] {
    var late: [TestOutcome] = []
    for test in suite.tests {
      guard var outcome = byID[test.id] else { continue }
      let seen = statuses[test.id] ?? []
      outcome.isFlaky = seen.contains(.pass) && seen.count > 1
      outcomes.append(outcome)
      if said.insert(test.id).inserted || outcome.isFlaky { late.append(outcome) }
    }
    return late
  }

  // MARK: Verdict

  func decision(_ limits: JudgeLimits, _ policy: ScorePolicy, score: Double) -> Decision {
    if let broken = found.lazy.compactMap(\.broken).first {
      return Decision(.inconclusive, "a file of the tests does not parse: \(broken)")
    }
    if let load = found.lazy.compactMap(\.load).first(where: { $0.fault != "code" }) {
      let what =
        load.fault == "toolchain"
        ? "the tests need what is not installed here" : "the tests themselves cannot be loaded"
      return Decision(.inconclusive, "\(what): \(load.message.prefix(500))")
    }
    if found.contains(where: { !$0.hasBegun }) {
      return Decision(.errored, "the tests could not be started; try again")
    }
    guard !suite.tests.isEmpty else {
      return Decision(.inconclusive, "the suite expects no test, so that nothing can pass")
    }
    let failed = outcomes.filter { !$0.isPassed }
    if failed.isEmpty { return Decision(.passed, "all \(outcomes.count) tests passed") }
    if !found.allSatisfy({ $0.forged.isEmpty }) {
      return Decision(
        .failed, "tests passed although they were turned around: their results are worth nothing")
    }
    // A program that only waits says nothing sure, unless a test has failed in another way, or a run met a
    // limit of its own.
    let isStuck =
      found.contains { $0.worst == .wallLimit } && !found.contains { $0.worst.isOwnLimit }
    if isStuck, !outcomes.contains(where: { $0.status == .fail }) {
      return Decision(
        .errored,
        found.contains(where: \.isStarved)
          ? "the machine was too busy to run the program in time; try again"
          : RunStatus.wallLimit.reason(limits) ?? "")
    }
    if let passing = policy.passingScore, score >= passing {
      return Decision(
        .passed,
        "the score reaches \(passing), although \(failed.count) of \(outcomes.count) tests did not pass"
      )
    }
    return Decision(.failed, reason(failed.count, limits))
  }

  private func reason(_ failedCount: Int, _ limits: JudgeLimits) -> String {
    let count = "\(failedCount) of \(outcomes.count) tests did not pass"
    if let load = found.lazy.compactMap(\.load).first {
      return "the tests could not be loaded with this code: \(load.message.prefix(500))"
    }
    if let why = found.lazy.compactMap({ $0.worst.reason(limits) }).first {
      return "\(count): \(why)"
    }
    if found.contains(where: { $0.worst == .reportMissing }) {
      return "\(count): the run ended before it had reported them"
    }
    return count
  }
}
