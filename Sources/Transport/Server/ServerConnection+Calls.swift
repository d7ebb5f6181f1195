internal import RPC
internal import Wire

// A call's life: CALL -> admitted -> handler runs -> END. The stream and the handler end separately:
// a cancelled handler runs on without a stream, a handler's last message may wait for credit.
extension ServerConnection {
  func receiveCall(
    _ header: FrameHeader, _ payload: UnsafeRawBufferPointer
  ) throws(WireFault) {
    let parts = try CallHead.read(payload)
    let hasMessage = header.flags.contains(.hasMessage)
    guard hasMessage || parts.message.isEmpty else {
      throw WireFault(.protocolError, "a CALL continues after its block without HAS_MESSAGE")
    }
    try machine.messageBytesReceived(parts.message.count)
    guard let route = try admit(parts, stream: header.stream) else {
      return grantConnection(parts.message.count)
    }
    let call = ServerCall(self, header.stream, route, parts.head)
    record.counters.startedCount += 1
    do throws(WireFault) {
      try begin(call, header.flags, hasMessage ? parts.message : nil)
    } catch {
      // Not in the table yet, so the end of the connection would not find it.
      close(call, RPCError(.unavailable, "the connection is gone"))
      throw error
    }
    // A call that has ended by now never enters the table.
    guard !call.machine.hasEnded else { return }
    calls[call.stream] = call
    armTimer(for: call)
  }

  /// Decides about a call by its head, before any of its message is kept. Nil when it was refused or
  /// ignored; its message is dropped then.
  private func admit(_ parts: CallHead.Parts, stream: UInt32) throws(WireFault) -> Route? {
    var route: Route?
    var fault = parts.fault
    if fault == nil {
      route = routes.route(parts.head.pathBytes, in: core.router)
      if route == nil { fault = Self.unknownMethod(parts.head.pathBytes) }
    }
    switch try machine.callReceived(stream: stream, fault: fault) {
    case .start: return route
    case .ignore: return nil
    case .refuse(let fault):
      record.counters.countEnd(fault.code)
      var trailer = EndTrailer(status: fault.code, message: fault.text)
      trailer.isNotStarted = true
      writeEnd(stream, trailer)
      return nil
    }
  }

  private static func unknownMethod(_ path: UnsafeRawBufferPointer) -> CallFault {
    WireText.decode(path) == nil
      ? CallFault(.invalidArgument, "a method path that is not text")
      : CallFault(.unimplemented, "no such method")
  }

  private func begin(
    _ call: ServerCall, _ flags: FrameFlags, _ message: UnsafeRawBufferPointer?
  ) throws(WireFault) {
    if let deadline = call.deadline, deadline <= now {
      grantConnection(message?.count ?? 0)
      return end(call, RPCError(.deadlineExceeded, "the timeout was zero"))
    }
    if let fault = admitPublicStream(call) {
      grantConnection(message?.count ?? 0)
      return refuse(call, fault)
    }
    let isUnary = call.route.method.kind == .unary
    if isUnary, let message, flags.contains(.end) {
      // The whole request is here: decode it where it lies.
      switch call.machine.messages.fragmentReceived(byteCount: message.count, flags: flags) {
      case .fail(let fault): throw fault
      case .refuse(let fault):
        grantConnection(message.count)
        return refuse(call, fault)
      case .hold, .deliver, .close:
        grantConnection(message.count)
        return startUnary(call, message)
      }
    }
    if !isUnary { startStreaming(call) }
    if let message {
      // A handler that has ended already reads no more.
      if call.machine.hasEnded { return grantConnection(message.count) }
      try deliver(message, flags: flags, to: call)
    } else if flags.contains(.end), !call.machine.hasEnded {
      try halfClose(call)
    }
  }

  // MARK: The handler

  /// A message or the half-close arrived.
  func inputChanged(_ call: ServerCall) {
    switch call.machine.inputChanged() {
    case .wait: break
    case .wakeReader: call.wake()
    case .startHandler:
      // Out of the call, because the handler may end it while it runs.
      var queue = call.queue
      call.queue = MessageQueue()
      let taken = queue.take { startUnary(call, $0) }
      grantConnection(taken.heldByteCount)
    }
  }

  private func startUnary(_ call: ServerCall, _ bytes: UnsafeRawBufferPointer) {
    guard case .unary(let decode) = call.route.body else {
      return end(call, RPCError(.internal, "internal error"))
    }
    do throws(DecodeError) {
      if call.idempotencyKey != nil { call.requestBytes = Array(bytes) }
      let invocation = try decode(bytes, core.configuration.decodeLimits)
      run(call) { try await call.runUnary(invocation) }
    } catch {
      end(call, RPCError(fromHandler: error))
    }
  }

  private func startStreaming(_ call: ServerCall) {
    guard case .streaming(let body) = call.route.body else {
      return end(call, RPCError(.internal, "internal error"))
    }
    run(call) { try await call.runStreaming(body) }
  }

  private func run(_ call: ServerCall, _ body: @escaping @Sendable () async throws -> Void) {
    call.machine.handlerStarted()
    core.handlers.began()
    let task = Task.immediate(executorPreference: executor) {
      do {
        try await body()
      } catch {
        await call.handlerFailed(error)
      }
    }
    if call.machine.isHandlerRunning { call.task = task }
    if call.machine.hasEnded { call.task?.cancel() }
  }

  /// The handler returned or threw; its stream may have ended before.
  func handlerReturned(_ call: ServerCall, _ error: RPCError?) {
    let release = call.machine.handlerReturned(isSuccess: error == nil)
    call.task = nil
    machine.handlerEnded()
    core.handlers.ended()
    if let release { writeEnd(of: call, error, release) }
  }

  // MARK: END

  /// Ends a call with an error.
  func end(_ call: ServerCall, _ error: RPCError) {
    guard let release = call.machine.ended() else { return }
    writeEnd(of: call, error, release)
  }

  func refuse(_ call: ServerCall, _ fault: CallFault) {
    end(call, RPCError(fault.code, fault.text))
  }

  /// Writes the END of a call that has ended just now, for `error` or well.
  func writeEnd(of call: ServerCall, _ error: RPCError?, _ release: ServerCallMachine.Release) {
    var trailer = EndTrailer(status: error?.code ?? .ok, message: error?.message ?? "")
    if let error { trailer.details = error.details }
    trailer.resumeCursor = error?.resumeCursor ?? call.resumeCursor
    trailer.trailers = call.context?.trailers ?? []
    trailer.serverMicroseconds = elapsedMicroseconds(call)
    writeEnd(call.stream, trailer)
    record.counters.countEnd(trailer.status)
    perform(release, of: call, error)
  }

  private func writeEnd(_ stream: UInt32, _ trailer: EndTrailer) {
    out.appendFrame(.end, stream: stream, payload: trailer.block())
    markDirty()
  }

  /// Takes a call off the wire without an END.
  func close(_ call: ServerCall, _ error: RPCError) {
    guard let release = call.machine.ended() else { return }
    perform(release, of: call, error)
  }

  /// Gives back what a call held that has ended just now, and tells its handler.
  func perform(
    _ release: ServerCallMachine.Release, of call: ServerCall, _ error: RPCError?
  ) {
    call.endError = error ?? RPCError(.cancelled, "the call has ended")
    calls[call.stream] = nil
    publicStreamEnded(call.stream)
    machine.callEnded(release)
    grantConnection(call.queue.heldByteCount)
    call.queue = MessageQueue()
    if release.isBlocked {
      waiting.remove(call)
      call.waitingMessage = []
    }
    call.task?.cancel()
    call.wake()
  }

  // MARK: Time

  func deadline(of route: Route, _ timeoutMicroseconds: UInt64?) -> ContinuousClock.Instant? {
    guard let timeoutMicroseconds else { return route.rule.timeout.map { now + $0 } }
    let isUnary = route.method.kind == .unary
    // A year is as good as for ever, and keeps the arithmetic far from overflow.
    let timeout = Duration.microseconds(min(timeoutMicroseconds, 31_536_000_000_000))
    return now + (isUnary ? min(timeout, core.configuration.unaryTimeoutMax) : timeout)
  }

  func elapsedMicroseconds(_ call: ServerCall) -> UInt64 {
    let elapsed = call.receivedAt.duration(to: core.now()).components
    return UInt64(
      clamping: elapsed.seconds &* 1_000_000 &+ elapsed.attoseconds / 1_000_000_000_000)
  }
}
