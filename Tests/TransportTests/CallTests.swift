import RPC
import Testing
import Wire

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct CallTests {
  @Test func `a unary call returns what the handler returns`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      for index in 0..<100 {
        #expect(try await client.echo("hola \(index)") == "hola \(index)")
      }
      client.close()
    }
  }

  @Test func `an empty message is a message`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      #expect(try await client.echo("") == "")
    }
  }

  @Test func `many calls run at once on one connection`() async throws {
    try await TestServer.with { server in
      let client = try server.client { $0.connectionCountMax = 1 }
      let sum = try await withThrowingTaskGroup(of: Int.self) { tasks in
        for index in 0..<500 {
          tasks.addTask { Int(try await client.echo("\(index)")) ?? -1 }
        }
        return try await tasks.reduce(0, +)
      }
      #expect(sum == 500 * 499 / 2)
      let snapshot = await server.server.snapshot()
      #expect(snapshot.acceptedConnectionCount == 1)
      #expect(snapshot.totals[.ok] == 500)
      client.close()
    }
  }

  @Test func `W6.1 a large message is split both ways and comes back whole`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
        .map { $0 == UInt8(ascii: "!") ? 0 : $0 }
      let reply = try await client.unary(
        Methods.echo, Blob(bytes), returning: Blob.self, options: CallOptions())
      #expect(reply.bytes == bytes)
      client.close()
    }
  }

  @Test func `W6.4 a message above the server's limit ends its call only`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let bytes = [UInt8](repeating: 1, count: (4 << 20) + 1)
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(
          Methods.echo, Blob(bytes), returning: Blob.self, options: CallOptions())
      }
      #expect(error?.code == .resourceExhausted)
      #expect(try await client.echo("next") == "next")
      #expect(await server.server.snapshot().acceptedConnectionCount == 1)
    }
  }

  @Test func `W6.4 a reply above the client's limit ends its call only`() async throws {
    try await TestServer.with { server in
      let client = try server.client { $0.limits.messageByteCountMax = 20_000 }
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(
          Methods.echo, Blob([UInt8](repeating: 1, count: 30_000)), returning: Blob.self,
          options: CallOptions())
      }
      #expect(error?.code == .resourceExhausted)
      #expect(try await client.echo("next") == "next")
    }
  }

  @Test func `a handler's error arrives with code, text, details and cursor`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(
          Methods.fail, Blob("x"), returning: Blob.self, options: CallOptions())
      }
      #expect(error?.code == .failedPrecondition)
      #expect(error?.message == "not now")
      #expect(error?.details == Array("details".utf8))
      #expect(error?.resumeCursor == "c1")
      #expect(error?.isFromServer == true)
    }
  }

  @Test func `a foreign error arrives as UNKNOWN with a fixed text`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(
          Methods.fail, Blob("foreign"), returning: Blob.self, options: CallOptions())
      }
      #expect(error?.code == .unknown)
      #expect(error?.message == "internal error")
    }
  }

  @Test func `W6.6 a request that does not decode is INVALID_ARGUMENT`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let error = await #expect(throws: RPCError.self) { try await client.echo("!") }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message.contains("blob.bytes") == true)
    }
  }

  @Test func `W5.6 an unknown method is UNIMPLEMENTED`() async throws {
    try await TestServer.with { server in
      let unknown = MethodDescriptor(path: "test.Echo/No", kind: .unary, isReadOnly: true)
      let client = try server.client()
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(
          unknown, Blob(""), returning: Blob.self, options: CallOptions())
      }
      #expect(error?.code == .unimplemented)
    }
  }

  @Test func `a server stream delivers all messages in order`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let stream = try await client.serverStreaming(
        Methods.count, Blob("10000"), returning: Blob.self, options: CallOptions())
      var next = 0
      for try await message in stream {
        #expect(message.text == "\(next)")
        next += 1
      }
      #expect(next == 10000)
      #expect(stream.resumeCursor == "9999")
    }
  }

  @Test func `a client stream is summed up`() async throws {
    try await TestServer.with { server in
      let call = try await server.client().clientStreaming(
        Methods.sum, sending: Blob.self, returning: Blob.self, options: CallOptions())
      for _ in 0..<200 { try await call.write(Blob([UInt8](repeating: 7, count: 10_000))) }
      try await call.write(Blob(""))
      #expect(try await call.finish().text == "201 2000000")
    }
  }

  @Test func `a bidirectional stream talks both ways`() async throws {
    try await TestServer.with { server in
      let call = try await server.client().bidirectional(
        Methods.chat, sending: Blob.self, returning: Blob.self, options: CallOptions())
      var replies = call.responses.makeAsyncIterator()
      for index in 0..<50 {
        try await call.write(Blob("\(index)"))
        #expect(try await replies.next()?.text == "re: \(index)")
      }
      try await call.finishWriting()
      #expect(try await replies.next() == nil)
    }
  }

  @Test func `a handler may read and write from any task`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let call = try await client.bidirectional(
        Methods.elsewhere, sending: Blob.self, returning: Blob.self, options: CallOptions())
      var replies = call.responses.makeAsyncIterator()
      for index in 0..<20 {
        try await call.write(Blob("\(index)"))
        for _ in 0..<10 { #expect(try await replies.next()?.text == "far: \(index)") }
      }
      try await call.finishWriting()
      #expect(try await replies.next() == nil)
    }
  }

  @Test func `W14.2 a write carries a random key and its request bytes`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let first = try await client.unary(
        Methods.write, Blob("abc"), returning: Blob.self, options: CallOptions())
      let second = try await client.unary(
        Methods.write, Blob("abc"), returning: Blob.self, options: CallOptions())
      let own = try await client.unary(
        Methods.write, Blob("abcd"), returning: Blob.self,
        options: CallOptions(idempotencyKey: "mine"))
      #expect(first.text.hasSuffix("|3"))
      #expect(first.text.count == 34)
      #expect(first != second)
      #expect(own.text == "mine|4")
    }
  }
}
