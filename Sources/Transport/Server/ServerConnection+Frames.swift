internal import RPC
internal import Wire

extension ServerConnection {
  /// Handles one frame whose header has been checked.
  func receive(
    _ kind: FrameKind, _ header: FrameHeader, _ payload: UnsafeRawBufferPointer
  ) throws(WireFault) {
    switch kind {
    case .call: try receiveCall(header, payload)
    case .message: try receiveMessage(header, payload)
    case .end: try receiveEnd(header)
    case .credit: try receiveCredit(header, payload.bigEndian32(at: 0))
    case .cancel: try receiveCancel(header)
    case .ping:
      try machine.pingReceived(now: now)
      out.appendPing(.pong, opaque: payload.bigEndian64(at: 0))
      markDirty()
    case .pong:
      perform(try machine.pongReceived(payload.bigEndian64(at: 0), now: now))
    case .hello: try receiveHello(payload)
    case .head: break  // no client sends it: the machine refuses it
    case .goAway:
      perform(try machine.goAwayReceived(GoAway(payload: payload).reason, now: now))
    }
  }

  private func receiveHello(_ payload: UnsafeRawBufferPointer) throws(WireFault) {
    let hello = try Hello(payload: payload)
    machine.helloReceived(hello)
    record.agent = hello.agent ?? ""
    identity.helloReceived(token: hello.token)
    core.registry.greeted(id)
    out.appendFrame(.hello, stream: 0, payload: core.configuration.hello().serverPayload())
    markDirty()
    rearmTimer()
  }

  private func receiveMessage(
    _ header: FrameHeader, _ payload: UnsafeRawBufferPointer
  ) throws(WireFault) {
    try machine.messageBytesReceived(payload.count)
    guard let call = calls[header.stream] else {
      try machine.absentStreamFrameReceived(
        stream: header.stream, messageByteCount: payload.count, now: now)
      grantConnection(payload.count)
      return
    }
    executor.statistics.received(payload.count, for: call.route.index)
    try deliver(payload, flags: header.flags, to: call)
  }

  private func receiveEnd(_ header: FrameHeader) throws(WireFault) {
    guard let call = calls[header.stream] else {
      return try machine.absentStreamFrameReceived(
        stream: header.stream, messageByteCount: 0, now: now)
    }
    try halfClose(call)
  }

  private func receiveCredit(_ header: FrameHeader, _ byteCount: UInt32) throws(WireFault) {
    try machine.creditReceived(byteCount, stream: header.stream, now: now)
    if header.stream == 0 { return creditCame() }
    guard let call = calls[header.stream] else {
      // Counts as noise only from a stream that never was: a reader may grant for what it just read.
      return try machine.absentStreamFrameReceived(
        stream: header.stream, messageByteCount: 1, now: now)
    }
    try call.machine.messages.creditReceived(byteCount)
    if call.machine.messages.isMessageWaiting { creditCame() }
  }

  /// All credit of a tick is used in one go: a look at every blocked call for each CREDIT would be
  /// a cheap way to keep the server busy.
  private func creditCame() {
    guard !waiting.blocked.isEmpty else { return }
    waiting.mayContinue()
    markDirty()
  }

  private func receiveCancel(_ header: FrameHeader) throws(WireFault) {
    try machine.cancelReceived(now: now)
    guard let call = calls[header.stream] else {
      return try machine.absentStreamFrameReceived(
        stream: header.stream, messageByteCount: 0, now: now)
    }
    record.counters.countEnd(.cancelled)
    close(call, RPCError(.cancelled, "the client cancelled"))
  }

  // MARK: Messages of an open call

  /// Message bytes for an open call: from CALL or MESSAGE.
  func deliver(
    _ bytes: UnsafeRawBufferPointer, flags: FrameFlags, to call: ServerCall
  ) throws(WireFault) {
    switch call.machine.messages.fragmentReceived(byteCount: bytes.count, flags: flags) {
    case .fail(let fault):
      throw fault
    case .refuse(let fault):
      grantConnection(bytes.count)
      refuse(call, fault)
    case .hold:
      let freed = call.queue.hold(
        bytes, hasReader: machine.isCallerKnown && !call.machine.isAwaitingCaller)
      grantConnection(freed)
      grantStream(call, freed)
      settle(call)
    case .deliver:
      call.queue.deliver(bytes, isCompressed: call.machine.messages.inbound.isCompressed)
      settle(call)
      inputChanged(call)
    case .close:
      inputChanged(call)
    }
  }

  /// The client half-closed an open call without a message.
  func halfClose(_ call: ServerCall) throws(WireFault) {
    switch call.machine.messages.halfCloseReceived() {
    case .refuse(let fault): refuse(call, fault)
    case .fail(let fault): throw fault
    case .hold, .deliver, .close: inputChanged(call)
    }
  }

  /// Gives consumed bytes back to the connection's credit.
  func grantConnection(_ byteCount: Int) {
    guard byteCount > 0 else { return }
    let grant = machine.consume(byteCount)
    guard grant > 0 else { return }
    out.appendCredit(stream: 0, byteCount: grant)
    markDirty()
  }

  /// Gives consumed bytes back to a stream's credit.
  func grantStream(_ call: ServerCall, _ byteCount: Int) {
    let grant = call.machine.messages.consume(byteCount)
    guard grant > 0, !call.machine.hasEnded else { return }
    out.appendCredit(stream: call.stream, byteCount: grant)
    markDirty()
  }
}
