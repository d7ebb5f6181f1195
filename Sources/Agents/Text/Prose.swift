/// The parts of a text that are prose.
enum Prose {
  /// The text without what is between backticks (one, or three and more), addresses, and the names
  /// of things in code.
  static func withoutCode(_ text: String) -> String {
    let scalars = Array(withoutSpans(text).unicodeScalars)
    var output = String.UnicodeScalarView()
    var index = 0
    while index < scalars.count {
      guard scalars[index].isWordPart else {
        output.append(scalars[index])
        index += 1
        continue
      }
      let end = endOfChunk(at: index, in: scalars)
      if !isCode(trimmed(scalars[index..<end])) {
        for scalar in scalars[index..<end] { output.append(scalar) }
      }
      index = end
    }
    return String(output)
  }

  /// The text without what is between backticks.
  static func withoutSpans(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var output = String.UnicodeScalarView()
    var index = 0
    var open: Set<Int> = []
    while index < scalars.count {
      if scalars[index] == "`" {
        output.append(" ")
        index = endOfCode(at: index, in: scalars, open: &open) ?? endOfRun(at: index, in: scalars)
      } else {
        output.append(scalars[index])
        index += 1
      }
    }
    return String(output)
  }

  /// The text also without what it quotes, where a quotation ends in the same line and is short.
  static func withoutQuotations(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var output = String.UnicodeScalarView()
    var index = 0
    while index < scalars.count {
      if let closing = closing[scalars[index]],
        let end = scalars[(index + 1)...].prefix(quotationCountMax)
          .firstIndex(where: { $0 == closing || $0 == "\n" }), scalars[end] == closing
      {
        output.append(" ")
        index = end + 1
      } else {
        output.append(scalars[index])
        index += 1
      }
    }
    return String(output)
  }

  static let quotationCountMax = 160
  private static let closing: [Unicode.Scalar: Unicode.Scalar] = [
    "«": "»", "“": "”", "\"": "\"",
  ]

  /// Behind the run of backticks that closes the one here; nil where none does. A length of run
  /// that nothing closes goes into `open`, so that the text after it is searched for it only once.
  private static func endOfCode(
    at start: Int, in scalars: [Unicode.Scalar], open: inout Set<Int>
  ) -> Int? {
    var index = start
    while index < scalars.count, scalars[index] == "`" { index += 1 }
    let length = index - start
    if length > backtickCountMax || open.contains(length) { return nil }
    var run = 0
    while index < scalars.count {
      if scalars[index] == "`" {
        run += 1
      } else {
        if run == length { return index }
        run = 0
      }
      index += 1
    }
    if run == length { return index }
    open.insert(length)
    return nil
  }

  /// The longest run of backticks that fences code.
  private static let backtickCountMax = 8

  private static func endOfRun(at start: Int, in scalars: [Unicode.Scalar]) -> Int {
    var index = start
    while index < scalars.count, scalars[index] == "`" { index += 1 }
    return index
  }

  private static func endOfChunk(at start: Int, in scalars: [Unicode.Scalar]) -> Int {
    var index = start
    while index < scalars.count, !scalars[index].properties.isWhitespace {
      index += 1
    }
    return index
  }

  private static func trimmed(_ chunk: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar> {
    var chunk = chunk
    while let last = chunk.last, ".,;:!?)»\"”'…]".unicodeScalars.contains(last) {
      chunk.removeLast()
    }
    return chunk
  }

  /// `a.b`, `a/b`, `a_b`, `f()`, `x=1`, `http://…`, `name@host`; no hyphenated word, no `y/o`.
  private static func isCode(_ chunk: ArraySlice<Unicode.Scalar>) -> Bool {
    guard chunk.count > 3 else { return false }
    return chunk.contains {
      $0 == "_" || $0 == "/" || $0 == "\\" || $0 == "=" || $0 == "{" || $0 == "(" || $0 == "@"
        || $0 == "<" || $0 == "#" || $0 == "$"
    }
      || zip(chunk, chunk.dropFirst()).contains { left, right in
        (left == "." || left == ":") && right.isWordPart
      }
  }
}
