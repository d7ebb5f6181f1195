import NIOCore
import RPC
import Testing
import Wire

@testable import Transport

/// What a connection may cost before anybody is known on it.
@Suite(.timeLimit(.minutes(5)))
struct StrangerTests {
  private func kept(_ server: TestServer) async throws -> KeptBytes {
    let connection = try #require(server.server.core.registry.all.first)
    return try await connection.loop.submit { connection.machine.buffered.kept }.get()
  }

  private let fragment = String(repeating: "a", count: 8000)

  @Test func `W13.1 a call without a token ends at its head, and its body is dropped`() async throws
  {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, token: nil)
      client.call(Methods.sum, stream: 1, fragment, flags: [.hasMessage, .more])
      let end = await client.nextAnswer()
      #expect(end?.trailer?.status == .unauthenticated)
      #expect(end?.trailer?.message == "this call needs a token")
      // More than the connection's credit, because what is dropped is given back.
      var credit = WireLimit.strangerCredit - fragment.utf8.count
      for _ in 0..<20 {
        while credit < fragment.utf8.count { credit += Int(await client.nextFrame()?.credit ?? 0) }
        client.send(.message, .more, stream: 1, Array(fragment.utf8))
        credit -= fragment.utf8.count
      }
      #expect(try await kept(server) == KeptBytes())
      client.call(Methods.ping, stream: 3, "here")
      #expect(await client.nextAnswer()?.message == "here")
      client.close()
    }
  }

  @Test func `W13.1 a token that is known to be bad ends its call at the head`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, token: "wrong")
      client.call(Methods.echo, stream: 1, "x")
      #expect(await client.nextAnswer()?.trailer?.message == "the token is not valid")
      client.call(Methods.sum, stream: 3, fragment, flags: [.hasMessage, .more])
      #expect(await client.nextAnswer()?.trailer?.status == .unauthenticated)
      #expect(try await kept(server) == KeptBytes())
      client.call(Methods.ping, stream: 5, "here")
      #expect(await client.nextAnswer()?.message == "here")
      client.close()
    }
  }

  @Test func `W13.1 nothing runs and little is kept before the caller is known`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, token: "slow-good")
      client.call(Methods.hang, stream: 1)
      client.call(Methods.sum, stream: 3, fragment, flags: [.hasMessage, .more])
      for _ in 0..<6 { client.send(.message, .more, stream: 3, Array(fragment.utf8)) }
      await server.authenticator.witness.wait(for: "asked")
      // Methods for everybody do not wait with them.
      client.call(Methods.ping, stream: 5, "meanwhile")
      #expect(await client.nextFrame()?.message == "meanwhile")
      let waiting = try await kept(server)
      #expect((7 * 8000...WireLimit.strangerCredit + 4096).contains(waiting.input))
      #expect(server.witness.events.isEmpty)
      server.authenticator.witness.note("answer")
      await server.witness.wait(for: "hanging")
      // Now the rest may come, and what is kept is given back as it is read.
      var credit = 0
      while credit < WireLimit.connectionCreditDefault - WireLimit.strangerCredit {
        credit += Int(await client.nextFrame()?.credit ?? 0)
      }
      client.send(.message, .end, stream: 3, Array(fragment.utf8))
      #expect(await client.nextAnswer()?.payload == Array("1 64000".utf8))
      client.close()
    }
  }

  @Test func `a call that ends before its caller is known leaves nothing behind`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, token: "slow-good")
      client.call(Methods.hang, stream: 1, fragment)
      await server.authenticator.witness.wait(for: "asked")
      client.send(.cancel, stream: 1)
      client.call(Methods.ping, stream: 3, "after")
      #expect(await client.nextAnswer()?.message == "after")
      #expect(try await kept(server) == KeptBytes())
      server.authenticator.witness.note("answer")
      client.call(Methods.whoami, stream: 5)
      #expect(await client.nextAnswer()?.message == "user-good")
      let connection = try #require(server.server.core.registry.all.first)
      let runningCount = try await connection.loop.submit {
        connection.machine.streams.runningHandlerCount
      }.get()
      #expect(runningCount == 0)
      #expect(server.witness.events.isEmpty)
      client.close()
    }
  }

  @Test func `W9.8 a stranger that sends more than its credit breaks the protocol`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, token: "slow-good")
      client.call(Methods.sum, stream: 1, "", flags: [])
      for _ in 0..<9 { client.send(.message, .more, stream: 1, Array(fragment.utf8)) }
      #expect(await client.nextAnswer()?.goAway?.reason == .flowControl)
      await client.closed()
      server.authenticator.witness.note("answer")
      try await server.expectServesOthers()
    }
  }

  @Test func `W5.7 a stranger's seventeenth call is refused, with a delay to try again`()
    async throws
  {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, token: nil)
      for index in 0..<17 { client.call(Methods.publicHang, stream: UInt32(2 * index + 1)) }
      let end = await client.nextAnswer()
      #expect(end?.stream == 33)
      #expect(end?.trailer?.status == .resourceExhausted)
      #expect(end?.trailer?.details == RPCError.busy)
      client.close()
    }
  }

  @Test func `W12.2 a method for everybody ends soon, whatever timeout its caller asks for`()
    async throws
  {
    try await TestServer.with(configured { $0.publicTimeoutMax = .milliseconds(50) }) { server in
      let client = try await RawClient.ready(server, token: nil)
      client.call(Methods.publicHang, stream: 1, timeoutMicroseconds: 3_600_000_000)
      #expect(await client.nextAnswer()?.trailer?.status == .deadlineExceeded)
      client.call(Methods.publicHang, stream: 3)
      #expect(await client.nextAnswer()?.trailer?.status == .deadlineExceeded)
      client.close()
    }
  }

  @Test func `W6.4 a request above 16 KiB for a method for everybody is refused`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, token: nil)
      client.call(Methods.ping, stream: 1, fragment, flags: [.hasMessage, .more])
      client.send(.message, .more, stream: 1, Array(fragment.utf8))
      client.send(.message, .more, stream: 1, Array(fragment.utf8))
      #expect(await client.nextAnswer()?.trailer?.status == .resourceExhausted)
      #expect(try await kept(server) == KeptBytes())
      client.close()
    }
  }
}
