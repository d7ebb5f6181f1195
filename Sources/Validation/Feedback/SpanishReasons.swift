/// What the judge says of a verdict or a test, in Spanish. Reports hold it in English, as everything that
/// programs read; learners read feedback.
enum SpanishReasons {
  /// `*` stands for a part that is kept, the first that makes the rest fit.
  private static let sentences: [(english: String, spanish: String)] = [
    (
      "there are no tests: syntax and lint alone decide nothing but failure",
      "no hay pruebas, y la sintaxis y el estilo solos no bastan"
    ),
    ("nothing here can judge *", "aquí no hay con qué comprobar *"),
    (
      "nothing here can run *; its structure alone decides nothing",
      "aquí no hay con qué ejecutar *, y su estructura sola no basta"
    ),
    (
      "the tests are for *, and the code is in *",
      "las pruebas son para * y el código está en *"
    ),
    (
      "tests of kind * cannot be run for *", "las pruebas de tipo * no se pueden ejecutar con *"
    ),
    ("* is not installed here", "aquí no está instalado: *"),
    (
      "a file of the tests does not parse: *", "un archivo de las pruebas no se puede leer: *"
    ),
    (
      "the tests need what is not installed here: *",
      "las pruebas necesitan algo que no está instalado aquí: *"
    ),
    (
      "the tests themselves cannot be loaded: *", "las pruebas mismas no se pueden cargar: *"
    ),
    (
      "the suite expects no test, so that nothing can pass",
      "no se espera ninguna prueba, y así nada puede pasar"
    ),
    (
      "the limits of these tests cannot be had: *",
      "los límites de estas pruebas no se pueden dar: *"
    ),
    (
      "the sandbox refuses to run code here: *",
      "aquí no se puede ejecutar código de forma segura: *"
    ),
    (
      "the program used more than * ms of processor time",
      "el programa usó más de * ms de procesador"
    ),
    (
      "the program needed more than * MiB of memory",
      "el programa necesitó más de * MiB de memoria"
    ),
    ("the program wrote more than it may", "el programa escribió más de lo permitido"),
    (
      "the program started more processes than it may",
      "el programa inició más procesos de los permitidos"
    ),
    (
      "the machine was too busy to run the program in time; try again",
      "la máquina estaba demasiado ocupada para ejecutar el programa a tiempo; inténtalo de nuevo"
    ),
    ("the program was ended by a signal", "el programa terminó por una señal"),
    ("the run did not report this test", "la ejecución no llegó a esta prueba"),
    (
      "the run ended before this test was done (*)",
      "la ejecución terminó antes de acabar esta prueba (*)"
    ),
    ("the tests could not be loaded: *", "las pruebas no se pudieron cargar: *"),
    (
      "This test passes even where what it expects is turned around: its result is worth nothing.",
      "Esta prueba pasa también con lo contrario de lo que espera: su resultado no vale nada."
    ),
  ]

  /// The same text where it is none of these.
  static func of(_ english: String) -> String {
    for sentence in sentences {
      if let kept = kept(of: english, by: sentence.english) {
        return filled(sentence.spanish, with: kept)
      }
    }
    return english
  }

  /// What stands in the places of the stars; nil where the text is another one.
  private static func kept(of text: String, by pattern: String) -> [Substring]? {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard let first = parts.first, text.hasPrefix(first) else { return nil }
    var rest = text.dropFirst(first.count)
    var kept: [Substring] = []
    for (index, part) in parts.enumerated().dropFirst() {
      if part.isEmpty, index == parts.count - 1 {
        kept.append(rest)
        return kept
      }
      guard let end = place(of: part, in: rest) else { return nil }
      kept.append(rest[..<end])
      rest = rest[end...].dropFirst(part.count)
    }
    return rest.isEmpty ? kept : nil
  }

  private static func place(of part: Substring, in text: Substring) -> Substring.Index? {
    var start = text.startIndex
    while start < text.endIndex {
      if text[start...].hasPrefix(part) { return start }
      start = text.index(after: start)
    }
    return nil
  }

  private static func filled(_ pattern: String, with kept: [Substring]) -> String {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    var text = String(parts[0])
    for (part, one) in zip(parts.dropFirst(), kept) { text += one + part }
    return text
  }
}
