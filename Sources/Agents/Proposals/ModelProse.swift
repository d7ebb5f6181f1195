/// Makes a model's prose fit to be shown, while it comes: a line at a time, since no shorter part tells
/// what it is. Prose is Markdown to some that show it, so that what stays of it is
///
/// - text without hidden characters and controls of terminals;
/// - code, between backticks in a line or in a fence that begins in the first column, as it is;
/// - elsewhere no tag, no link, no image and no address that runs code: a space takes their effect
///   away; and no citation of what was not retrieved.
///
/// A line that gives away the conversation with the model, or has an address with a password, is left
/// out, also of code.
/// What is taken for code is code to every reader of Markdown: backticks that nothing closes in their
/// line become apostrophes, fences are moved to the first column, and there are no others.
struct ModelProse: Sendable {
  /// What stands in the place of a line that is left out.
  static let withheld = "[…]"

  private let citations: Citations
  private let leaks: LeakDetector
  private var pending = String.UnicodeScalarView()
  /// How many backticks close the fence that is open.
  private var fence: Int?
  /// What leaks may begin in the line before.
  private var lastLine = ""

  init(citations: Citations, instructions: String) {
    self.citations = citations
    leaks = LeakDetector(instructions: instructions)
  }

  /// Takes the next part of the reply. Answers with what can be shown of it by now.
  mutating func take(_ part: String) -> String {
    for scalar in part.unicodeScalars { pending.append(scalar) }
    // What was pending has no line break: a long line is not looked through with each part of it.
    guard part.unicodeScalars.contains("\n"), let end = pending.lastIndex(of: "\n") else {
      return ""
    }
    let lines = String(pending[...end])
    pending = String.UnicodeScalarView(pending[pending.index(after: end)...])
    return checked(lines)
  }

  /// The reply has ended. Answers with what can be shown of the rest.
  mutating func end() -> String {
    defer { pending.removeAll() }
    return checked(String(pending))
  }

  /// The whole of a reply of which nothing was taken yet.
  func shown(_ reply: String) -> String {
    var prose = self
    return prose.take(reply) + prose.end()
  }

  private mutating func checked(_ text: String) -> String {
    let cleaned = TextHygiene.clean(text, scalarCountMax: text.utf8.count).text
    return cleaned.split(separator: "\n", omittingEmptySubsequences: false)
      .map { checked(line: String($0)) }.joined(separator: "\n")
  }

  private mutating func checked(line: String) -> String {
    let bare = line.drop { $0 == " " || $0 == "\t" }
    let ticks = bare.prefix { $0 == "`" }
    let rest = bare.dropFirst(ticks.count)
    let isLeak = leaks.reason(line) ?? leaks.reason(lastLine + "\n" + line) != nil
    if !bare.isEmpty { lastLine = isLeak ? "" : line }
    if let fence {
      guard ticks.count >= fence, rest.allSatisfy({ $0 == " " || $0 == "\t" }) else {
        return isLeak || UnsafeLinks.hasPassword(line) ? Self.withheld : line
      }
      self.fence = nil
      return String(repeating: "`", count: fence)
    }
    if ticks.count >= 3, !rest.contains("`") {
      fence = ticks.count
      return String(ticks + rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+") })
    }
    let text = inert(line)
    return isLeak || UnsafeLinks.reason(text) != nil ? Self.withheld : text
  }

  /// A line of prose, with its spans of code as they are.
  private func inert(_ line: String) -> String {
    let scalars = Array(line.unicodeScalars)
    // An escaped backtick opens no code, and closes some: nothing here is taken for code then.
    let hasEscape = zip(scalars, scalars.dropFirst()).contains { $0 == "\\" && $1 == "`" }
    var output = ""
    var index = 0
    while index < scalars.count {
      let isTick = scalars[index] == "`"
      let end = scalars[index...].firstIndex { ($0 == "`") != isTick } ?? scalars.count
      let run = scalars[index..<end]
      index = end
      guard isTick else {
        output += LiveText.shown(citations.kept(in: Self.text(run)))
        continue
      }
      if !hasEscape, let close = Self.close(of: run.count, in: scalars, from: end) {
        output += Self.text(scalars[run.startIndex..<close])
        index = close
      } else {
        output += String(repeating: "'", count: run.count)
      }
    }
    return output
  }

  /// Behind the next run of as many backticks.
  private static func close(of count: Int, in scalars: [Unicode.Scalar], from start: Int) -> Int? {
    var index = start
    while let first = scalars[index...].firstIndex(of: "`") {
      let end = scalars[first...].firstIndex { $0 != "`" } ?? scalars.count
      if end - first == count { return end }
      index = end
    }
    return nil
  }

  private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    String(String.UnicodeScalarView(scalars))
  }
}
