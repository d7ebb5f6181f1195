import Domain
import JSON
import Testing

@Suite struct `What the author of code sees of its validation` {
  private static let suite = TestSuite(
    language: "python", kind: .unittest,
    files: [
      SourceFile(
        path: "test_main.py",
        content: """
          import unittest
          class MainTest(unittest.TestCase):
            def test_open(self):
              self.assertEqual(add(1, 2), 3)
            def test_secret_overflow(self):
              self.assertEqual(add(2**63, 1), 9223372036854775809)
          """),
      SourceFile(path: "hidden_data.txt", content: "4711 is the magic number"),
    ],
    tests: [
      ExpectedTest(id: "test_main.MainTest.test_open", title: "sums"),
      ExpectedTest(
        id: "test_main.MainTest.test_secret_overflow", title: "very large sums", weight: 2,
        points: 5, isHidden: true),
    ])
  private let view = LearnerView(Self.suite)

  private func outcome(
    _ name: String, message: String = "", output: String = "", isHidden: Bool = false
  ) -> TestOutcome {
    TestOutcome(
      id: "test_main.MainTest.\(name)", title: "t", status: .fail, message: message,
      output: output, isHidden: isHidden)
  }

  @Test func `a hidden test is its number, status, weight and points`() {
    for isMarked in [true, false] {
      // What the validator says of it is not believed: the suite says what is hidden.
      var secret = outcome("test_secret_overflow", message: "9223372036854775809 != 0")
      secret.isHidden = isMarked
      (secret.weight, secret.points) = (2, 5)
      guard case .test(let shown) = view.shown(.test(secret)) else {
        Issue.record("no test")
        return
      }
      #expect(
        shown
          == TestOutcome(
            id: "hidden-2", title: "", status: .fail, weight: 2, points: 5, isHidden: true))
    }
  }

  @Test func `a run is how it ended, and nothing that a program can choose`() {
    let run = RunOutcome(
      status: .exitCode, code: 77, cpuMicroseconds: 1, wallMicroseconds: 2, memoryBytes: 3)
    #expect(view.shown(.run(.test, run)) == .run(.test, RunOutcome(status: .exitCode)))
    let report = ValidationReport(verdict: .failed, score: 0, reason: "x", runs: [run])
    #expect(view.shown(report).runs == [RunOutcome(status: .exitCode)])
    #expect(LearnerView(nil).shown(report).runs == [run])
  }

  /// Quotations without number, in long texts, are looked for in one pass.
  @Test func `many lines of hidden tests are found, also where many begin alike`() {
    let lines = (0..<20_000).map { "\(String($0, radix: 36))-zeile-\($0)" }
    let alike = (0..<1500).map { "gleicher Anfang \($0)" }
    let suite = TestSuite(
      language: "python", kind: .unittest,
      files: [
        SourceFile(path: "daten.txt", content: (lines + alike).joined(separator: "\n"))
      ],
      tests: [ExpectedTest(id: "m.T.test_secret", isHidden: true)])
    let view = LearnerView(suite)
    func reason(_ text: String) -> String {
      view.shown(ValidationReport(verdict: .failed, score: 0, reason: text)).reason
    }
    let long = String(repeating: "ñandú ", count: 20_000)
    #expect(reason(long) == long)
    #expect(reason(long + lines[12_345]) == LearnerView.replacement)
    #expect(reason("gleicher Anfang") == LearnerView.replacement)
    #expect(reason("gle") == "gle")
  }

  @Test func `texts that quote a hidden test are replaced, others stay`() {
    for text in [
      "Traceback: in test_secret_overflow", "very large sums", "4711 is the magic number",
      "x\n    self.assertEqual(add(2**63, 1), 9223372036854775809)\n",
    ] {
      let report = ValidationReport(
        verdict: .failed, score: 0, reason: text,
        stages: [StageReport(stage: .test, status: .issues, note: text)],
        diagnostics: [
          Diagnostic(level: .error, advice: .essential, tool: "t", message: text, path: "main.py"),
          Diagnostic(
            level: .error, advice: .essential, tool: "t", message: "x", path: "test_main.py"),
        ], tests: [outcome("test_open", message: text, output: "printed: \(text)")])
      let shown = view.shown(report)
      #expect(shown.reason == LearnerView.replacement)
      #expect(shown.stages[0].note == LearnerView.replacement)
      #expect(shown.diagnostics.map(\.message) == [LearnerView.replacement])
      #expect(shown.tests[0].message == LearnerView.replacement)
      #expect(shown.tests[0].output == LearnerView.replacement)
      #expect(!shown.json.text.contains(text))
    }
    let own = "self.assertEqual(add(1, 2), 3) in test_open; import unittest"
    #expect(
      view.shown(.test(outcome("test_open", message: own)))
        == .test(outcome("test_open", message: own)))
  }

  @Test func `a suite without its hidden parts names nothing of them`() {
    let shown = LearnerView.shown(Self.suite)
    #expect(shown.files.isEmpty && shown.tests[0] == Self.suite.tests[0])
    #expect(
      shown.tests[1] == ExpectedTest(id: "hidden-2", weight: 2, points: 5, isHidden: true))
    var open = Self.suite
    open.tests.removeLast()
    #expect(LearnerView.shown(open) == open)
  }

  @Test func `what is stored reads back, bounded and without NUL`() throws {
    var report = ValidationReport(verdict: .failed, score: 0.5, reason: "a\0b")
    report.diagnostics = (0..<300).map { index in
      Diagnostic(
        level: index < 299 ? .note : .error, advice: .informative, tool: "t",
        message: String(repeating: "m", count: 5000), region: SourceRegion(line: 1, column: 1))
    }
    report.tests = (0..<500).map { index in
      TestOutcome(
        id: "t\(index)", title: "", status: .fail,
        message: String(repeating: "é", count: 60_000))
    }
    let bounded = report.bounded
    #expect(bounded.diagnostics.count == 200 && bounded.droppedDiagnosticCount == 100)
    #expect(bounded.diagnostics[0].level == .error)
    #expect(bounded.json.text.utf8.count < 2 * ValidationLimits.reportByteCount)
    #expect(!bounded.json.text.contains("\\u0000"))
    let read = try #require(
      JSONValue(parsing: bounded.json.text).flatMap { ValidationReport(json: $0) })
    #expect(read == bounded && read.bounded.tests.map(\.id) == bounded.tests.map(\.id))
    let suite = try #require(
      JSONValue(parsing: Self.suite.json.text).flatMap { TestSuite(json: $0) })
    #expect(suite == Self.suite)
  }

  @Test func `a suite that breaks a rule says which`() {
    func fields(_ edit: (inout TestSuite) -> Void) -> [String] {
      var suite = Self.suite
      edit(&suite)
      var validation = Validation()
      suite.validate(into: &validation)
      return validation.violations.map(\.field)
    }
    #expect(fields { _ in } == [])
    #expect(fields { $0.tests = [] } == ["suite.tests"])
    #expect(fields { $0.tests[1].id = $0.tests[0].id } == ["suite.tests[1].id"])
    #expect(fields { $0.tests[0].weight = .nan } == ["suite.tests[0].weight"])
    #expect(fields { $0.tests[0].input = "x" } == ["suite.tests[0]"])
    #expect(fields { $0.command = ["sh"] } == ["suite.command"])
    #expect(fields { $0.kind = .protocolLines } == ["suite.command"])
    #expect(fields { $0.limits.memoryBytes = 1 } == ["suite.limits.memory_bytes"])
    #expect(fields { $0.policy.passingScore = 0 } == ["suite.policy.passing_score"])
    #expect(fields { $0.policy.testShare = 2 } == ["suite.policy.test_share"])
    #expect(fields { $0.files[0].path = "../x" } == ["suite.files[0].path"])
    #expect(fields { $0.language = "Py Thon" } == ["suite.language"])
    #expect(
      fields { suite in
        suite.tests = (0..<501).map { ExpectedTest(id: "t\($0)") }
      } == ["suite.tests"])
  }
}
