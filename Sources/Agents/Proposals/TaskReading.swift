import Domain

/// Whether a task can be done and checked, as far as its words tell.
enum TaskReading {
  /// Why the task cannot be started; nil where it can be started.
  static func reasonNotDoable(_ task: GoalProposal.Task, language: String) -> String? {
    guard task.title.utf8.count <= GoalLimits.title * 4 else { return nil }
    let title = Prose.withoutCode(task.title)
    if title.unicodeScalars.contains(where: { $0 == "?" || $0 == "¿" }) {
      return "is a question: say what to do"
    }
    if isPlaceholder(task.title) { return "is a placeholder: say what to do" }
    if !isMeaningful(task.title) { return "is too short to mean something: say what to do" }
    let prose = Words.all(in: title).map(\.text)
    if prose.contains(where: { Actions.isAction($0, language: language) }) { return nil }
    let isInDescription =
      task.description.utf8.count <= GoalLimits.description * 4
      && Words.folded(Prose.withoutCode(task.description))
        .contains { Actions.isAction($0, language: language) }
    return isInDescription ? nil : "names no action: begin with a verb"
  }

  /// At least two words and six letters or digits.
  static func isMeaningful(_ text: String) -> Bool {
    let words = Words.folded(text)
    let count = words.reduce(0) { $0 + $1.unicodeScalars.count }
    return words.count >= 2 && count >= 6
  }

  /// A description that says what is there when the task is done.
  static func saysOutcome(_ description: String) -> Bool {
    guard description.utf8.count <= GoalLimits.description * 4 else { return false }
    let words = Words.folded(description)
    return words.count >= 5 && words.contains { outcomeWords.contains($0) }
  }

  private static let outcomeWords: Set<String> = [
    "debe", "deben", "deberia", "deberian", "hasta", "resultado", "devuelve", "devuelva",
    "muestra", "muestre", "funciona", "funcione", "funcionan", "pasa", "pasan", "pasen",
    "comprueba", "comprobar", "verifica", "verificar", "consigue", "logra", "termina", "salida",
    "entrega", "should", "must", "until", "result", "returns", "shows", "works", "passes", "pass",
    "check", "verify", "prints", "output", "deliver", "ends", "succeeds",
  ]

  /// Text that was left to be filled in: nothing but dots, a to-do mark, `Tarea 1`, `lorem ipsum`, `<title>`.
  static func isPlaceholder(_ text: String) -> Bool {
    let words = Words.folded(text)
    guard let first = words.first else { return true }
    if words.contains("lorem"), words.contains("ipsum") { return true }
    if markers.contains(first), words.count == 1 || isMarked(text) { return true }
    let rest = words.dropFirst()
    if labels.contains(first), rest.allSatisfy(isNumber) { return true }
    if fillers.contains(words) { return true }
    let trimmed = TextHygiene.cleanLine(text, scalarCountMax: 80)
    return isBracketed(trimmed, "<", ">") || isBracketed(trimmed, "[", "]")
      || isBracketed(trimmed, "{", "}")
  }

  /// A to-do mark with something after it, and any in capitals.
  private static func isMarked(_ text: String) -> Bool {
    let trimmed = TextHygiene.cleanLine(text, scalarCountMax: 12)
    let head = trimmed.unicodeScalars.prefix { $0.isWordPart }
    let tail = trimmed.unicodeScalars.dropFirst(head.count).first { $0 != " " }
    return tail == ":" || head.allSatisfy { ("A"..."Z").contains($0) }
  }

  /// The whole is one pair of brackets, and no list of more.
  private static func isBracketed(
    _ text: String, _ open: Unicode.Scalar, _ close: Unicode.Scalar
  ) -> Bool {
    let scalars = text.unicodeScalars
    return scalars.first == open && scalars.last == close
      && scalars.dropFirst().dropLast().allSatisfy { $0 != open && $0 != close }
  }

  private static func isNumber(_ word: String) -> Bool {
    word.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      || word.utf8.count == 1
  }

  private static let markers: Set<String> = [
    "todo", "tbd", "fixme", "xxx", "pendiente", "placeholder", "undefined", "null", "none",
    "string", "nan", "untitled",
  ]
  private static let labels: Set<String> = [
    "tarea", "task", "paso", "step", "actividad", "activity", "ejercicio", "exercise", "titulo",
    "title", "objetivo", "goal", "criterio", "criterion", "descripcion", "description", "item",
    "elemento", "punto", "point", "modulo", "module", "example", "ejemplo", "texto", "text",
  ]
  private static let fillers: Set<[String]> = [
    ["por", "definir"], ["por", "determinar"], ["por", "completar"], ["to", "be", "defined"],
    ["to", "be", "determined"], ["to", "do"], ["n", "a"], ["sin", "titulo"], ["texto", "aqui"],
    ["tu", "texto", "aqui"], ["your", "text", "here"], ["insert", "text", "here"],
    ["titulo", "de", "la", "tarea"], ["task", "title"], ["task", "description"],
    ["descripcion", "de", "la", "tarea"], ["foo", "bar"],
  ]
}
