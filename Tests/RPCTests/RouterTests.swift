import RPC
import Testing

@Suite struct `A router` {
  private static func router(_ method: MethodDescriptor) throws -> Router {
    var router = Router()
    try router.unary(method) { (request: Echo, _) in request }
    return router
  }

  @Test func `refuses a method without a rule`() {
    let method = MethodDescriptor(path: "a.B/C", kind: .unary, isReadOnly: true)
    var router = Router()
    #expect(throws: RegistrationError.noRule("a.B/C")) {
      try router.unary(method) { (request: Echo, _) in request }
    }
    #expect(throws: RegistrationError.noRule("a.B/C")) { try router.unimplemented(method) }
    #expect(router.methods.isEmpty)
  }

  @Test func `refuses a method that it has`() throws {
    let method = MethodDescriptor.test("a.B/C")
    var router = try Self.router(method)
    #expect(throws: RegistrationError.registeredTwice("a.B/C")) {
      try router.unimplemented(method)
    }
  }

  /// The whole matrix: who is let in by which rule.
  @Test(arguments: MethodRule.Callers.allCases)
  func `lets in whom the rule names and nobody else`(callers: MethodRule.Callers) async throws {
    let method = MethodDescriptor.test("a.B/C", callers: callers)
    let router = try Self.router(method)
    let least: [MethodRule.Callers: Int] = [
      .anybody: 0, .users: 0, .instructors: 1, .services: 2, .admins: 3,
    ]
    for (rank, role) in Principal.Role.allCases.enumerated() {
      if rank >= least[callers] ?? .max {
        #expect(try await router.call(method, [7], as: .test(role)) == [7])
      } else {
        let error = await #expect(throws: RPCError.self) {
          try await router.call(method, as: .test(role))
        }
        #expect(error?.code == .permissionDenied)
      }
    }
    if callers == .anybody {
      #expect(try await router.call(method, [7]) == [7])
    } else {
      let error = await #expect(throws: RPCError.self) { try await router.call(method) }
      #expect(error?.code == .unauthenticated)
    }
  }

  @Test(arguments: [
    ("read", true, true), ("read", false, false), ("GoalService", false, true),
    ("GoalService/GetGoal", false, true), ("GoalService/GetGoals", false, false),
    ("TaskService", true, false), ("", true, false), ("hito.v1.GoalService", true, false),
  ])
  func `lets a token do what its scopes cover`(
    scope: String, isReadOnly: Bool, isCovered: Bool
  ) async throws {
    let method = MethodDescriptor.test("hito.v1.GoalService/GetGoal", isReadOnly: isReadOnly)
    let router = try Self.router(method)
    let principal = Principal.test(.admin, scopes: ["Nothing", scope])
    if isCovered {
      #expect(try await router.call(method, [1], as: principal) == [1])
    } else {
      let error = await #expect(throws: RPCError.self) {
        try await router.call(method, as: principal)
      }
      #expect(error?.code == .permissionDenied)
    }
  }

  @Test func `answers UNIMPLEMENTED only to those who may call`() async throws {
    let method = MethodDescriptor.test("a.B/C", callers: .admins)
    var router = Router()
    try router.unimplemented(method)
    let stream = MethodDescriptor.test("a.B/D", kind: .bidirectional)
    try router.unimplemented(stream)
    let admin = await #expect(throws: RPCError.self) {
      try await router.call(method, as: .test(.admin))
    }
    #expect(admin?.code == .unimplemented)
    let learner = await #expect(throws: RPCError.self) {
      try await router.call(method, as: .test(.learner))
    }
    #expect(learner?.code == .permissionDenied)
    guard case .streaming(let body)? = router["a.B/D"]?.body else {
      Issue.record("not a stream")
      return
    }
    let context = CallContext(method: stream, principal: .test(.learner))
    let error = await #expect(throws: RPCError.self) { try await body(NoStream(), context) }
    #expect(error?.code == .unimplemented)
  }
}

/// A stream that nobody reads or writes.
struct NoStream: ServerStream {
  func offer(_ message: [UInt8], resumeCursor: String?) async throws(RPCError) -> Bool { false }

  func nextRequest<Message: WireMessage>(
    as type: Message.Type
  ) async throws(RPCError) -> Message? { nil }

  func write<Message: WireMessage>(
    _ message: Message, resumeCursor: String?
  ) async throws(RPCError) {}
}
