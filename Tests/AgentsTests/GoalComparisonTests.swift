import Agents
import Testing

@Suite struct `Goals that are one` {
  private func isDuplicate(
    _ title: String, _ open: OpenGoal, description: String = "",
    planner: GoalProposal.Planner = .model
  ) -> Bool {
    let proposal = GoalProposal(
      title: title, description: description, tasks: [], validationCriteria: [], aiFeedback: "",
      planner: planner)
    let facts = ProposalRules.Facts(language: "es", openGoals: [open])
    return ProposalRules.violations(proposal, facts: facts).contains { $0.rule == "goal_duplicate" }
  }

  @Test(arguments: [
    ("ramas en Git", "deshacer cambios en Git"),
    ("Aprender a usar ramas en Git", "Aprender a deshacer cambios en Git"),
    ("Listas en Python", "Diccionarios en Python"), ("Learn Git branches", "Undo changes in Git"),
    ("Rutas en FastAPI", "Dependencias en FastAPI"), ("SQL básico", "SQL avanzado"),
    ("Nivel 1 de inglés", "Nivel 2 de inglés"), ("Bucles en C", "Bucles en C++"),
    ("Bucles en C#.", "Bucles en C++"), ("Listas en F#", "Listas en F"),
  ]) func `are not those that share a subject, however similar`(title: String, other: String) {
    for (title, other) in [(title, other), (other, title)] {
      #expect(!isDuplicate(title, OpenGoal(title: other, similarity: 0.95)))
      let plan =
        "\(other)\nLo que quieres: «\(other)». Este plan toma sus pasos de tus propias palabras"
      #expect(!isDuplicate(title, OpenGoal(title: other, content: plan, similarity: 0.99)))
      #expect(!isDuplicate(title, OpenGoal(title: other, similarity: 0.99), planner: .retrieval))
    }
  }

  @Test(arguments: [
    ("ramas en Git", "Ramas en Git"), ("Dominar FastAPI", "Aprender FastAPI"),
    ("Practicar las ramas de Git", "Aprender a usar ramas en Git"),
    ("Quiero aprender a usar FastAPI", "Aprender FastAPI"),
    ("Learn recursion in Java", "Practise recursion with Java"),
    ("Aprender C++", "APRENDER  C++."), ("Aprender programación", "Aprender programacion"),
  ]) func `are those that name the same`(title: String, other: String) {
    for planner in [GoalProposal.Planner.model, .retrieval] {
      #expect(isDuplicate(title, OpenGoal(title: other, similarity: 0.9), planner: planner))
    }
  }

  @Test func `are those that mean the same in other words, or say the same under other titles`() {
    #expect(
      isDuplicate(
        "Aprender lo básico de contenedores",
        OpenGoal(title: "Learn the basics of boxes", similarity: 0.9)))
    let description = "Crear una API completa para gestionar una lista de tareas de casa"
    let open = OpenGoal(
      title: "Aprender FastAPI con una API",
      content: "Aprender FastAPI con una API\n\(description)",
      similarity: 0.93)
    #expect(isDuplicate("Publicar la API", open, description: description))
    #expect(
      !isDuplicate("Publicar la API", open, description: "Subirla a un servidor con un dominio"))
    #expect(!isDuplicate("Publicar la API", OpenGoal(title: "Otra cosa", similarity: .nan)))
  }

  @Test func `are told by the signs of their names`() {
    for (title, other) in [("Aprender C", "Aprender C++"), ("Aprender C#", "Aprender C")] {
      #expect(!isDuplicate(title, OpenGoal(title: other, similarity: 0.1)))
    }
    #expect(isDuplicate("Aprender C++", OpenGoal(title: "aprender c++", similarity: 0.1)))
    let open = OpenGoal(
      title: "Bucles en C++", content: "Bucles en C++\nProgramas con bucles en C++",
      similarity: 0.95)
    #expect(!isDuplicate("Bucles en C", open))
  }

  @Test func `are found behind one that is closer`() {
    let proposal = GoalProposal(
      title: "ramas en Git", description: "", tasks: [], validationCriteria: [], aiFeedback: "",
      planner: .retrieval)
    let facts = ProposalRules.Facts(
      language: "es",
      openGoals: [
        OpenGoal(title: "deshacer cambios en Git", similarity: 0.97),
        OpenGoal(title: "Ramas en Git", similarity: 0.9),
      ])
    #expect(
      ProposalRules.violations(proposal, facts: facts).contains { $0.rule == "goal_duplicate" })
  }
}
