import Domain

/// Finds what belongs to the conversation with a model and not into a goal: our instructions, an
/// intruder's, markers of roles, calls of tools.
struct LeakDetector: Sendable {
  /// So many words in a row are not there by chance.
  static let wordCount = 7

  private let grams: Set<ArraySlice<String>>
  /// The words that one of them begins with: few words of a text do.
  private let firstWords: Set<String>

  init(instructions: String) {
    let words = Words.folded(instructions)
    grams = Set(LeakDetector.places(in: words).map { words[$0..<$0 + LeakDetector.wordCount] })
    firstWords = Set(grams.compactMap(\.first))
  }

  private static func places(in words: [String]) -> Range<Int> {
    0..<max(0, words.count - wordCount + 1)
  }

  private func repeatsInstructions(_ words: [String]) -> Bool {
    LeakDetector.places(in: words).contains {
      firstWords.contains(words[$0]) && grams.contains(words[$0..<$0 + LeakDetector.wordCount])
    }
  }

  /// What leaked; nil where nothing did. Never quotes the text.
  func reason(_ text: String) -> String? {
    // Invisible characters inside a word would hide it; they are a finding of their own.
    let visible = TextHygiene.clean(text, scalarCountMax: text.utf8.count).text
    if TemplateTokens.isPresent(in: visible) || DataFence.isMarkerPresent(in: visible) {
      return "has markers of a model's conversation: leave them out"
    }
    if LeakDetector.hasRoleMarker(visible) { return "speaks as a role of a conversation" }
    if LeakDetector.hasToolCall(visible) { return "calls a tool: describe the task in words" }
    let words = Words.folded(visible)
    if repeatsInstructions(words) {
      return "repeats the instructions: write what the learner does"
    }
    if Commands.isPresent(in: words) {
      return "is a command to a model: write what the learner does"
    }
    return nil
  }

  /// A line that begins with a role's name and a colon, or a heading of instructions.
  private static func hasRoleMarker(_ text: String) -> Bool {
    text.split(whereSeparator: \.isNewline).contains { line in
      var scalars = Substring(line).unicodeScalars
      while let first = scalars.first, " \t#*>-_".unicodeScalars.contains(first) {
        scalars.removeFirst()
      }
      let isHeading = line.unicodeScalars.first { $0 != " " && $0 != "\t" } == "#"
      let head = String(
        String.UnicodeScalarView(scalars.prefix(24).map(\.asciiLowercased)))
      let name = head.unicodeScalars.prefix { $0.isWordPart }
      let after = head.unicodeScalars.dropFirst(name.count).first { $0 != "*" && $0 != " " }
      let word = String(String.UnicodeScalarView(name))
      return roles.contains(word) && after == ":"
        || isHeading && (roles.contains(word) || headings.contains(word))
          && (after == nil || after == ":")
    }
  }

  private static let roles: Set<String> = ["system", "assistant", "asistente", "developer"]
  private static let headings: Set<String> = [
    "instruction", "instructions", "response", "sistema", "human", "user",
  ]

  /// JSON in the form that models call tools by.
  private static func hasToolCall(_ text: String) -> Bool {
    let folded = String(String.UnicodeScalarView(text.unicodeScalars.map(\.asciiLowercased)))
    let keys = Keys(folded)
    if keys.has("tool_calls") || keys.has("tool_call") || keys.has("function_call") { return true }
    return (keys.has("arguments") || keys.has("parameters"))
      && (keys.has("name") || keys.has("function") || keys.has("tool"))
  }

  /// The names of JSON members in a text: `"name" :`.
  private struct Keys {
    private var names: Set<Substring> = []

    init(_ text: String) {
      let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
      for (part, after) in zip(parts, parts.dropFirst())
      where part.utf8.count <= 24 && after.first(where: { !$0.isWhitespace }) == ":" {
        names.insert(part)
      }
    }

    func has(_ name: Substring) -> Bool { names.contains(name) }
  }
}

/// Orders by which texts try to take over a model, in Spanish and English.
enum Commands {
  /// How far apart the words of one order may be.
  private static let reach = 8

  static func isPresent(in words: [String]) -> Bool {
    if phrases.contains(where: { contains($0, in: words) }) { return true }
    for (index, word) in words.enumerated() {
      let next = words[index...].dropFirst().prefix(reach)
      if ignoring.contains(word), namesInstructions(next) { return true }
      if revealing.contains(word), secrets.contains(where: { contains($0, in: Array(next)) }) {
        return true
      }
    }
    return false
  }

  private static func namesInstructions(_ words: ArraySlice<String>) -> Bool {
    if words.contains(where: instructions.contains) {
      return words.contains(where: qualifiers.contains)
    }
    return words.contains(where: rules.contains) && words.contains(where: owners.contains)
  }

  private static func contains(_ phrase: [String], in words: [String]) -> Bool {
    guard words.count >= phrase.count else { return false }
    return (0...(words.count - phrase.count)).contains {
      words[$0] == phrase[0] && words[$0..<($0 + phrase.count)].elementsEqual(phrase)
    }
  }

  private static let ignoring = set(
    """
    ignore ignoring ignores disregard disregarding forget forgetting override overriding bypass \
    bypassing ignora ignorar ignorad ignore ignoren olvida olvidar olvidad olvide olvidate \
    olvidarse omite omitir omita descarta descartar desobedece desobedecer anula anular omiso
    """)
  private static let instructions = set(
    """
    instructions instruction prompt prompts directives guidelines instrucciones instruccion \
    indicaciones ordenes directrices
    """)
  private static let qualifiers = set(
    """
    previous prior above all any earlier system your my these preceding initial original anteriores \
    anterior previas previa todas toda tus sistema iniciales originales recibidas estas mis
    """)
  private static let rules = set("rules context reglas contexto restricciones normas")
  private static let owners = set("previous prior your system anteriores previas tus sistema")
  private static let revealing = set(
    """
    reveal print show repeat output leak send display disclose tell revela revelar imprime imprimir \
    muestra mostrar repite repetir envia enviar filtra filtrar di dime escribe escribir copia copiar
    """)
  private static let secrets: [[String]] = [
    ["system", "prompt"], ["prompt", "del", "sistema"], ["instrucciones", "del", "sistema"],
    ["initial", "instructions"], ["your", "instructions"], ["tus", "instrucciones"],
    ["instrucciones", "iniciales"], ["hidden", "instructions"], ["instrucciones", "ocultas"],
    ["your", "prompt"], ["tu", "prompt"],
  ]
  private static let phrases: [[String]] = [
    ["do", "anything", "now"], ["jailbreak", "mode"], ["modo", "jailbreak"],
    ["you", "are", "now", "dan"], ["ahora", "eres", "dan"], ["new", "system", "prompt"],
    ["nuevo", "prompt", "de", "sistema"], ["end", "of", "system", "prompt"],
    ["begin", "new", "instructions"], ["developer", "mode", "enabled"],
    ["modo", "desarrollador", "activado"], ["nuevas", "instrucciones", "del", "sistema"],
  ]

  private static func set(_ words: String) -> Set<String> {
    Set(words.split { $0 == " " || $0 == "\n" }.map(String.init))
  }
}
