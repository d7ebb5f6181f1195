import RPC
import Testing
import Wire

@testable import Transport

/// Who is kept and who is closed, over real sockets.
@Suite(.timeLimit(.minutes(5)))
struct ConnectionLimitTests {
  // MARK: Places

  @Test func `W1.5 a new client gets in, however many connections are silent`() async throws {
    try await TestServer.with(
      configured {
        $0.connectionCountMax = 8
        $0.connectionsPerAddressMax = 8
      }
    ) { server in
      var silent: [RawClient] = []
      for _ in 0..<40 { silent.append(try await RawClient(port: server.port, tls: nil)) }
      try await server.expectServesOthers()
      await silent[0].closed()
      for client in silent { client.close() }
    }
  }

  @Test func `W1.5 who authenticated keeps its place`() async throws {
    try await TestServer.with(
      configured {
        $0.connectionCountMax = 4
        $0.connectionsPerAddressMax = 4
      }
    ) { server in
      let known = try await RawClient.ready(server)
      known.call(Methods.echo, stream: 1, "in")
      #expect(await known.nextAnswer()?.message == "in")
      for _ in 0..<20 {
        let anonymous = try await RawClient.ready(server, token: nil)
        let wrong = try await RawClient.ready(server, token: "wrong")
        wrong.call(Methods.echo, stream: 1, "out")
        #expect(await wrong.nextAnswer()?.trailer?.status == .unauthenticated)
        _ = anonymous
      }
      known.call(Methods.echo, stream: 3, "still in")
      #expect(await known.nextAnswer()?.message == "still in")
      known.close()
    }
  }

  @Test func `W1.5 a full address is refused when all of its connections authenticated`()
    async throws
  {
    try await TestServer.with(
      configured {
        $0.connectionCountMax = 100
        $0.connectionsPerAddressMax = 2
      }
    ) { server in
      var known: [RawClient] = []
      for _ in 0..<2 {
        let client = try await RawClient.ready(server)
        client.call(Methods.echo, stream: 1, "in")
        #expect(await client.nextAnswer()?.message == "in")
        known.append(client)
      }
      let third = try await RawClient(port: server.port, tls: nil)
      await third.closed()
      known[0].close()
      // Tries again until the place is free.
      try await server.expectServesOthers()
      known[1].close()
    }
  }

  // MARK: Idle

  @Test func `W10.5 a peer without a token that calls nothing is sent away`() async throws {
    try await TestServer.with(configured { $0.idle.anonymous = .milliseconds(80) }) { server in
      let anonymous = try await RawClient.ready(server, token: nil)
      #expect(await anonymous.nextFrame()?.goAway?.reason == .idle)
      anonymous.close()
    }
  }

  @Test func `W10.5 a peer that authenticated is sent away after its own time`() async throws {
    try await TestServer.with(configured { $0.idle.authenticated = .milliseconds(80) }) { server in
      let known = try await RawClient.ready(server)
      known.call(Methods.watch, stream: 1)
      #expect(await known.nextAnswer()?.kind == .message)
      await server.witness.wait(for: "watching")
      known.send(.cancel, stream: 1)
      #expect(await known.nextAnswer()?.goAway?.reason == .idle)
      known.close()
    }
  }

  // MARK: Public streams

  @Test func `W13.5 a connection without a token has few public streams`() async throws {
    try await TestServer.with { server in
      let anonymous = try await RawClient.ready(server, token: nil)
      for stream in [1, 3, 5, 7] as [UInt32] {
        anonymous.call(Methods.publicWatch, stream: stream)
        #expect(await anonymous.nextAnswer()?.kind == .message)
      }
      anonymous.call(Methods.publicWatch, stream: 9)
      #expect(await anonymous.nextAnswer()?.trailer?.status == .resourceExhausted)
      anonymous.send(.cancel, stream: 1)
      anonymous.call(Methods.publicWatch, stream: 11)
      #expect(await anonymous.nextAnswer()?.kind == .message)
      anonymous.close()
      let known = try await RawClient.ready(server)
      known.call(Methods.echo, stream: 1, "in")
      #expect(await known.nextAnswer()?.message == "in")
      for stream in stride(from: UInt32(3), to: 23, by: 2) {
        known.call(Methods.publicWatch, stream: stream)
        #expect(await known.nextAnswer()?.kind == .message)
      }
      known.close()
    }
  }

  @Test func `W13.5 a public stream lasts where its peer has shown a token meanwhile`() async throws
  {
    try await TestServer.with(configured { $0.publicStreamTimeMax = .seconds(60) }) { server in
      let client = try await RawClient.ready(server)
      client.call(Methods.publicWatch, stream: 1)
      #expect(await client.nextAnswer()?.kind == .message)
      client.call(Methods.echo, stream: 3, "in")
      #expect(await client.nextAnswer()?.message == "in")
      let connection = try #require(server.server.core.registry.all.first)
      let streams = try await connection.loop.submit { connection.publicStreams }.get()
      #expect(streams.isEmpty)
      client.close()
    }
  }

  @Test func `W13.5 a public stream of a peer without a token ends, and may be opened again`()
    async throws
  {
    try await TestServer.with(configured { $0.publicStreamTimeMax = .milliseconds(50) }) { server in
      let anonymous = try await RawClient.ready(server, token: nil)
      for stream in stride(from: UInt32(1), to: 13, by: 2) {
        anonymous.call(Methods.publicWatch, stream: stream)
        #expect(await anonymous.nextAnswer()?.kind == .message)
        #expect(await anonymous.nextAnswer()?.trailer?.status == .unavailable)
      }
      anonymous.close()
    }
  }
}
