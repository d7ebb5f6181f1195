import Contract
import Foundation
import Testing

@testable import hito

@Suite("Validations for people")
struct ValidationTextTests {
  private static let plain = Style(isColoured: false)

  private static func text(_ sources: [String: String] = [:]) -> ValidationText {
    ValidationText(style: plain, sources: sources)
  }

  @Test("show a diagnostic with its line and carets")
  func diagnostic() {
    let response = ValidateCodeResponse(
      step: .diagnostic(
        Diagnostic(
          level: .error, ruleId: "F821", message: "undefined name 'año'", line: 2, column: 10,
          endLine: 2, endColumn: 13, tool: "ruff", path: "a.py")))
    #expect(
      Self.text(["a.py": "def f():\n  return año\n"]).describe(response) == """
        a.py:2:10: error: undefined name 'año' [ruff F821]
          2 |   return año
            |          ^^^

        """)
  }

  @Test("put carets under what they mean: tabs, wide characters, ends of lines, other lines")
  func carets() {
    #expect(
      SourceExcerpt.text(of: "\tx = 中 + 1", line: 1, column: 6, endColumn: 7)
        == "  1 |     x = 中 + 1\n    |         ^^")
    #expect(SourceExcerpt.text(of: "ab", line: 1, column: 3) == "  1 | ab\n    |   ^")
    #expect(
      SourceExcerpt.text(of: "ab\ncd", line: 2, column: 1, endLine: 3, endColumn: 1)
        == "  2 | cd\n    | ^^")
    #expect(SourceExcerpt.text(of: "a\r\nb", line: 1, column: 1) == "  1 | a\n    | ^")
    for (line, column) in [(0, 1), (1, 0), (3, 1), (.max, 1)] {
      #expect(SourceExcerpt.text(of: "a\nb", line: line, column: column) == nil)
    }
  }

  @Test("show a window of a line of a megabyte")
  func longLine() throws {
    let line = String(repeating: "a", count: 500_000) + "!" + String(repeating: "b", count: 500_000)
    let text = try #require(SourceExcerpt.text(of: line, line: 1, column: 500_001))
    let lines = text.split(separator: "\n")
    #expect(lines.count == 2 && lines.allSatisfy { $0.count < 130 })
    let caret = lines[1].distance(from: lines[1].startIndex, to: lines[1].firstIndex(of: "^")!)
    let mark = lines[0].distance(from: lines[0].startIndex, to: lines[0].firstIndex(of: "!")!)
    #expect(caret == mark)
  }

  @Test("carry nothing to the terminal that code or its output wrote there")
  func hostile() {
    let response = ValidateCodeResponse(
      step: .test(
        TestResult(
          name: "\u{1b}[2Jt", status: .fail, message: "a\u{202e}b\n\u{7}c", output: "\u{9b}x")))
    let text = Self.text().describe(response)
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 32 && $0.value != 0x9b })
    #expect(!text.contains("\u{202e}") && text.contains("      a"))
  }

  @Test("end with the verdict, the score and what is to be done")
  func verdict() {
    let snapshot = CodeSnapshot(verdict: .failed, validationFeedback: "Mira la suma.")
    let report = ValidationReport(
      score: 0.5, reason: "a test failed",
      tests: [TestResult(status: .pass), TestResult(status: .fail)])
    #expect(
      Self.text().describe(snapshot, ValidationRun(report: report))
        == "\n✗ FAILED  score 50.0 %  1 of 2 tests\na test failed\n\nMira la suma.\n")
  }
}

@Suite("Files on the command line")
struct SubmissionFilesTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.resolvingSymlinksInPath().path)
  }

  private func write(_ text: String, _ path: String) throws {
    let url = URL(filePath: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  @Test("have the paths below the folder that they share, each once")
  func paths() throws {
    try withFolder { folder in
      for path in ["src/a.py", "src/deep/b.py", "src/.hidden"] {
        try write(path, "\(folder)/\(path)")
      }
      #expect(try SubmissionFiles(["\(folder)/src/a.py"]).files.map(\.path) == ["a.py"])
      let all = try SubmissionFiles(["\(folder)/src", "\(folder)/src/a.py"])
      #expect(all.files.map(\.path) == ["a.py", "deep/b.py"])
      #expect(try all.read().map(\.content) == ["src/a.py", "src/deep/b.py"])
    }
  }

  @Test("are refused where they are none, too many, too long, or no text")
  func refusals() throws {
    try withFolder { folder in
      #expect(throws: CommandFailure.self) { try SubmissionFiles(["\(folder)/none"]) }
      #expect(throws: CommandFailure.self) { try SubmissionFiles([folder]) }
      #expect(throws: CommandFailure.self) { try SubmissionFiles(["/dev/null"]) }
      try write(String(repeating: "a", count: SubmissionFiles.byteCountMax + 1), "\(folder)/a")
      let long = try SubmissionFiles(["\(folder)/a"])
      #expect(throws: CommandFailure.self) { try long.read() }
      try Data([0xff, 0xfe]).write(to: URL(filePath: "\(folder)/a"))
      #expect(throws: CommandFailure.self) { try long.read() }
      for number in 0...SubmissionFiles.countMax { try write("", "\(folder)/many/\(number)") }
      #expect(throws: CommandFailure.self) { try SubmissionFiles(["\(folder)/many"]) }
    }
  }

  @Test("of tests declare their tests")
  func tests() throws {
    try withFolder { folder in
      func suite() throws -> TestSuite { try TestFolder(folder).suite(language: "python") }
      #expect(throws: CommandFailure.self) { try suite() }
      try write(
        "class A(B):\n  def test_a(self):\n    pass\ndef test_b():\n  pass\n", "\(folder)/test_x.py"
      )
      var found = try suite()
      #expect(found.kind == .pytest && found.files.map(\.path) == ["test_x.py"])
      #expect(found.tests.map(\.id) == ["test_x.py::A::test_a", "test_x.py::test_b"])
      try write(
        "import unittest\nclass A(unittest.TestCase):\n  def test_a(self): pass\n",
        "\(folder)/test_x.py")
      found = try suite()
      #expect(found.kind == .unittest && found.tests.map(\.id) == ["test_x.A.test_a"])
      try write("3\n", "\(folder)/two.out")
      try write("1 2\n", "\(folder)/two.in")
      found = try suite()
      #expect(
        found.kind == .stdio
          && found.tests == [ExpectedTest(id: "two", input: "1 2\n", output: "3\n")])
      try write(
        #"{"language": "c", "kind": "TEST_KIND_PROTOCOL", "tests": [{"id": "x"}]} // mine"#,
        "\(folder)/suite.json")
      found = try suite()
      #expect(found.kind == .protocol && found.language == "c" && found.files.count == 3)
      try write("{", "\(folder)/suite.json")
      #expect(throws: CommandFailure.self) { try suite() }
    }
  }

  @Test("of tests in JavaScript have the names of their groups")
  func node() throws {
    let file = SourceFile(
      path: "a.test.mjs",
      content: """
        test("plain", () => {});
        describe("sum", () => {
          it('adds', () => {});
          test(`made ${up}`, () => {});
        });
        test("last", () => {});
        """)
    let suite = try #require(DeclaredTests.suite([file], "javascript"))
    #expect(suite.kind == .nodeTest)
    #expect(
      suite.tests.map(\.id) == [
        "a.test.mjs::plain", "a.test.mjs::sum > adds", "a.test.mjs::last",
      ])
  }

  @Test("are looked at until they are saved")
  func changes() async throws {
    let place = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data("a".utf8).write(to: place)
    defer { try? FileManager.default.removeItem(at: place) }
    var changes = FileChanges([place.path])
    // Another file in its place, as editors do it.
    try FileManager.default.removeItem(at: place)
    try Data("bb".utf8).write(to: place)
    try await changes.next()
    #expect(try SubmissionFiles([place.path]).read().map(\.content) == ["bb"])
  }
}
