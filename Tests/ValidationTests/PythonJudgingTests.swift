import Domain
import Testing

@testable import Validation

@Suite struct PythonJudgingTests {
  private static let tests = """
    import unittest
    from adder import add, refuse

    class AddTest(unittest.TestCase):
        def test_adds(self):
            self.assertEqual(add(1, 2), 3)

        def test_adds_text(self):
            self.assertEqual(add("a", "b"), "ab")

        def test_refuses(self):
            with self.assertRaises(ValueError):
                refuse()

    """
  private static let ids = ["adds", "adds_text", "refuses"].map { "test_adder.AddTest.test_\($0)" }
  private static let suite = Judging.suite(
    "python", .unittest, "test_adder.py", tests, ids: ids)
  private static let right = """
    def add(left, right):
        return left + right


    def refuse():
        raise ValueError("no")

    """

  @Test func `right code passes each test and is told in order`() async throws {
    let log = StepLog()
    let report = try await Judging.report("python", ["adder.py": Self.right], suite: Self.suite) {
      log.add($0)
    }
    #expect(report.verdict == .passed, "\(report)")
    #expect(report.score == 1)
    #expect(report.statuses == [.pass, .pass, .pass])
    #expect(report.toolVersions["python"]?.hasPrefix("3.") == true)
    #expect(report.submissionHash.count == 32)
    #expect(report.suiteHash.count == 32)
    let started = log.all.compactMap {
      if case .stageStarted(let stage) = $0 { stage } else { nil }
    }
    #expect(started == [.prepare, .syntax, .lint, .build, .test, .verdict])
    let told = log.all.compactMap { if case .test(let test) = $0 { test.id } else { nil } }
    #expect(Set(told) == Set(Self.ids))
  }

  @Test func `a wrong answer fails and says what was expected`() async throws {
    let wrong = Self.right.replacing("left + right", with: "left")
    let report = try await Judging.report("python", ["adder.py": wrong], suite: Self.suite)
    #expect(report.verdict == .failed)
    #expect(report.statuses == [.fail, .fail, .pass], "\(report)")
    #expect(report.test(0).message.contains("1 != 3"))
    #expect((report.score ?? 1) < 0.5)
  }

  @Test func `broken syntax fails at its place, in code points`() async throws {
    let report = try await Judging.report(
      "python", ["adder.py": "ñandú = '😀😀' 1\n"], suite: Self.suite)
    #expect(report.verdict == .failed)
    #expect(report.score == 0)
    #expect(report.status(.syntax) == .issues)
    #expect(report.diagnostics.first?.region?.line == 1)
    #expect(report.diagnostics.first?.region?.column == 14, "\(report.diagnostics)")
  }

  @Test func `lint says what it would mend`() async throws {
    let report = try await Judging.report(
      "python", ["adder.py": "import os\n" + Self.right], suite: Self.suite)
    #expect(report.verdict == .passed)
    let found = try #require(report.diagnostics.first)
    #expect(found.ruleID == "F401")
    #expect(found.ruleURL.contains("unused-import"))
    #expect(!found.fix.isEmpty)
    #expect(abs((report.score ?? 0) - 0.98) < 0.001)
  }

  @Test func `without tests nothing is decided`() async throws {
    let report = try await Judging.report("python", ["adder.py": Self.right])
    #expect(report.verdict == .inconclusive)
    #expect(report.score == nil)
  }

  @Test func `pytest with parameters passes and fails one by one`() async throws {
    let tests = """
      import pytest
      from adder import add

      @pytest.mark.parametrize("left, right, sum", [(1, 2, 3), (2, 2, 5)])
      def test_adds(left, right, sum):
          assert add(left, right) == sum

      def test_text():
          assert add("a", "b") == "ab"

      """
    let suite = Judging.suite(
      "python", .pytest, "test_adder.py", tests,
      ids: [
        "test_adder.py::test_adds[1-2-3]", "test_adder.py::test_adds[2-2-5]",
        "test_adder.py::test_text",
      ])
    let report = try await Judging.report("python", ["adder.py": Self.right], suite: suite)
    #expect(report.statuses == [.pass, .fail, .pass], "\(report)")
    #expect(report.test(1).message.contains("4 == 5"))
    #expect(report.toolVersions["pytest"] != nil)
  }

  @Test(arguments: [TestKind.unittest, .pytest])
  func `files of tests may import each other`(_ kind: TestKind) async throws {
    // By their names the second is loaded after the first, which needs it.
    let files = [
      "test_adder.py": """
      import unittest
      from test_tools import Case, LIMIT
      import deep.test_more
      from adder import add

      class AddTest(Case):
          def test_one(self):
              self.check(add(1, 2), 3)

          def test_more(self):
              import test_more
              self.assertEqual(add(test_more.TWO, LIMIT), 12)

      """,
      "test_tools.py": """
      import unittest

      LIMIT = 10

      class Case(unittest.TestCase):
          def check(self, value, expected):
              self.assertEqual(value, expected)

      class ToolTest(unittest.TestCase):
          def test_limit(self):
              self.assertEqual(LIMIT, 10)

      """,
      "deep/test_more.py": """
      import unittest
      from test_tools import LIMIT

      TWO = 2

      class MoreTest(unittest.TestCase):
          def test_two(self):
              self.assertEqual(TWO * 5, LIMIT)

      """,
    ]
    let ids =
      kind == .unittest
      ? [
        "test_adder.AddTest.test_one", "test_adder.AddTest.test_more",
        "test_tools.ToolTest.test_limit", "deep.test_more.MoreTest.test_two",
      ]
      : [
        "test_adder.py::AddTest::test_one", "test_adder.py::AddTest::test_more",
        "test_tools.py::ToolTest::test_limit", "deep/test_more.py::MoreTest::test_two",
      ]
    let suite = TestSuite(
      language: "python", kind: kind,
      files: files.map { SourceFile(path: $0.key, content: $0.value) }.sorted { $0.path < $1.path },
      tests: ids.map { ExpectedTest(id: $0) })
    let right = try await Judging.report("python", ["adder.py": Self.right], suite: suite)
    #expect(right.verdict == .passed, "\(right)")
    let wrong = try await Judging.report(
      "python", ["adder.py": "def add(left, right): return 0\n"], suite: suite)
    #expect(wrong.verdict == .failed)
    #expect(wrong.statuses == [.fail, .fail, .pass, .pass], "\(wrong)")
  }

  @Test func `what the run does not report is an error`() async throws {
    let suite = Judging.suite(
      "python", .unittest, "test_adder.py", Self.tests,
      ids: Self.ids + ["test_adder.AddTest.test_other"])
    let report = try await Judging.report("python", ["adder.py": Self.right], suite: suite)
    #expect(report.verdict == .failed)
    #expect(report.statuses == [.pass, .pass, .pass, .error])
  }

  @Test func `a file of tests that does not parse decides nothing`() async throws {
    let suite = Judging.suite(
      "python", .unittest, "test_adder.py", "def (:\n", ids: ["test_adder.AddTest.test_adds"])
    let report = try await Judging.report("python", ["adder.py": Self.right], suite: suite)
    #expect(report.verdict == .inconclusive)
    #expect(report.reason.contains("test_adder.py, line 1"))
  }

  @Test func `code without what the tests import fails`() async throws {
    let report = try await Judging.report("python", ["adder.py": "x = 1\n"], suite: Self.suite)
    #expect(report.verdict == .failed)
    #expect(report.reason.contains("cannot import name 'add'"), "\(report.reason)")
  }

  @Test func `a test that passes now and then is flaky and has not passed`() async throws {
    let code = """
      import os


      def add(left, right):
          return left + right if os.urandom(1)[0] % 2 else None


      def refuse():
          raise ValueError("no")

      """
    var flaky = false
    for _ in 0..<6 where !flaky {
      let report = try await Judging.report(
        "python", ["adder.py": code], suite: Self.suite, runCount: 5)
      flaky = report.tests.contains { $0.isFlaky }
      #expect(report.verdict == .failed)
    }
    #expect(flaky)
  }
}
