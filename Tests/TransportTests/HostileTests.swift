import NIOCore
import RPC
import Testing
import Wire

@testable import Transport

/// Each peer misbehaves in one way, gets the answer that PROTOCOL.md promises, and the server
/// continues serving others.
@Suite(.timeLimit(.minutes(5)))
struct HostileTests {
  /// Sends `attack` after HELLO and expects this GOAWAY and a close.
  private func expectFault(
    _ reason: GoAwayReason, _ attack: (RawClient) async -> Void,
    location: SourceLocation = #_sourceLocation
  ) async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      await attack(client)
      var last: RawFrame?
      while let frame = await client.nextFrame() {
        last = frame
        if frame.kind == .goAway { break }
      }
      #expect(last?.kind == .goAway, sourceLocation: location)
      #expect(last?.goAway?.reason == reason, sourceLocation: location)
      await client.closed()
      try await server.expectServesOthers()
    }
  }

  /// Sends `attack` after HELLO and expects this status on `stream`, and a connection that lives.
  private func expectStatus(
    _ code: StatusCode, stream: UInt32 = 1, _ attack: (RawClient) async -> Void,
    location: SourceLocation = #_sourceLocation
  ) async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      await attack(client)
      let end = await client.nextAnswer()
      #expect(end?.kind == .end, sourceLocation: location)
      #expect(end?.stream == stream, sourceLocation: location)
      #expect(end?.trailer?.status == code, sourceLocation: location)
      client.call(Methods.echo, stream: stream + 100, "after")
      #expect(await client.nextAnswer()?.message == "after", sourceLocation: location)
      client.close()
    }
  }

  @Test func `W1.1 clear text is not answered`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient(port: server.port, tls: nil)
      client.send(bytes: Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
      await client.closed()
      try await server.expectServesOthers()
    }
  }

  @Test func `W1.4 silence in the handshake ends the connection`() async throws {
    try await TestServer.with(configured { $0.handshakeTimeout = .milliseconds(100) }) { server in
      let client = try await RawClient(port: server.port, tls: nil)
      await client.closed()
    }
  }

  @Test func `W1.4 silence after the handshake ends with HELLO_TIMEOUT`() async throws {
    try await TestServer.with(configured { $0.helloTimeout = .milliseconds(100) }) { server in
      let client = try await RawClient(
        port: server.port, tls: try server.certificates.clientTLS())
      #expect(await client.nextFrame()?.goAway?.reason == .helloTimeout)
      await client.closed()
      try await server.expectServesOthers()
    }
  }

  @Test func `W1.5 a connection above the limit is closed at once`() async throws {
    try await TestServer.with(configured { $0.connectionCountMax = 1 }) { server in
      let first = try await RawClient.ready(server)
      first.call(Methods.echo, stream: 1, "here")
      #expect(await first.nextAnswer()?.message == "here")
      let second = try await RawClient(port: server.port, tls: nil)
      await second.closed()
      first.call(Methods.echo, stream: 3, "still here")
      #expect(await first.nextAnswer()?.message == "still here")
      first.close()
    }
  }

  @Test func `W2.2 an oversized frame is FRAME_TOO_LARGE before its payload`() async throws {
    try await expectFault(.frameTooLarge) { client in
      client.send(bytes: [0, 0, 0x40, 1, 2, 0, 0, 0, 0, 1])
    }
  }

  @Test func `W2.2 an oversized HELLO is FRAME_TOO_LARGE`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient(
        port: server.port, tls: try server.certificates.clientTLS())
      client.send(bytes: [0, 0, 0x20, 1, 1, 0, 0, 0, 0, 0])
      #expect(await client.nextFrame()?.goAway?.reason == .frameTooLarge)
      await client.closed()
    }
  }

  @Test func `W2.5 garbage after the handshake is a connection error`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient(
        port: server.port, tls: try server.certificates.clientTLS())
      client.send(bytes: [UInt8](repeating: 0x5A, count: 5000))
      #expect(await client.nextFrame()?.goAway?.reason == .frameTooLarge)
      await client.closed()
      try await server.expectServesOthers()
    }
  }

  @Test func `W2.5 an unknown kind is PROTOCOL_ERROR`() async throws {
    try await expectFault(.protocolError) { $0.send(bytes: [0, 0, 0, 0, 77, 0, 0, 0, 0, 0]) }
  }

  @Test func `W2.5 an unknown flag is PROTOCOL_ERROR`() async throws {
    try await expectFault(.protocolError) {
      $0.send(.call, [FrameFlags(rawValue: 0x80)], stream: 1, [0, 0])
    }
  }

  @Test(arguments: [FrameKind.hello, .call, .message, .end, .cancel, .ping, .pong, .goAway])
  func `W2.5 a frame of a wrong size or stream is PROTOCOL_ERROR`(_ kind: FrameKind) async throws {
    try await expectFault(.protocolError) { $0.send(kind, stream: 2, [0]) }
  }

  @Test func `W3.3 a block that runs past its frame is PROTOCOL_ERROR`() async throws {
    try await expectFault(.protocolError) { $0.send(.call, .end, stream: 1, [0, 9, 1, 0, 1]) }
  }

  @Test func `W3.3 a number of a wrong width is PROTOCOL_ERROR`() async throws {
    try await expectFault(.protocolError) { client in
      var block = BlockWriter()
      block.add(1, Methods.echo.path)
      block.add(2, UInt32(1))
      client.send(.call, .end, stream: 1, block.bytes)
    }
  }

  @Test func `W4.1 a call before HELLO is PROTOCOL_ERROR`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient(
        port: server.port, tls: try server.certificates.clientTLS())
      client.call(Methods.echo, stream: 1, "x")
      #expect(await client.nextFrame()?.goAway?.reason == .protocolError)
      await client.closed()
    }
  }

  @Test func `W4.1 a second HELLO is PROTOCOL_ERROR`() async throws {
    try await expectFault(.protocolError) { $0.send(.hello, stream: 0, [0, 0]) }
  }

  @Test func `W5.1 a stream id that is not larger is PROTOCOL_ERROR`() async throws {
    try await expectFault(.protocolError) { client in
      client.call(Methods.echo, stream: 5, "a")
      _ = await client.nextAnswer()
      client.call(Methods.echo, stream: 3, "b")
    }
  }

  @Test func `W5.2 a CALL without a method is PROTOCOL_ERROR`() async throws {
    try await expectFault(.protocolError) { $0.send(.call, .end, stream: 1, [0, 0]) }
  }

  @Test func `W5.3 bad metadata is INVALID_ARGUMENT`() async throws {
    try await expectStatus(.invalidArgument) { client in
      let block = CallHead.block(
        path: Methods.echo.path, timeoutMicroseconds: nil,
        metadata: SendableMetadata([("Upper", "x")]))
      client.send(.call, [.end, .hasMessage], stream: 1, block)
    }
  }

  @Test func `W5.7 a call above the limit is RESOURCE_EXHAUSTED`() async throws {
    try await TestServer.with(configured { $0.limits.concurrentCallCountMax = 2 }) { server in
      let client = try await RawClient.ready(server)
      client.call(Methods.hang, stream: 1)
      client.call(Methods.hang, stream: 3)
      client.call(Methods.echo, stream: 5, "x")
      let end = await client.nextAnswer()
      #expect(end?.stream == 5)
      #expect(end?.trailer?.status == .resourceExhausted && end?.trailer?.isNotStarted == true)
      client.send(.cancel, stream: 1)
      client.call(Methods.echo, stream: 7, "room again")
      #expect(await client.nextAnswer()?.message == "room again")
      client.close()
    }
  }

  @Test func `W5.8 a half-close without the request is INVALID_ARGUMENT`() async throws {
    try await expectStatus(.invalidArgument) { $0.call(Methods.echo, stream: 1, flags: .end) }
  }

  @Test func `W5.8 a second request message is INVALID_ARGUMENT`() async throws {
    try await expectStatus(.invalidArgument) { client in
      client.call(Methods.echo, stream: 1, "one", flags: .hasMessage)
      client.send(.message, .end, stream: 1, Array("two".utf8))
    }
  }

  @Test func `W5.9 frames for an ended stream are ignored`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      client.call(Methods.echo, stream: 1, "a")
      #expect(await client.nextAnswer()?.message == "a")
      client.send(.message, stream: 1, [1, 2, 3])
      client.send(.cancel, stream: 1)
      client.send(.end, stream: 1)
      client.send(.credit, stream: 1, [0, 0, 1, 0])
      client.call(Methods.echo, stream: 3, "b")
      #expect(await client.nextAnswer()?.message == "b")
      client.close()
    }
  }

  @Test func `W5.9 a frame for a stream that never was is PROTOCOL_ERROR`() async throws {
    try await expectFault(.protocolError) { $0.send(.message, stream: 9, [1]) }
  }

  @Test func `W5.10 a message after the half-close is PROTOCOL_ERROR`() async throws {
    try await expectFault(.protocolError) { client in
      client.call(Methods.deaf, stream: 1, "x")
      client.send(.message, stream: 1, [1])
    }
  }

  @Test func `W6.3 an empty fragment with MORE is PROTOCOL_ERROR`() async throws {
    try await expectFault(.protocolError) { client in
      client.call(Methods.sum, stream: 1, "x", flags: .hasMessage)
      client.send(.message, .more, stream: 1)
    }
  }

  @Test func `W6.7 a half-close inside a message is PROTOCOL_ERROR`() async throws {
    try await expectFault(.protocolError) { client in
      client.call(Methods.sum, stream: 1, "x", flags: [.hasMessage, .more])
      client.send(.end, stream: 1)
    }
  }

  @Test func `W6.8 a flood of empty messages ends its call`() async throws {
    try await expectStatus(.resourceExhausted) { client in
      client.call(Methods.deaf, stream: 1, "x", flags: .hasMessage)
      let one = RawClient.frame(.message, stream: 1)
      client.send(bytes: Array(repeatElement(one, count: 1025).joined()))
    }
  }

  @Test func `W8.3 a flood of CANCELs is ABUSE`() async throws {
    try await expectFault(.abuse) { client in
      var bytes: [UInt8] = []
      let block = CallHead.block(path: Methods.hang.path, timeoutMicroseconds: nil)
      for index in 0..<1500 {
        let stream = UInt32(2 * index + 1)
        bytes += RawClient.frame(.call, [.end, .hasMessage], stream: stream, block)
        bytes += RawClient.frame(.cancel, stream: stream)
      }
      client.send(bytes: bytes)
    }
  }

  @Test func `W9.7 a flood of CREDIT in crumbs is ABUSE`() async throws {
    try await expectFault(.abuse) { client in
      client.call(Methods.hang, stream: 1)
      let one = RawClient.frame(.credit, stream: 1, [0, 0, 0, 1])
      client.send(bytes: Array(repeatElement(one, count: 1500).joined()))
    }
  }

  @Test func `W12.4 a storm of calls that expire at once is ABUSE`() async throws {
    try await expectFault(.abuse) { client in
      let block = CallHead.block(path: Methods.hang.path, timeoutMicroseconds: 0)
      var bytes: [UInt8] = []
      for index in 0..<1500 {
        bytes += RawClient.frame(.call, [.end, .hasMessage], stream: UInt32(2 * index + 1), block)
      }
      client.send(bytes: bytes)
    }
  }

  @Test func `W13.4 calls with ever new invented tokens are ABUSE`() async throws {
    try await expectFault(.abuse) { client in
      for index in 0..<90 {
        let block = CallHead.block(
          path: Methods.echo.path, timeoutMicroseconds: nil, token: "invented-\(index)")
        client.send(.call, [.end, .hasMessage], stream: UInt32(2 * index + 1), block)
      }
    }
  }

  @Test func `W13.4 many calls with one bad token are refused, and no more`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, token: "wrong")
      for index in 0..<90 { client.call(Methods.echo, stream: UInt32(2 * index + 1)) }
      for _ in 0..<90 {
        #expect(await client.nextAnswer()?.trailer?.status == .unauthenticated)
      }
      client.close()
    }
  }

  @Test func `W9.3 more bytes than credit is FLOW_CONTROL`() async throws {
    try await expectFault(.flowControl) { client in
      client.call(Methods.deaf, stream: 1, "x", flags: .hasMessage)
      let one = RawClient.frame(.message, stream: 1, [UInt8](repeating: 1, count: 16384))
      client.send(bytes: Array(repeatElement(one, count: 17).joined()))
    }
  }

  @Test func `W9.4 CREDIT of zero is PROTOCOL_ERROR, and too much is FLOW_CONTROL`() async throws {
    try await expectFault(.protocolError) { $0.send(.credit, stream: 0, [0, 0, 0, 0]) }
    try await expectFault(.flowControl) { $0.send(.credit, stream: 0, [0x7F, 255, 255, 255]) }
  }

  @Test func `W10.1 a PING is answered with its bytes`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      client.send(.ping, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8])
      let pong = await client.nextFrame()
      #expect(
        pong == RawFrame(kind: .pong, flags: [], stream: 0, payload: [1, 2, 3, 4, 5, 6, 7, 8]))
      client.close()
    }
  }

  @Test func `W10.2 a PING flood is ABUSE`() async throws {
    try await expectFault(.abuse) { client in
      for _ in 0..<7 { client.send(.ping, stream: 0, [0, 0, 0, 0, 0, 0, 0, 1]) }
    }
  }

  @Test func `W10.4 a flood of PONGs is ABUSE`() async throws {
    try await expectFault(.abuse) { client in
      let one = RawClient.frame(.pong, stream: 0, [9, 9, 9, 9, 9, 9, 9, 9])
      client.send(bytes: Array(repeatElement(one, count: 1200).joined()))
    }
  }

  @Test func `a peer that vanishes inside a frame leaves nothing behind`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      client.call(Methods.hang, stream: 1)
      await server.witness.wait(for: "hanging")
      client.send(bytes: [0, 0, 0x20, 0, 2, 4, 0, 0, 0, 3, 1, 2, 3])
      client.close()
      await server.witness.wait(for: "cancelled")
      try await server.expectServesOthers()
    }
  }

  @Test func `frames that arrive byte by byte are understood`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server)
      let block = CallHead.block(path: Methods.echo.path, timeoutMicroseconds: nil)
      let frame = RawClient.frame(
        .call, [.end, .hasMessage], stream: 1, block + Array("slow".utf8))
      for byte in frame { client.send(bytes: [byte]) }
      #expect(await client.nextAnswer()?.message == "slow")
      client.close()
    }
  }
}
