import NIOCore
import NIOEmbedded
import RPC
import Testing
import Wire

@testable import Transport

/// What a connection makes of a socket that takes a whole write while it is being made.
@Suite("Output")
struct OutputTests {
  /// A socket that is over its high-water mark with every write and takes all of it in the flush,
  /// as a real one does when its reader is late but not slow.
  private final class EagerSocket: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      context.write(data, promise: promise)
      announce(false, context)
    }

    func flush(context: ChannelHandlerContext) {
      context.flush()
      announce(true, context)
    }

    private func announce(_ isWritable: Bool, _ context: ChannelHandlerContext) {
      (context.channel as? EmbeddedChannel)?.isWritable = isWritable
      context.fireChannelWritabilityChanged()
    }
  }

  /// Not async: an embedded loop belongs to one thread.
  @Test func `replies that went out during a write are not lost`() throws {
    let large = MethodDescriptor(
      path: Methods.path("Large"), kind: .unary, isReadOnly: true, rule: Methods.ping.rule)
    var router = Router()
    try router.unary(large) { (_: Blob, _) in Blob([UInt8](repeating: 7, count: 200_000)) }
    let core = ServerCore(
      configuration: configured { _ in }, router: router, authenticator: TestAuthenticator(),
      logger: testLogger())
    let id = try #require(core.registry.admit(countMax: 1))
    let channel = EmbeddedChannel()
    let connection = ServerConnection(
      id: id, core: core, executor: LoopExecutor(channel.eventLoop))
    try channel.pipeline.syncOperations.addHandlers(EagerSocket(), connection)
    channel.pipeline.fireUserInboundEventTriggered(TLSEvent.handshakeCompleted(peerName: nil))

    var hello = Hello()
    hello.limits.connectionCredit = WireLimit.creditMax
    hello.limits.framePayloadByteCountMax = 1 << 20
    var bytes = RawClient.frame(.hello, stream: 0, hello.clientPayload())
    let streams = Array(stride(from: UInt32(1), to: 41, by: 2))
    for stream in streams {
      let block = CallHead.block(path: large.path, timeoutMicroseconds: nil)
      bytes += RawClient.frame(.call, [.hasMessage, .end], stream: stream, block)
    }
    try channel.writeInbound(ByteBuffer(bytes: bytes))
    channel.embeddedEventLoop.run()

    var output: [UInt8] = []
    while let next = try channel.readOutbound(as: ByteBuffer.self) {
      output += Array(next.readableBytesView)
    }
    #expect(endedStreams(output) == streams)
    _ = try channel.finish(acceptAlreadyClosed: true)
  }

  private func endedStreams(_ bytes: [UInt8]) -> [UInt32] {
    var ended: [UInt32] = []
    bytes.withUnsafeBytes { bytes in
      var offset = 0
      while let header = FrameHeader(UnsafeRawBufferPointer(rebasing: bytes[offset...])) {
        if header.kind == .end { ended.append(header.stream) }
        offset += FrameHeader.byteCount + Int(header.payloadByteCount)
      }
    }
    return ended.sorted()
  }
}
