/// The planner's own sentences. What they quote stands between quotation marks.
struct PlannerWords {
  let isEnglish: Bool

  var plainTitle: String {
    isEnglish ? "Go on learning with what you have" : "Seguir aprendiendo con lo que ya tienes"
  }

  func titleFrom(_ source: String) -> String {
    isEnglish ? "Go deeper into «\(source)»" : "Profundizar en «\(source)»"
  }

  var plainDescription: String { PlannedText.plainDescription(isEnglish: isEnglish) }

  func descriptionFor(_ wish: String) -> String {
    isEnglish
      ? "You want: «\(wish)». \(PlannedText.lead(isEnglish: true)) what you have completed and from the "
        + "sections of your courses that are closest to it."
      : "Lo que quieres: «\(wish)». \(PlannedText.lead(isEnglish: false)) lo que ya has completado y de "
        + "las secciones de tus cursos que más se le parecen."
  }

  func descriptionOfOwn(_ wish: String) -> String {
    isEnglish
      ? "You want: «\(wish)». \(PlannedText.lead(isEnglish: true)) your own words and from the courses "
        + "that there are."
      : "Lo que quieres: «\(wish)». \(PlannedText.lead(isEnglish: false)) tus propias palabras y de los "
        + "cursos que hay."
  }

  func study(_ heading: String, path: String?) -> GoalProposal.Task {
    let place = path.map { isEnglish ? " of «\($0)»" : " de «\($0)»" } ?? ""
    return isEnglish
      ? GoalProposal.Task(
        title: "Study the section «\(heading)»",
        description: "Read the section «\(heading)»\(place) and try out by yourself what it shows.",
        validationCriteria: [
          "You can explain in your own words what «\(heading)» says",
          "You have tried an example of «\(heading)» by yourself",
        ])
      : GoalProposal.Task(
        title: "Estudiar la sección «\(heading)»",
        description: "Lee la sección «\(heading)»\(place) y prueba por tu cuenta lo que enseña.",
        validationCriteria: [
          "Puedes explicar con tus palabras lo que dice «\(heading)»",
          "Has probado por tu cuenta un ejemplo de «\(heading)»",
        ])
  }

  func again(_ title: String) -> GoalProposal.Task {
    isEnglish
      ? GoalProposal.Task(
        title: "Practise again «\(title)»",
        description: "You did «\(title)» in an earlier goal; do it again for what you want now.",
        validationCriteria: [doneCriterion(title)])
      : GoalProposal.Task(
        title: "Practicar de nuevo «\(title)»",
        description: "Hiciste «\(title)» en un objetivo anterior; hazlo de nuevo para lo que "
          + "quieres ahora.",
        validationCriteria: [doneCriterion(title)])
  }

  func doneCriterion(_ title: String) -> String {
    isEnglish
      ? "You have finished «\(title)» and checked the result"
      : "Has terminado «\(title)» y has comprobado el resultado"
  }

  func goalCriteria(taskCount: Int) -> [String] {
    isEnglish
      ? [
        "All \(taskCount) tasks are completed and their criteria hold",
        "You can show somebody else what you have made and explain how it works",
      ]
      : [
        "Las \(taskCount) tareas están completadas y se cumplen sus criterios",
        "Puedes enseñar a otra persona lo que has hecho y explicarle cómo funciona",
      ]
  }

  func source(_ label: String, title: String?, similarity: Double?) -> String {
    let name = title.map { " «\($0)»" } ?? ""
    let closeness = similarity.map {
      " (\(isEnglish ? "similarity" : "similitud") \(Prompts.hundredths($0)))"
    }
    return "[\(label)]\(name)\(closeness ?? "")"
  }

  /// - Parameter isOwn: the sources are the learner's own words, or courses.
  func feedback(sources: [String], isOwn: Bool) -> String {
    let list = sources.joined(separator: ", ")
    let origin =
      switch (isEnglish, isOwn) {
      case (true, false): "your completed goals and from sections of your courses"
      case (true, true): "what there is"
      case (false, false): "tus objetivos completados y de secciones de tus cursos"
      case (false, true): "lo que hay"
      }
    return isEnglish
      ? "No language model wrote this plan: its tasks were taken from \(origin). It was drawn from: "
        + "\(list)."
      : "Este plan no lo ha escrito un modelo de lenguaje: sus tareas se han tomado de \(origin). "
        + "Procede de: \(list)."
  }
}
