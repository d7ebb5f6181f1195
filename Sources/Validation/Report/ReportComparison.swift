package import Domain

/// What changed between two submissions and their reports.
package struct ReportComparison: Sendable, Hashable {
  package struct ChangedFile: Sendable, Hashable {
    package var path: String
    /// Runs of changed lines with up to three unchanged ones around each.
    package var lines: [LineDiff.Line]
    /// Lines left off, because there were more than `ReportComparison.lineCountMax` in all.
    package var droppedLineCount: Int
    package var addedCount: Int
    package var removedCount: Int
  }

  package struct ChangedTest: Sendable, Hashable {
    package var id: String
    package var title: String
    /// Nil where the older report has no such test.
    package var before: TestStatus?
    /// Nil where the newer report has no such test.
    package var after: TestStatus?
  }

  package static let lineCountMax = 2000
  private static let contextCount = 3

  /// Only files that differ, in the order of their paths.
  package var files: [ChangedFile]
  /// Only tests whose status differs, in the newer report's order.
  package var tests: [ChangedTest]
  package var newDiagnostics: [Diagnostic]
  package var goneDiagnostics: [Diagnostic]

  /// Compares; a pure function. Diagnostics are the same where tool, rule, file and message are,
  /// wherever they stand: lines move.
  package init(
    from old: (submission: Submission, report: ValidationReport?),
    to new: (submission: Submission, report: ValidationReport?)
  ) {
    files = Self.files(old.submission, new.submission)
    tests = Self.tests(old.report?.tests ?? [], new.report?.tests ?? [])
    let (oldFound, newFound) = (old.report?.diagnostics ?? [], new.report?.diagnostics ?? [])
    newDiagnostics = Self.diagnostics(newFound, without: oldFound)
    goneDiagnostics = Self.diagnostics(oldFound, without: newFound)
  }

  private static func files(_ old: Submission, _ new: Submission) -> [ChangedFile] {
    let before = Dictionary(old.files.map { ($0.path, $0.content) }) { first, _ in first }
    let after = Dictionary(new.files.map { ($0.path, $0.content) }) { first, _ in first }
    var room = lineCountMax
    var changed: [ChangedFile] = []
    for path in Set(before.keys).union(after.keys).sorted() where before[path] != after[path] {
      let lines = LineDiff.lines(from: before[path] ?? "", to: after[path] ?? "")
      let shown = inContext(lines)
      changed.append(
        ChangedFile(
          path: path, lines: Array(shown.prefix(room)),
          droppedLineCount: max(0, shown.count - room),
          addedCount: lines.count { $0.change == .added },
          removedCount: lines.count { $0.change == .removed }))
      room -= min(room, shown.count)
    }
    return changed
  }

  private static func inContext(_ lines: [LineDiff.Line]) -> [LineDiff.Line] {
    var isShown = [Bool](repeating: false, count: lines.count)
    for (index, line) in lines.enumerated() where line.change != .same {
      for near in max(0, index - contextCount)...min(lines.count - 1, index + contextCount) {
        isShown[near] = true
      }
    }
    return zip(lines, isShown).filter(\.1).map(\.0)
  }

  private static func tests(_ old: [TestOutcome], _ new: [TestOutcome]) -> [ChangedTest] {
    let before = Dictionary(old.map { ($0.id, $0) }) { first, _ in first }
    let after = Set(new.map(\.id))
    let changed = new.compactMap { test -> ChangedTest? in
      let was = before[test.id]?.status
      guard was != test.status else { return nil }
      return ChangedTest(
        id: test.id, title: test.title, before: was, after: test.status)
    }
    let gone = old.filter { !after.contains($0.id) }.map {
      ChangedTest(
        id: $0.id, title: $0.title, before: $0.status, after: nil)
    }
    return changed + gone
  }

  private struct Key: Hashable {
    var tool: String
    var rule: String
    var path: String
    var message: String

    init(_ diagnostic: Diagnostic) {
      tool = diagnostic.tool
      rule = diagnostic.ruleID
      path = diagnostic.path
      message = diagnostic.message
    }
  }

  private static func diagnostics(
    _ found: [Diagnostic], without known: [Diagnostic]
  ) -> [Diagnostic] {
    var counts: [Key: Int] = [:]
    for diagnostic in known { counts[Key(diagnostic), default: 0] += 1 }
    return found.filter { diagnostic in
      let key = Key(diagnostic)
      guard let count = counts[key], count > 0 else { return true }
      counts[key] = count - 1
      return false
    }
  }
}
