internal import Domain

/// The sentences of feedback in both languages.
struct FeedbackWords {
  private let isSpanish: Bool

  init(_ language: FeedbackText.Language) { isSpanish = language == .spanish }

  private func say(_ spanish: String, _ english: String) -> String { isSpanish ? spanish : english }

  var toMend: String { say("Hay que corregir:", "To be mended:") }
  var toImprove: String { say("Se puede mejorar:", "Could be better:") }
  var testsTitle: String { say("Pruebas que no pasaron:", "Tests that did not pass:") }
  var isCut: String {
    say(
      "(El texto es más largo; se muestra solo el principio.)",
      "(There is more; only the beginning is shown.)")
  }

  func andMore(_ count: Int) -> String { say("- y \(count) más", "- and \(count) more") }

  func hidden(_ count: Int) -> String {
    count == 1
      ? say(
        "1 prueba oculta: su contenido no se muestra.",
        "1 hidden test: what it checks is not shown.")
      : say(
        "\(count) pruebas ocultas: su contenido no se muestra.",
        "\(count) hidden tests: what they check is not shown.")
  }

  func place(_ path: String, _ region: SourceRegion) -> String {
    say(
      "\(path), línea \(region.line), columna \(region.column)",
      "\(path), line \(region.line), column \(region.column)")
  }

  func headline(_ report: ValidationReport) -> String {
    let passed = report.tests.count { $0.isPassed }
    let count = report.tests.count
    switch report.verdict {
    case .passed:
      return say(
        "¡Bien hecho! Tu código pasó \(passed) de \(count) pruebas.",
        "Well done! Your code passed \(passed) of \(count) tests.")
    case .failed:
      if report.hasIssues(.syntax) {
        return say(
          "Tu código todavía no se puede leer: hay un error de sintaxis.",
          "Your code cannot be read yet: there is a syntax error.")
      }
      if report.hasIssues(.build) {
        return say("Tu código todavía no compila.", "Your code does not build yet.")
      }
      return say(
        "Todavía no: pasaron \(passed) de \(count) pruebas.",
        "Not yet: \(passed) of \(count) tests passed.")
    case .inconclusive:
      return say(
        "No se pudo decidir si tu código es correcto: \(SpanishReasons.of(report.reason)).",
        "It could not be decided whether your code is right: \(report.reason).")
    case .errored:
      return say(
        "La validación falló por un problema nuestro, no de tu código.",
        "The validation failed for a reason of ours, not of your code's.")
    }
  }

  func failed(_ test: TestOutcome, _ expectation: Expectation?) -> String {
    var text = FeedbackText.cut(test.title.isEmpty ? test.id : test.title, 200)
    if test.isFlaky {
      return text
        + say(
          ": unas veces pasa y otras no, con el mismo código.",
          ": with the same code it passes now and then only.")
    }
    if let expectation {
      text += say(
        ": se esperaba \(FeedbackText.cut(expectation.expected, 300)) y se obtuvo \(FeedbackText.cut(expectation.got, 300)).",
        ": expected \(FeedbackText.cut(expectation.expected, 300)), got \(FeedbackText.cut(expectation.got, 300))."
      )
    } else if !test.message.isEmpty {
      let message = FeedbackText.cut(test.message, 600)
      text += ": " + say(SpanishReasons.of(message), message)
    }
    if let hint = hint(ofError: test.message) { text += "\n  " + hint }
    return text
  }

  func nextStep(_ report: ValidationReport, hasErrors: Bool) -> String {
    let next = say("Siguiente paso: ", "Next step: ")
    switch report.verdict {
    case .passed:
      return next
        + (report.diagnostics.isEmpty
          ? say("continúa con la siguiente tarea.", "take the next task.")
          : say("mira los consejos y mejora el estilo.", "look at the advice and polish the style."))
    case .failed where hasErrors:
      return next
        + say(
          "corrige el primer error; los demás a menudo desaparecen con él.",
          "mend the first error; the others often go away with it.")
    case .failed:
      return next
        + say(
          "elige una sola prueba, sigue tu código a mano con sus valores y busca dónde se aparta.",
          "take one test only, follow your code by hand with its values, and look for where it departs."
        )
    case .inconclusive:
      return next
        + say(
          "pide ayuda a quien dirige el curso si esto te sorprende.",
          "ask whoever leads the course if this surprises you.")
    case .errored: return next + say("vuelve a intentarlo.", "try again.")
    }
  }

  /// What a beginner may look for, by the rule or the words of a tool.
  func hint(_ diagnostic: Diagnostic) -> String? {
    let message = diagnostic.message.lowercased()
    if message.contains("was never closed") || message.contains("unterminated")
      || message.contains("missing )")
    {
      return say(
        "Algo que se abre no se cierra: revisa paréntesis, corchetes y comillas.",
        "Something is opened and never closed: look at brackets and quotes.")
    }
    if message.contains("expected ':'") {
      return say("Falta ':' al final de la línea.", "The line lacks a ':' at its end.")
    }
    if message.contains("indent") {
      return say(
        "Revisa los espacios al principio de la línea: deben ser los mismos en todo el bloque.",
        "Look at the blanks that the line begins with: they must be the same in the whole block.")
    }
    if diagnostic.ruleID == "F821" || message.contains("undeclared")
      || message.contains("cannot find")
    {
      return say(
        "Se usa un nombre que nadie ha definido: ¿está bien escrito?",
        "A name is used that nothing defines: is it spelt right?")
    }
    if message.contains("expected ';'") || message.contains("';' expected") {
      return say(
        "Falta ';' al final de la instrucción anterior.", "The statement before lacks a ';'.")
    }
    return nil
  }

  private func hint(ofError message: String) -> String? {
    if message.hasPrefix("NameError") || message.hasPrefix("ReferenceError") {
      return say(
        "Se usa un nombre que no existe: ¿está bien escrito?",
        "A name is used that does not exist: is it spelt right?")
    }
    if message.hasPrefix("IndexError") {
      return say(
        "Se pide un elemento que la lista no tiene: revisa los límites.",
        "An element is asked for that the list does not have: look at its bounds.")
    }
    if message.hasPrefix("RecursionError") || message.contains("Maximum call stack") {
      return say(
        "La función se llama a sí misma sin fin: ¿cuándo debe parar?",
        "The function calls itself without end: when should it stop?")
    }
    if message.contains("NoneType") || message.contains("got undefined")
      || message.hasPrefix("AssertionError: None !=")
    {
      return say("¿Falta un 'return'?", "Is a 'return' missing?")
    }
    if message.contains("processor time") || message.contains("cpu_limit") {
      return say(
        "El programa tarda demasiado: ¿hay un bucle que no termina?",
        "The program takes too long: is there a loop that never ends?")
    }
    return nil
  }
}

extension ValidationReport {
  fileprivate func hasIssues(_ stage: ValidationStage) -> Bool {
    stages.contains { $0.stage == stage && $0.status != .ok && $0.status != .skipped }
  }
}
