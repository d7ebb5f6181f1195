import Domain
import Foundation
import Testing

@testable import Validation

/// Exercises of our own: the solution passes its tests, and the stub that learners begin with fails them.
@Suite struct ExerciseTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "Exercises")
  static let names = ["es-vocales", "es-pila", "en-clock", "en-unique"]

  @Test(arguments: names)
  func `a solution passes and its stub fails`(_ name: String) async throws {
    let folder = Self.folder.appending(path: name)
    let paths = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    func text(_ path: String) throws -> String {
      try String(contentsOf: folder.appending(path: path), encoding: .utf8)
    }
    let test = try #require(paths.first(where: TestGroup.isTestPath))
    let main = try #require(paths.first { $0 != test && $0 != "stub.txt" })
    let isPython = main.hasSuffix(".py")
    let isPytest = try text(test).contains("import pytest")
    let language = isPython ? "python" : "javascript"
    var suite = TestSuite(
      language: language, kind: isPython ? isPytest ? .pytest : .unittest : .nodeTest,
      files: [SourceFile(path: test, content: try text(test))], tests: [])
    let solution = Submission(
      language: language, mainPath: main, files: [SourceFile(path: main, content: try text(main))])
    suite.tests = try await Judging.judge.tests(of: suite, solvedBy: solution)
    #expect(suite.tests.count >= 3)
    let right = try await Judging.report(language, [main: try text(main)], suite: suite)
    #expect(right.verdict == .passed, "\(right)")
    let stub = try await Judging.report(language, [main: try text("stub.txt")], suite: suite)
    #expect(stub.verdict == .failed, "\(stub)")
    #expect(FeedbackText.make(stub, files: solution.files, in: .spanish).contains("Siguiente paso"))
  }
}
