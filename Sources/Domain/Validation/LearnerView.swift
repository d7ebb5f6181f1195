/// What the author of code may see of its validation: nothing of hidden tests but their number, status,
/// weight and points.
///
/// Hidden tests are cut by what they are. What tools and visible tests say is also looked through for
/// their texts, since code that is judged can print its tests, and a tool can quote them: a text that
/// quotes one is replaced as a whole. Code that writes its tests in another form is not found out so;
/// tests of kind `stdio` are never where the code could read them.
package struct LearnerView: Sendable {
  package static let replacement = "(not shown: it quotes a hidden test)"
  /// Shorter texts would be found everywhere.
  private static let quoteLengthMin = 12
  private static let nameLengthMin = 4
  private static let alikeMax = 1000

  /// By the id of a test: its number from 1.
  private let numbers: [String: Int]
  private let hidden: Set<String>
  private let suitePaths: Set<String>
  /// By their first `nameLengthMin` bytes: a text is gone through once, whatever their number.
  private let quotes: [UInt32: [[UInt8]]]

  /// - Parameter suite: the tests that the code is judged by; nil where there are none.
  package init(_ suite: TestSuite?) {
    let tests = suite?.tests ?? []
    numbers = Dictionary(tests.enumerated().map { ($1.id, $0 + 1) }) { first, _ in first }
    hidden = Set(tests.lazy.filter(\.isHidden).map(\.id))
    guard let suite, !hidden.isEmpty else {
      (suitePaths, quotes) = ([], [:])
      return
    }
    suitePaths = Set(suite.files.map(\.path))
    let visible = tests.filter { !$0.isHidden }
    var quotes: Set<String> = []
    for test in tests where test.isHidden {
      for name in [test.id, test.id.lastPart, test.title]
      where name.count >= Self.nameLengthMin { quotes.insert(name) }
      for text in [test.input, test.output] + test.arguments { quotes.formUnion(Self.lines(text)) }
    }
    var shared: Set<String> = []
    for file in suite.files {
      let (secret, open) = Self.lines(of: file, hidden: hidden, visible: visible)
      quotes.formUnion(secret)
      shared.formUnion(open)
    }
    for test in visible {
      shared.formUnion([test.id, test.id.lastPart, test.title])
      for text in [test.input, test.output] { shared.formUnion(Self.lines(text)) }
    }
    quotes.subtract(shared)
    self.quotes = Dictionary(
      grouping: quotes.map { Array($0.utf8) }.filter { $0.count >= Self.nameLengthMin }
    ) { Self.beginning($0[...]) }
  }

  /// The lines of a file that are hidden tests', and those that are not: a test begins at the line that
  /// names it and ends where the next one begins. All of a file without visible tests is hidden.
  private static func lines(
    of file: SourceFile, hidden: Set<String>, visible: [ExpectedTest]
  ) -> (secret: Set<String>, open: Set<String>) {
    let hiddenNames = hidden.map(\.lastPart).filter { $0.count >= nameLengthMin }
    let visibleNames = visible.map(\.id.lastPart).filter { $0.count >= nameLengthMin }
    var isHidden = !visibleNames.contains(where: file.content.utf8.holds)
    var (secret, open): (Set<String>, Set<String>) = ([], [])
    for line in file.content.split(whereSeparator: \.isNewline) {
      let text = String(line)
      if hiddenNames.contains(where: text.utf8.holds) {
        isHidden = true
      } else if visibleNames.contains(where: text.utf8.holds) {
        isHidden = false
      }
      if isHidden { secret.formUnion(lines(text)) } else { open.formUnion(lines(text)) }
    }
    return (secret, open)
  }

  private static func lines(_ text: String) -> Set<String> {
    Set(
      text.split(whereSeparator: \.isNewline).map { $0.trimmed }
        .filter { $0.utf8.count >= quoteLengthMin })
  }

  private func shown(_ text: String) -> String {
    guard !quotes.isEmpty, !text.isEmpty else { return text }
    return quotesOne(Array(text.utf8)) ? Self.replacement : text
  }

  private func quotesOne(_ text: [UInt8]) -> Bool {
    guard text.count >= Self.nameLengthMin else { return false }
    var beginning: UInt32 = 0
    for (end, byte) in text.enumerated() {
      beginning = beginning << 8 | UInt32(byte)
      let start = end - Self.nameLengthMin + 1
      guard start >= 0, let candidates = quotes[beginning] else { continue }
      let rest = text[start...]
      // Many that begin alike are looked at to a bound: beyond it the text is taken for a quotation.
      if candidates.count > Self.alikeMax || candidates.contains(where: rest.starts) { return true }
    }
    return false
  }

  /// The first `nameLengthMin` bytes as a number.
  private static func beginning(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.prefix(nameLengthMin).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The step, or nil where all of it is hidden.
  package func shown(_ step: ValidationStep) -> ValidationStep? {
    switch step {
    case .queued, .stageStarted: step
    case .run(let stage, let outcome): .run(stage, shown(outcome))
    case .diagnostic(let diagnostic): shown(diagnostic).map(ValidationStep.diagnostic)
    case .test(let test): .test(shown(test))
    case .stageFinished(let report): .stageFinished(shown(report))
    }
  }

  package func shown(_ report: ValidationReport) -> ValidationReport {
    var report = report
    report.reason = shown(report.reason)
    report.stages = report.stages.map(shown)
    report.diagnostics = report.diagnostics.compactMap(shown)
    report.tests = report.tests.map(shown)
    report.runs = report.runs.map(shown)
    return report
  }

  /// How it ended, and nothing that a program can choose: by its exit code, its time or its memory it
  /// could tell what a hidden case gave it to read.
  private func shown(_ run: RunOutcome) -> RunOutcome {
    hidden.isEmpty ? run : RunOutcome(status: run.status)
  }

  private func shown(_ test: TestOutcome) -> TestOutcome {
    if test.isHidden || hidden.contains(test.id) {
      var test = test
      test.isHidden = true
      return test.shownToLearner(number: numbers[test.id] ?? 0)
    }
    var test = test
    test.message = shown(test.message)
    test.output = shown(test.output)
    return test
  }

  private func shown(_ stage: StageReport) -> StageReport {
    var stage = stage
    stage.note = shown(stage.note)
    return stage
  }

  private func shown(_ diagnostic: Diagnostic) -> Diagnostic? {
    if suitePaths.contains(diagnostic.path) { return nil }
    var diagnostic = diagnostic
    diagnostic.message = shown(diagnostic.message)
    diagnostic.fix = diagnostic.fix.filter { shown($0.replacement) == $0.replacement }
    return diagnostic
  }

  /// The suite without what is hidden: hidden tests keep number, weight and points, and where there is
  /// one no file is shown.
  package static func shown(_ suite: TestSuite) -> TestSuite {
    guard suite.tests.contains(where: \.isHidden) else { return suite }
    var suite = suite
    suite.files = []
    suite.tests = suite.tests.enumerated().map { index, test in
      guard test.isHidden else { return test }
      return ExpectedTest(
        id: "hidden-\(index + 1)", weight: test.weight, points: test.points, isHidden: true)
    }
    return suite
  }
}

extension String {
  /// What people call a test whose id is a path: its last part.
  fileprivate var lastPart: String {
    split(whereSeparator: { ".:/ ".contains($0) }).last.map(String.init) ?? self
  }
}

extension Substring {
  fileprivate var trimmed: String {
    var text = drop(while: \.isWhitespace)
    while text.last?.isWhitespace ?? false { text.removeLast() }
    return String(text)
  }
}

extension String.UTF8View {
  /// Whether the bytes of `part` stand somewhere in it.
  fileprivate func holds(_ part: String) -> Bool {
    let part = Array(part.utf8)
    guard let first = part.first, part.count <= count else { return false }
    let found: Bool? = withContiguousStorageIfAvailable { bytes in
      var start = 0
      while start + part.count <= bytes.count {
        if bytes[start] == first, bytes[start..<start + part.count].elementsEqual(part) {
          return true
        }
        start += 1
      }
      return false
    }
    return found ?? Array(self).contains(part)
  }
}
