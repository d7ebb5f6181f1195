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
    switch try machine.callReceived(stream: header.stream) {
    case .ignore:
      return grantConnection(parts.message.count)
    case .refuse(let fault):
      return refuseUnstarted(header.stream, fault, parts.message.count)
    case .start:
      break
    }
    if let fault = parts.fault {
      return refuseStarted(header.stream, fault, parts.message.count)
    }
    guard let route = route(parts.head.pathBytes) else {
      let isText = WireText.decode(parts.head.pathBytes) != nil
      let fault =
        isText
        ? CallFault(.unimplemented, "no such method")
        : CallFault(.invalidArgument, "a method path that is not text")
      return refuseStarted(header.stream, fault, parts.message.count)
    }
    let call = ServerCall(self, header.stream, route, parts.head)
    counters.startedCount += 1
    setDeadline(of: call, timeoutMicroseconds: parts.head.timeoutMicroseconds)
    do throws(WireFault) {
      try begin(call, header.flags, hasMessage ? parts.message : nil)
    } catch {
      // Not in the table yet, so the end of the connection would not find it.
      close(call, RPCError(.unavailable, "the connection is gone"))
      throw error
    }
    // A call that has ended by now never enters the table.
    guard !call.isEnded else { return }
    calls[call.stream] = call
    armTimer(for: call)
  }

  private func begin(
    _ call: ServerCall, _ flags: FrameFlags, _ message: UnsafeRawBufferPointer?
  ) throws(WireFault) {
    if let deadline = call.deadline, deadline <= now {
      grantConnection(message?.count ?? 0)
      return end(call, RPCError(.deadlineExceeded, "the timeout was zero"))
    }
    let isUnary = call.route.method.kind == .unary
    if isUnary, let message, flags.contains(.end) {
      // The whole request is here: decode it where it lies.
      switch call.machine.fragmentReceived(byteCount: message.count, flags: flags) {
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
      if call.isEnded { return grantConnection(message.count) }
      try deliver(message, flags: flags, to: call)
    } else if flags.contains(.end), !call.isEnded {
      switch call.machine.halfCloseReceived() {
      case .refuse(let fault): refuse(call, fault)
      case .fail(let fault): throw fault
      case .hold, .deliver, .close: inputChanged(call)
      }
    }
  }

  /// A message or the half-close arrived.
  func inputChanged(_ call: ServerCall) {
    guard call.route.method.kind == .unary else { return call.wake() }
    // A unary handler starts when it is certain that no second message comes (W5.8).
    guard call.machine.inbound.isHalfClosed, !call.isStarted, !call.queue.isEmpty else { return }
    // Out of the call, because the handler may end it while it runs.
    var queue = call.queue
    call.queue = MessageQueue()
    let taken = queue.take { startUnary(call, $0) }
    grantConnection(taken.heldByteCount)
  }

  private func startUnary(_ call: ServerCall, _ bytes: UnsafeRawBufferPointer) {
    call.isStarted = true
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
    call.isStarted = true
    guard case .streaming(let body) = call.route.body else {
      return end(call, RPCError(.internal, "internal error"))
    }
    run(call) { try await call.runStreaming(body) }
  }

  private func run(_ call: ServerCall, _ body: @escaping @Sendable () async throws -> Void) {
    call.hasHandler = true
    core.handlers.began()
    call.isRunning = true
    let task = Task.immediate(executorPreference: executor) {
      do {
        try await body()
      } catch {
        await call.handlerFailed(error)
      }
    }
    if call.isRunning { call.task = task }
    if call.isEnded { call.task?.cancel() }
  }

  /// The handler returned or threw; its stream may have ended before.
  func handlerReturned(_ call: ServerCall, _ error: RPCError?) {
    call.isRunning = false
    call.task = nil
    machine.handlerEnded()
    core.handlers.ended()
    guard !call.isEnded else { return }
    if let error {
      end(call, error)
    } else {
      endOK(call)
    }
  }

  // MARK: END

  /// Ends a call with an error.
  func end(_ call: ServerCall, _ error: RPCError) {
    guard !call.isEnded else { return }
    var trailer = EndTrailer(status: error.code, message: error.message)
    trailer.details = error.details
    trailer.resumeCursor = error.resumeCursor ?? call.resumeCursor
    trailer.trailers = call.context?.trailers ?? []
    trailer.serverMicroseconds = elapsedMicroseconds(call)
    writeEnd(call.stream, trailer)
    counters.countEnd(error.code)
    close(call, error)
  }

  func refuse(_ call: ServerCall, _ fault: CallFault) {
    end(call, RPCError(fault.code, fault.text))
  }

  func writeEnd(_ stream: UInt32, _ trailer: EndTrailer) {
    out.appendFrame(.end, stream: stream, payload: trailer.block())
    markDirty()
  }

  /// Refuses a CALL that the machine does not count.
  private func refuseUnstarted(_ stream: UInt32, _ fault: CallFault, _ messageByteCount: Int) {
    grantConnection(messageByteCount)
    counters.countEnd(fault.code)
    writeEnd(stream, EndTrailer(status: fault.code, message: fault.text))
  }

  /// Refuses a CALL that the machine counts, before there is a call.
  private func refuseStarted(_ stream: UInt32, _ fault: CallFault, _ messageByteCount: Int) {
    machine.callEnded()
    machine.handlerEnded()
    refuseUnstarted(stream, fault, messageByteCount)
  }

  /// Takes a call off the wire: nothing is sent or delivered any more.
  func close(_ call: ServerCall, _ error: RPCError?) {
    guard !call.isEnded else { return }
    call.isEnded = true
    call.endError = error ?? RPCError(.cancelled, "the call has ended")
    calls[call.stream] = nil
    machine.callEnded()
    // A call that never got a whole request has no handler that would report its end.
    if !call.hasHandler { machine.handlerEnded() }
    _ = machine.unfinishedBytesChanged(by: -call.machine.inbound.unfinishedByteCount)
    grantConnection(call.queue.heldByteCount)
    call.queue = MessageQueue()
    pendingReplyByteCount -= call.pendingReplyByteCount
    call.pendingReplyByteCount = 0
    if !call.pending.isEmpty {
      // At once: the credit that would sweep it out may never come. Only open calls are in there.
      blocked.removeAll { $0 === call }
      call.pending = []
    }
    call.task?.cancel()
    call.wake()
  }

  // MARK: Small things

  private func route(_ path: UnsafeRawBufferPointer) -> Route? {
    let isSame = lastPath.withUnsafeBytes { $0.elementsEqual(path) }
    if isSame, let lastRoute { return lastRoute }
    guard let text = WireText.decode(path), let route = core.router[text] else { return nil }
    lastPath = Array(path)
    lastRoute = route
    return route
  }

  private func setDeadline(of call: ServerCall, timeoutMicroseconds: UInt64?) {
    let configuration = core.configuration
    let isUnary = call.route.method.kind == .unary
    if let timeoutMicroseconds {
      // A year is as good as for ever, and keeps the arithmetic far from overflow.
      let timeout = Duration.microseconds(min(timeoutMicroseconds, 31_536_000_000_000))
      call.deadline = now + (isUnary ? min(timeout, configuration.unaryTimeoutMax) : timeout)
    } else if let timeout = call.route.rule.timeout {
      call.deadline = now + timeout
    }
  }

  func elapsedMicroseconds(_ call: ServerCall) -> UInt64 {
    let elapsed = call.receivedAt.duration(to: core.now()).components
    return UInt64(
      clamping: elapsed.seconds &* 1_000_000 &+ elapsed.attoseconds / 1_000_000_000_000)
  }
}
