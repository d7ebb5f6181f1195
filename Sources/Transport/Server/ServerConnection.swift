internal import Logging
internal import NIOCore
internal import RPC
internal import Wire

/// One connection of a server: reads frames, asks the machines, runs calls, writes frames.
///
/// Decides nothing about the protocol; that is `ServerConnectionMachine` and `ServerCallMachine`. One
/// read is decoded completely, its handlers run as far as they can, then there is one flush.
///
/// `@unchecked Sendable`: all mutable state is touched on `loop` only. What may be called from
/// elsewhere says so, and hops.
final class ServerConnection: ChannelDuplexHandler, TickFlushable, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Output that a tick gathers before streams wait for the next one.
  static let tickOutputByteCountMax = 64 << 10

  let core: ServerCore
  let executor: LoopExecutor
  var loop: any EventLoop { executor.loop }
  var machine: ServerConnectionMachine
  var record: ConnectionRecord
  var id: UInt64 { record.id }
  var identity = ConnectionIdentity()
  var routes = RouteCache()
  private(set) var context: ChannelHandlerContext?
  private(set) var carry = FrameCarry()

  var out = OutputBuffer()
  private(set) var gate = OutputGate()
  var outputLimits = OutputLimits.stranger
  /// What the socket did not take, as far as it was counted.
  var keptByteCount = 0
  /// Who answers for what is kept here.
  var account: ByteAccount
  /// Calls that did not end in the read that started them.
  var calls: [UInt32: ServerCall] = [:]
  var waiting = WaitingCalls()
  /// When the streams end that need no token and have none.
  var publicStreams: [UInt32: Moment] = [:]

  /// The time of the current read or timer: one clock call for many frames.
  var now: Moment
  var timer = LoopTimer()
  /// Once nothing more is said.
  var linger: LingerMachine?

  init(id: UInt64, core: ServerCore, executor: LoopExecutor) {
    self.core = core
    self.executor = executor
    now = core.now()
    account = core.accounts.ofStranger()
    record = ConnectionRecord(id: id, acceptedAt: now)
    machine = ServerConnectionMachine(
      configuration: core.configuration.machineConfiguration(), now: now)
  }

  // MARK: Life

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    record.remoteAddress = context.remoteAddress?.name ?? "?"
    record.peerAddress = context.remoteAddress?.ipAddress ?? ""
    apply(.stranger)
    if let grace = core.registry.add(self) { drain(grace: grace) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    if machine.close() { releaseAll() }
    timer.cancel()
    releaseBuffers()
    core.registry.remove(self, counters: record.counters)
    self.context = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    if machine.close() { releaseAll() }
    releaseBuffers()
    // Only now: while the last words are being read the connection counts for the limit, and a
    // drain waits for it.
    core.registry.remove(self, counters: record.counters)
    executor.tick()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSEvent.handshakeCompleted(let peerName) = event {
      now = core.now()
      machine.handshakeCompleted(now: now)
      if peerName != nil { peerAuthenticated() }
      rearmTimer()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Handshake failures and resets are the network's daily life: not worth more than debug.
    core.logger.debug(
      "connection failed",
      metadata: [
        "connection": "\(id)", "remote": "\(record.remoteAddress)", "error": "\(error)",
      ])
    context.close(promise: nil)
  }

  /// Ends the connection for a fault of the peer's, with GOAWAY (W11.6).
  func fail(_ fault: WireFault) {
    guard !machine.isClosed else { return }
    core.logger.debug(
      "closing a connection",
      metadata: [
        "connection": "\(id)", "remote": "\(record.remoteAddress)", "reason": "\(fault.reason)",
        "text": "\(fault.text)",
      ])
    if fault.reason == .abuse {
      let address = context?.remoteAddress?.ipAddress ?? "?"
      core.abuse.write(
        .warning, "a peer was cut off", kind: address,
        metadata: ["address": "\(address)", "text": "\(fault.text)"])
    }
    if let goAway = machine.goAway(for: fault) {
      out.appendFrame(.goAway, stream: 0, payload: goAway.payload)
    }
    finish(grace: Self.lingerTimeMin)
  }

  /// Says nothing more, and closes when the client has had its time to read what was said.
  func finish(grace: Duration? = nil) {
    guard let context, machine.close() else { return }
    writeOutput()
    releaseAll()
    beginLinger(context, grace: grace ?? machine.grace)
  }

  /// The connection has ended: so do its calls.
  private func releaseAll() {
    timer.cancel()
    carry.clear()
    let error = RPCError(.unavailable, "the connection is gone")
    for call in Array(calls.values) { close(call, error) }
    waiting.removeAll()
    out.shrink()
  }

  // MARK: In

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !machine.isClosed else { return }
    executor.readBegan()
    now = core.now()
    machine.bytesReceived(now: now)
    var bytes = unwrapInboundIn(data)
    record.byteCountIn += Int64(bytes.readableBytes)
    executor.statistics.moved(byteCountIn: bytes.readableBytes)
    carry.join(&bytes)
    consume(&bytes)
    if machine.isClosed { return }
    let before = carry.byteCount
    carry.keep(&bytes, context.channel.allocator)
    if carry.byteCount >= 1024 || before >= 1024 || keptByteCount > 0 { settleBuffers() }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    executor.tick()
    context.fireChannelReadComplete()
  }

  /// Handles all complete frames at the front of `buffer`.
  private func consume(_ buffer: inout ByteBuffer) {
    let byteCount = buffer.withUnsafeReadableBytes { bytes in
      var reader = FrameReader(bytes)
      do throws(WireFault) {
        while !machine.isClosed,
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
    if machine.isFinished { finish() }
  }

  /// A client that does not read is not read from.
  func read(context: ChannelHandlerContext) {
    if machine.isClosed || gate.readRequested() { context.read() }
  }

  // MARK: Out

  /// Whether a streaming writer may add to the output of this tick.
  var hasRoom: Bool {
    gate.isWritable && out.count < min(Self.tickOutputByteCountMax, outputLimits.byteCountMax)
  }

  /// Has the output flushed at the end of this tick.
  func markDirty() {
    if gate.outputMade() { executor.markDirty(self) }
  }

  func flushOutput() {
    gate.flushBegan()
    guard !machine.isClosed else { return out.shrink() }
    sendDue()
    writeOutput()
    if gate.isWritable { resumeOutput() }
    settleBuffers()
    if machine.isFinished { finish() }
  }

  private func writeOutput() {
    guard let context, !out.isEmpty else { return }
    let bytes = out.take(context.channel.allocator)
    record.byteCountOut += Int64(bytes.readableBytes)
    executor.statistics.moved(byteCountOut: bytes.readableBytes)
    // Before the write: while it runs the socket may take everything and become writable, and the
    // calls that waited for that fill the output anew.
    let isLarge = out.capacity > 2 * Self.tickOutputByteCountMax
    if calls.isEmpty || isLarge || !machine.isCallerKnown { out.shrink() }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    switch gate.writabilityChanged(to: context.channel.isWritable) {
    case .nothing: break
    case .resume(let isReadDue):
      resumeOutput()
      if isReadDue { context.read() }
      executor.tick()
    }
    settleBuffers()
    context.fireChannelWritabilityChanged()
  }

  /// The socket takes more: sends what waited for that.
  private func resumeOutput() {
    sendDue()
    for call in waiting.takeWriters() { call.wake() }
  }
}
