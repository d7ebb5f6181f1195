import NIOCore
import NIOPosix
import OpenSSL
import RPC
import Synchronization
import Wire

@testable import Transport

/// A frame as a test sees it.
struct RawFrame: Equatable {
  var kind: FrameKind
  var flags: FrameFlags
  var stream: UInt32
  var payload: [UInt8]

  var trailer: EndTrailer? {
    payload.withUnsafeBytes { try? EndTrailer.read($0).trailer }
  }
  var message: String? {
    payload.withUnsafeBytes { bytes in
      (try? EndTrailer.read(bytes)).map { String(decoding: $0.message, as: UTF8.self) }
    }
  }
  var goAway: GoAway? { payload.withUnsafeBytes { try? GoAway(payload: $0) } }
  var credit: UInt32 { payload.withUnsafeBytes { $0.bigEndian32(at: 0) } }
}

/// Speaks TLS like any client and frames like no client should.
final class RawClient: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var isClosed = false
    var isPaused = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  /// Collects what arrives. `@unchecked Sendable`: the state is a mutex.
  private final class Collector: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    let state = Mutex(State())

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      change { $0.bytes.append(contentsOf: self.unwrapInboundIn(data).readableBytesView) }
    }
    func channelInactive(context: ChannelHandlerContext) {
      change { $0.isClosed = true }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      change { $0.isClosed = true }
      context.close(promise: nil)
    }
    func change(_ body: (inout State) -> Void) {
      let waiter = state.withLock { state in
        body(&state)
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume()
    }
  }

  private let collector = Collector()
  let channel: any Channel

  /// Connects. `tls` nil = in clear. With a `step` it reads so many bytes at once, when it is told to.
  init(port: Int, tls: TLSContext?, step: Int? = nil) async throws {
    let collector = self.collector
    var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    if let step {
      bootstrap =
        bootstrap
        .channelOption(.socketOption(.so_rcvbuf), value: .init(step))
        .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: step))
        .channelOption(.maxMessagesPerRead, value: 1)
    }
    channel =
      try await bootstrap
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls {
            try channel.pipeline.syncOperations.addHandler(
              TLSHandler(
                session: try tls.connect(host: "127.0.0.1"), scratch: LoopScratch(),
                handshakeTimeout: .seconds(10)))
          }
          try channel.pipeline.syncOperations.addHandler(collector)
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
  }

  /// Connects and exchanges HELLO.
  static func ready(
    _ server: TestServer, token: String? = "good", limits: ReceiveLimits = ReceiveLimits(),
    step: Int? = nil, minorVersion: UInt16 = 0, encodings: [MessageEncoding] = []
  ) async throws -> RawClient {
    let client = try await RawClient(
      port: server.port, tls: try server.certificates.clientTLS(), step: step)
    var hello = Hello()
    hello.token = token
    hello.minorVersion = minorVersion
    hello.encodings = Encodings(encodings)
    hello.limits = limits
    client.send(.hello, stream: 0, hello.clientPayload())
    let reply = await client.nextFrame()
    guard reply?.kind == .hello else { throw TLSError("no HELLO but \(String(describing: reply))") }
    return client
  }

  func send(bytes: [UInt8]) {
    channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
  }

  func send(
    _ kind: FrameKind, _ flags: FrameFlags = [], stream: UInt32, _ payload: [UInt8] = []
  ) {
    send(bytes: Self.frame(kind, flags, stream: stream, payload))
  }

  /// A CALL with one whole request and END.
  func call(
    _ method: MethodDescriptor, stream: UInt32, _ text: String = "",
    flags: FrameFlags = [.hasMessage, .end], timeoutMicroseconds: UInt64? = nil
  ) {
    let block = CallHead.block(path: method.path, timeoutMicroseconds: timeoutMicroseconds)
    send(.call, flags, stream: stream, block + Array(text.utf8))
  }

  static func frame(
    _ kind: FrameKind, _ flags: FrameFlags = [], stream: UInt32, _ payload: [UInt8] = []
  ) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    header.withUnsafeMutableBytes {
      FrameHeader(kind, flags: flags, stream: stream, payloadByteCount: payload.count).write(to: $0)
    }
    return header + payload
  }

  /// The next frame; nil when the server has closed.
  func nextFrame() async -> RawFrame? {
    while true {
      let (frame, isClosed) = collector.state.withLock { state -> (RawFrame?, Bool) in
        (Self.takeFrame(&state.bytes), state.isClosed)
      }
      if let frame { return frame }
      if isClosed { return nil }
      await wait()
    }
  }

  /// The next frame that is not CREDIT.
  func nextAnswer() async -> RawFrame? {
    while let frame = await nextFrame() {
      if frame.kind != .credit { return frame }
    }
    return nil
  }

  /// Returns when the server has closed.
  func closed() async {
    while !collector.state.withLock({ $0.isClosed }) { await wait() }
  }

  /// Sends nothing more and reads nothing more.
  func close() {
    channel.close(promise: nil)
  }

  private func wait() async {
    await withCheckedContinuation { continuation in
      let isChanged = collector.state.withLock { state in
        if state.isClosed || Self.hasFrame(state.bytes) { return true }
        state.waiter = continuation
        return false
      }
      if isChanged { continuation.resume() }
    }
  }

  private static func hasFrame(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { raw in
      guard let header = FrameHeader(raw) else { return false }
      return raw.count >= FrameHeader.byteCount + Int(header.payloadByteCount)
    }
  }

  static func takeFrame(_ bytes: inout [UInt8]) -> RawFrame? {
    guard hasFrame(bytes), let header = bytes.withUnsafeBytes({ FrameHeader($0) }),
      let kind = header.kind
    else { return nil }
    let end = FrameHeader.byteCount + Int(header.payloadByteCount)
    let payload = Array(bytes[FrameHeader.byteCount..<end])
    bytes.removeFirst(end)
    return RawFrame(kind: kind, flags: header.flags, stream: header.stream, payload: payload)
  }
}
