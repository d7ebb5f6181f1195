/// Tasks of what the learner names, and of courses that they could take.
extension PlannerWords {
  var ownWords: String { isEnglish ? "your own words" : "tus propias palabras" }

  func course(_ title: String) -> String {
    isEnglish ? "the course «\(title)»" : "el curso «\(title)»"
  }

  /// A step that is one by itself where `isAction`, else something to practise.
  func step(_ part: String, isAction: Bool) -> GoalProposal.Task {
    let title =
      isAction
      ? part.prefix(1).uppercased() + part.dropFirst()
      : isEnglish ? "Practise «\(part)»" : "Practicar «\(part)»"
    return isEnglish
      ? GoalProposal.Task(
        title: title,
        description:
          "Find an example of «\(part)», do it by yourself and check that the result is what "
          + "you expect.",
        validationCriteria: [
          "You have done an example of «\(part)» by yourself",
          "You can explain «\(part)» in your own words",
        ])
      : GoalProposal.Task(
        title: title,
        description:
          "Busca un ejemplo de «\(part)», hazlo por tu cuenta y comprueba que el resultado es "
          + "el que esperas.",
        validationCriteria: [
          "Has hecho por tu cuenta un ejemplo de «\(part)»",
          "Puedes explicar con tus palabras «\(part)»",
        ])
  }

  func together(_ first: String, _ second: String) -> GoalProposal.Task {
    isEnglish
      ? GoalProposal.Task(
        title: "Build one example with «\(first)» and «\(second)»",
        description: "Make something small that has both, and check that it works.",
        validationCriteria: ["You have finished an example with «\(first)» and «\(second)»"])
      : GoalProposal.Task(
        title: "Juntar en un ejemplo «\(first)» y «\(second)»",
        description: "Haz algo pequeño en lo que aparezcan los dos y comprueba que funciona.",
        validationCriteria: ["Has terminado un ejemplo con «\(first)» y «\(second)»"])
  }

  func enrol(_ title: String) -> GoalProposal.Task {
    isEnglish
      ? GoalProposal.Task(
        title: "Join the course «\(title)»",
        description: "Find it in the catalogue, enrol, and look at what its sections are about.",
        validationCriteria: ["You are enrolled in «\(title)» and have looked at its sections"])
      : GoalProposal.Task(
        title: "Inscribirte en el curso «\(title)»",
        description: "Búscalo en el catálogo, inscríbete y mira de qué tratan sus secciones.",
        validationCriteria: ["Tu inscripción en «\(title)» está activa y has visto sus secciones"])
  }

  /// - Parameter wish: nil where it cannot be quoted.
  func read(_ title: String, for wish: String?) -> GoalProposal.Task {
    let about = wish.map { isEnglish ? " for «\($0)»" : " para «\($0)»" } ?? ""
    return isEnglish
      ? GoalProposal.Task(
        title: "Study the course «\(title)»\(about)",
        description:
          "Read those of its sections that are about what you want, and note what you need.",
        validationCriteria: [
          "You have noted which sections of «\(title)» help you, and what they say"
        ])
      : GoalProposal.Task(
        title: "Estudiar el curso «\(title)»\(about)",
        description:
          "Lee las secciones que tratan de lo que quieres y apunta lo que te hace falta.",
        validationCriteria: ["Has apuntado qué secciones de «\(title)» te sirven y qué dicen"])
  }

  func apply(_ title: String) -> GoalProposal.Task {
    isEnglish
      ? GoalProposal.Task(
        title: "Practise what the course «\(title)» teaches",
        description: "Do an exercise by yourself with what you have read, and check the result.",
        validationCriteria: ["You have done an exercise with what «\(title)» teaches, and it works"]
      )
      : GoalProposal.Task(
        title: "Practicar lo que enseña el curso «\(title)»",
        description:
          "Haz por tu cuenta un ejercicio con lo que has leído y comprueba el resultado.",
        validationCriteria: ["Has hecho un ejercicio con lo que enseña «\(title)» y funciona"])
  }
}
