#if DEBUG
  import Domain
  import Glibc

  extension Validators {
    /// A validator that does what the code's comments say, where the variable asks for one; it runs
    /// nothing.
    static func scriptedForTests() -> (any CodeValidator)? {
      getenv("HITO_TEST_VALIDATOR") == nil ? nil : ScriptedValidator()
    }
  }

  /// Reads in the main file what to do, one word a line after `#`: `pass ID`, `fail ID MESSAGE`,
  /// `diagnose MESSAGE`, `sleep MILLISECONDS`, `throw`. Tests of the suite that no line names are errors.
  struct ScriptedValidator: CodeValidator {
    private struct Failure: Error {}

    func languages() async -> [LanguageSupport] {
      [
        LanguageSupport(
          language: "python", stages: [.syntax, .test], testKinds: [.unittest, .stdio],
          toolVersions: ["script": "1"], missingTools: [])
      ]
    }

    func validate(
      _ job: ValidationJob, step: @Sendable (ValidationStep) async throws -> Void
    ) async throws -> ValidationReport {
      let main = job.submission.files.first { $0.path == job.submission.mainPath }
      var report = ValidationReport(
        verdict: .inconclusive, score: nil, reason: "no test could decide",
        toolVersions: ["script": "1"], limits: ["cpu": "1 s"], policy: "default@1", seed: job.seed)
      var outcomes: [String: TestOutcome] = [:]
      try await step(.stageStarted(.test))
      for line in (main?.content ?? "").split(whereSeparator: \.isNewline) {
        let words = line.split(separator: " ", maxSplits: 3).map(String.init)
        guard words.first == "#", words.count > 1 else { continue }
        let argument = words.count > 2 ? words[2] : ""
        switch words[1] {
        case "sleep": try await Task.sleep(for: .milliseconds(Int(argument) ?? 0))
        case "throw": throw Failure()
        case "diagnose":
          let diagnostic = Diagnostic(
            level: .warning, advice: .actionable, tool: "script",
            message: words.dropFirst(2).joined(separator: " "), path: job.submission.mainPath,
            region: SourceRegion(line: 1, column: 1))
          report.diagnostics.append(diagnostic)
          try await step(.diagnostic(diagnostic))
        case "pass", "fail":
          guard let test = job.suite?.tests.first(where: { $0.id == argument }) else { continue }
          let outcome = TestOutcome(
            id: test.id, title: test.title, status: words[1] == "pass" ? .pass : .fail,
            message: words.count > 3 ? words[3] : "", weight: test.weight, points: test.points,
            isHidden: test.isHidden)
          outcomes[test.id] = outcome
          try await step(.test(outcome))
        default: continue
        }
      }
      report.tests = (job.suite?.tests ?? []).map { test in
        outcomes[test.id]
          ?? TestOutcome(
            id: test.id, title: test.title, status: .error, weight: test.weight,
            points: test.points, isHidden: test.isHidden)
      }
      if let suite = job.suite {
        let passed = report.tests.filter { $0.status == .pass }
        let total = suite.tests.reduce(0) { $0 + $1.weight }
        report.score = passed.reduce(0) { $0 + $1.weight } / max(total, 1e-9)
        report.verdict = passed.count == report.tests.count ? .passed : .failed
        report.reason = "\(passed.count) of \(report.tests.count) tests passed"
        report.policy = suite.policy.name
      }
      let stage = StageReport(
        stage: .test, status: report.verdict == .failed ? .issues : .ok, tool: "script 1")
      report.stages = [stage]
      try await step(.stageFinished(stage))
      return report
    }
  }
#endif
