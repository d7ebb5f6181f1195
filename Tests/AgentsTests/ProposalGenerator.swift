import Agents
import Domain
import SeededRandom

/// Random proposals that hold the contract, in Spanish and English, made of parts that can be
/// combined in many ways; the same seed gives the same one.
struct ProposalGenerator {
  var random: SeededGenerator
  let language: String

  init(seed: Int) {
    random = SeededGenerator(state: UInt64(seed))
    language = seed.isMultiple(of: 2) ? "es" : "en"
  }

  private var isSpanish: Bool { language == "es" }

  mutating func facts() -> ProposalRules.Facts {
    ProposalRules.Facts(
      language: language,
      openGoals: Bool.random(using: &random)
        ? [OpenGoal(title: "Cocinar", similarity: Double.random(in: -1..<0.85, using: &random))]
        : [],
      instructions: Prompts.goalInstructions(language: language))
  }

  mutating func proposal() -> GoalProposal {
    let things = (isSpanish ? Self.spanishThings : Self.englishThings).shuffled(using: &random)
    let count = Int.random(in: 3...5, using: &random)
    let subject = pick(Self.subjects)
    return GoalProposal(
      title: isSpanish ? "Aprender \(subject) desde cero" : "Learn \(subject) from scratch",
      description: isSpanish
        ? "Quiero llegar a usar \(subject) en mi trabajo, con pruebas y sin prisa."
        : "I want to use \(subject) at work, with tests and without haste.",
      tasks: (0..<count).map { task(things[$0], subject) },
      validationCriteria: (0..<Int.random(in: 1...5, using: &random)).map {
        isSpanish
          ? "Puedo enseñar la parte \($0 + 1) funcionando" : "I can show part \($0 + 1) at work"
      },
      aiFeedback: Bool.random(using: &random)
        ? "" : isSpanish ? "Se apoya en [G1] y en [D2]." : "It builds on [G1] and on [D2].",
      planner: .model)
  }

  private mutating func task(_ thing: String, _ subject: String) -> GoalProposal.Task {
    let verb = pick(isSpanish ? Self.spanishVerbs : Self.englishVerbs)
    let saysOutcome = Bool.random(using: &random)
    let outcome =
      isSpanish
      ? "El resultado de \(thing) debe funcionar con `\(subject)`."
      : "The result of \(thing) must work with `\(subject)`."
    let criterion = isSpanish ? "Las pruebas de \(thing) pasan" : "The tests of \(thing) pass"
    return GoalProposal.Task(
      title: "\(verb) \(thing)", description: saysOutcome ? outcome : "",
      validationCriteria: saysOutcome && Bool.random(using: &random) ? [] : [criterion])
  }

  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &random)]
  }

  private static let subjects = [
    "FastAPI", "PostgreSQL", "Rust", "SwiftNIO", "pandas", "Kubernetes", "CSS Grid", "Blender",
  ]
  private static let spanishVerbs = [
    "Crear", "Escribe", "Documentar", "Probar", "Configurar", "Explicarle a un compañero", "Mejora",
  ]
  private static let englishVerbs = [
    "Create", "Write", "Document", "Test", "Configure", "Explain to a friend", "Improving",
  ]
  private static let spanishThings = [
    "una ruta con parámetros", "el esquema de la base de datos", "la página de inicio",
    "un informe semanal", "el despliegue en la nube", "la autenticación con `JWT`",
    "un índice para las consultas lentas",
  ]
  private static let englishThings = [
    "a route with parameters", "the schema of the database", "the start page", "a weekly report",
    "the deployment to the cloud", "the login with `JWT`", "an index for the slow queries",
  ]
}
