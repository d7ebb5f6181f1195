import HitoClient
import Testing

@Suite("The Swift client", .timeLimit(.minutes(2)))
struct HitoClientTests {
  @Test("plays a learner's journey through the services")
  func journey() async throws {
    let server = try await RestartableServer()
    try await server.start()
    let client = try server.client()
    let made = try await client.goals.createGoal(
      CreateGoalRequest(
        title: "Aprender FastAPI", tasks: [NewTask(title: "uno"), NewTask(title: "dos")]))
    let taskID = try #require(made.tasks.first?.id)
    let done = try await client.tasks.completeTask(CompleteTaskRequest(taskId: taskID))
    #expect(done.goal?.progressPercentage == 50)
    let cursor = try #require(done.receipt?.cursor)
    let read = try await client.goals.getGoal(
      GetGoalRequest(goalId: made.goal?.id ?? "", minCursor: cursor))
    #expect(read.tasks.map(\.status) == [.completed, .pending])
    client.close()
    await server.stop()
  }

  @Test("puts its interceptors around each call")
  func interceptors() async throws {
    struct WithoutToken: ClientInterceptor {
      func intercept<Result: Sendable>(
        _ method: MethodDescriptor, _ options: CallOptions,
        _ next: (CallOptions) async throws(RPCError) -> Result
      ) async throws(RPCError) -> Result {
        var options = options
        options.token = "nobody's"
        return try await next(options)
      }
    }
    let server = try await RestartableServer()
    try await server.start()
    let client = try server.client(interceptors: [WithoutToken()])
    let error = await #expect(throws: RPCError.self) {
      try await client.goals.listGoals(ListGoalsRequest())
    }
    #expect(error?.code == .unauthenticated)
    client.close()
    await server.stop()
  }

  @Test("says what went wrong, with the details that the server gave")
  func errors() async throws {
    let server = try await RestartableServer()
    try await server.start()
    let client = try server.client()
    let error = await #expect(throws: RPCError.self) {
      try await client.goals.createGoal(CreateGoalRequest(title: ""))
    }
    #expect(error?.code == .invalidArgument)
    let details = try (error?.details ?? []).withUnsafeBytes { bytes throws(DecodeError) in
      try ErrorDetails.decode(bytes, limits: DecodeLimits())
    }
    #expect(details.fieldViolations.map(\.field) == ["title"])
    client.close()
    await server.stop()
    let closed = await #expect(throws: RPCError.self) {
      try await client.goals.listGoals(ListGoalsRequest())
    }
    #expect(closed != nil)
  }

  @Test("keeps watching over a server that goes away and comes back, and repeats safe calls")
  func resumingWatch() async throws {
    let server = try await RestartableServer()
    try await server.start()
    let client = try server.client()
    var watch = client.watch(WatchRequest(start: .fromBeginning(true))).makeAsyncIterator()
    var seen: [Event] = []
    for round in 0..<3 {
      let made = try await client.goals.createGoal(CreateGoalRequest(title: "Meta \(round)"))
      while seen.last?.entityId != made.goal?.id {
        let response = try await watch.next()
        if case .event(let event) = response?.step { seen.append(event) }
      }
      await server.stop()
      try await server.start()
    }
    #expect(seen.map(\.type) == ["goal.created", "goal.created", "goal.created"])
    #expect(Set(seen.map(\.id)).count == 3)
    // The last restart is noticed only by the next read, so it does not count here.
    #expect(watch.interruptionCount == 2)
    client.close()
    await server.stop()
  }
}

@Suite("An address")
struct HitoAddressTests {
  @Test(
    "is read as people write it",
    arguments: [
      ("localhost", "localhost:7443"), ("10.0.0.1:99", "10.0.0.1:99"), ("[::1]", "[::1]:7443"),
      ("[::1]:8", "[::1]:8"), ("::1", "[::1]:7443"), ("a.b:65535", "a.b:65535"),
    ])
  func reading(text: String, meaning: String) {
    #expect(HitoAddress(text)?.description == meaning)
  }

  @Test(
    "is refused when it is none",
    arguments: [
      "", ":1", "a:0", "a:65536", "a:x", "[::1]x", "a b", "http://a", "[]:1", "[::1", "a/b", "ñ",
      "a:+1", "a:",
    ])
  func refusal(text: String) {
    #expect(HitoAddress(text) == nil)
  }
}
