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

  private let large = MethodDescriptor(
    path: Methods.path("Large"), kind: .unary, isReadOnly: true, rule: Methods.ping.rule)
  private let empty = MethodDescriptor(
    path: Methods.path("Empty"), kind: .unary, isReadOnly: true, rule: Methods.ping.rule)

  /// Everything that a server says to these calls, which arrive in one read and have the ids 1, 3, 5…
  /// Not async: an embedded loop belongs to one thread.
  private func answers(to methods: [MethodDescriptor]) throws -> [RawFrame] {
    var router = Router()
    try router.unary(large) { (_: Blob, _) in Blob([UInt8](repeating: 7, count: 200_000)) }
    try router.unary(empty) { (_: Blob, _) in Blob([UInt8]()) }
    let core = ServerCore(
      configuration: configured { _ in }, router: router, authenticator: TestAuthenticator(),
      logger: testLogger())
    let channel = EmbeddedChannel()
    let id = try #require(core.registry.admit(channel))
    let connection = ServerConnection(
      id: id, core: core, executor: LoopExecutor(channel.eventLoop))
    try channel.pipeline.syncOperations.addHandlers(EagerSocket(), connection)
    channel.pipeline.fireUserInboundEventTriggered(TLSEvent.handshakeCompleted(peerName: nil))

    var hello = Hello()
    hello.limits.connectionCredit = WireLimit.creditMax
    hello.limits.framePayloadByteCountMax = 1 << 20
    var bytes = RawClient.frame(.hello, stream: 0, hello.clientPayload())
    for (index, method) in methods.enumerated() {
      let block = CallHead.block(path: method.path, timeoutMicroseconds: nil)
      bytes += RawClient.frame(
        .call, [.hasMessage, .end], stream: UInt32(2 * index + 1), block)
    }
    try channel.writeInbound(ByteBuffer(bytes: bytes))
    channel.embeddedEventLoop.run()

    var output: [UInt8] = []
    while let next = try channel.readOutbound(as: ByteBuffer.self) {
      output += Array(next.readableBytesView)
    }
    _ = try channel.finish(acceptAlreadyClosed: true)
    var frames: [RawFrame] = []
    while let frame = RawClient.takeFrame(&output) { frames.append(frame) }
    return frames
  }

  @Test func `replies that went out during a write are not lost`() throws {
    let frames = try answers(to: Array(repeating: large, count: 20))
    let ended = frames.filter { $0.kind == .end }.map(\.stream)
    #expect(ended.sorted() == Array(stride(from: UInt32(1), to: 41, by: 2)))
  }

  @Test func `an empty reply that waits for a flush is a message, too`() throws {
    // The first replies fill the output up to its bound; the last is after it.
    let frames = try answers(to: Array(repeating: large, count: 8) + [empty])
    let last = frames.filter { $0.stream == 17 }
    #expect(last.map(\.kind) == [.message, .end])
    #expect(last.map(\.payload.isEmpty) == [true, false])
    #expect(last.last?.trailer?.status == .ok)
  }
}
