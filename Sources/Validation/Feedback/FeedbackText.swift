package import Domain

/// What a learner reads about their code: templates over the diagnostics and tests of a report. The same
/// report gives the same text; nothing is in it that a learner may not see.
package enum FeedbackText {
  package enum Language: String, Sendable, Hashable, CaseIterable {
    case spanish = "es"
    case english = "en"

    /// - Parameter tag: of BCP 47, for example `es-MX`; what is neither is English.
    package init(tag: String) {
      self = tag.lowercased().split(separator: "-").first == "es" ? .spanish : .english
    }
  }

  /// In characters; a text that would be longer says how much is left out.
  package static let characterCountMax = 10_000
  private static let testCountMax = 8
  private static let diagnosticCountMax = 8

  /// - Parameter files: of the submission, to show the lines that diagnostics are about.
  package static func make(
    _ report: ValidationReport, files: [SourceFile], in language: Language
  ) -> String {
    let words = FeedbackWords(language)
    var parts = [words.headline(report)]
    let errors = report.diagnostics.filter { $0.advice == .essential && isOfCode($0) }
    let advice = report.diagnostics.filter { $0.advice != .essential && isOfCode($0) }
    let lines = SourceLines(files)
    parts += list(errors, title: words.toMend, lines, words)
    parts += tests(report, words)
    if errors.isEmpty || report.verdict == .passed {
      parts += list(advice, title: words.toImprove, lines, words)
    }
    parts.append(words.nextStep(report, hasErrors: !errors.isEmpty))
    return bounded(parts.joined(separator: "\n\n"), words)
  }

  private static func isOfCode(_ diagnostic: Diagnostic) -> Bool { !diagnostic.message.isEmpty }

  private static func list(
    _ diagnostics: [Diagnostic], title: String, _ lines: SourceLines, _ words: FeedbackWords
  ) -> [String] {
    guard !diagnostics.isEmpty else { return [] }
    var items = diagnostics.prefix(diagnosticCountMax).map { item($0, lines, words) }
    let left = diagnostics.count - items.count
    if left > 0 { items.append(words.andMore(left)) }
    return [title + "\n" + items.joined(separator: "\n")]
  }

  private static func item(
    _ diagnostic: Diagnostic, _ lines: SourceLines, _ words: FeedbackWords
  ) -> String {
    var text = "- "
    if let region = diagnostic.region {
      text += words.place(diagnostic.path, region) + ": "
    } else if !diagnostic.path.isEmpty {
      text += diagnostic.path + ": "
    }
    text += cut(diagnostic.message, 400)
    if !diagnostic.ruleID.isEmpty { text += " (\(diagnostic.ruleID))" }
    if let hint = words.hint(diagnostic) { text += "\n  " + hint }
    if let region = diagnostic.region, let shown = lines.marked(diagnostic.path, region) {
      text += "\n" + shown
    }
    return text
  }

  private static func tests(_ report: ValidationReport, _ words: FeedbackWords) -> [String] {
    let shown = report.tests.enumerated().map { $0.element.shownToLearner(number: $0.offset + 1) }
    let failed = shown.filter { $0.status != .pass || $0.isFlaky }
    guard !failed.isEmpty else { return [] }
    var items: [String] = []
    for test in failed.filter({ !$0.isHidden }).prefix(testCountMax) {
      items.append("- " + words.failed(test, Expectation(test.message)))
    }
    let visible = failed.count { !$0.isHidden }
    if visible > testCountMax { items.append(words.andMore(visible - testCountMax)) }
    let hidden = failed.count - visible
    if hidden > 0 { items.append("- " + words.hidden(hidden)) }
    return [words.testsTitle + "\n" + items.joined(separator: "\n")]
  }

  static func cut(_ text: String, _ limit: Int) -> String {
    text.count <= limit ? text : text.prefix(limit - 1) + "…"
  }

  private static func bounded(_ text: String, _ words: FeedbackWords) -> String {
    guard text.count > characterCountMax else { return text }
    let note = "\n" + words.isCut
    return text.prefix(characterCountMax - note.count) + note
  }
}

/// The lines of a submission, with a mark under a place.
struct SourceLines {
  private let lines: [String: [Substring]]

  init(_ files: [SourceFile]) {
    lines = Dictionary(
      files.map {
        ($0.path, $0.content.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline))
      }
    ) { first, _ in first }
  }

  /// The line and a caret under its column; nil for lines that are too long to be shown.
  func marked(_ path: String, _ region: SourceRegion) -> String? {
    guard let lines = lines[path], lines.indices.contains(region.line - 1) else { return nil }
    let line = lines[region.line - 1]
    guard line.unicodeScalars.count <= 160, !line.isEmpty else { return nil }
    let before = line.unicodeScalars.prefix(region.column - 1)
    let blanks = String(String.UnicodeScalarView(before.map { $0 == "\t" ? "\t" : " " }))
    let end =
      region.endLine == region.line && region.endColumn > region.column
      ? region.endColumn : region.column + 1
    let carets = String(repeating: "^", count: min(end - region.column, 80))
    return "      \(line)\n      \(blanks)\(carets)"
  }
}

/// What a test expected and what it got, where its message says so in a way that is known.
struct Expectation: Equatable {
  var expected: String
  var got: String

  init?(_ message: String) {
    // Bounded first: these patterns try every way to split a line.
    let message = String(message.prefix(1000))
    let first = message.split(separator: "\n").first.map { String($0.prefix(500)) } ?? ""
    // Ours (stdio and Jest): `expected X, got Y`.
    if let match = first.firstMatch(of: /expected (.+), got (.+)$/) {
      (expected, got) = (String(match.1), String(match.2))
    } else if let match = first.firstMatch(of: /AssertionError: (.+?) != (.+?)(?: : .*)?$/) {
      // unittest writes the first argument first, which is what was computed by its own convention.
      (got, expected) = (String(match.1), String(match.2))
    } else if let match = first.firstMatch(of: /AssertionError: assert (.+?) == (.+)$/) {
      (got, expected) = (String(match.1), String(match.2))
    } else if let match = message.firstMatch(of: /(?m)^(.+) !== (.+)$/) {
      (got, expected) = (String(match.1), String(match.2))
    } else {
      return nil
    }
  }
}
