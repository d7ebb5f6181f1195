internal import Logging
internal import NIOCore
internal import RPC
internal import Wire

/// One connection of a server: reads frames, asks the machines, runs calls, writes frames.
///
/// Decides nothing about the protocol; that is `ServerConnectionMachine` and `CallMachine`. One read
/// is decoded completely, its handlers run as far as they can, then there is one flush.
///
/// `@unchecked Sendable`: all mutable state is touched on `loop` only. What may be called from
/// elsewhere says so, and hops.
final class ServerConnection: ChannelDuplexHandler, TickFlushable, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// How long a closing connection waits for the client to read the last words.
  static let lingerTime = TimeAmount.seconds(1)
  /// Output that a tick gathers before streams wait for the next one.
  static let tickOutputByteCountMax = 64 << 10
  /// Output beyond which replies wait like those without credit: one read can hold hundreds of
  /// calls, each with a reply a thousand times its size.
  static let outputByteCountMax = 1 << 20

  let id: UInt64
  let core: ServerCore
  let executor: LoopExecutor
  var loop: any EventLoop { executor.loop }
  var machine: ServerConnectionMachine
  var context: ChannelHandlerContext?

  var out = OutputBuffer()
  private var isDirty = false
  var isWritable = true
  private var wantsRead = false
  private var isReady = false
  /// The beginning of a frame that is not complete yet.
  private var carry = ByteBuffer()

  /// Calls that did not end in the read that started them.
  var calls: [UInt32: ServerCall] = [:]
  /// Calls whose output waits for credit, in order.
  var blocked: [ServerCall] = []
  /// Streaming writers that wait for the socket or the next tick.
  var waitingForRoom: [ServerCall] = []
  /// Replies that wait for credit.
  var pendingReplyByteCount = 0
  var counters = CallCounters()

  var helloToken: String?
  var helloAnswer: AuthenticationCache.Answer?
  var agent = ""
  var remoteAddress = ""
  let acceptedAt: ContinuousClock.Instant
  /// The time of the current read or timer: one clock call for many frames.
  var now: ContinuousClock.Instant

  /// The last method that was called, to spare its look-up.
  var lastPath: [UInt8] = []
  var lastRoute: Route?

  var timer: Scheduled<Void>?
  var timerDue: ContinuousClock.Instant?
  var authenticationDue: ContinuousClock.Instant?
  private(set) var isClosing = false
  /// Bytes of frames, before TLS; for introspection.
  private(set) var byteCountIn: Int64 = 0
  private(set) var byteCountOut: Int64 = 0

  init(id: UInt64, core: ServerCore, executor: LoopExecutor) {
    self.id = id
    self.core = core
    self.executor = executor
    now = core.now()
    acceptedAt = now
    machine = ServerConnectionMachine(
      configuration: core.configuration.machineConfiguration(), now: now)
  }

  // MARK: Life

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    remoteAddress = context.remoteAddress?.description ?? "?"
    core.registry.add(self)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    connectionEnded()
    core.registry.remove(self, counters: counters)
    self.context = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    connectionEnded()
    // Only now: while the last words are being read the connection counts for the limit, and a
    // drain waits for it.
    core.registry.remove(self, counters: counters)
    executor.tick()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSEvent.handshakeCompleted = event {
      now = core.now()
      isReady = true
      machine.handshakeCompleted(now: now)
      rearmTimer()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Handshake failures and resets are the network's daily life: not worth more than debug.
    core.logger.debug(
      "connection failed",
      metadata: ["connection": "\(id)", "remote": "\(remoteAddress)", "error": "\(error)"])
    context.close(promise: nil)
  }

  private func connectionEnded() {
    guard machine.phase != .closed else { return }
    machine.closed()
    isClosing = true
    timer?.cancel()
    timer = nil
    carry = ByteBuffer()
    let error = RPCError(.unavailable, "the connection is gone")
    for call in Array(calls.values) { close(call, error) }
    blocked = []
    waitingForRoom = []
    out.shrink()
  }

  // MARK: In

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isClosing else { return }
    executor.readBegan()
    now = core.now()
    machine.bytesReceived(now: now)
    var bytes = unwrapInboundIn(data)
    byteCountIn += Int64(bytes.readableBytes)
    if carry.readableBytes > 0 {
      var joined = carry
      carry = ByteBuffer()
      joined.writeBuffer(&bytes)
      consume(&joined)
      if joined.readableBytes > 0 {
        joined.discardReadBytes()
        carry = joined
      }
    } else {
      consume(&bytes)
      if bytes.readableBytes > 0 {
        // A copy: the buffer belongs to all connections of this loop.
        carry = context.channel.allocator.buffer(capacity: bytes.readableBytes)
        carry.writeBuffer(&bytes)
      }
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    executor.tick()
    context.fireChannelReadComplete()
  }

  /// Handles all complete frames at the front of `buffer`.
  private func consume(_ buffer: inout ByteBuffer) {
    let used = buffer.withUnsafeReadableBytes { bytes in
      var offset = 0
      while !isClosing {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
        guard let header = FrameHeader(rest) else { break }
        do throws(WireFault) {
          let kind = try machine.check(header)
          let end = FrameHeader.byteCount + Int(header.payloadByteCount)
          guard end <= rest.count else { break }
          let payload = UnsafeRawBufferPointer(rebasing: rest[FrameHeader.byteCount..<end])
          try receive(kind, header, payload)
          offset += end
        } catch {
          fail(error)
        }
      }
      return isClosing ? bytes.count : offset
    }
    buffer.moveReaderIndex(forwardBy: used)
    if machine.isFinished { finish() }
  }

  /// A client that does not read is not read from.
  func read(context: ChannelHandlerContext) {
    if isWritable { context.read() } else { wantsRead = true }
  }

  // MARK: Out

  /// Has the output flushed at the end of this tick.
  func markDirty() {
    guard !isDirty else { return }
    isDirty = true
    executor.markDirty(self)
  }

  func flushOutput() {
    isDirty = false
    guard !isClosing else { return out.shrink() }
    writeOutput()
    if isWritable {
      sendBlocked()
      wakeWaitingForRoom()
    }
    if machine.isFinished { finish() }
  }

  private func writeOutput() {
    guard let context, !out.isEmpty else { return }
    let bytes = out.take(context.channel.allocator)
    byteCountOut += Int64(bytes.readableBytes)
    // Before the write: while it runs the socket may take everything and become writable, and the
    // calls that waited for that fill the output anew.
    if calls.isEmpty { out.shrink() }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    isWritable = context.channel.isWritable
    if isWritable {
      sendBlocked()
      wakeWaitingForRoom()
      if wantsRead {
        wantsRead = false
        context.read()
      }
      executor.tick()
    }
    context.fireChannelWritabilityChanged()
  }

  private func wakeWaitingForRoom() {
    guard !waitingForRoom.isEmpty else { return }
    let waiting = waitingForRoom
    waitingForRoom.removeAll(keepingCapacity: true)
    for call in waiting { call.wake() }
  }

  // MARK: End

  /// Ends the connection for a fault of the peer's, with GOAWAY (W11.6).
  func fail(_ fault: WireFault) {
    guard !isClosing else { return }
    core.logger.debug(
      "closing a connection",
      metadata: [
        "connection": "\(id)", "remote": "\(remoteAddress)", "reason": "\(fault.reason)",
        "text": "\(fault.text)",
      ])
    let goAway = GoAway(
      lastStream: machine.lastStream, reason: fault.reason, text: fault.text)
    if isReady { out.appendFrame(.goAway, stream: 0, payload: goAway.payload) }
    finish()
  }

  /// Closes after what is in the output: first our side, then, when the client has had time to
  /// read the last words, the rest. Closing at once would reset what is on the way to the client.
  func finish() {
    guard !isClosing, let context else { return }
    isClosing = true
    writeOutput()
    connectionEnded()
    context.close(mode: .output, promise: nil)
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: Self.lingerTime) {
      bound.value.close(promise: nil)
    }
  }
}
