/// By what a goal's text shows that it was planned without a model: our own sentences, which make such
/// goals similar whatever they are about.
enum PlannedText {
  static func lead(isEnglish: Bool) -> String {
    isEnglish ? "This plan takes its steps from" : "Este plan toma sus pasos de"
  }

  static func plainDescription(isEnglish: Bool) -> String {
    isEnglish
      ? "A plan from your completed goals and the sections of your courses that are close to it."
      : "Un plan con tus objetivos completados y las secciones de tus cursos que más se le parecen."
  }

  static func isIn(_ text: String) -> Bool {
    [true, false].contains { isEnglish in
      text.contains(lead(isEnglish: isEnglish))
        || text.contains(plainDescription(isEnglish: isEnglish))
    }
  }
}
