/// What a wish names one by one: its list, its steps, its sentences.
///
/// Of the forms in which people write several things the first that gives two or more counts. Bounded
/// by the length of prompts; nothing in it is understood.
struct PromptOutline {
  /// In the order of the wish; none is a part of another.
  let parts: [String]

  private static let partCountMax = 5
  private static let wordCountMax = 14
  private static let characterCountMax = 90

  init(_ prompt: String) {
    let lines = prompt.split(whereSeparator: \.isNewline).map { String($0).trimmed }
      .filter { !$0.isEmpty }
    let text = lines.joined(separator: " ")
    let forms: [() -> [String]] = [
      { lines.compactMap(Self.listItem) }, { Self.numbered(text) }, { Self.afterColon(text) },
      { Self.sentences(text) }, { Self.enumerated(text) },
      { lines.count > 1 ? lines : [] },
    ]
    // The one thing that is left of several.
    var only: [String]?
    for form in forms {
      let raw = form()
      let parts = Self.cleaned(raw)
      if parts.count > 1 {
        self.parts = parts
        return
      }
      if raw.count > 1, parts.count == 1 { only = only ?? parts }
    }
    parts = only ?? Self.cleaned([text])
  }

  /// What a wish that is nothing but a list names, in one line; nil where it begins otherwise.
  static func line(ofList prompt: String) -> String? {
    let first = prompt.split(whereSeparator: \.isNewline).map { String($0).trimmed }
      .first { !$0.isEmpty }
    guard let first, listItem(first) != nil else { return nil }
    let parts = PromptOutline(prompt).parts
    guard let head = parts.first else { return nil }
    return ([head.prefix(1).uppercased() + head.dropFirst()] + parts.dropFirst())
      .joined(separator: ", ")
  }

  /// `- one`, `* one`, `1. one`, `a) one`.
  private static func listItem(_ line: String) -> String? {
    guard let space = line.firstIndex(of: " ") else { return nil }
    let mark = line[..<space]
    let isMark = ["-", "*", "•", "–", "—", "+", "·"].contains(String(mark)) || isNumber(mark)
    return isMark ? String(line[space...]) : nil
  }

  /// `1.`, `2)`, `b)`.
  private static func isNumber(_ word: Substring) -> Bool {
    guard word.count > 1, word.count <= 4, let last = word.last, last == "." || last == ")" else {
      return false
    }
    let head = word.dropLast()
    return head.allSatisfy { $0.isASCII && $0.isNumber }
      || head.count == 1 && last == ")" && head.allSatisfy { $0.isASCII && $0.isLetter }
  }

  /// `1) one 2) two`.
  private static func numbered(_ text: String) -> [String] {
    var parts: [String] = []
    for word in text.split(separator: " ") {
      if isNumber(word) {
        parts.append("")
      } else if !parts.isEmpty {
        parts[parts.count - 1] += " " + word
      }
    }
    return parts
  }

  private static func afterColon(_ text: String) -> [String] {
    guard let colon = text.indices.first(where: { text[$0...].hasPrefix(": ") }) else { return [] }
    let list = String(text[text.index(after: colon)...])
    let parts = sentences(list)
    return parts.count > 1 ? parts : enumerated(list)
  }

  private static func sentences(_ text: String) -> [String] {
    var parts = [""]
    let characters = Array(text)
    for (index, character) in characters.enumerated() {
      let isEnd = index + 1 == characters.count || characters[index + 1] == " "
      if character == ";" || character == "→" || isEnd && (".!?".contains(character)) {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts.filter { Words.folded($0).count > 1 }
  }

  /// `one, two and three`.
  private static func enumerated(_ text: String) -> [String] {
    var parts: [String] = [""]
    for word in text.split(separator: " ") {
      let folded = Words.folded(String(word))
      if folded == ["y"] || folded == ["e"] || folded == ["and"] || word == "&" || word == "+" {
        parts.append("")
        continue
      }
      parts[parts.count - 1] += " " + word
      if word.hasSuffix(",") { parts.append("") }
    }
    return parts
  }

  private static func cleaned(_ parts: [String]) -> [String] {
    var cleaned: [String] = []
    var seen: Set<Set<String>> = []
    for part in parts {
      let part = bare(part)
      let words = Words.folded(part)
      guard let first = words.first, !asides.contains(first), words.count <= wordCountMax,
        part.count <= characterCountMax,
        !Words.significant(part).subtracting(GoalComparison.learningWords).isSubset(
          of: FunctionWords.all), seen.insert(GoalComparison.significant(part)).inserted
      else { continue }
      cleaned.append(part)
    }
    return Array(cleaned.prefix(partCountMax))
  }

  /// Without what leads to it, and without punctuation around it.
  private static func bare(_ part: String) -> String {
    let edges = Set(" .,;:!?¡¿-–—*•\t")
    var words = part.split(whereSeparator: \.isWhitespace)[...]
    while words.count > 1, let first = words.first {
      let folded = Words.folded(String(first))
      let isLead = folded.allSatisfy {
        leads.contains($0) || GoalComparison.learningWords.contains($0)
      }
      // To work in a team is one thing.
      let next = words.dropFirst().first.map { Words.folded(String($0)) }
      guard isLead, next.map({ !$0.allSatisfy(joins.contains) || $0.isEmpty }) ?? true else {
        break
      }
      words.removeFirst()
    }
    var text = Substring(words.joined(separator: " "))
    while let first = text.first, edges.contains(first) { text.removeFirst() }
    while let last = text.last, edges.contains(last) { text.removeLast() }
    return String(text)
  }

  /// What a wish begins with, and what leads from one step to the next.
  private static let leads: Set<String> = [
    "quiero", "quisiera", "me", "gustaria", "necesito", "querria", "a", "como", "primero", "luego",
    "despues", "finalmente", "por", "ultimo", "tambien", "ademas", "y", "e", "the", "i", "want",
    "would",
    "like", "need", "to", "how", "first", "then", "next", "finally", "last", "lastly", "also",
    "and",
    "mi", "my", "is", "es", "poder", "entonces", "al", "final",
  ]
  private static let joins: Set<String> = [
    "en", "con", "de", "in", "with", "on", "at", "of", "for",
  ]
  /// What begins something that is said beside.
  private static let asides: Set<String> = [
    "pero", "aunque", "porque", "que", "ya", "si", "sin", "desde", "hasta", "gracias", "hola",
    "but",
    "although", "because", "so", "if", "without", "since", "thanks", "hello", "please", "no",
  ]
}
