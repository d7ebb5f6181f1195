import Domain
import Testing

@testable import Validation

/// Languages whose tools are optional: each promise is tried with those that are here.
@Suite struct OptionalLanguageTests {
  private static let cases = [
    ExpectedTest(id: "small", input: "1 2\n", output: "3\n"),
    ExpectedTest(id: "large", weight: 3, input: "20 22\n", output: "42"),
    ExpectedTest(id: "negative", input: "-5 3\n", output: "-2\n"),
  ]

  private static func stdio(_ optional: OptionalLanguage, limits: RunLimits = RunLimits())
    -> TestSuite
  {
    TestSuite(language: optional.language, kind: .stdio, tests: cases, limits: limits)
  }

  private static func report(
    _ optional: OptionalLanguage, _ files: [(path: String, code: String)], suite: TestSuite? = nil
  ) async throws -> ValidationReport {
    try await Judging.report(
      optional.language, Dictionary(uniqueKeysWithValues: files.map { ($0.path, $0.code) }),
      main: files[0].path, suite: suite)
  }

  private static func report(
    _ optional: OptionalLanguage, _ code: String, suite: TestSuite? = nil
  ) async throws -> ValidationReport {
    try await report(optional, [(optional.mainPath, code)], suite: suite)
  }

  @Test(arguments: OptionalLanguages.present)
  func `a right program passes, and one that does not add fails`(_ optional: OptionalLanguage)
    async throws
  {
    let suite = Self.stdio(optional)
    let right = try await Self.report(optional, optional.adder, suite: suite)
    #expect(right.verdict == .passed, "\(right)")
    #expect(right.statuses == [.pass, .pass, .pass])
    #expect(right.status(.build) == .ok)
    #expect(right.toolVersions.isEmpty == false)
    let code = optional.adder[0].code.replacing("a + b", with: "a - b")
    let wrong = try await Self.report(optional, code, suite: suite)
    #expect(wrong.verdict == .failed)
    #expect(wrong.test(1).message == "line 1: expected \"42\", got \"-2\"", "\(wrong)")
  }

  @Test(arguments: OptionalLanguages.present)
  func `a program of several files is built as one`(_ optional: OptionalLanguage) async throws {
    let right = try await Self.report(optional, optional.several, suite: Self.stdio(optional))
    #expect(right.verdict == .passed, "\(right)")
    let alone = try await Self.report(optional, optional.several)
    #expect(alone.verdict == .inconclusive, "\(alone)")
    #expect(alone.status(.syntax) == .ok)
  }

  @Test(arguments: OptionalLanguages.present)
  func `broken syntax fails at its place in code points`(_ optional: OptionalLanguage) async throws
  {
    let report = try await Self.report(optional, optional.broken.code)
    #expect(report.verdict == .failed)
    #expect(report.status(.syntax) == .issues)
    let region = report.diagnostics.first { $0.level == .error }?.region
    #expect(region?.line == optional.broken.line, "\(report.diagnostics)")
    #expect(region?.column == optional.broken.column, "\(report.diagnostics)")
  }

  @Test(arguments: OptionalLanguages.present)
  func `what does not fit together fails at its place`(_ optional: OptionalLanguage) async throws {
    let report = try await Self.report(optional, optional.misfit.code, suite: Self.stdio(optional))
    #expect(report.verdict == .failed)
    #expect(report.score == 0)
    #expect(report.tests.isEmpty)
    let region = report.diagnostics.first { $0.level == .error }?.region
    #expect(region?.line == optional.misfit.line, "\(report.diagnostics)")
    #expect(region?.column == optional.misfit.column, "\(report.diagnostics)")
  }

  @Test(arguments: OptionalLanguages.present.filter { $0.warned != nil })
  func `warnings are lint`(_ optional: OptionalLanguage) async throws {
    let warned = try #require(optional.warned)
    let report = try await Self.report(optional, warned.code)
    #expect(report.verdict == .inconclusive, "\(report)")
    #expect(report.status(.syntax) == .ok)
    let first = try #require(report.diagnostics.first { $0.level == .warning }, "\(report)")
    #expect(first.region?.line == warned.line && first.region?.column == warned.column, "\(first)")
    #expect(first.ruleID == warned.rule)
  }

  @Test(arguments: OptionalLanguages.present)
  func `a program that crashes has an error, and what it said`(_ optional: OptionalLanguage)
    async throws
  {
    let report = try await Self.report(optional, optional.crash, suite: Self.stdio(optional))
    #expect(report.verdict == .failed)
    #expect(report.statuses == [.error, .error, .error], "\(report)")
    #expect(report.status(.build) == .ok)
    #expect(report.runs.contains { $0.status == .signal || $0.status == .exitCode })
  }

  @Test(arguments: OptionalLanguages.present)
  func `an endless loop fails by its processor time`(_ optional: OptionalLanguage) async throws {
    let suite = Self.stdio(optional, limits: RunLimits(cpuMilliseconds: 1000))
    let report = try await Self.report(optional, optional.loop, suite: suite)
    #expect(report.verdict == .failed, "\(report)")
    #expect(report.runs.contains { $0.status == .cpuLimit }, "\(report.runs)")
  }

  @Test(arguments: OptionalLanguages.present)
  func `a program that takes all memory fails, by itself or by the limit`(
    _ optional: OptionalLanguage
  )
    async throws
  {
    let report = try await Self.report(optional, optional.hog, suite: Self.stdio(optional))
    #expect(report.verdict == .failed, "\(report)")
    let ends = report.runs.filter { $0.status != .ok }.map(\.status)
    #expect(
      ends.contains { [.memoryLimit, .signal, .exitCode].contains($0) }, "\(report.runs)")
    #expect(report.statuses.allSatisfy { $0 == .error }, "\(report)")
  }

  @Test(arguments: OptionalLanguages.present)
  func `a runner of the suite is built with the code and reports on the descriptor`(
    _ optional: OptionalLanguage
  ) async throws {
    let suite = TestSuite(
      language: optional.language, kind: .protocolLines,
      files: [SourceFile(path: optional.runner.path, content: optional.runner.code)],
      tests: [ExpectedTest(id: "greets")], command: optional.command)
    let right = try await Self.report(optional, [optional.greeting], suite: suite)
    #expect(right.verdict == .passed, "\(right)")
    let code = optional.greeting.code.replacing("Hola", with: "Adiós")
    let wrong = try await Self.report(optional, [(optional.greeting.path, code)], suite: suite)
    #expect(wrong.statuses == [.fail], "\(wrong)")
    // What is not there is missed by a file of the suite, whose text is not shown.
    let renamed = optional.greeting.code.replacing("reet", with: "one")
    let missing = try await Self.report(optional, [(optional.greeting.path, renamed)], suite: suite)
    #expect(missing.verdict == .failed, "\(missing)")
    #expect(!"\(missing)".contains("Hola, Ana"), "\(missing)")
  }
}
