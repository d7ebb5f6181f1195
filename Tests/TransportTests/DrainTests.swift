import NIOEmbedded
import RPC
import Testing
import Wire

@testable import Transport

/// What a server that goes away does with what is running, and with what is just beginning.
@Suite(.timeLimit(.minutes(2)))
struct DrainTests {
  private static let draining = RPCError.draining().details

  @Test func `W11.5 a stream that ends by itself gets the grace, a subscription does not`()
    async throws
  {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      client.call(Methods.sum, stream: 1, "12345", flags: .hasMessage)
      client.call(Methods.watch, stream: 3)
      // Also with a deadline of its own.
      client.call(Methods.watch, stream: 5, timeoutMicroseconds: 60_000_000)
      await server.witness.wait(for: "watching")
      while server.witness.count("watching") < 2 { await Task.yield() }
      async let drained: Void = server.server.drain(grace: .seconds(60))
      var ends: [RawFrame] = []
      while let frame = await client.nextAnswer() {
        if frame.kind == .ping { client.send(.pong, stream: 0, frame.payload) }
        if frame.kind == .end { ends.append(frame) }
        if ends.count == 2, frame.kind == .end {
          client.send(.message, .end, stream: 1, Array("678".utf8))
        }
      }
      await drained
      #expect(Set(ends.prefix(2).map(\.stream)) == [3, 5])
      for end in ends.prefix(2) {
        #expect(end.trailer?.status == .unavailable)
        #expect(end.trailer?.details == Self.draining)
        #expect(end.trailer?.resumeCursor == "after-first")
      }
      #expect(ends.last?.stream == 1 && ends.last?.trailer?.status == .ok)
    }
  }

  @Test func `W11.5 what the grace ends says why, and where to resume`() async throws {
    try await TestServer.with { server in
      var limits = ReceiveLimits()
      limits.streamCredit = 1
      let client = try await RawClient.ready(server, limits: limits)
      client.call(Methods.hang, stream: 1, timeoutMicroseconds: 60_000_000)
      client.call(Methods.count, stream: 3, "2")
      await server.witness.wait(for: "hanging")
      await server.witness.wait(for: "wrote")
      async let drained: Void = server.server.drain(grace: .milliseconds(100))
      var ends: [UInt32: EndTrailer] = [:]
      while let frame = await client.nextAnswer() {
        if frame.kind == .ping { client.send(.pong, stream: 0, frame.payload) }
        if frame.kind == .end { ends[frame.stream] = frame.trailer }
      }
      await drained
      for stream in [1, 3] as [UInt32] {
        #expect(ends[stream]?.status == .unavailable)
        #expect(ends[stream]?.details == Self.draining)
      }
      #expect(ends[3]?.resumeCursor == "0")
    }
  }

  @Test func `W11.5 a drain also ends what is not a connection yet`() async throws {
    try await TestServer.with { server in
      let silent = try await RawClient(port: server.port, tls: nil)
      let speechless = try await RawClient(
        port: server.port, tls: try server.certificates.clientTLS())
      while server.server.core.registry.all.count < 2 { await Task.yield() }
      await server.server.drain(grace: .seconds(3600))
      await silent.closed()
      await speechless.closed()
    }
  }

  @Test func `W11.5 a connection that is accepted during a drain does not hold it up`()
    async throws
  {
    let core = ServerCore(
      configuration: configured { _ in }, router: Router(), authenticator: TestAuthenticator(),
      logger: testLogger())
    let channel = EmbeddedChannel()
    let id = try #require(core.registry.admit(channel))
    #expect(core.registry.drain(grace: .seconds(5)).isEmpty)
    #expect(core.registry.admit(channel) == nil)
    async let empty: Void = core.registry.waitUntilEmpty()
    let connection = ServerConnection(
      id: id, core: core, executor: LoopExecutor(EmbeddedEventLoop()))
    #expect(core.registry.add(connection) == .seconds(5))
    core.registry.remove(connection, counters: CallCounters())
    await empty
  }

  @Test func `W11.5 an admitted connection that never came to be does not hold up a drain`()
    async throws
  {
    let registry = ConnectionRegistry(configured { _ in }.admissionLimits())
    let id = try #require(registry.admit(EmbeddedChannel()))
    async let empty: Void = registry.waitUntilEmpty()
    _ = registry.drain(grace: .zero)
    registry.abandon(id)
    await empty
  }

  @Test func `W11.5 a connection that drains already ends with the server`() async throws {
    try await TestServer.with(configured { _ in }) { server in
      let client = try await RawClient.ready(server)
      client.call(Methods.hang, stream: 1, timeoutMicroseconds: 60_000_000)
      await server.witness.wait(for: "hanging")
      // As for its age, of which the test would have to know when it comes.
      for connection in server.server.core.registry.all { connection.drain(grace: .seconds(60)) }
      var goAwayCount = 0
      while goAwayCount < 2, let frame = await client.nextFrame() {
        if frame.kind == .ping { client.send(.pong, stream: 0, frame.payload) }
        if frame.kind == .goAway { goAwayCount += 1 }
      }
      async let drained: Void = server.server.drain(grace: .milliseconds(100))
      let end = await client.nextAnswer()
      await drained
      #expect(end?.kind == .end && end?.trailer?.details == Self.draining)
    }
  }
}
