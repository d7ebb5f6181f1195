import Domain
import Testing

@testable import Validation

@Suite struct LanguageJudgingTests {
  private static let cases = [
    ExpectedTest(id: "small", input: "1 2\n", output: "3\n"),
    ExpectedTest(id: "large", weight: 3, input: "20 22\n", output: "42"),
  ]

  private static func stdio(_ language: String, limits: RunLimits = RunLimits()) -> TestSuite {
    TestSuite(language: language, kind: .stdio, tests: cases, limits: limits)
  }

  static let programs: [(language: String, path: String, code: String)] = [
    ("python", "main.py", "left, right = map(int, input().split())\nprint(left + right)\n"),
    (
      "javascript", "main.js",
      "const text = require('node:fs').readFileSync(0, 'utf8');\nconst [a, b] = text.split(' ').map(Number);\nconsole.log(a + b);\n"
    ),
    (
      "c", "main.c",
      "#include <stdio.h>\nint main(void) {\n  int a, b;\n  if (scanf(\"%d %d\", &a, &b) != 2) return 1;\n  printf(\"%d\\n\", a + b);\n  return 0;\n}\n"
    ),
    (
      "cpp", "main.cpp",
      "#include <iostream>\nint main() {\n  int a, b;\n  std::cin >> a >> b;\n  std::cout << a + b << std::endl;\n}\n"
    ),
    ("shell", "main.sh", "#!/bin/bash\nread -r a b\necho $((a + b))\n"),
  ]

  @Test(arguments: programs.map(\.language))
  func `a program that reads and writes passes, and one that does not add fails`(_ language: String)
    async throws
  {
    let program = try #require(Self.programs.first { $0.language == language })
    let report = try await Judging.report(
      language, [program.path: program.code], suite: Self.stdio(language))
    #expect(report.verdict == .passed, "\(report)")
    #expect(report.statuses == [.pass, .pass])
    let wrong = program.code.replacing("a + b", with: "a - b").replacing(
      "left + right", with: "left - right")
    let other = try await Judging.report(
      language, [program.path: wrong], suite: Self.stdio(language))
    #expect(other.verdict == .failed)
    #expect(other.test(1).message == "line 1: expected \"42\", got \"-2\"", "\(other)")
  }

  static let broken: [(language: String, path: String, code: String, line: Int, column: Int)] = [
    ("python", "main.py", "x = 'ñ' 1\n", 1, 9),
    ("javascript", "main.js", "let ñ = 😀;\n", 1, 9),
    ("javascript", "main.mjs", "export let a = ;\n", 1, 16),
    ("c", "main.c", "/* ñ */ int main(void) { return 0 }\n", 1, 34),
    ("cpp", "main.cpp", "int main() { return 0 }\n", 1, 22),
    ("shell", "main.sh", "if true; then\necho\n", 3, 1),
    ("ruby", "main.rb", "def f(\n", 1, 1),
    ("lua", "main.lua", "local ñ = = 1\n", 1, 1),
  ]

  @Test(arguments: broken.indices)
  func `broken syntax fails at its place`(_ index: Int) async throws {
    let broken = Self.broken[index]
    let report = try await Judging.report(broken.language, [broken.path: broken.code])
    #expect(report.verdict == .failed, "\(report)")
    let region = try #require(report.diagnostics.first { $0.level == .error }?.region)
    if broken.language != "ruby" && broken.language != "lua" {
      #expect(region.line == broken.line && region.column == broken.column, "\(report.diagnostics)")
    }
  }

  @Test func `a language without a tool here is not decided`() async throws {
    let report = try await Judging.report("ruby", ["main.rb": "def f\n  1\nend\n"])
    #expect(report.verdict == .inconclusive)
    #expect(report.status(.syntax) == .ok)
    let other = try await Judging.report("brainfuck", ["main.bf": "+++"])
    #expect(other.verdict == .inconclusive)
    #expect(other.reason == "nothing here can judge brainfuck")
  }

  @Test func `warnings of the compiler and of shellcheck are lint`() async throws {
    let c = try await Judging.report(
      "c", ["main.c": "int main(void) { int x; return 0; }\n"], suite: nil)
    #expect(c.diagnostics.first?.ruleID == "-Wunused-variable", "\(c)")
    #expect(c.diagnostics.first?.ruleURL.contains("gcc.gnu.org") == true)
    let shell = try await Judging.report("shell", ["main.sh": "#!/bin/bash\necho $1\n"])
    #expect(shell.diagnostics.first?.ruleID == "SC2086", "\(shell)")
    #expect(shell.diagnostics.first?.fix.count == 2)
    #expect(
      shell.diagnostics.first?.region == SourceRegion(line: 2, column: 6, endLine: 2, endColumn: 8))
  }

  @Test func `code that does not link does not build`() async throws {
    let report = try await Judging.report(
      "c", ["main.c": "int add(int, int);\nint main(void) { return add(1, 2); }\n"],
      suite: Self.stdio("c"))
    #expect(report.verdict == .failed)
    #expect(report.status(.build) == .issues)
    #expect(report.runs.first?.status == .compileError)
    #expect(report.diagnostics.contains { $0.message.contains("undefined reference") }, "\(report)")
  }

  @Test func `node's tests with suites, and Jest's over them`() async throws {
    let tests = """
      import { describe, expect, test } from '@jest/globals';
      import { add, refuse } from './adder';
      describe('adder', () => {
        test('adds', () => { expect(add(1, 2)).toBe(3); });
        test('adds text', () => { expect(add('a', 'b')).toEqual('abc'); });
        test('refuses', () => { expect(() => refuse()).toThrow(new Error('no')); });
        test.each([[1, 2, 3], [2, 2, 4]])('%i + %i', (a, b, sum) => { expect(add(a, b)).toBe(sum); });
      });
      """
    let ids = ["adds", "adds text", "refuses", "1 + 2", "2 + 2"].map {
      "adder.spec.js::adder > \($0)"
    }
    let suite = Judging.suite("javascript", .nodeTest, "adder.spec.js", tests, ids: ids)
    let code =
      "export const add = (a, b) => a + b;\nexport function refuse() { throw new Error('no'); }\n"
    let report = try await Judging.report("javascript", ["adder.js": code], suite: suite)
    #expect(report.statuses == [.pass, .fail, .pass, .pass, .pass], "\(report)")
    #expect(report.test(1).message.contains("expected 'abc', got 'ab'"))
  }

  @Test func `another runner reports by lines on a descriptor`() async throws {
    let runner = """
      . ./code.sh
      if [ "$(greet Ana)" = "Hola, Ana" ]; then s=pass; else s=fail; fi
      printf '{"test": "greets", "status": "%s", "message": "expected a greeting"}\\n' "$s" >&3
      """
    let suite = TestSuite(
      language: "shell", kind: .protocolLines, files: [SourceFile(path: "run.sh", content: runner)],
      tests: [ExpectedTest(id: "greets")], command: ["/bin/bash", "run.sh"])
    let right = try await Judging.report(
      "shell", ["code.sh": "greet() { echo \"Hola, $1\"; }\n"], suite: suite)
    #expect(right.verdict == .passed, "\(right)")
    let wrong = try await Judging.report(
      "shell", ["code.sh": "greet() { echo \"$1\"; }\n"], suite: suite)
    #expect(wrong.statuses == [.fail])
  }

  @Test func `tests that are modules take code that is a script`() async throws {
    let tests = """
      import { describe, expect, test } from '@jest/globals';
      import Adder, { add } from './adder';
      test('adds', () => { expect(add(1, 2)).toBe(3); });
      test('is a class', () => { expect(new Adder(1).plus(2)).toEqual(3); });
      """
    let suite = Judging.suite(
      "javascript", .nodeTest, "adder.spec.js", tests,
      ids: ["adder.spec.js::adds", "adder.spec.js::is a class"])
    func code(_ sign: String) -> String {
      """
      class Adder {
        constructor(left) { this.left = left; }
        plus(right) { return this.left \(sign) right; }
      }
      module.exports = Adder;
      module.exports.add = (left, right) => new Adder(left).plus(right);
      """
    }
    let right = try await Judging.report("javascript", ["adder.js": code("+")], suite: suite)
    #expect(right.verdict == .passed, "\(right)")
    let wrong = try await Judging.report("javascript", ["adder.js": code("-")], suite: suite)
    #expect(wrong.statuses == [.fail, .fail], "\(wrong)")
  }

  @Test func `lines of a runner that are none do not end the judge`() async throws {
    let runner = """
      head -c 300000 /dev/zero | tr '\\0' '[' >&3; echo >&3
      for line in '[' '{"test":' '{"test": 1e999, "status": NaN}' '{"test": "a"}' '[1, 2]' 'null' '"\\ud800"' ''; do
        printf '%s\\n' "$line" >&3
      done
      printf '{"test": "a", "status": "pass", "us": 1%s, "message": {}}\\n' "$(printf %0400d 0)" >&3
      printf '\\377\\n{"test": "b", "status": "pass"}\\n' >&3
      """
    let suite = TestSuite(
      language: "shell", kind: .protocolLines, files: [SourceFile(path: "run.sh", content: runner)],
      tests: [ExpectedTest(id: "a"), ExpectedTest(id: "b")], command: ["/bin/bash", "run.sh"])
    let report = try await Judging.report("shell", ["code.sh": "true\n"], suite: suite)
    #expect(report.verdict != .errored, "\(report)")
    #expect(report.statuses == [.pass, .pass], "\(report)")
  }

  @Test func `hidden tests run apart, and what reads them shows nothing`() async throws {
    let visible =
      "import unittest\nfrom adder import add\nclass A(unittest.TestCase):\n    def test_a(self): self.assertEqual(add(1, 2), 3)\n"
    let hidden =
      "import unittest\nfrom adder import add\nclass B(unittest.TestCase):\n    def test_b(self): self.assertEqual(add(5, 5), 10)  # secret-hidden\n"
    let suite = TestSuite(
      language: "python", kind: .unittest,
      files: [
        SourceFile(path: "test_a.py", content: visible),
        SourceFile(path: "test_b.py", content: hidden),
      ],
      tests: [
        ExpectedTest(id: "test_a.A.test_a"), ExpectedTest(id: "test_b.B.test_b", isHidden: true),
      ])
    let code = """
      import glob
      text = "".join(open(path).read() for path in sorted(glob.glob("/work/**/*.py", recursive=True)) if "adder" not in path)
      print(text)
      def add(a, b): raise ValueError(text)
      """
    let report = try await Judging.report("python", ["adder.py": code], suite: suite)
    #expect(report.verdict == .failed)
    let shown = report.tests.enumerated().map { $1.shownToLearner(number: $0 + 1) }
    #expect(!"\(shown)".contains("secret-hidden"), "\(shown)")
    #expect(!"\(report.diagnostics)\(report.stages)\(report.reason)".contains("secret-hidden"))
    let files = [SourceFile(path: "adder.py", content: code)]
    for language in FeedbackText.Language.allCases {
      #expect(!FeedbackText.make(report, files: files, in: language).contains("secret-hidden"))
    }
  }

  @Test func `what this machine can judge is listed with versions`() async {
    let languages = await Judging.judge.languages()
    for name in ["python", "javascript", "c", "cpp", "shell"] {
      let found = languages.first { $0.language == name }
      #expect(found?.stages.contains(.test) == true, "\(name)")
      #expect(found?.toolVersions.isEmpty == false)
    }
    #expect(languages.first { $0.language == "python" }?.missingTools == [])
    #expect(languages.contains { $0.language == "ruby" && $0.stages == [.syntax] })
  }
}
