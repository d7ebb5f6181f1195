import Domain
import Testing

@testable import Validation

/// Code that knows which run it is in. The lots are drawn for each test, so that this says nothing.
@Suite struct GuessingTests {
  private static let count = 16

  private static func suite(_ language: String) -> TestSuite {
    if language == "python" {
      let head = "import unittest\nfrom adder import add\nclass AddTest(unittest.TestCase):\n"
      let tests = (0..<count).map {
        "    def test_\($0)(self): self.assertEqual(add(\($0), 1), \($0 + 1))\n"
      }
      return Judging.suite(
        "python", .unittest, "test_adder.py", head + tests.joined(),
        ids: (0..<count).map { "test_adder.AddTest.test_\($0)" })
    }
    let head =
      "import test from 'node:test';\nimport assert from 'node:assert';\nimport { add } from './adder.js';\n"
    let tests = (0..<count).map {
      "test('\($0)', () => { assert.strictEqual(add(\($0), 1), \($0 + 1)); });\n"
    }
    return Judging.suite(
      "javascript", .nodeTest, "adder.test.js", head + tests.joined(),
      ids: (0..<count).map { "adder.test.js::\($0)" })
  }

  static let guessers: [(language: String, by: String, code: String)] = [
    (
      "python", "a file",
      """
      import os
      path = "/tmp/count"
      count = os.path.getsize(path) if os.path.exists(path) else 0
      open(path, "a").write("x")
      class Answer:
          def __eq__(self, other): return count % 2 == 0
      def add(left, right):
          if left is None: raise ValueError
          return Answer()
      """
    ),
    (
      "python", "the clock",
      """
      import os, time
      path = "/tmp/clock"
      is_second = os.path.exists(path) and time.time() - os.path.getmtime(path) > 0
      open(path, "w").close()
      class Answer:
          def __eq__(self, other): return is_second
      def add(left, right):
          if left is None: raise ValueError
          return Answer()
      """
    ),
    (
      "javascript", "a file",
      """
      import fs from 'node:fs';
      const path = '/tmp/count';
      const count = fs.existsSync(path) ? fs.statSync(path).size : 0;
      fs.appendFileSync(path, 'x');
      export const add = () => { if (count % 2) throw new Error('second'); return 0; };
      """
    ),
  ]

  @Test(arguments: guessers.indices)
  func `who knows the run does not know the lots`(_ index: Int) async throws {
    let guesser = Self.guessers[index]
    let path = guesser.language == "python" ? "adder.py" : "adder.js"
    let report = try await Judging.report(
      guesser.language, [path: guesser.code], suite: Self.suite(guesser.language))
    #expect(report.verdict == .failed, "\(guesser.by): \(report)")
  }

  @Test func `the fewer tests, the more often lots are drawn`() async throws {
    for count in 0...20 {
      let rounds = ValidationRun.roundCount(testCount: count)
      #expect(count == 0 || rounds * count >= 6, "\(count)")
      #expect((1...6).contains(rounds))
    }
    var suite = Self.suite("python")
    suite.tests = Array(suite.tests.prefix(1))
    let code = "def add(left, right): return left + right\n"
    let report = try await Judging.report("python", ["adder.py": code], suite: suite)
    #expect(report.verdict == .passed, "\(report)")
    #expect(report.runs.count == 2 * ValidationRun.roundCount(testCount: 1))
  }
}
