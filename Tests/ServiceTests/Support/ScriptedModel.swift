import Domain
import Retrieval
import Synchronization

/// A model that says what a test tells it to, one line for each call, and can hang.
final class ScriptedModel: LanguageModel {
  enum Line: Sendable {
    case text(String)
    /// Pieces, then the model says that they are void and begins anew.
    case restart([String], then: String)
    case error(LanguageModelError)
    /// Pieces, then nothing until the call is cancelled.
    case hang([String])
  }

  private struct State {
    var lines: [Line]
    var requests: [ModelRequest] = []
    var cancelledCount = 0
    var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    var hanging: CheckedContinuation<Void, Never>?
  }

  private let state: Mutex<State>

  init(_ lines: [Line]) { state = Mutex(State(lines: lines)) }

  var name: String { "scripted" }
  var requests: [ModelRequest] { state.withLock { $0.requests } }
  /// Calls that ended because their caller went away.
  var cancelledCount: Int { state.withLock { $0.cancelledCount } }

  func reply(
    to request: ModelRequest, restarted: @Sendable () async throws -> Void,
    received: @Sendable (String) async throws -> Void
  ) async throws(LanguageModelError) -> ModelReply {
    let line = state.withLock { state -> Line in
      state.requests.append(request)
      return state.lines.isEmpty ? .error(.unavailable("no line")) : state.lines.removeFirst()
    }
    do {
      switch line {
      case .text(let text):
        for piece in pieces(text) { try await received(piece) }
        return reply(text)
      case .restart(let void, let text):
        for piece in void { try await received(piece) }
        try await restarted()
        for piece in pieces(text) { try await received(piece) }
        return reply(text)
      case .error(let error): throw error
      case .hang(let pieces):
        for piece in pieces { try await received(piece) }
        await hang()
        throw LanguageModelError.cancelled
      }
    } catch {
      if let error = error as? LanguageModelError, error != .cancelled { throw error }
      state.withLock { $0.cancelledCount += 1 }
      throw .cancelled
    }
  }

  private func pieces(_ text: String) -> [String] {
    let half = text.index(text.startIndex, offsetBy: text.count / 2)
    return [String(text[..<half]), String(text[half...])]
  }

  private func reply(_ text: String) -> ModelReply {
    ModelReply(text: text, promptTokenCount: 100, replyTokenCount: 40, model: "scripted-1")
  }

  /// Until the task is cancelled.
  private func hang() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isNow = state.withLock { state in
          if Task.isCancelled { return true }
          state.hanging = continuation
          return false
        }
        if isNow { continuation.resume() }
      }
    } onCancel: {
      state.withLock { state in
        defer { state.hanging = nil }
        return state.hanging
      }?.resume()
    }
  }
}

/// Retrieval that finds what a test puts there, and notes what it was asked.
final class FakeRetriever: ContextRetriever {
  struct Failure: Error {}

  private struct State {
    var found: AgentContext
    var closest: RetrievedPassage?
    var closestUses = 0
    var queries: [String] = []
    var failsNext = false
  }

  private let state: Mutex<State>

  init(_ found: AgentContext = AgentContext()) { state = Mutex(State(found: found)) }

  var queries: [String] { state.withLock { $0.queries } }

  func find(_ found: AgentContext) { state.withLock { $0.found = found } }
  /// The open goal that the next `times` proposals are close to.
  func setClosest(_ closest: RetrievedPassage, times: Int) {
    state.withLock { state in
      state.closest = closest
      state.closestUses = times
    }
  }
  func failNext() { state.withLock { $0.failsNext = true } }

  private func asked(_ query: String) throws -> AgentContext {
    let found = state.withLock { state -> AgentContext? in
      state.queries.append(query)
      defer { state.failsNext = false }
      return state.failsNext ? nil : state.found
    }
    guard let found else { throw Failure() }
    return found
  }

  func context(
    for query: String, learnerID: EntityID, courseID: EntityID?
  ) async throws -> AgentContext { try asked(query) }

  func documents(
    for query: String, learnerID: EntityID, courseID: EntityID, limit: Int
  ) async throws -> [RetrievedPassage] { try asked(query).documents }

  func validatedCode(
    like code: String, language: String, learnerID: EntityID, excluding: EntityID?, limit: Int
  ) async throws -> [RetrievedPassage] { try asked(code).code }

  func closestOpenGoals(
    to text: String, learnerID: EntityID, limit: Int
  ) async throws -> [RetrievedPassage] {
    state.withLock { state in
      guard state.closestUses > 0 else { return [] }
      state.closestUses -= 1
      return state.closest.map { [$0] } ?? []
    }
  }
}

/// What agents say and find in tests.
enum AgentScript {
  static func task(_ title: String) -> String {
    """
    {"title": "\(title)", "description": "\(title): hazlo y mira que funciona.", \
    "validation_criteria": ["Has terminado y comprobado esto: \(title)"]}
    """
  }

  static func proposal(_ titles: [String]) -> String {
    """
    {"title": "Aprender FastAPI con una API de tareas", "description": "Crear una API REST \
    completa, con pruebas y con documentación, para gestionar una lista de tareas.", \
    "tasks": [\(titles.map(task).joined(separator: ","))], \
    "validation_criteria": ["Todas las pruebas de la API pasan"], \
    "ai_feedback": "Este objetivo sigue lo que ya has aprendido y avanza paso a paso."}
    """
  }

  static let good = proposal([
    "Crear el proyecto y la primera ruta", "Escribir las rutas para guardar tareas",
    "Probar la API con pruebas automáticas",
  ])
  /// Breaks `task_count`.
  static let short = proposal(["Crear el proyecto y la primera ruta"])

  static func passage(
    _ kind: PassageKind, _ title: String, _ content: String, id: UInt64, anchor: String = "",
    similarity: Double = 0.8
  ) -> RetrievedPassage {
    RetrievedPassage(
      passage: Passage(
        kind: kind, entityID: EntityID(high: 77, low: id), userID: EntityID(high: 78, low: 1),
        title: title, content: content, language: "es",
        documentPath: anchor.isEmpty ? "" : "tutorial.md", anchor: anchor),
      similarity: similarity, score: similarity)
  }

  static let context = AgentContext(
    goals: [passage(.goal, "Aprender Flask", "Hice una API con Flask.", id: 1)],
    documents: [
      passage(
        .course, "Primeros pasos", "Para instalar FastAPI se usa pip.", id: 2, anchor: "pasos")
    ],
    code: [
      passage(
        .codeSnapshot, "users.py", "async def get_user_by_id(id: str, db: Session): ...", id: 3,
        similarity: 0.92)
    ])
}
