import Foundation
import NIOCore
import NIOPosix
import RPC
import Testing
import Wire

@testable import Transport

/// Deadlines, cancellation, credit, drain: what happens to calls from outside.
@Suite(.timeLimit(.minutes(5)))
struct LifeTests {
  // MARK: Deadlines

  @Test func `W12.1 a deadline ends the call and cancels the handler`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      client.call(Methods.hang, stream: 1, timeoutMicroseconds: 50_000)
      let end = await client.nextAnswer()
      #expect(end?.trailer?.status == .deadlineExceeded)
      await server.witness.wait(for: "cancelled")
      client.close()
    }
  }

  @Test func `W12.1 a timeout of zero has passed already`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      client.call(Methods.echo, stream: 1, "x", timeoutMicroseconds: 0)
      #expect(await client.nextAnswer()?.trailer?.status == .deadlineExceeded)
      client.call(Methods.echo, stream: 3, "x", timeoutMicroseconds: UInt64.max)
      #expect(await client.nextAnswer()?.trailer?.status == .ok)
      client.close()
    }
  }

  @Test func `W12.2 a call without a timeout gets the one of its method`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      client.call(Methods.hangBriefly, stream: 1)
      #expect(await client.nextAnswer()?.trailer?.status == .deadlineExceeded)
      client.close()
    }
  }

  @Test(arguments: [true, false])
  func `W12.1 a deadline says of a write whether it may have been committed`(
    _ hasBegun: Bool
  ) async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      client.call(
        Methods.hangWrite, stream: 1, hasBegun ? "begun" : "", timeoutMicroseconds: 300_000)
      let end = await client.nextAnswer()
      #expect(end?.trailer?.status == .deadlineExceeded)
      if end?.trailer?.isNotStarted != true {
        #expect(end?.trailer?.details == [0x80, 0x01, hasBegun ? 2 : 1])
        #expect(
          end?.trailer?.message.contains(hasBegun ? "may have been" : "nothing was written") == true
        )
        await server.witness.wait(for: hasBegun ? "may write" : "may not write")
      }
      client.close()
    }
  }

  @Test func `W12.3 the client's own deadline ends the call`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(
          Methods.hang, Blob(""), returning: Blob.self,
          options: CallOptions(timeout: .seconds(1)))
      }
      #expect(error?.code == .deadlineExceeded)
      // On a very busy machine the deadline may pass before the handler starts.
      if server.witness.events.contains("hanging") {
        await server.witness.wait(for: "cancelled")
      }
    }
  }

  @Test func `W12.3 the deadline also ends the wait for a connection`() async throws {
    let certificates = try TestCertificates()
    // Accepts and says nothing, so that the handshake never ends.
    let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    let client = HitoTransport(
      ClientConfiguration(
        host: "127.0.0.1", port: silent.localAddress?.port ?? 0,
        tls: try certificates.clientTLS()))
    let error = await #expect(throws: RPCError.self) {
      try await client.echo("x", CallOptions(timeout: .milliseconds(50)))
    }
    #expect(error?.code == .deadlineExceeded)
    client.close()
    try await silent.close()
  }

  @Test func `W9.6 unread messages of a dropped stream give their credit back`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      for _ in 0..<40 {
        let stream = try await client.serverStreaming(
          Methods.count, Blob("20 9999"), returning: Blob.self, options: CallOptions())
        var iterator = stream.makeAsyncIterator()
        #expect(try await iterator.next() != nil)
      }
      #expect(try await client.echo("credit left") == "credit left")
    }
  }

  // MARK: Cancellation

  @Test func `W8.1 a cancelled task cancels the handler`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let task = Task {
        try await client.unary(
          Methods.hang, Blob(""), returning: Blob.self, options: CallOptions())
      }
      await server.witness.wait(for: "hanging")
      task.cancel()
      let error = await #expect(throws: RPCError.self) { try await task.value }
      #expect(error?.code == .cancelled)
      await server.witness.wait(for: "cancelled")
      #expect(try await client.echo("on") == "on")
    }
  }

  @Test func `W8.2 a stream that nobody holds is cancelled`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      var stream: ResponseStream<Blob>? = try await client.serverStreaming(
        Methods.watch, Blob(""), returning: Blob.self, options: CallOptions())
      var iterator = stream?.makeAsyncIterator()
      #expect(try await iterator?.next()?.text == "first")
      await server.witness.wait(for: "watching")
      iterator = nil
      stream = nil
      await server.witness.wait(for: "watch cancelled")
    }
  }

  @Test func `a closed client ends its calls`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let task = Task {
        try await client.unary(
          Methods.hang, Blob(""), returning: Blob.self, options: CallOptions())
      }
      await server.witness.wait(for: "hanging")
      client.close()
      await #expect(throws: RPCError.self) { try await task.value }
      await server.witness.wait(for: "cancelled")
      let error = await #expect(throws: RPCError.self) { try await client.echo("x") }
      #expect(error?.code == .unavailable)
    }
  }

  // MARK: Credit

  @Test func `W9.2 a client that grants nothing more stops the handler at its credit`() async throws
  {
    try await TestServer.with { server in
      var limits = ReceiveLimits()
      limits.streamCredit = 40_000
      let client = try await RawClient.ready(server, limits: limits)
      client.call(Methods.count, stream: 1, "1000 9999")
      var received = 0
      while received < 40_000, let frame = await client.nextAnswer() {
        #expect(frame.kind == .message)
        received += frame.payload.count
      }
      #expect(received == 40_000)
      // Other calls continue, and the handler has written what fits and no more.
      client.call(Methods.echo, stream: 3, "")
      #expect(await client.nextAnswer()?.stream == 3)
      #expect(server.witness.count("wrote") <= 4)
      client.send(.credit, stream: 1, [0, 0, 0x27, 0x10])
      var more = 0
      while more < 10_000, let frame = await client.nextAnswer() { more += frame.payload.count }
      #expect(more == 10_000)
      client.close()
    }
  }

  @Test func `W9.5 a slow handler holds its client at its credit`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      let call = try await client.bidirectional(
        Methods.deaf, sending: Blob.self, returning: Blob.self, options: CallOptions())
      await server.witness.wait(for: "deaf")
      let writer = Task {
        var written = 0
        while true {
          try await call.write(Blob([UInt8](repeating: 1, count: 32_768)))
          written += 1
          server.witness.note("written \(written)")
        }
      }
      await server.witness.wait(for: "written 8")
      #expect(try await client.echo("others continue") == "others continue")
      #expect(!server.witness.events.contains("written 9"))
      writer.cancel()
      _ = await writer.result
    }
  }

  @Test func `W9.2 a reply waits for credit and arrives in fragments`() async throws {
    try await TestServer.with { server in
      var limits = ReceiveLimits()
      limits.streamCredit = 0
      let client = try await RawClient.ready(server, limits: limits)
      let text = String(repeating: "a", count: 1500)
      client.call(Methods.echo, stream: 1, text)
      client.send(.credit, stream: 1, [0, 0, 0, 1])
      client.call(Methods.echo, stream: 3, "")
      #expect(await client.nextAnswer()?.stream == 3)
      client.send(.credit, stream: 1, [0, 0, 4, 0])
      let first = await client.nextAnswer()
      #expect(first?.kind == .message)
      #expect(first?.flags == .more)
      #expect(first?.payload.count == 1025)
      client.send(.credit, stream: 1, [0, 0, 4, 0])
      #expect(await client.nextAnswer()?.payload.count == 475)
      let end = await client.nextAnswer()
      #expect(end?.kind == .end)
      #expect(end?.trailer?.status == .ok)
      client.close()
    }
  }

  @Test func `replies that wait for credit are bounded`() async throws {
    try await TestServer.with(configured { $0.pendingOutputByteCountMax = 20_000 }) { server in
      var limits = ReceiveLimits()
      limits.streamCredit = 0
      let client = try await RawClient.ready(server, limits: limits)
      let text = String(repeating: "a", count: 9000)
      for stream in [1, 3, 5] as [UInt32] { client.call(Methods.echo, stream: stream, text) }
      let end = await client.nextAnswer()
      #expect(end?.stream == 5)
      #expect(end?.trailer?.status == .resourceExhausted)
      client.close()
    }
  }

  @Test func `a call that ends while its reply waits for credit is forgotten`() async throws {
    try await TestServer.with { server in
      var limits = ReceiveLimits()
      limits.streamCredit = 0
      let client = try await RawClient.ready(server, limits: limits)
      for stream in stride(from: UInt32(1), to: 401, by: 2) {
        client.call(Methods.echo, stream: stream, "never sent")
        client.send(.cancel, stream: stream)
      }
      client.call(Methods.echo, stream: 401, "")
      #expect(await client.nextAnswer()?.stream == 401)
      let connection = try #require(server.server.core.registry.all.first)
      let keptCount = try await connection.loop.submit { connection.waiting.blocked.count }.get()
      #expect(keptCount == 0)
      client.close()
    }
  }

  @Test func `a message after the last one is an error and not a loss`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      defer { client.close() }
      let call = try await client.bidirectional(
        Methods.deaf, sending: Blob.self, returning: Blob.self, options: CallOptions())
      try await call.finishWriting()
      let error = await #expect(throws: RPCError.self) { try await call.write(Blob("late")) }
      #expect(error?.code == .failedPrecondition)
    }
  }

  @Test func `a port in use is explained`() async throws {
    try await TestServer.with { server in
      let second = HitoServer(
        configuration: ServerConfiguration(port: server.port),
        tls: try server.certificates.serverTLS(), router: try testRouter(Witness()),
        authenticator: TestAuthenticator(), logger: testLogger())
      let error = await #expect(throws: ListenError.self) { try await second.start() }
      #expect(error?.description.contains("127.0.0.1:\(server.port)") == true)
      #expect(error?.description.contains("another program listens there") == true)
      await second.drain(grace: .zero)
    }
  }

  // MARK: Drain

  @Test func `W11.3 a drain says GOAWAY twice and lets running calls end`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      client.call(Methods.hang, stream: 1, timeoutMicroseconds: 10_000_000)
      client.call(Methods.watch, stream: 3)
      await server.witness.wait(for: "hanging")
      await server.witness.wait(for: "watching")
      async let drained: Void = server.server.drain(grace: .milliseconds(300))
      var frames: [RawFrame] = []
      while let frame = await client.nextAnswer() {
        frames.append(frame)
        if frame.kind == .ping { client.send(.pong, stream: 0, frame.payload) }
      }
      await drained
      let goAways = frames.compactMap { $0.kind == .goAway ? $0.goAway : nil }
      #expect(goAways.map(\.lastStream) == [UInt32(Int32.max), 3])
      #expect(goAways.allSatisfy { $0.reason == .noError })
      // W11.5: the subscription ends at once with its cursor, the unary call after the grace.
      let ends = frames.filter { $0.kind == .end }
      #expect(ends.map(\.stream) == [3, 1])
      #expect(ends.first?.trailer?.status == .unavailable)
      #expect(ends.first?.trailer?.resumeCursor == "after-first")
      #expect(ends.last?.trailer?.status == .unavailable)
    }
  }

  @Test func `W11.4 calls after the second GOAWAY are ignored`() async throws {
    try await TestServer.with(configured { $0.drainRoundTripMax = .seconds(30) }) { server in
      let client = try await RawClient.ready(server)
      client.call(Methods.hang, stream: 1, timeoutMicroseconds: 10_000_000)
      await server.witness.wait(for: "hanging")
      async let drained: Void = server.server.drain(grace: .seconds(1))
      var goAwayCount = 0
      var streams: [UInt32] = []
      while let frame = await client.nextAnswer() {
        if frame.kind == .ping { client.send(.pong, stream: 0, frame.payload) }
        if frame.kind == .goAway {
          goAwayCount += 1
          client.call(Methods.echo, stream: goAwayCount == 1 ? 3 : 5, "late")
        }
        if frame.kind == .end { streams.append(frame.stream) }
      }
      await drained
      #expect(streams == [3, 1])
    }
  }

  @Test func `a client continues at another server after a drain`() async throws {
    let certificates = try TestCertificates()
    let witness = Witness()
    func start(_ port: Int) async throws -> (HitoServer, Int) {
      let server = HitoServer(
        configuration: ServerConfiguration(port: port), tls: try certificates.serverTLS(),
        router: try testRouter(witness), authenticator: TestAuthenticator(), logger: testLogger())
      return (server, try await server.start())
    }
    let (first, port) = try await start(0)
    let client = HitoTransport(
      ClientConfiguration(
        host: "localhost", port: port, tls: try certificates.clientTLS(), token: "good"))
    #expect(try await client.echo("one") == "one")
    await first.drain(grace: .seconds(1))
    let (second, _) = try await start(port)
    #expect(try await client.echo("two") == "two")
    client.close()
    await second.drain(grace: .zero)
  }

  @Test func `a connection drains when it is old`() async throws {
    try await TestServer.with(configured { $0.connectionAgeMax = .milliseconds(50) }) { server in
      let client = try await RawClient.ready(server)
      #expect(await client.nextFrame()?.goAway?.reason == .maxAge)
      client.close()
    }
  }

  @Test func `W10.3 a silent client is asked and then dropped`() async throws {
    try await TestServer.with(
      configured {
        $0.keepaliveIdle = .milliseconds(50)
        $0.keepaliveTimeout = .milliseconds(50)
      }
    ) { server in
      let client = try await RawClient.ready(server)
      #expect(await client.nextFrame()?.kind == .ping)
      #expect(await client.nextFrame()?.goAway?.reason == .keepaliveTimeout)
      await client.closed()
    }
  }
}
