internal import NIOCore
internal import OpenSSL

/// What the TLS handler tells the handlers behind it.
enum TLSEvent: Sendable, Equatable {
  case handshakeCompleted(peerName: String?)
}

/// Memory that all connections of an event loop share, because they use it one after the other.
final class LoopScratch {
  var plain = ByteBuffer()
}

/// TLS in a channel pipeline: encrypted bytes on the socket's side, plain bytes on the other.
final class TLSHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum State {
    case handshaking
    case open
    case closed
  }

  private let session: TLSSession
  private let scratch: LoopScratch
  private let handshakeTimeout: TimeAmount
  private var state = State.handshaking
  private var timer: Scheduled<Void>?
  /// Plain bytes written before the handshake was done.
  private var early: [ByteBuffer] = []

  init(session: TLSSession, scratch: LoopScratch, handshakeTimeout: TimeAmount) {
    self.session = session
    self.scratch = scratch
    self.handshakeTimeout = handshakeTimeout
  }

  // MARK: Life

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { start(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    start(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    stop()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    stop()
  }

  private func start(_ context: ChannelHandlerContext) {
    guard timer == nil, state == .handshaking else { return }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    timer = context.eventLoop.scheduleTask(in: handshakeTimeout) {
      let (handler, context) = bound.value
      guard handler.state == .handshaking else { return }
      handler.fail(context, "the TLS handshake took too long")
    }
    // A client speaks first; a server finds nothing to do here.
    advanceHandshake(context)
  }

  private func stop() {
    timer?.cancel()
    timer = nil
    state = .closed
    early = []
  }

  // MARK: In

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard state != .closed else { return }
    let encrypted = unwrapInboundIn(data)
    encrypted.withUnsafeReadableBytes { bytes in
      session.withInput(bytes) { _ in
        if state == .handshaking { advanceHandshake(context) }
        if state == .open { readPlain(context) }
      }
    }
    push(context)
  }

  private func advanceHandshake(_ context: ChannelHandlerContext) {
    switch session.handshake() {
    case .wantsInput:
      push(context)
    case .done:
      state = .open
      timer?.cancel()
      timer = nil
      push(context)
      context.fireUserInboundEventTriggered(
        TLSEvent.handshakeCompleted(peerName: session.peerName))
      let waiting = early
      early = []
      for buffer in waiting { encrypt(buffer) }
      push(context)
    case .closed:
      fail(context, "the peer closed during the TLS handshake")
    case .failed(let text):
      fail(context, text)
    }
  }

  private func readPlain(_ context: ChannelHandlerContext) {
    var outcome = TLSSession.Progress.done
    scratch.plain.clear()
    while outcome == .done {
      scratch.plain.writeWithUnsafeMutableBytes(minimumWritableBytes: 16384) { room in
        let (byteCount, progress) = session.read(into: room)
        outcome = progress
        return byteCount
      }
    }
    if scratch.plain.readableBytes > 0 {
      context.fireChannelRead(wrapInboundOut(scratch.plain))
    }
    switch outcome {
    case .done, .wantsInput: break
    case .closed: context.close(promise: nil)
    case .failed(let text): fail(context, text)
    }
  }

  // MARK: Out

  func write(
    context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
  ) {
    let plain = unwrapOutboundIn(data)
    switch state {
    case .handshaking: early.append(plain)
    case .open: encrypt(plain)
    case .closed:
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    // The bytes are in the session's output: as good as written for our callers, who watch the
    // channel's writability and not each write.
    promise?.succeed()
  }

  func flush(context: ChannelHandlerContext) {
    push(context)
    context.flush()
  }

  func close(
    context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?
  ) {
    if state == .open, mode != .input {
      session.close()
      push(context)
    }
    if mode == .all { stop() }
    context.close(mode: mode, promise: promise)
  }

  private func encrypt(_ plain: ByteBuffer) {
    // A failed write surfaces as a failed read or a closed channel.
    _ = plain.withUnsafeReadableBytes { session.write($0) }
  }

  private func push(_ context: ChannelHandlerContext) {
    let taken = session.takeOutput { bytes in
      var buffer = context.channel.allocator.buffer(capacity: bytes.count)
      buffer.writeBytes(bytes)
      return buffer
    }
    // Outside: the socket may become writable while it writes, and the next output come in here.
    if let taken { context.writeAndFlush(wrapOutboundOut(taken), promise: nil) }
  }

  private func fail(_ context: ChannelHandlerContext, _ text: String) {
    guard state != .closed else { return }
    // An alert may be waiting.
    push(context)
    stop()
    context.fireErrorCaught(TLSError(text))
    context.close(promise: nil)
  }
}
