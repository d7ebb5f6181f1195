import Agents
import Domain
import Retrieval

/// What retrieval could have found.
struct AgentContextFixture {
  var context = AgentContext()
  var tasks: [EntityID: [RetrievalPlanner.EarlierTask]] = [:]
  private let ids = UUIDv7Generator()
  private let now = Timestamp(microsecondsSinceEpoch: 1_767_225_600_000_000)

  mutating func addGoal(
    _ title: String, similarity: Double? = 0.8, tasks earlier: [RetrievalPlanner.EarlierTask]
  ) {
    let id = ids.next(at: now)
    let content = ([title] + earlier.flatMap { [$0.title, $0.description] }).joined(separator: "\n")
    add(\.goals, .goal, id, title, content, similarity: similarity)
    tasks[id] = earlier
  }

  mutating func addSection(
    _ heading: String, _ content: String = "Cada ruta tiene una función.", chunk: Int32 = 1,
    path: String = "tutorial/rutas.md", courseID: EntityID = EntityID(high: 3, low: 3)
  ) {
    add(\.documents, .course, courseID, heading, content, chunk: chunk, path: path)
  }

  mutating func addCode(_ path: String, _ content: String) {
    add(\.code, .codeSnapshot, ids.next(at: now), path, content)
  }

  private mutating func add(
    _ list: WritableKeyPath<AgentContext, [RetrievedPassage]>, _ kind: PassageKind, _ id: EntityID,
    _ title: String, _ content: String, chunk: Int32 = 0, path: String = "",
    similarity: Double? = 0.75
  ) {
    let passage = Passage(
      kind: kind, entityID: id, userID: EntityID(high: 1, low: 1), chunkNumber: chunk, title: title,
      content: content, language: "es", documentPath: path, anchor: path.isEmpty ? "" : "ancla")
    context[keyPath: list].append(
      RetrievedPassage(passage: passage, similarity: similarity, score: 1))
  }
}
