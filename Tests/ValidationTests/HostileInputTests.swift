import Domain
import Testing

@testable import Validation

/// Code that is broken, enormous or means harm: each gets a verdict and a reason, soon.
@Suite struct HostileInputTests {
  private static let small = RunLimits(cpuMilliseconds: 1000, memoryBytes: 128 << 20)

  private static func stdio(_ language: String, limits: RunLimits = small) -> TestSuite {
    TestSuite(
      language: language, kind: .stdio, tests: [ExpectedTest(id: "a", input: "1\n", output: "1\n")],
      limits: limits)
  }

  @Test func `an empty file fails its tests, and decides nothing without`() async throws {
    let report = try await Judging.report("python", ["main.py": ""], suite: Self.stdio("python"))
    #expect(report.verdict == .failed)
    #expect(report.test(0).message == "line 1: expected \"1\", got the end of the output")
    let c = try await Judging.report("c", ["main.c": ""], suite: Self.stdio("c"))
    #expect(c.verdict == .failed)
    #expect(c.reason == "the code does not build")
  }

  static let odd: [(name: String, language: String, path: String, code: String)] = [
    (
      "one long line", "python", "main.py", "x = '" + String(repeating: "a", count: 250_000) + "'\n"
    ),
    (
      "one long line", "javascript", "main.js",
      "let x = '" + String(repeating: "a", count: 250_000) + "';\n"
    ),
    ("control characters", "python", "main.py", "x = 1\u{1}\u{2}\u{7f}\n"),
    ("control characters", "c", "main.c", "int main(void) { \u{1}\u{2} return 0; }\n"),
    ("another encoding", "python", "main.py", "# -*- coding: no-such -*-\nx = 1\n"),
    ("another language", "python", "main.py", "#include <stdio.h>\nint main(void) { return 0; }\n"),
    ("another language", "c", "main.c", "def f(): pass\n"),
    ("deep brackets", "python", "main.py", String(repeating: "(", count: 100_000) + "\n"),
    ("deep brackets", "javascript", "main.js", String(repeating: "(", count: 100_000) + "\n"),
    ("deep brackets", "c", "main.c", "int x = " + String(repeating: "(", count: 100_000) + ";\n"),
    ("deep brackets", "ruby", "main.rb", String(repeating: "(", count: 100_000) + "\n"),
    ("deep brackets", "lua", "main.lua", "x = " + String(repeating: "{", count: 100_000) + "\n"),
    ("many mistakes", "c", "main.c", String(repeating: "int x = y;\n", count: 20_000)),
    ("many mistakes", "shell", "main.sh", String(repeating: "if\n", count: 20_000)),
  ]

  @Test(arguments: odd.indices)
  func `odd code gets a verdict, and few diagnostics`(_ index: Int) async throws {
    let odd = Self.odd[index]
    let report = try await Judging.report(odd.language, [odd.path: odd.code])
    #expect(
      report.verdict == .failed || report.verdict == .inconclusive,
      "\(odd.name) \(odd.language): \(report.reason)")
    #expect(!report.reason.isEmpty)
    #expect(report.diagnostics.count <= 200)
  }

  @Test func `more diagnostics than are kept are counted`() async throws {
    let code = "import os\n" + String(repeating: "print(undefined_name)\n", count: 400)
    let report = try await Judging.report("python", ["main.py": code])
    #expect(report.diagnostics.count == 200)
    #expect(report.droppedDiagnosticCount == 201)
    #expect(report.diagnostics.first?.ruleID == "F821")
  }

  @Test func `an endless loop fails by its processor time`() async throws {
    let report = try await Judging.report(
      "python", ["main.py": "while True: pass\n"], suite: Self.stdio("python"))
    #expect(report.verdict == .failed)
    #expect(report.status(.test) == .timedOut)
    #expect(report.reason.contains("1000 ms of processor time"))
    #expect(report.runs.contains { $0.status == .cpuLimit })
  }

  @Test func `an endless loop at import fails in unittest, too`() async throws {
    let suite = Judging.suite(
      "python", .unittest, "test_a.py",
      "import unittest, a\nclass T(unittest.TestCase):\n    def test_x(self): self.assertTrue(a)\n",
      ids: ["test_a.T.test_x"], limits: Self.small)
    let report = try await Judging.report("python", ["a.py": "while True: pass\n"], suite: suite)
    #expect(report.verdict == .failed, "\(report)")
    #expect(report.reason.contains("processor time"))
  }

  @Test func `a program that only waits is not judged`() async throws {
    let report = try await Judging.report(
      "python", ["main.py": "import time\ntime.sleep(60)\n"], suite: Self.stdio("python"))
    #expect(report.verdict == .errored, "\(report)")
    #expect(report.score == nil)
    #expect(report.reason.contains("waits for something"))
  }

  @Test func `memory beyond the limit fails`() async throws {
    let report = try await Judging.report(
      "python", ["main.py": "x = bytearray(10**9)\nprint(1)\n"], suite: Self.stdio("python"))
    #expect(report.verdict == .failed, "\(report)")
  }

  @Test func `output beyond the limit fails`() async throws {
    let report = try await Judging.report(
      "python", ["main.py": "while True: print('x' * 10000)\n"], suite: Self.stdio("python"))
    #expect(report.verdict == .failed)
    #expect(report.reason.contains("wrote more than it may"), "\(report)")
  }

  @Test func `a full disk fails and says so`() async throws {
    let code = "with open('/tmp/x', 'wb') as f:\n    while True: f.write(b'x' * 1000000)\n"
    let report = try await Judging.report("python", ["main.py": code], suite: Self.stdio("python"))
    #expect(report.verdict == .failed, "\(report)")
  }

  @Test func `processes without end fail`() async throws {
    let code =
      "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n"
    let report = try await Judging.report("python", ["main.py": code], suite: Self.stdio("python"))
    #expect(report.verdict == .failed, "\(report)")
  }

  @Test func `a bomb of macros ends at the compiler's limits`() async throws {
    var code = "#define A0 x x x x x x x x x x\n"
    for index in 1...9 {
      code +=
        "#define A\(index) " + Array(repeating: "A\(index - 1)", count: 10).joined(separator: " ")
        + "\n"
    }
    code += "int x = A9;\n"
    let report = try await Judging.report("c", ["main.c": code])
    #expect(report.verdict == .failed, "\(report.reason)")
    let include = try await Judging.report("c", ["main.c": "#include \"main.c\"\nint x;\n"])
    #expect(include.verdict == .failed)
    let device = try await Judging.report("c", ["main.c": "#include \"/dev/zero\"\n"])
    #expect(device.verdict == .failed || device.verdict == .errored, "\(device.reason)")
  }

  @Test func `constants that would take for ever are not folded`() async throws {
    let report = try await Judging.report("python", ["main.py": "x = 10 ** 10 ** 10\n"])
    #expect(report.verdict == .inconclusive || report.verdict == .failed, "\(report.reason)")
  }

  @Test func `an import of everything does not end the judge`() async throws {
    let suite = Judging.suite(
      "python", .unittest, "test_a.py",
      "import unittest, a\nclass T(unittest.TestCase):\n    def test_x(self): self.assertEqual(a.x, 1)\n",
      ids: ["test_a.T.test_x"], limits: Self.small)
    let code = "import a, sys\nsys.setrecursionlimit(10**6)\ndef f(): f()\nf()\nx = 1\n"
    let report = try await Judging.report("python", ["a.py": code], suite: suite)
    #expect(report.verdict == .failed, "\(report)")
  }

  @Test func `tests of another language, and kinds that it has not, decide nothing`() async throws {
    let other = try await Judging.report("python", ["main.py": "x = 1\n"], suite: Self.stdio("c"))
    #expect(other.verdict == .inconclusive)
    #expect(other.reason == "the tests are for c, and the code is in python")
    var suite = Self.stdio("c")
    suite.kind = .pytest
    let kind = try await Judging.report(
      "c", ["main.c": "int main(void) { return 0; }\n"], suite: suite)
    #expect(kind.verdict == .inconclusive)
  }

  @Test func `a missing toolchain decides nothing and is named`() async throws {
    let judge = CodeJudge(
      sandbox: Judging.sandbox, toolchain: Toolchain(), logger: Judging.judge.logger)
    let report = try await judge.validate(
      ValidationJob(
        submission: Submission(
          language: "c", mainPath: "main.c", files: [SourceFile(path: "main.c", content: "")]),
        suite: nil, callerID: Judging.caller)
    ) { _ in }
    #expect(report.verdict == .inconclusive)
    #expect(report.reason == "gcc is not installed here")
  }

  @Test func `limits that no job may have decide nothing`() async throws {
    let report = try await Judging.report(
      "python", ["main.py": "x = 1\n"],
      suite: Self.stdio("python", limits: RunLimits(memoryBytes: 1 << 40)))
    #expect(report.verdict == .inconclusive, "\(report)")
    #expect(report.reason.contains("limits"))
  }

  @Test func `where the sandbox does not hold nothing is run`() async throws {
    let broken = BrokenSandbox()
    let judge = CodeJudge(sandbox: broken, toolchain: .found(), logger: Judging.judge.logger)
    let report = try await judge.validate(
      ValidationJob(
        submission: Submission(
          language: "python", mainPath: "main.py",
          files: [SourceFile(path: "main.py", content: "x = 1\n")]),
        suite: nil, callerID: Judging.caller)
    ) { _ in }
    #expect(report.verdict == .inconclusive)
    #expect(report.reason.contains("no_network: a route to the world"))
    #expect(report.runs.map(\.status) == [.sandboxUnavailable])
    #expect(report.status(.syntax) == .unavailable)
  }
}

/// A fault: a sandbox whose promise is broken.
private struct BrokenSandbox: Sandbox {
  private let finding = SandboxFinding(.noNetwork, isKept: false, "a route to the world")

  func run(
    _ job: SandboxJob, for callerID: EntityID, until deadline: ContinuousClock.Instant?,
    received: @escaping @Sendable (SandboxEvent) -> Void
  ) async throws(SandboxError) -> SandboxResult {
    throw .unavailable([finding])
  }

  func inspect() async -> SandboxInspection { SandboxInspection(findings: [finding], summary: "") }
}
