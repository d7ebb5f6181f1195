internal import Contract
internal import RPC

/// Open to everybody, also to those without a token.
struct HealthService: HealthServiceHandler {
  let state: HealthState

  func check(
    _ request: HealthCheckRequest, _ context: CallContext
  ) async throws -> HealthCheckResponse {
    HealthCheckResponse(state.condition(of: try part(request.part)))
  }

  /// The state now, then each change of it; ends when the server drains, having said so.
  func watch(
    _ request: HealthWatchRequest, _ context: CallContext,
    _ responses: ResponseWriter<HealthCheckResponse>
  ) async throws {
    let part = try part(request.part)
    var last: HealthState.Condition?
    while true {
      let (condition, generation, isDraining) = state.snapshot(of: part)
      if condition != last {
        last = condition
        try await responses.write(HealthCheckResponse(condition))
      }
      if isDraining { throw RPCError.draining() }
      await state.wait(since: generation)
      try Task.checkCancellation()
    }
  }

  private func part(_ name: String) throws(RPCError) -> HealthState.Part? {
    if name.isEmpty { return nil }
    guard let part = HealthState.Part(rawValue: name) else {
      let known = HealthState.Part.allCases.map(\.rawValue).joined(separator: ", ")
      throw RPCError(.notFound, "no such part; there are: \(known)")
    }
    return part
  }
}

extension HealthCheckResponse {
  fileprivate init(_ condition: HealthState.Condition) {
    switch condition {
    case .serving: self.init(status: .serving)
    case .notServing(let why): self.init(status: .notServing, message: why)
    case .draining: self.init(status: .draining, message: "the server is going away")
    }
  }
}
