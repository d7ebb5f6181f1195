import NIOCore
import NIOEmbedded
import RPC
import Testing
import Wire

@testable import Transport

/// How much peers may make a server keep, alone and together.
@Suite(.timeLimit(.minutes(5)))
struct MemoryTests {
  private let text = String(repeating: "a", count: 9000)
  private let noCredit = ReceiveLimits(streamCredit: 0)

  @Test func `a holder may have its limit, and no more than what is free`() {
    let budget = ByteBudget(byteCountMax: 100)
    let (one, two) = (
      ByteAccount(budget, byteCountMax: 40), ByteAccount(budget, byteCountMax: 90)
    )
    #expect(one.change(by: 40))
    #expect(!one.change(by: 1))
    #expect(one.change(by: -1))
    // 60 are free: half of them, not all.
    #expect(two.change(by: 30))
    #expect(!two.change(by: 1))
    #expect(two.change(by: -31))
    #expect(one.change(by: -40))
    #expect(two.change(by: 50))
  }

  @Test func `the connections of a caller share an account, which goes with the last`() {
    let accounts = ByteAccounts(MemoryLimits())
    var first: ByteAccount? = accounts.of(userID: "ana")
    weak let before = first
    #expect(accounts.of(userID: "ana") === first)
    #expect(accounts.of(userID: "bea") !== first)
    first = nil
    #expect(before == nil)
    for index in 0..<200 { _ = accounts.of(userID: "\(index)") }
  }

  @Test func `W6.5 what waits on all connections of a caller is bounded`() async throws {
    try await TestServer.with(configured { $0.memory.callerByteCountMax = 20_000 }) { server in
      let first = try await RawClient.ready(server, limits: noCredit)
      let second = try await RawClient.ready(server, limits: noCredit)
      first.call(Methods.echo, stream: 1, text)
      first.call(Methods.echo, stream: 3, "")
      #expect(await first.nextAnswer()?.stream == 3)
      second.call(Methods.echo, stream: 1, text)
      second.call(Methods.echo, stream: 3, text)
      let end = await second.nextAnswer()
      #expect(end?.stream == 3)
      #expect(end?.trailer?.status == .resourceExhausted)
      #expect(end?.trailer?.details == RPCError.busy)
      // What is cancelled gives its room back; another caller has room of their own.
      first.send(.cancel, stream: 1)
      first.call(Methods.echo, stream: 5, "")
      #expect(await first.nextAnswer()?.stream == 5)
      second.call(Methods.echo, stream: 5, text)
      second.call(Methods.echo, stream: 7, "")
      #expect(await second.nextAnswer()?.stream == 7)
      let other = try await RawClient.ready(server, token: "other", limits: noCredit)
      other.call(Methods.echo, stream: 1, text)
      other.call(Methods.echo, stream: 3, "")
      #expect(await other.nextAnswer()?.stream == 3)
      for client in [first, second, other] { client.close() }
    }
  }

  @Test func `W6.5 the messages of a stream that is not read are bounded, too`() async throws {
    try await TestServer.with(configured { $0.memory.callerByteCountMax = 20_000 }) { server in
      let client = try await RawClient.ready(server, limits: noCredit)
      for stream in [1, 3, 5] as [UInt32] { client.call(Methods.count, stream: stream, "9 9000") }
      let end = await client.nextAnswer()
      #expect(end?.stream == 5)
      #expect(end?.trailer?.status == .resourceExhausted)
      client.close()
    }
  }

  @Test func `W6.5 strangers share little, and one that comes new still gets something`()
    async throws
  {
    try await TestServer.with(configured { $0.memory.strangersByteCountMax = 32_000 }) { server in
      let greedy = try await RawClient.ready(server, token: nil, limits: noCredit)
      greedy.call(Methods.ping, stream: 1, text)
      greedy.call(Methods.ping, stream: 3, text)
      let end = await greedy.nextAnswer()
      #expect(end?.stream == 3)
      #expect(end?.trailer?.status == .resourceExhausted)
      #expect(end?.trailer?.details == RPCError.busy)
      let modest = try await RawClient.ready(server, token: nil, limits: noCredit)
      modest.call(Methods.ping, stream: 1, String(repeating: "b", count: 3000))
      modest.call(Methods.ping, stream: 3, "")
      #expect(await modest.nextAnswer()?.stream == 3)
      modest.send(.credit, stream: 1, [0, 0, 0x20, 0])
      #expect(await modest.nextAnswer()?.payload.count == 3000)
      greedy.close()
      modest.close()
    }
  }
}

/// A connection whose peer does not read, without a socket. Not async: an embedded loop belongs to
/// one thread.
@Suite struct UnreadOutputTests {
  /// Takes nothing: what is written stays in the channel's buffer.
  private final class FullSocket: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    var byteCount = 0
    var isFull = true

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      byteCount += unwrapOutboundIn(data).readableBytes
      context.write(data, promise: promise)
      announce(!isFull || byteCount < 16384, context)
    }

    func flush(context: ChannelHandlerContext) {
      if !isFull { context.flush() }
    }

    func announce(_ isWritable: Bool, _ context: ChannelHandlerContext) {
      (context.channel as? EmbeddedChannel)?.isWritable = isWritable
      context.fireChannelWritabilityChanged()
    }
  }

  private struct Bench {
    let channel = EmbeddedChannel()
    let socket = FullSocket()
    let connection: ServerConnection

    init(isFull: Bool, _ change: (inout ServerConfiguration) -> Void = { _ in }) throws {
      var router = Router(inner: [ConstantReplies(of: [large])])
      try router.unary(large) { (_: Blob, _) in Blob([UInt8](repeating: 7, count: 200_000)) }
      try router.unary(Methods.ping) { (request: Blob, _) in request }
      let core = ServerCore(
        configuration: configured(change), router: router, authenticator: TestAuthenticator(),
        logger: testLogger())
      let id = core.registry.admit(channel) ?? 0
      socket.isFull = isFull
      connection = ServerConnection(id: id, core: core, executor: LoopExecutor(channel.eventLoop))
      try channel.pipeline.syncOperations.addHandlers(socket, connection)
      channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
      channel.pipeline.fireUserInboundEventTriggered(TLSEvent.handshakeCompleted(peerName: nil))
    }

    func greet(streamCredit: Int) throws {
      var hello = Hello()
      hello.limits.connectionCredit = WireLimit.creditMax
      hello.limits.framePayloadByteCountMax = 1 << 20
      hello.limits.streamCredit = streamCredit
      try feed(RawClient.frame(.hello, stream: 0, hello.clientPayload()))
    }

    func call(_ method: MethodDescriptor, streams: Range<Int>, _ message: [UInt8] = []) throws {
      let block = CallHead.block(path: method.path, timeoutMicroseconds: nil)
      var bytes: [UInt8] = []
      for index in streams {
        let stream = UInt32(2 * index + 1)
        bytes += RawClient.frame(.call, [.hasMessage, .end], stream: stream, block + message)
      }
      try feed(bytes)
    }

    func feed(_ bytes: [UInt8]) throws {
      try channel.writeInbound(ByteBuffer(bytes: bytes))
      channel.embeddedEventLoop.run()
    }

    func sent() throws -> [RawFrame] {
      var bytes: [UInt8] = []
      while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
        bytes += Array(buffer.readableBytesView)
      }
      var frames: [RawFrame] = []
      while let frame = RawClient.takeFrame(&bytes) { frames.append(frame) }
      return frames
    }
  }

  private static let large = MethodDescriptor(
    path: Methods.path("Large"), kind: .unary, isReadOnly: true, rule: Methods.ping.rule)

  @Test func `a stranger that does not read costs little, however large its replies are`() throws {
    let bench = try Bench(isFull: true)
    try bench.greet(streamCredit: WireLimit.creditMax)
    try bench.call(Self.large, streams: 0..<16)
    #expect(bench.connection.calls.count == 16)
    #expect(bench.socket.byteCount < 64 << 10)
    #expect(bench.connection.keptByteCount == bench.socket.byteCount)
    // The large reply is there once, for all.
    #expect(bench.connection.machine.buffered.kept.output == 0)
    // As the socket takes more, all of it arrives.
    bench.socket.isFull = false
    let context = try bench.channel.pipeline.syncOperations.context(handler: bench.socket)
    context.flush()
    bench.socket.announce(true, context)
    bench.channel.embeddedEventLoop.run()
    let frames = try bench.sent()
    #expect(frames.count { $0.kind == .end && $0.trailer?.status == .ok } == 16)
    let byteCount = frames.filter { $0.kind == .message }.reduce(0) { $0 + $1.payload.count }
    #expect(byteCount == 16 * 200_000)
    #expect(bench.connection.keptByteCount == 0)
    _ = try? bench.channel.finish()
  }

  @Test func `a stranger that does not read is closed when there is no more room for it`() throws {
    let bench = try Bench(isFull: true) { $0.memory.strangersByteCountMax = 60_000 }
    try bench.greet(streamCredit: WireLimit.creditMax)
    try bench.call(Self.large, streams: 0..<16)
    #expect(!bench.channel.isActive)
    #expect(bench.connection.keptByteCount == 0)
  }

  @Test func `W9.2 all CREDIT of a read is used in one fragment`() throws {
    let bench = try Bench(isFull: false)
    try bench.greet(streamCredit: 0)
    try bench.call(Methods.ping, streams: 0..<1, [UInt8](repeating: 1, count: 10_000))
    #expect(try bench.sent().map(\.kind) == [.hello])
    var credit: [UInt8] = []
    for _ in 0..<8 { credit += RawClient.frame(.credit, stream: 1, [0, 0, 4, 0]) }
    try bench.feed(credit)
    let frames = try bench.sent()
    #expect(frames.map(\.kind) == [.message])
    #expect(frames.first?.payload.count == 8192)
    _ = try? bench.channel.finish()
  }

  @Test func `what is left of a large read is kept in a buffer of its size`() throws {
    var carry = FrameCarry()
    var read = ByteBuffer(bytes: [1, 2, 3])
    carry.join(&read)
    carry.keep(&read, ByteBufferAllocator())
    read = ByteBuffer(bytes: [UInt8](repeating: 4, count: 32_000))
    carry.join(&read)
    read.moveReaderIndex(forwardBy: 31_990)
    carry.keep(&read, ByteBufferAllocator())
    var rest = ByteBuffer(bytes: [5])
    carry.join(&rest)
    #expect(rest.capacity < 1024)
    #expect(Array(rest.readableBytesView) == [UInt8](repeating: 4, count: 13) + [5])
  }
}
