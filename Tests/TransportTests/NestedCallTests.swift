import RPC
import Testing
import Wire

@testable import Transport

/// A handler that calls another server: what ends the outer call ends the inner one.
@Suite(.timeLimit(.minutes(5)))
struct NestedCallTests {
  /// A server whose `relay` calls `hang` of another one, on behalf of its own call.
  private func with(
    _ body: (_ outer: HitoTransport, _ inner: TestServer) async throws -> Void
  ) async throws {
    try await TestServer.with { inner in
      let client = InterceptedTransport(try inner.client(), [ScopeInterceptor()])
      try await TestServer.with(methods: { router throws(RegistrationError) in
        try router.unary(Methods.relay) { (request: Blob, context: CallContext) -> Blob in
          try await CallScope.$current.withValue(CallScope(of: context)) {
            // It asks for more time than it has.
            try await client.unary(
              Methods.hang, request, returning: Blob.self,
              options: CallOptions(timeout: .seconds(600)))
          }
        }
      }) { outer in
        let transport = try outer.client()
        try await body(transport, inner)
        transport.close()
      }
    }
  }

  private func relay(
    _ client: HitoTransport, within timeout: Duration
  ) async throws(RPCError) -> Blob {
    try await client.unary(
      Methods.relay, Blob("x"), returning: Blob.self, options: CallOptions(timeout: timeout))
  }

  @Test func `the deadline of the outer call ends the inner one at its server`() async throws {
    try await with { outer, inner in
      let error = await #expect(throws: RPCError.self) {
        try await relay(outer, within: .seconds(2))
      }
      #expect(error?.code == .deadlineExceeded)
      if inner.witness.events.contains("hanging") { await inner.witness.wait(for: "cancelled") }
    }
  }

  @Test func `cancelling the outer call cancels all of a hundred inner ones, and leaves none`()
    async throws
  {
    try await with { outer, inner in
      let calls = (0..<100).map { _ in
        Task { try? await relay(outer, within: .seconds(300)) }
      }
      while inner.witness.count("hanging") < 100 { await Task.yield() }
      for call in calls { call.cancel() }
      for call in calls { _ = await call.value }
      while inner.witness.count("cancelled") < 100 { await Task.yield() }
      while true {
        let snapshot = await inner.server.snapshot()
        if snapshot.connections.allSatisfy(\.calls.isEmpty) { break }
        await Task.yield()
      }
    }
  }
}
