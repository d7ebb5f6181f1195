internal import Domain

/// Tests that run together, and the files that their code can read. Code under test can read every file of
/// its job and write what it read into what a learner sees; so hidden tests run in a job of their own.
struct TestGroup {
  var tests: [ExpectedTest]
  var files: [SourceFile]
  /// Files of `files` that hold tests.
  var testPaths: [String]
  /// Whether what is said and written in the job may be shown: no hidden test is in reach of it.
  var isOpen: Bool
}

extension SourceFile {
  /// Below a folder `hidden`, at any depth: only where hidden tests run.
  var isHiddenFromCode: Bool { path.split(separator: "/").dropLast().contains("hidden") }
}

extension TestGroup {
  static func groups(of suite: TestSuite) -> [TestGroup] {
    let owners = suite.tests.map { path(of: $0, in: suite) }
    let all = testPaths(of: suite, owners: owners)
    let hiddenPaths = Set(zip(suite.tests, owners).compactMap { $0.isHidden ? $1 : nil })
    var isOpen: [Bool] = []
    for (test, owner) in zip(suite.tests, owners) {
      isOpen.append(!test.isHidden && owner.map { !hiddenPaths.contains($0) } ?? true)
    }
    var groups: [TestGroup] = []
    for open in [true, false] {
      let tests = zip(suite.tests, isOpen).filter { $1 == open }.map(\.0)
      if tests.isEmpty && !(open && suite.tests.isEmpty) { continue }
      let paths = Set(zip(owners, isOpen).compactMap { $1 == open ? $0 : nil })
      let testPaths = suite.tests.isEmpty ? all : all.filter(paths.contains)
      let files = suite.files.filter { file in
        if all.contains(file.path) { return testPaths.contains(file.path) }
        return !open || !file.isHiddenFromCode
      }
      groups.append(TestGroup(tests: tests, files: files, testPaths: testPaths, isOpen: open))
    }
    return groups
  }

  private static func testPaths(of suite: TestSuite, owners: [String?]) -> [String] {
    switch suite.kind {
    case .stdio, .protocolLines: return []
    case .unittest, .pytest, .nodeTest:
      if !suite.tests.isEmpty {
        let named = Set(owners.compactMap { $0 })
        return suite.files.map(\.path).filter(named.contains)
      }
      return suite.files.map(\.path).filter(isTestPath)
    }
  }

  /// Files that runners take for tests by their name.
  static func isTestPath(_ path: String) -> Bool {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    if name.hasSuffix(".py") { return name.hasPrefix("test") || name.hasSuffix("_test.py") }
    return [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"].contains { name.hasSuffix($0) }
      && (name.contains(".test.") || name.contains(".spec.") || name.hasPrefix("test"))
  }

  /// The file that a test is in, by its id; nil where that names none of the suite's.
  private static func path(of test: ExpectedTest, in suite: TestSuite) -> String? {
    switch suite.kind {
    case .stdio, .protocolLines: return nil
    case .pytest, .nodeTest:
      let path = test.id.prefix(upTo: test.id.range(of: "::")?.lowerBound ?? test.id.endIndex)
      return suite.files.contains { $0.path == path } ? String(path) : nil
    case .unittest:
      return suite.files.map(\.path).filter { $0.hasSuffix(".py") }.first { path in
        test.id.hasPrefix(path.dropLast(3).split(separator: "/").joined(separator: ".") + ".")
      }
    }
  }
}

extension String {
  /// Without Foundation: the first place of a text.
  fileprivate func range(of text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
