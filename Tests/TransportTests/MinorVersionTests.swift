import RPC
import Synchronization
import Testing
import Wire

@testable import Transport

/// What minor version 1 has: metadata before the first response, metadata that is bytes, compressed messages.
@Suite struct `Minor version 1` {
  private static let bytes: [UInt8] = [0, 0xFF, 0xC3, 0x28]

  private static var options: CallOptions {
    var options = CallOptions(metadata: [("a", "uno"), ("b", "ñandú")])
    options.binaryMetadata = [("raw-bin", bytes), ("empty-bin", [])]
    return options
  }

  private static func expectMirrored(_ said: ResponseMetadata, hasEnded: Bool) {
    #expect(said.metadata.map { "\($0.0)=\($0.1)" } == ["a=uno", "b=ñandú"])
    #expect(said.binaryMetadata.map(\.0) == ["raw-bin", "empty-bin"])
    #expect(said.binaryMetadata.map(\.1) == [bytes, []])
    // Of a stream that is being read the end may have come, too.
    guard hasEnded else { return }
    #expect(said.trailers.map { "\($0.0)=\($0.1)" } == ["after-a=uno", "after-b=ñandú"])
    #expect(said.binaryTrailers.map(\.1) == [bytes, []])
  }

  // MARK: Metadata

  @Test func `brings metadata of both kinds with a unary reply`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      defer { client.close() }
      let heard = Mutex<[ResponseMetadata]>([])
      var options = Self.options
      options.onMetadata = { said in heard.withLock { $0.append(said) } }
      let reply = try await client.unary(
        Methods.mirror, Blob("hi"), returning: Blob.self, options: options)
      #expect(reply.text == "hi")
      let all = heard.withLock { $0 }
      #expect(all.count == 1)
      Self.expectMirrored(try #require(all.first), hasEnded: true)
    }
  }

  @Test func `brings metadata before the first response of a stream, and none after it`()
    async throws
  {
    try await TestServer.with { server in
      let client = try server.client()
      defer { client.close() }
      let stream = try await client.serverStreaming(
        Methods.mirrorStream, Blob("x"), returning: Blob.self, options: Self.options)
      var iterator = stream.makeAsyncIterator()
      #expect(try await iterator.next()?.text == "x")
      Self.expectMirrored(stream.responseMetadata, hasEnded: false)
      #expect(try await iterator.next()?.text == "x")
      #expect(try await iterator.next() == nil)
      Self.expectMirrored(stream.responseMetadata, hasEnded: true)
    }
  }

  @Test func `brings metadata with an error, too`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      defer { client.close() }
      let stream = try await client.serverStreaming(
        Methods.mirrorStream, Blob("fail"), returning: Blob.self, options: Self.options)
      var iterator = stream.makeAsyncIterator()
      let error = await #expect(throws: RPCError.self) { try await iterator.next() }
      #expect(error?.code == .aborted)
      Self.expectMirrored(stream.responseMetadata, hasEnded: true)
    }
  }

  @Test func `refuses at the client what cannot be sent`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      defer { client.close() }
      var texts = CallOptions(metadata: [("key-bin", "text")])
      for options in [
        texts,
        {
          texts = CallOptions()
          texts.binaryMetadata = [("key", [1])]
          return texts
        }(),
        {
          texts.binaryMetadata = [("big-bin", [UInt8](repeating: 1, count: 9000))]
          return texts
        }(),
      ] {
        let error = await #expect(throws: RPCError.self) {
          try await client.unary(
            Methods.mirror, Blob(""), returning: Blob.self, options: options)
        }
        #expect(error?.code == .invalidArgument)
      }
    }
  }

  @Test func `is not spoken to a client of minor version 0`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, encodings: [.deflate])
      func call(_ stream: UInt32, _ metadata: [(String, String)], _ message: [UInt8]) {
        var sendable = SendableMetadata()
        sendable.entries = metadata
        client.send(
          .call, [.hasMessage, .end], stream: stream,
          CallHead.block(path: Methods.mirror.path, timeoutMicroseconds: nil, metadata: sendable)
            + message)
      }
      let large = [UInt8](repeating: 0x61, count: 12_000)
      call(1, [("key-bin", "text")], large)
      let reply = try #require(await client.nextAnswer())
      #expect(reply.kind == .end && reply.flags == .hasMessage)
      // Text, as every other key: the version before knows no bytes.
      #expect(reply.trailer?.trailers.isEmpty == true)
      let trailer = try reply.payload.withUnsafeBytes { try EndTrailer.read($0, minorVersion: 0) }
      #expect(trailer.trailer.trailers.map(\.0) == ["after-key-bin"])
      #expect(reply.message?.utf8.count == large.count)
      client.send(
        .call, [.hasMessage, .compressed, .end], stream: 3,
        CallHead.block(path: Methods.echo.path, timeoutMicroseconds: nil) + [1, 0, 0, 0, 1, 0])
      #expect(await client.nextAnswer()?.goAway?.reason == .protocolError)
    }
  }

  // MARK: Compression

  /// About a megabyte, a quarter of that compressed.
  private static let large = Blob(
    (0..<25_000).map { "goal \($0 &* 7919 % 10_007): una meta, another goal; " }.joined())

  @Test(arguments: [nil, true, false] as [Bool?])
  func `carries large messages compressed where both sides want it`(replies: Bool?) async throws {
    try await TestServer.with { server in
      let client = try server.client { $0.compresses = true }
      defer { client.close() }
      var options = CallOptions()
      options.compressesReplies = replies
      let reply = try await client.unary(
        Methods.echo, Self.large, returning: Blob.self, options: options)
      #expect(reply == Self.large)
      let chat = try await client.bidirectional(
        Methods.chat, sending: Blob.self, returning: Blob.self, options: options)
      try await chat.write(Self.large)
      try await chat.write(Blob("small"))
      try await chat.finishWriting()
      var texts: [String] = []
      for try await one in chat.responses { texts.append(one.text) }
      #expect(texts == ["re: " + Self.large.text, "re: small"])
    }
  }

  @Test func `spares bytes both ways`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, minorVersion: 1, encodings: [.deflate])
      let part = Array(Self.large.bytes.prefix(60_000))
      let packed = try #require(CompressedMessage.packed(part), "it can be compressed")
      #expect(packed.count < 16_000)
      client.send(
        .call, [.hasMessage, .compressed, .end], stream: 1,
        CallHead.block(path: Methods.echo.path, timeoutMicroseconds: nil) + packed)
      let reply = try #require(await client.nextAnswer())
      #expect(reply.kind == .end && reply.flags == [.hasMessage, .compressed])
      let expanded = try reply.payload.withUnsafeBytes { payload in
        let message = try EndTrailer.read(payload).message
        return try CompressedMessage.unpacked(message, byteCountMax: 4 << 20)
      }
      #expect(expanded == part)
      // A call may do without.
      client.send(
        .call, [.hasMessage, .end], stream: 3,
        CallHead.block(
          path: Methods.echo.path, timeoutMicroseconds: nil, replyEncodings: Encodings())
          + [UInt8](repeating: 0x61, count: 9000))
      #expect(await client.nextAnswer()?.flags == .hasMessage)
    }
  }

  @Test func `is the same request to a key, however it came`() async throws {
    try await TestServer.with { server in
      let client = try server.client { $0.compresses = true }
      defer { client.close() }
      let reply = try await client.unary(
        Methods.write, Self.large, returning: Blob.self, options: CallOptions(idempotencyKey: "k"))
      #expect(reply.text == "k|\(Self.large.bytes.count)")
    }
  }

  /// Bytes of a message that says it is compressed, and what it is answered with.
  static let hostile: [(name: String, message: [UInt8], code: StatusCode)] = {
    let zeros = [UInt8](repeating: 0, count: 200_000)
    let data =
      CompressedMessage.packed(Array(repeatElement(large.bytes.prefix(500), count: 20).joined()))
      ?? []
    func head(_ encoding: UInt8, _ size: UInt32) -> [UInt8] {
      [encoding] + withUnsafeBytes(of: size.bigEndian) { Array($0) }
    }
    let rest = Array(data.dropFirst(5))
    return [
      ("nothing", [], .invalidArgument),
      ("a head alone", head(1, 10), .invalidArgument),
      ("an encoding of nobody", head(9, 10) + rest, .invalidArgument),
      ("no bytes", head(1, 0) + rest, .invalidArgument),
      ("less than it is", head(1, 9999) + rest, .invalidArgument),
      ("more than it is", head(1, 10_001) + rest, .invalidArgument),
      ("more than is allowed", head(1, 4 << 20 + 1) + rest, .resourceExhausted),
      ("all there is", head(1, .max) + rest, .resourceExhausted),
      ("more than the data can be worth", head(1, 1 << 20) + rest.prefix(100), .resourceExhausted),
      ("no compression", head(1, 200_000) + zeros, .invalidArgument),
      ("something after it", data + [0], .invalidArgument),
      ("a cut one", Array(data.dropLast()), .invalidArgument),
    ]
  }()

  @Test(arguments: 0..<12, [true, false])
  func `bounds what is hostile by its head`(index: Int, inStream: Bool) async throws {
    let (name, message, code) = Self.hostile[index]
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, minorVersion: 1, encodings: [.deflate])
      let method = inStream ? Methods.chat : Methods.echo
      client.send(
        .call, [.hasMessage, .more, .compressed], stream: 1,
        CallHead.block(path: method.path, timeoutMicroseconds: nil) + message.prefix(1))
      // The rest, in two more frames.
      if message.count > 2 {
        for part in stride(from: 1, to: message.count - 1, by: 16_000) {
          client.send(
            .message, .more, stream: 1, Array(message[part..<min(part + 16_000, message.count - 1)])
          )
        }
        client.send(.message, .end, stream: 1, [message[message.count - 1]])
      }
      let answer = try #require(await client.nextAnswer(), "\(name)")
      if message.isEmpty {
        // An empty fragment with MORE is no message at all.
        #expect(answer.goAway?.reason == .protocolError)
      } else {
        #expect(answer.kind == .end && answer.trailer?.status == code, "\(name): \(answer)")
      }
      try await server.expectServesOthers()
    }
  }

  @Test func `begins in the first frame of a message alone`() async throws {
    try await TestServer.with { server in
      let client = try await RawClient.ready(server, minorVersion: 1)
      client.send(
        .call, [.hasMessage, .more], stream: 1,
        CallHead.block(path: Methods.echo.path, timeoutMicroseconds: nil) + [0x61])
      client.send(.message, [.compressed, .end], stream: 1, [0x61])
      #expect(await client.nextAnswer()?.goAway?.reason == .protocolError)
    }
  }

  // MARK: Fairness

  @Test func `lets a call that got no credit go before one that did`() async throws {
    try await TestServer.with { server in
      var limits = ReceiveLimits()
      limits.connectionCredit = 4096
      let client = try await RawClient.ready(server, limits: limits)
      // Its reader has left: it could use all that is granted.
      client.call(Methods.count, stream: 1, "1 200000")
      var received: [UInt32: Int] = [:]
      while received[1, default: 0] < 4096 {
        let frame = try #require(await client.nextAnswer())
        received[frame.stream, default: 0] += frame.payload.count
      }
      client.call(Methods.echo, stream: 3, String(repeating: "e", count: 2000))
      client.send(.ping, stream: 0, [UInt8](repeating: 7, count: 8))
      #expect(await client.nextAnswer()?.kind == .pong)
      var grantCount = 0
      while received[3, default: 0] < 2000 {
        grantCount += 1
        client.send(.credit, stream: 0, [0, 0, 4, 0])
        let frame = try #require(await client.nextAnswer())
        received[frame.stream, default: 0] += frame.payload.count
      }
      #expect(grantCount <= 4, "\(received)")
    }
  }
}
