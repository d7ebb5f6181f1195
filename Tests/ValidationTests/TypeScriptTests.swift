import Domain
import Testing

@testable import Validation

/// TypeScript in suites of kind `node_test`: built file by file, run as JavaScript, named as it was written.
@Suite(.enabled(if: OptionalLanguages.present.contains { $0.language == "typescript" }))
struct TypeScriptTests {
  private static let visible = """
    import test from 'node:test';
    import assert from 'node:assert';
    import { add, type Sum } from './adder';
    test('adds', () => { const sum: Sum = add(1, 2); assert.strictEqual(sum, 3); });
    test('adds negative numbers', () => { assert.strictEqual(add(-1, -2), -3); });

    """
  private static let ids = ["adds", "adds negative numbers"].map { "adder.test.ts::\($0)" }
  private static let right =
    "export type Sum = number;\nexport function add(a: number, b: number): Sum { return a + b; }\n"

  private static func suite(_ content: String = visible) -> TestSuite {
    Judging.suite("typescript", .nodeTest, "adder.test.ts", content, ids: ids)
  }

  @Test func `tests in TypeScript pass and fail by the code`() async throws {
    let right = try await Judging.report(
      "typescript", ["adder.ts": Self.right], suite: Self.suite())
    #expect(right.verdict == .passed, "\(right)")
    let code = Self.right.replacing("a + b", with: "a + Math.abs(b)")
    let wrong = try await Judging.report("typescript", ["adder.ts": code], suite: Self.suite())
    #expect(wrong.statuses == [.pass, .fail], "\(wrong)")
  }

  @Test func `tests in JavaScript see what was made of the code`() async throws {
    let tests =
      "import test from 'node:test';\nimport assert from 'node:assert';\nimport { add } from './adder.js';\ntest('adds', () => { assert.strictEqual(add(1, 2), 3); });\n"
    let suite = Judging.suite(
      "typescript", .nodeTest, "a.test.js", tests, ids: ["a.test.js::adds"])
    let report = try await Judging.report("typescript", ["adder.ts": Self.right], suite: suite)
    #expect(report.verdict == .passed, "\(report)")
  }

  @Test func `code whose types do not fit fails before its tests`() async throws {
    let code =
      "export type Sum = number;\nexport const add = (a: number, b: number): string => a + b;\n"
    let report = try await Judging.report("typescript", ["adder.ts": code], suite: Self.suite())
    #expect(report.verdict == .failed)
    #expect(report.diagnostics.first?.ruleID == "TS2322", "\(report)")
    #expect(report.tests.isEmpty)
  }

  @Test func `a crash says its place in the code as it was written`() async throws {
    let code = """
      export type Sum = number;
      interface Unused { a: number }

      export function add(a: number, b: number): Sum {
        throw new Error(`no ${a}`);
      }

      """
    let report = try await Judging.report("typescript", ["adder.ts": code], suite: Self.suite())
    #expect(report.statuses.allSatisfy { $0 != .pass })
    #expect(report.test(0).message.contains("no 1"), "\(report)")
  }

  @Test func `tests that do not parse are the suite's fault`() async throws {
    let broken = Self.visible + "test('x', () => {\n"
    let report = try await Judging.report(
      "typescript", ["adder.ts": Self.right], suite: Self.suite(broken))
    #expect(report.verdict == .inconclusive, "\(report)")
  }

  @Test func `a constant of hidden tests does not get into the code`() async throws {
    let hidden = """
      import test from 'node:test';
      import assert from 'node:assert';
      import { add } from '../adder';
      export const enum Secret { answer = 424242 }
      test('hides', () => { assert.strictEqual(add(Secret.answer, 0), 424242); });

      """
    let suite = TestSuite(
      language: "typescript", kind: .nodeTest,
      files: [
        SourceFile(path: "adder.test.ts", content: Self.visible),
        SourceFile(path: "hidden/more.test.ts", content: hidden),
      ],
      tests: Self.ids.map { ExpectedTest(id: $0) } + [
        ExpectedTest(id: "hidden/more.test.ts::hides", isHidden: true)
      ])
    let right = try await Judging.report("typescript", ["adder.ts": Self.right], suite: suite)
    #expect(right.verdict == .passed, "\(right)")
    let spy = """
      // @ts-ignore
      import { Secret } from './hidden/more.test';
      export type Sum = number;
      export function add(a: number, b: number): Sum { throw new Error(`${Secret.answer}`); }

      """
    let report = try await Judging.report("typescript", ["adder.ts": spy], suite: suite)
    #expect(report.verdict == .failed)
    let shown = report.tests.enumerated().map { $1.shownToLearner(number: $0 + 1) }
    #expect(!"\(shown)\(report.diagnostics)\(report.reason)".contains("424242"), "\(shown)")
  }

  @Test func `ids are found with a solution that is right`() async throws {
    let solution = Submission(
      language: "typescript", mainPath: "adder.ts",
      files: [SourceFile(path: "adder.ts", content: Self.right)])
    let tests = try await Judging.judge.tests(of: Self.suite(), solvedBy: solution)
    #expect(tests.map(\.id) == Self.ids)
  }
}
