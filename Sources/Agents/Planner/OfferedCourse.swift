package import Domain

extension RetrievalPlanner {
  /// A course that the learner has, or could have, as a plan is made from it.
  package struct OfferedCourse: Sendable {
    let title: String
    /// Of its title and its technologies.
    let names: Set<String>
    let description: Set<String>
    let isEnrolled: Bool
    /// The goal is to be one of this course's.
    let isChosen: Bool

    private static let descriptionCharacterMax = 4000
    /// What courses of whatever subject are called.
    private static let weakWords: Set<String> = [
      "basico", "basica", "avanzado", "avanzada", "fundamento", "principiante", "cero", "nivel",
      "programar", "programacion", "basic", "advanced", "fundamental", "beginner", "scratch",
      "level",
      "programming", "semana", "week", "mes", "month", "dia", "day", "ano", "year", "ejemplo",
      "example", "proyecto", "project", "nuevo", "new", "crear", "create", "escribir", "write",
    ]

    package init(_ course: Course, isEnrolled: Bool, isChosen: Bool = false) {
      title = course.title
      names = GoalComparison.subjects(
        of: ([course.title] + course.technologies).joined(separator: "\n"))
      description = GoalComparison.subjects(
        of: String(course.description.prefix(Self.descriptionCharacterMax)))
      self.isEnrolled = isEnrolled
      self.isChosen = isChosen
    }

    /// How much it is about what a wish names; 0: not at all.
    func closeness(to wish: Set<String>) -> Int {
      let wish = wish.subtracting(Self.weakWords)
      guard !wish.isEmpty else { return isChosen ? 1 : 0 }
      let nameCount = wish.intersection(names).count
      let descriptionCount = wish.intersection(description).count
      let isClose =
        isChosen || nameCount > 0 || descriptionCount > 1 || descriptionCount == wish.count
      return isClose ? 1 + nameCount * 4 + descriptionCount * 2 + (isEnrolled ? 1 : 0) : 0
    }
  }
}
