internal import Domain
internal import JSON

extension ValidationRun {
  /// Runs the tests, as often as was asked, and says what follows.
  mutating func test(
    _ suite: TestSuite, _ language: Language, _ plan: LanguagePlan, _ step: Step
  ) async throws -> Decision {
    try await start(.test, step)
    usedTools.formUnion(language.needs)
    if suite.kind == .pytest { usedTools.insert(.pytest) }
    let groups = TestGroup.groups(of: suite)
    var judged = JudgedTests(suite)
    for _ in 0..<min(max(job.runCount, 1), 5) {
      judged.beginRun()
      for group in groups {
        let findings = try await run(group, suite, language, plan) { outcome in
          if let shown = judged.take(outcome, isOpen: group.isOpen) { try await step(.test(shown)) }
        } queued: {
          try await step(.queued(position: $0))
        }
        judged.note(findings, group)
        for run in findings.runs {
          runs.append(run)
          try await step(.run(.test, run))
        }
      }
    }
    for outcome in judged.finish() { try await step(.test(outcome)) }
    tests = judged.outcomes
    let decision = judged.decision(
      limits, policy, score: Score.value(tests: tests, lint: lint, policy: policy))
    let status: StageStatus =
      switch decision.verdict {
      case .passed: .ok
      case .failed: judged.isOutOfTime ? .timedOut : .issues
      case .inconclusive: .unavailable
      case .errored: .errored
      }
    let tool =
      suite.kind == .pytest ? Tool.pytest : suite.kind == .nodeTest ? .node : language.needs[0]
    try await finish(.test, status, tool: toolchain.name(tool), note: decision.text, step)
    return decision
  }

  /// Runs one group of tests in a job of its own.
  func run(
    _ group: TestGroup, _ suite: TestSuite, _ language: Language, _ plan: LanguagePlan,
    outcome: (TestOutcome) async throws -> Void, queued: (Int) async throws -> Void
  ) async throws -> TestFindings {
    var findings = TestFindings()
    let job = try testJob(group, suite, language, plan)
    let result = try await sandbox.run(job, for: self.job.callerID) { event in
      switch event {
      case .waiting(let ahead): try await queued(ahead)
      case .lines(let lines):
        for line in lines {
          if let index = line.int("case"), group.tests.indices.contains(index) {
            let test = group.tests[index]
            let (made, run) = StdioCases.outcome(line, test, limits: limits)
            guard findings.results[test.id] == nil else { continue }
            findings.results[test.id] = made
            findings.runs.append(run)
            findings.worst = .worse(findings.worst, run.status)
            findings.isStarved = findings.isStarved || line["starved"]?.boolValue == true
            try await outcome(made)
          } else if let made = findings.take(line, cpuMilliseconds: limits.cpuMilliseconds) {
            try await outcome(made)
          }
        }
      }
    }
    findings.end(result)
    return findings
  }

  /// How often both runs of the tests are made: who guesses which run of a test is turned around is right in
  /// every second round, so that few tests need more of them.
  static func roundCount(testCount: Int) -> Int {
    switch testCount {
    case 1: 6
    case 2, 3: 3
    case 4..<8: 2
    default: 1
    }
  }

  private func testJob(
    _ group: TestGroup, _ suite: TestSuite, _ language: Language, _ plan: LanguagePlan
  ) throws -> SandboxJob {
    let built = BuiltFiles(plan.products, products)
    let support = built.placed(group.files)
    var work = WorkFiles.merged(built.placed(files), with: support)
    let roundCount = Self.roundCount(testCount: group.tests.count)
    var fields: [(key: String, value: JSONValue)] = [
      ("cpu", .integer(limits.cpuSecondsOfRun)), ("wall", .integer(limits.wallSecondsOfRun)),
      ("limit", .integer(Int64(limits.outputBytes))), ("seed", .integer(Int64(job.seed))),
      ("rounds", .integer(Int64(roundCount))),
    ]
    let program: String
    var runCount = 2 * roundCount
    switch suite.kind {
    case .unittest, .pytest:
      program = Runner.suite
      fields += [
        ("kind", .string(suite.kind.rawValue)), ("tests", .strings(group.testPaths)),
        ("learner", .strings(files.map(\.path))), ("support", .strings(group.files.map(\.path))),
        ("tools", .string(toolchain.pythonPackages ?? "")),
      ]
    case .nodeTest:
      program = Runner.node
      work = NodeFiles.complete(work)
      let made = NodeFiles.support(for: work)
      work += made
      let isJest = NodeFiles.usesJest(support)
      runCount *= max(1, group.testPaths.count)
      fields += [
        ("tests", .strings(group.testPaths.map(built.place))), ("names", .strings(group.testPaths)),
        ("own", .strings((support + made).map(\.path))),
        ("turn", .string(Runner.nodeTurn)), ("preload", .string(Runner.nodePreload)),
        ("reporter", .string(Runner.nodeReporter)),
        ("jest", isJest ? .string(Runner.nodeJest) : .null),
      ]
    case .stdio:
      program = Runner.cases
      if language == .javascript { work += NodeFiles.support(for: work) }
      if language == .typescript { work = NodeFiles.runnable(work) }
      runCount = max(1, group.tests.count)
      let cases = group.tests.map { test in
        JSONValue.object([
          ("input", .string(test.input)), ("arguments", .strings(test.arguments)),
        ])
      }
      fields += [("command", .strings(plan.run)), ("cases", .array(cases))]
    case .protocolLines:
      program = Runner.lines
      runCount = 1
      if language == .typescript { work = NodeFiles.runnable(work) }
      fields += [("argv", .strings(suite.command))]
    }
    return try RunnerJob(
      program: program, input: .object(fields), files: work, products: built.programs,
      profile: .run, limits: limits.ofJob(runCount: runCount)
    ).sandboxJob(toolchain)
  }
}

extension JSONValue {
  static func strings(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }
}
