import NIOCore
import NIOEmbedded
import OpenSSL
import RPC
import Testing
import Wire

@testable import Transport

/// A connection without socket and TLS, fed with mutations of good frames: whatever comes, it answers
/// or closes, and never crashes.
@Suite struct FuzzTests {
  /// Everything for one embedded connection.
  private struct Bench {
    let channel: EmbeddedChannel
    let connection: ServerConnection

    init(_ router: Router) throws {
      channel = EmbeddedChannel()
      let core = ServerCore(
        configuration: ServerConfiguration(), router: router,
        authenticator: TestAuthenticator(), logger: testLogger())
      let id = core.registry.admit(channel) ?? 0
      connection = ServerConnection(
        id: id, core: core, executor: LoopExecutor(channel.embeddedEventLoop))
      try channel.pipeline.syncOperations.addHandler(connection)
      channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
      channel.pipeline.fireUserInboundEventTriggered(
        TLSEvent.handshakeCompleted(peerName: nil))
    }

    func feed(_ bytes: some Collection<UInt8>) throws {
      try channel.writeInbound(ByteBuffer(bytes: bytes))
      channel.embeddedEventLoop.run()
    }

    /// All that was sent, as frames.
    func sent() throws -> [RawFrame] {
      var bytes: [UInt8] = []
      while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
        bytes += Array(buffer.readableBytesView)
      }
      var frames: [RawFrame] = []
      while let frame = RawClient.takeFrame(&bytes) { frames.append(frame) }
      #expect(bytes.isEmpty)
      return frames
    }
  }

  private static func seeds() -> [[UInt8]] {
    let block = CallHead.block(
      path: Methods.ping.path, timeoutMicroseconds: 1_000_000, idempotencyKey: "k",
      metadata: SendableMetadata([("a", "b")]))
    let chat = CallHead.block(path: Methods.sum.path, timeoutMicroseconds: nil)
    return [
      RawClient.frame(.call, [.end, .hasMessage], stream: 1, block + [1, 2, 3]),
      RawClient.frame(.call, .hasMessage, stream: 3, chat + [1]),
      RawClient.frame(.message, .more, stream: 3, [1, 2, 3]),
      RawClient.frame(.message, .end, stream: 3, [4]),
      RawClient.frame(.call, [], stream: 5, block),
      RawClient.frame(.end, stream: 5),
      RawClient.frame(.cancel, stream: 3),
      RawClient.frame(.credit, stream: 0, [0, 0, 1, 0]),
      RawClient.frame(.credit, stream: 3, [0x7F, 0, 0, 0]),
      RawClient.frame(.ping, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8]),
      RawClient.frame(.goAway, stream: 0, [0, 0, 0, 0, 0, 0]),
    ]
  }

  @Test func `an embedded connection answers frames that arrive byte by byte`() throws {
    let bench = try Bench(testRouter(Witness()))
    for byte in RawClient.frame(.hello, stream: 0, Hello().clientPayload()) {
      try bench.feed([byte])
    }
    #expect(try bench.sent().map(\.kind) == [.hello])
    for byte in Self.seeds()[0] { try bench.feed([byte]) }
    let frames = try bench.sent()
    #expect(frames.map(\.kind) == [.end])
    #expect(frames.first?.trailer?.status == .ok)
    _ = try? bench.channel.finish()
  }

  @Test func `mutated frames never crash the connection`() throws {
    var random = SystemRandomNumberGenerator()
    let router = try testRouter(Witness())
    for _ in 0..<1500 {
      let bench = try Bench(router)
      try bench.feed(RawClient.frame(.hello, stream: 0, Hello().clientPayload()))
      var stream: [UInt8] = []
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        stream += Self.seeds().randomElement(using: &random) ?? []
      }
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        guard let index = stream.indices.randomElement(using: &random) else { continue }
        stream[index] = UInt8.random(in: 0...255, using: &random)
      }
      let cut = Int.random(in: 0...stream.count, using: &random)
      try bench.feed(stream[..<cut])
      try bench.feed(stream[cut...])
      for frame in try bench.sent() {
        let header = FrameHeader(
          frame.kind, flags: frame.flags, stream: frame.stream,
          payloadByteCount: frame.payload.count)
        #expect(frame.kind.isWellFormedFromServer(header))
      }
      _ = try? bench.channel.finish()
    }
  }
}

/// Two TLS sessions, joined in memory.
@Suite struct TLSSessionTests {
  private func move(_ from: TLSSession, _ to: (UnsafeRawBufferPointer) -> Void) {
    var bytes: [UInt8] = []
    from.takeOutput { bytes = Array($0) }
    for byte in bytes { withUnsafeBytes(of: byte) { to($0) } }
  }

  @Test func `a handshake and a message survive delivery byte by byte`() throws {
    let certificates = try TestCertificates()
    let server = try certificates.serverTLS().accept()
    let client = try certificates.clientTLS().connect(host: "localhost")
    var serverDone = false
    var clientDone = client.handshake() == .done
    for _ in 0..<4 where !(serverDone && clientDone) {
      move(client) { byte in
        server.withInput(byte) { serverDone = $0.handshake() == .done || serverDone }
      }
      move(server) { byte in
        client.withInput(byte) { clientDone = $0.handshake() == .done || clientDone }
      }
    }
    #expect(serverDone && clientDone)
    let text = [UInt8](repeating: 0x68, count: 40_000)
    #expect(text.withUnsafeBytes { client.write($0) })
    var received: [UInt8] = []
    move(client) { byte in
      server.withInput(byte) { session in
        var room = [UInt8](repeating: 0, count: 16384)
        while true {
          let (count, progress) = room.withUnsafeMutableBytes { session.read(into: $0) }
          received += room[..<count]
          if progress != .done { break }
        }
      }
    }
    #expect(received == text)
  }

  @Test func `a flipped bit in a record is a failure, not data`() throws {
    let certificates = try TestCertificates()
    let server = try certificates.serverTLS().accept()
    let client = try certificates.clientTLS().connect(host: "127.0.0.1")
    func pump(_ from: TLSSession, _ to: TLSSession, flip: Bool = false) -> TLSSession.Progress {
      var bytes: [UInt8] = []
      from.takeOutput { bytes = Array($0) }
      if flip, let last = bytes.indices.last { bytes[last] ^= 1 }
      return bytes.withUnsafeBytes { input in to.withInput(input) { $0.handshake() } }
    }
    _ = client.handshake()
    #expect(pump(client, server) == .wantsInput)
    #expect(pump(server, client) == .done)
    #expect(pump(client, server) == .done)
    _ = [1, 2, 3].withUnsafeBytes { client.write($0) }
    var bytes: [UInt8] = []
    client.takeOutput { bytes = Array($0) }
    bytes[bytes.count - 1] ^= 1
    var room = [UInt8](repeating: 0, count: 100)
    let (count, progress) = bytes.withUnsafeBytes { input in
      server.withInput(input) { session in
        room.withUnsafeMutableBytes { session.read(into: $0) }
      }
    }
    #expect(count == 0)
    #expect(progress != .done && progress != .wantsInput)
  }
}
