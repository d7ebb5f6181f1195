internal import RPC
internal import Wire

// A call's life: CALL -> admitted -> caller known -> handler runs -> END. The stream and the handler
// end separately: a cancelled handler runs on without a stream, a handler's last message may wait for
// credit.
extension ServerConnection {
  func receiveCall(
    _ header: FrameHeader, _ payload: UnsafeRawBufferPointer
  ) throws(WireFault) {
    let parts = try CallHead.read(payload, minorVersion: machine.minorVersion)
    let hasMessage = header.flags.contains(.hasMessage)
    guard hasMessage || parts.message.isEmpty else {
      throw WireFault(.protocolError, "a CALL continues after its block without HAS_MESSAGE")
    }
    try machine.messageBytesReceived(parts.message.count)
    guard let (route, caller) = try admit(parts, stream: header.stream) else {
      return grantConnection(parts.message.count)
    }
    let call = ServerCall(self, header.stream, route, parts, caller)
    record.counters.startedCount += 1
    executor.statistics.started(route.index)
    executor.statistics.received(parts.message.count, for: route.index)
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
    settle(call)
  }

  /// Decides about a call by its head, before any of its message is kept. Nil when it was refused or
  /// ignored; its message is dropped then.
  private func admit(
    _ parts: CallHead.Parts, stream: UInt32
  ) throws(WireFault) -> (Route, Caller)? {
    var admitted: (route: Route, caller: Caller)?
    var fault = parts.fault
    if fault == nil {
      do throws(CallFault) {
        admitted = try judge(parts.head)
      } catch {
        fault = error
      }
    }
    let isStrangers = admitted.map { self.isStrangers($0.route) } ?? false
    switch try machine.callReceived(stream: stream, fault: fault, isStrangers: isStrangers) {
    case .start: return admitted
    case .ignore: return nil
    case .refuse(let fault):
      if fault.code == .unauthenticated { refused(fault, parts.head) }
      record.counters.countEnd(fault.code)
      countRefusal(fault, parts.head)
      var trailer = EndTrailer(status: fault.code, message: fault.text)
      trailer.isNotStarted = true
      // Too many calls at once are over in a while.
      if fault.code == .resourceExhausted { trailer.details = RPCError.busy }
      writeEnd(stream, trailer)
      if parts.head.timeoutMicroseconds == 0 { try machine.callExpired(timeout: .zero, now: now) }
      return nil
    }
  }

  /// A call was refused by its head: nobody knows whose it is.
  private func refused(_ fault: CallFault, _ head: CallHead) {
    guard let path = routes.route(head.pathBytes, in: core.router)?.method.path else { return }
    core.observer?.refused(
      RPCError(fault.code, fault.text), method: path, principal: nil, peer: record.peerAddress)
  }

  /// Whether a call is by nobody in particular, and nobody is known here.
  func isStrangers(_ route: Route) -> Bool { route.isOpenToAll && !machine.isCallerKnown }

  private func judge(_ head: CallHead) throws(CallFault) -> (Route, Caller) {
    guard let route = routes.route(head.pathBytes, in: core.router) else {
      throw Self.unknownMethod(head.pathBytes)
    }
    if head.timeoutMicroseconds == 0 {
      throw CallFault(.deadlineExceeded, "the timeout was zero")
    }
    return (route, try caller(head, of: route))
  }

  /// Whom a call is by, as far as that can be said at its head.
  enum Caller {
    /// Nobody is asked for.
    case anybody
    case known(Principal)
    case lookUp

    var principal: Principal? {
      if case .known(let principal) = self { principal } else { nil }
    }

    var isToBeLookedUp: Bool {
      if case .lookUp = self { true } else { false }
    }
  }

  private func caller(_ head: CallHead, of route: Route) throws(CallFault) -> Caller {
    let isConnections = head.token == nil
    if isConnections, let principal = identity.principal(at: now) { return .known(principal) }
    // Health must be told also while the database cannot say who asks.
    if route.isOpenToAll { return .anybody }
    guard let token = head.token ?? identity.token else {
      throw CallFault(.unauthenticated, "this call needs a token")
    }
    switch core.authentication.known(token: token) {
    case .principal(let answer):
      if isConnections { identity.authenticated(answer) }
      callerFound(answer.principal)
      return .known(answer.principal)
    case .refused(let error, _), .failed(let error): throw CallFault(error.code, error.message)
    case nil: return .lookUp
    }
  }

  /// The look-up of a call's caller is over; the call may be, too. On the loop.
  func callerLookedUp(_ call: ServerCall, _ outcome: AuthenticationCache.Outcome) {
    switch outcome {
    case .principal(let answer):
      if !call.hasOwnToken { identity.authenticated(answer) }
      callerFound(answer.principal)
      core.handlers.ended()
      guard call.machine.callerFound() else { return machine.handlerEnded() }
      call.task = nil
      call.principal = answer.principal
      let freed = call.queue.readerCame()
      grantConnection(freed)
      grantStream(call, freed)
      inputChanged(call)
    case .refused(let error, let wasLookedUp):
      core.observer?.refused(
        error, method: call.route.method.path, principal: nil, peer: record.peerAddress)
      handlerReturned(call, error)
      if wasLookedUp { tokenLookUpRefused() }
    case .failed(let error):
      handlerReturned(call, error)
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
    if let fault = admitPublicStream(call) {
      grantConnection(message?.count ?? 0)
      return end(call, RPCError(fault.code, fault.text, details: RPCError.busy))
    }
    if call.machine.isAwaitingCaller { run(call) { await call.lookUpCaller() } }
    let isUnary = call.route.method.kind == .unary
    if isUnary, let message, flags.contains(.end), !call.machine.isHandlerRunning {
      // The whole request is here: decode it where it lies.
      if call.machine.hasEnded { return grantConnection(message.count) }
      switch call.machine.messages.fragmentReceived(byteCount: message.count, flags: flags) {
      case .fail(let fault): throw fault
      case .refuse(let fault):
        grantConnection(message.count)
        return refuse(call, fault)
      case .hold, .deliver, .close:
        grantConnection(message.count)
        call.requestByteCount = message.count
        return startUnary(call, message, isCompressed: flags.contains(.compressed))
      }
    }
    if !isUnary, !call.machine.hasEnded { inputChanged(call) }
    if let message {
      // A call that has ended already reads no more.
      if call.machine.hasEnded { return grantConnection(message.count) }
      try deliver(message, flags: flags, to: call)
    } else if flags.contains(.end), !call.machine.hasEnded {
      try halfClose(call)
    }
  }

  // MARK: The handler

  /// A message or the half-close arrived, or the caller is known.
  func inputChanged(_ call: ServerCall) {
    switch call.machine.inputChanged() {
    case .wait: break
    case .wakeReader: call.wake()
    case .startHandler:
      guard case .unary = call.route.body else { return startStreaming(call) }
      // Out of the call, because the handler may end it while it runs.
      var queue = call.queue
      call.queue = MessageQueue()
      call.requestByteCount = queue.byteCount
      let taken = queue.take { startUnary(call, $0, isCompressed: $1) }
      grantConnection(taken.heldByteCount)
    }
  }

  private func startUnary(
    _ call: ServerCall, _ bytes: UnsafeRawBufferPointer, isCompressed: Bool
  ) {
    guard case .unary(let decode) = call.route.body else {
      return end(call, RPCError(.internal, "internal error"))
    }
    do throws(RPCError) {
      let invocation = try expanded(bytes, isCompressed, of: call) { bytes throws(DecodeError) in
        if call.idempotencyKey != nil { call.requestBytes = Array(bytes) }
        return try decode(bytes, core.configuration.decodeLimits)
      }
      call.machine.handlerStarted()
      run(call) { try await call.runUnary(invocation) }
    } catch {
      end(call, error)
    }
  }

  /// Reads a message: `body` gets it as it was before it was compressed. That is made where it is decoded, one at a
  /// time on a loop, and gone afterwards.
  func expanded<Value>(
    _ bytes: UnsafeRawBufferPointer, _ isCompressed: Bool, of call: ServerCall,
    _ body: (UnsafeRawBufferPointer) throws(DecodeError) -> Value
  ) throws(RPCError) -> Value {
    var message: [UInt8]?
    if isCompressed {
      do throws(CallFault) {
        message = try CompressedMessage.unpacked(bytes, byteCountMax: call.messageByteCountMax)
      } catch {
        throw RPCError(error.code, error.text)
      }
    }
    do throws(DecodeError) {
      guard let message else { return try body(bytes) }
      return try message.withUnsafeBytes { raw in
        Result { () throws(DecodeError) in try body(raw) }
      }.get()
    } catch {
      throw RPCError(fromHandler: error)
    }
  }

  private func startStreaming(_ call: ServerCall) {
    guard case .streaming(let body) = call.route.body else {
      return end(call, RPCError(.internal, "internal error"))
    }
    call.machine.handlerStarted()
    run(call) { try await call.runStreaming(body) }
  }

  private func run(_ call: ServerCall, _ body: @escaping @Sendable () async throws -> Void) {
    core.handlers.began()
    let task = Task.immediate(executorPreference: executor) {
      do {
        try await body()
      } catch {
        await call.handlerFailed(error)
      }
    }
    // A look-up that answered at once may have started the handler.
    if call.task == nil, call.machine.isHandlerRunning { call.task = task }
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
    guard release.isStarted, !call.route.method.isReadOnly, let context = call.context else {
      return writeEnd(of: call, error, release)
    }
    // The handler does not know yet that its call has ended, and may be in the middle of a write.
    writeEnd(of: call, error.ofWrite(mayBeCommitted: context.endWrites()), release)
  }

  func refuse(_ call: ServerCall, _ fault: CallFault) {
    end(call, RPCError(fault.code, fault.text))
  }

  /// Writes the END of a call that has ended just now, for `error` or well.
  func writeEnd(of call: ServerCall, _ error: RPCError?, _ release: ServerCallMachine.Release) {
    var trailer = EndTrailer(status: error?.code ?? .ok, message: error?.message ?? "")
    if let error { trailer.details = error.details }
    trailer.resumeCursor = error?.resumeCursor ?? call.resumeCursor
    sendHead(of: call)
    if let said = call.context?.said {
      trailer.trailers = said.trailers
      trailer.binaryTrailers = said.binaryTrailers
    }
    let microseconds = elapsedMicroseconds(call)
    trailer.serverMicroseconds = microseconds
    trailer.isNotStarted = error.map { !release.isStarted || $0.isRefusal } ?? false
    writeEnd(call.stream, trailer)
    record.counters.countEnd(trailer.status)
    if let error { countRefusal(error, isStarted: release.isStarted) }
    countFinished(call, trailer.status, microseconds: microseconds)
    perform(release, of: call, error)
  }

  private func writeEnd(_ stream: UInt32, _ trailer: EndTrailer) {
    out.appendFrame(
      .end, stream: stream, payload: trailer.block(minorVersion: machine.minorVersion))
    markDirty()
  }

  /// Takes a call off the wire without an END.
  func close(_ call: ServerCall, _ error: RPCError) {
    guard let release = call.machine.ended() else { return }
    countFinished(call, .cancelled, microseconds: elapsedMicroseconds(call))
    perform(release, of: call, error)
  }

  /// Gives back what a call held that has ended just now, and tells its handler.
  func perform(
    _ release: ServerCallMachine.Release, of call: ServerCall, _ error: RPCError?
  ) {
    call.endError = error ?? RPCError(.cancelled, "the call has ended")
    calls[call.stream] = nil
    publicStreamEnded(call.stream)
    _ = count(call)
    machine.callEnded(release, isStrangers: call.isStrangers)
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

  func deadline(of route: Route, _ timeoutMicroseconds: UInt64?) -> Moment? {
    // A year is as good as for ever, and keeps the arithmetic far from overflow.
    let asked = timeoutMicroseconds.map { Duration.microseconds(min($0, 31_536_000_000_000)) }
    guard let timeout = asked ?? route.rule.timeout else { return nil }
    guard route.method.kind == .unary else { return now + timeout }
    let configuration = core.configuration
    let most = route.isOpenToAll ? configuration.publicTimeoutMax : configuration.unaryTimeoutMax
    return now + min(timeout, most)
  }

  func elapsedMicroseconds(_ call: ServerCall) -> UInt64 {
    let elapsed = call.receivedAt.duration(to: core.now()).components
    return UInt64(
      clamping: elapsed.seconds &* 1_000_000 &+ elapsed.attoseconds / 1_000_000_000_000)
  }
}
