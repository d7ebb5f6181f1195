import Contract
import DescriptorJSON
import Foundation
import JSON

/// Tests in a folder of this machine, as a suite: with `suite.json`, which says everything but the
/// files (a TestSuite of the contract as JSON), or by convention.
///
/// By convention: pairs of `NAME.in` and `NAME.out` are cases of standard input and output; otherwise the
/// tests that the files of one language declare, found by their lines: Python's `test_*.py` or `*_test.py`
/// (unittest or pytest) and JavaScript's `*.test.js`, `*.test.mjs`, `*.test.cjs`.
struct TestFolder {
  static let description = "suite.json"
  private let root: String
  private let places: [String]

  init(_ directory: String) throws {
    guard let resolved = realpath(directory, nil) else {
      throw CommandFailure("\(TerminalText.clean(directory)): no such folder")
    }
    defer { free(resolved) }
    root = String(cString: resolved)
    places = try SubmissionFiles.places(of: root)
    guard places.count <= SubmissionFiles.countMax * 4 else {
      throw CommandFailure("\(TerminalText.clean(directory)): too many files for a suite of tests")
    }
  }

  /// - Parameter language: of the submission; what `suite.json` says goes before it.
  func suite(language: String) throws -> TestSuite {
    var rest = SubmissionFiles.byteCountMax
    var files: [SourceFile] = []
    for place in places {
      let content = try SubmissionFiles.text(at: place, byteCountMax: rest)
      rest -= content.utf8.count
      files.append(SourceFile(path: String(place.dropFirst(root.count + 1)), content: content))
    }
    if let at = files.firstIndex(where: { $0.path == Self.description }) {
      let file = files.remove(at: at)
      return try Self.described(file.content, files)
    }
    guard let suite = Self.cases(files, language) ?? DeclaredTests.suite(files, language) else {
      throw CommandFailure(
        "no tests were found in \(TerminalText.clean(root)): write \(Self.description), pairs of"
          + " NAME.in and NAME.out, test_*.py or *.test.mjs")
    }
    return suite
  }

  private static func described(_ text: String, _ files: [SourceFile]) throws -> TestSuite {
    do {
      let schema = try Schema.own()
      guard let type = schema.message(named: TestSuite.fullName) else {
        throw CommandFailure("the contract has no message \(TestSuite.fullName)")
      }
      // What people save may begin with a byte order mark.
      let json =
        text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
      let bytes = try schema.encode(try JSONValue(typed: json), as: type)
      var suite = try TestSuite.decode(bytes)
      suite.files += files
      return suite
    } catch {
      throw CommandFailure("\(description): \(TerminalText.clean("\(error)"))")
    }
  }

  private static func cases(_ files: [SourceFile], _ language: String) -> TestSuite? {
    let contents = Dictionary(
      files.map { ($0.path, $0.content) }, uniquingKeysWith: { first, _ in first })
    let tests = files.compactMap { file -> ExpectedTest? in
      guard file.path.hasSuffix(".out") else { return nil }
      let name = String(file.path.dropLast(4))
      return ExpectedTest(id: name, input: contents[name + ".in"] ?? "", output: file.content)
    }
    guard !tests.isEmpty else { return nil }
    return TestSuite(language: language, kind: .stdio, tests: tests)
  }
}

/// The tests that files declare, read by their lines. It runs nothing: tests that a program makes up while
/// it loads are for `suite.json`.
enum DeclaredTests {
  static func suite(_ files: [SourceFile], _ language: String) -> TestSuite? {
    let python = files.filter { isPythonTest($0.path) }
    if !python.isEmpty {
      let isUnittest = python.contains { $0.content.contains("unittest") }
      let ids = python.flatMap { isUnittest ? unittestIDs($0) : pytestIDs($0) }
      guard !ids.isEmpty else { return nil }
      return TestSuite(
        language: "python", kind: isUnittest ? .unittest : .pytest, files: files,
        tests: ids.map { ExpectedTest(id: $0) })
    }
    let node = files.filter { isNodeTest($0.path) }
    let ids = node.flatMap(nodeIDs)
    guard !ids.isEmpty else { return nil }
    return TestSuite(
      language: language == "typescript" ? language : "javascript", kind: .nodeTest, files: files,
      tests: ids.map { ExpectedTest(id: $0) })
  }

  private static func isPythonTest(_ path: String) -> Bool {
    guard path.hasSuffix(".py") else { return false }
    let name = path.split(separator: "/").last ?? ""
    return name.hasPrefix("test_") || name.hasSuffix("_test.py")
  }

  private static func isNodeTest(_ path: String) -> Bool {
    [".test.js", ".test.mjs", ".test.cjs"].contains { path.hasSuffix($0) }
  }

  /// `module.Class.test_name`.
  private static func unittestIDs(_ file: SourceFile) -> [String] {
    let module = file.path.dropLast(3).replacing("/", with: ".")
    return methods(file).compactMap { owner, name in
      owner.map { "\(module).\($0).\(name)" }
    }
  }

  /// `path::Class::test_name`, as pytest's node ids.
  private static func pytestIDs(_ file: SourceFile) -> [String] {
    methods(file).map { owner, name in
      owner.map { "\(file.path)::\($0)::\(name)" } ?? "\(file.path)::\(name)"
    }
  }

  /// Functions `test…`, with the class that they are in.
  private static func methods(_ file: SourceFile) -> [(owner: String?, name: String)] {
    var owner: String?
    var found: [(String?, String)] = []
    for line in file.content.split(whereSeparator: \.isNewline) {
      let text = line.drop { $0 == " " || $0 == "\t" }
      let isIndented = text.startIndex != line.startIndex
      if !isIndented { owner = text.hasPrefix("class ") ? word(text.dropFirst(6)) : nil }
      let function =
        text.hasPrefix("async def ")
        ? text.dropFirst(10) : text.hasPrefix("def ") ? text.dropFirst(4) : nil
      guard let function, function.hasPrefix("test"), !isIndented || owner != nil else { continue }
      found.append((isIndented ? owner : nil, word(function)))
    }
    return found
  }

  private static func word(_ text: Substring) -> String {
    String(text.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
  }

  /// `path::` and the names of `test("…"` and `it("…"` below those of the `describe("…"` around them, with
  /// ` > ` between.
  private static func nodeIDs(_ file: SourceFile) -> [String] {
    var groups: [(indent: Int, name: String)] = []
    var ids: [String] = []
    for line in file.content.split(whereSeparator: \.isNewline) {
      let text = line.drop { $0 == " " || $0 == "\t" }
      guard !text.isEmpty else { continue }
      let indent = line.distance(from: line.startIndex, to: text.startIndex)
      groups.removeAll { $0.indent >= indent && !text.hasPrefix("}") }
      if let name = argument(of: ["describe(", "suite("], text) {
        groups.append((indent, name))
      } else if let name = argument(of: ["test(", "it("], text) {
        ids.append("\(file.path)::" + (groups.map(\.name) + [name]).joined(separator: " > "))
      }
    }
    return ids
  }

  private static func argument(of functions: [String], _ text: Substring) -> String? {
    guard let function = functions.first(where: { text.hasPrefix($0) }) else { return nil }
    let rest = text.dropFirst(function.count)
    guard let quote = rest.first, "\"'`".contains(quote) else { return nil }
    let name = rest.dropFirst().prefix { $0 != quote }
    return name.isEmpty || name.contains("\\") || name.contains("${") ? nil : String(name)
  }
}
