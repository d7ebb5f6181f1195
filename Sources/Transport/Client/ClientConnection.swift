internal import NIOCore
internal import OpenSSL
internal import RPC
internal import Synchronization
internal import Wire

/// One connection of a client: opens calls, moves frames, and tells calls how they end.
///
/// `@unchecked Sendable`: all mutable state is touched on `loop` only. `isUsable` and the entry points
/// of calls hop there.
final class ClientConnection: ChannelDuplexHandler, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// How a connection ended.
  struct Ending: Sendable {
    let error: RPCError
    /// Whether the client closed it, or the server drained.
    let isInOrder: Bool
    /// Whether the server had said HELLO.
    let wasEstablished: Bool
  }

  /// Who is told what becomes of the connection of a number. Called on its loop; they must not keep who keeps the
  /// connection.
  struct Owner: Sendable {
    /// It takes no more calls, whether it was established or not.
    let retired: @Sendable (Int) -> Void
    /// The server has answered, for the first time.
    let served: @Sendable (Int) -> Void
    /// One of its calls has ended.
    let callEnded: @Sendable (Int) -> Void
    /// It is no more.
    let ended: @Sendable (Int, Ending) -> Void
  }

  /// Of the attempt that made it.
  let number: Int
  private let owner: Owner
  let configuration: ClientConfiguration
  let loop: any EventLoop
  /// Tells the time; tests have one of their own.
  let clock: @Sendable () -> Moment
  /// Succeeds with the server's HELLO.
  let ready: EventLoopPromise<Void>
  var machine: ClientConnectionMachine
  var context: ChannelHandlerContext?

  var out = OutputBuffer()
  private var isFlushScheduled = false
  private var carry = FrameCarry()

  var calls: [UInt32: ClientCall] = [:]
  /// Calls that wait for a free stream.
  var queued: [ClientCall] = []
  /// Calls whose message waits for credit.
  var blocked: [ClientCall] = []
  /// Whether credit came with this read, for the calls that wait for it.
  var isCreditNew = false

  /// What both sides speak, and whether messages may go out compressed; known from the server's HELLO on.
  private struct Agreement {
    var minorVersion: UInt16 = 0
    var compresses = false
  }

  private let agreement = Mutex(Agreement())

  /// Why the connection is no more; nil while it is.
  private(set) var endError: RPCError?
  private var isRetired = false
  private var isEstablished = false
  private var hasServed = false
  /// What the server calls itself.
  private(set) var serverID: String?

  /// Bytes that were read or dropped, whose credit goes back in one step: a hop per message would be too dear.
  let freedByteCount = Atomic(0)

  var timer = LoopTimer()

  init(
    configuration: ClientConfiguration, loop: any EventLoop, number: Int, owner: Owner,
    clock: @escaping @Sendable () -> Moment = { .now }
  ) {
    self.configuration = configuration
    self.loop = loop
    self.number = number
    self.owner = owner
    self.clock = clock
    ready = loop.makePromise()
    machine = ClientConnectionMachine(
      limits: configuration.limits, keepaliveIdle: configuration.keepaliveIdle,
      keepaliveTimeout: configuration.keepaliveTimeout, now: clock())
  }

  // MARK: Life

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    // It was given up before the channel was there.
    if endError != nil { context.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end(RPCError(.unavailable, "the connection is gone"))
    self.context = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(RPCError(.unavailable, "the server closed the connection"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let text = (error as? TLSError)?.description ?? "the connection failed"
    end(RPCError(.unavailable, text).caused(by: NetworkFailure(error)))
    context.close(promise: nil)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSEvent.handshakeCompleted = event, endError == nil {
      var hello = Hello()
      hello.minorVersion = WireLimit.minorVersion
      if configuration.compresses { hello.encodings = Encodings(MessageEncoding.allCases) }
      hello.agent = configuration.agent
      hello.limits = configuration.limits
      hello.token = configuration.token
      out.appendFrame(.hello, stream: 0, payload: hello.clientPayload())
      flush()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func helloReceived(_ hello: Hello) {
    machine.helloReceived(hello)
    serverID = hello.serverID
    isEstablished = true
    agreement.withLock {
      $0.minorVersion = machine.minorVersion
      $0.compresses = configuration.compresses && machine.peerEncodings.contains(.deflate)
    }
    ready.succeed()
  }

  /// What both sides speak. From any thread.
  var minorVersion: UInt16 { agreement.withLock { $0.minorVersion } }

  /// A message as it goes out. From any thread.
  func outgoing(_ bytes: [UInt8]) -> OutgoingMessage {
    guard agreement.withLock({ $0.compresses }), let packed = CompressedMessage.packed(bytes) else {
      return OutgoingMessage(bytes)
    }
    return OutgoingMessage(compressed: packed, messageByteCount: bytes.count)
  }

  /// The connection takes no more calls: the owner forgets it.
  func retire() {
    guard !isRetired else { return }
    isRetired = true
    owner.retired(number)
  }

  /// The server has answered a call.
  func served() {
    guard !hasServed else { return }
    hasServed = true
    owner.served(number)
  }

  /// The place of a call is free. From the connection's loop.
  func callEnded() { owner.callEnded(number) }

  /// Everything ends.
  ///
  /// - Parameter isInOrder: whether nothing failed.
  func end(_ error: RPCError, isInOrder: Bool = false) {
    guard endError == nil else { return }
    endError = error
    let isDrained = machine.isRetired && calls.isEmpty
    machine.closed()
    retire()
    timer.cancel()
    carry.clear()
    ready.fail(error)
    var unstarted = error
    unstarted.isNotStarted = true
    // What was never written can go elsewhere, whatever ended this connection.
    if error.code == .internal { unstarted.code = .unavailable }
    let waiting = queued
    queued = []
    for call in waiting { call.end(unstarted, trailer: nil) }
    let running = Array(calls.values)
    calls = [:]
    blocked = []
    for call in running { call.end(error, trailer: nil) }
    out.shrink()
    owner.ended(
      number,
      Ending(error: error, isInOrder: isInOrder || isDrained, wasEstablished: isEstablished))
  }

  /// Closes with a GOAWAY and its text. From any thread.
  func close() {
    loop.execute {
      guard self.endError == nil else { return }
      self.sayGoAway(WireFault(.noError, "the client is done"))
      self.end(RPCError(.cancelled, "the client was closed"), isInOrder: true)
      self.context?.close(promise: nil)
    }
  }

  /// The server broke the protocol. Not UNAVAILABLE: it would do so again (BEHAVIOUR.md, C5.7).
  func fail(_ fault: WireFault) {
    guard endError == nil else { return }
    sayGoAway(fault)
    end(RPCError(.internal, "the server broke the protocol: \(fault.text)"))
    context?.close(promise: nil)
  }

  private func sayGoAway(_ fault: WireFault) {
    let goAway = GoAway(lastStream: 0, reason: fault.reason, text: fault.text)
    out.appendFrame(.goAway, stream: 0, payload: goAway.payload)
    flush()
  }

  // MARK: In

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard endError == nil else { return }
    machine.bytesReceived(now: clock())
    var bytes = unwrapInboundIn(data)
    carry.join(&bytes)
    consume(&bytes)
    if endError != nil { return }
    carry.keep(&bytes, context.channel.allocator)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if isCreditNew { sendBlocked() }
    flush()
    context.fireChannelReadComplete()
  }

  /// Handles all complete frames at the front of `buffer`.
  private func consume(_ buffer: inout ByteBuffer) {
    let byteCount = buffer.withUnsafeReadableBytes { bytes in
      var reader = FrameReader(bytes)
      do throws(WireFault) {
        while endError == nil,
          let frame = try reader.next({ header throws(WireFault) in try machine.check(header) })
        {
          try receive(frame.kind, frame.header, frame.payload)
        }
      } catch {
        fail(error)
      }
      return reader.byteCount
    }
    buffer.moveReaderIndex(forwardBy: byteCount)
    if endError == nil, machine.isFinished { finish() }
  }

  /// A drained connection without calls closes.
  func finish() {
    // The last call may have been cancelled just now.
    flush()
    end(RPCError(.unavailable, "the server is shutting down"), isInOrder: true)
    context?.close(promise: nil)
  }

  /// What readers consume is reported to the loop in steps of this, of a credit of so much: a hop for each message
  /// would be too dear. Of a small credit at once: with what the window holds back as well, a sender would have
  /// less than a fragment (W9.2).
  static func returnStep(of credit: Int) -> Int {
    credit < 4 * WireLimit.fragmentByteCountMin ? 1 : credit / 4
  }

  /// Bytes are read or dropped. From any thread.
  func freed(_ byteCount: Int) {
    guard byteCount > 0 else { return }
    let step = Self.returnStep(of: configuration.limits.connectionCredit)
    guard freedByteCount.add(byteCount, ordering: .relaxed).newValue >= step else { return }
    loop.execute {
      self.consumed(self.freedByteCount.exchange(0, ordering: .relaxed), of: nil)
    }
  }

  // MARK: Out

  /// Flushes at the end of this read, or soon.
  func markDirty() {
    guard !isFlushScheduled else { return }
    isFlushScheduled = true
    loop.execute {
      self.isFlushScheduled = false
      self.flush()
    }
  }

  func flush() {
    guard let context, !out.isEmpty else { return }
    let bytes = out.take(context.channel.allocator)
    // Before the write, during which more may be put into the output.
    if calls.isEmpty { out.shrink() }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }
}
