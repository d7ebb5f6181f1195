package import HitoClient

/// A user who has goals, with a token.
package struct Learner: Sendable {
  package var id: String
  package var token: String

  /// Makes so many on a server.
  package static func make(_ count: Int, on server: BenchServer) async throws -> [Learner] {
    let admin = try await server.connect(token: try server.adminToken())
    defer { admin.close() }
    var learners: [Learner] = []
    for number in 1...max(1, count) {
      let user = try await admin.users.createUser(
        CreateUserRequest(
          externalId: "bench:\(number)", displayName: "Learner \(number)", role: .learner,
          language: "es", timeZone: "Europe/Madrid"))
      guard let id = user.user?.id else { throw BenchmarkError("no user in the reply") }
      let token = try await admin.users.createToken(CreateTokenRequest(userId: id))
      learners.append(Learner(id: id, token: token.secret))
    }
    return learners
  }
}

extension CreateGoalRequest {
  /// The goal that the benchmarks create: three tasks, so four events.
  package static let sample = CreateGoalRequest(
    title: "Aprender FastAPI", description: "Crear una API REST completa, con pruebas",
    tasks: [
      NewTask(title: "Instalar FastAPI", description: "Un entorno virtual y la primera ruta"),
      NewTask(title: "Primera ruta", description: "GET con un parámetro y su validación"),
      NewTask(title: "Pruebas", description: "Con el cliente de pruebas, también los errores"),
    ],
    validationCriteria: ["La API responde", "Las pruebas pasan"])

  /// The same without tasks: one event.
  package static let small = CreateGoalRequest(
    title: "Aprender FastAPI", description: "Crear una API REST completa, con pruebas",
    validationCriteria: ["La API responde", "Las pruebas pasan"])
}
