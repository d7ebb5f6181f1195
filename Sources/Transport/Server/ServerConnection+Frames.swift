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
      if let last = try machine.pongReceived(payload.bigEndian64(at: 0), now: now) {
        finishDrain(lastStream: last)
      }
    case .hello: try receiveHello(payload)
    case .goAway:
      let goAway = try GoAway(payload: payload)
      try machine.goAwayReceived(now: now)
      if !goAway.reason.isDrain { finish() }
    }
  }

  private func receiveHello(_ payload: UnsafeRawBufferPointer) throws(WireFault) {
    let hello = try Hello(payload: payload)
    machine.helloReceived(hello)
    agent = hello.agent ?? ""
    helloToken = hello.token
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
    try deliver(payload, flags: header.flags, to: call)
  }

  private func receiveEnd(_ header: FrameHeader) throws(WireFault) {
    guard let call = calls[header.stream] else {
      return try machine.absentStreamFrameReceived(
        stream: header.stream, messageByteCount: 0, now: now)
    }
    switch call.machine.halfCloseReceived() {
    case .refuse(let fault): refuse(call, fault)
    case .fail(let fault): throw fault
    case .hold, .deliver, .close: inputChanged(call)
    }
  }

  private func receiveCredit(_ header: FrameHeader, _ byteCount: UInt32) throws(WireFault) {
    if header.stream == 0 {
      try machine.sendWindow.creditReceived(byteCount)
      return sendBlocked()
    }
    guard let call = calls[header.stream] else {
      // Counts as noise only from a stream that never was: a reader may grant for what it just read.
      return try machine.absentStreamFrameReceived(
        stream: header.stream, messageByteCount: 1, now: now)
    }
    try call.machine.sendWindow.creditReceived(byteCount)
    if !call.pending.isEmpty { sendBlocked() }
  }

  private func receiveCancel(_ header: FrameHeader) throws(WireFault) {
    try machine.cancelReceived(now: now)
    guard let call = calls[header.stream] else {
      return try machine.absentStreamFrameReceived(
        stream: header.stream, messageByteCount: 0, now: now)
    }
    counters.countEnd(.cancelled)
    close(call, RPCError(.cancelled, "the client cancelled"))
  }

  /// Message bytes for an open call: from CALL or MESSAGE.
  func deliver(
    _ bytes: UnsafeRawBufferPointer, flags: FrameFlags, to call: ServerCall
  ) throws(WireFault) {
    let before = call.machine.inbound.unfinishedByteCount
    switch call.machine.fragmentReceived(byteCount: bytes.count, flags: flags) {
    case .fail(let fault):
      throw fault
    case .refuse(let fault):
      grantConnection(bytes.count)
      refuse(call, fault)
    case .hold:
      let freed = call.queue.hold(bytes)
      grantConnection(freed)
      grantStream(call, freed)
      if !machine.unfinishedBytesChanged(by: bytes.count) {
        refuse(
          call, CallFault(.resourceExhausted, "too many unfinished messages on the connection"))
      }
    case .deliver:
      call.queue.deliver(bytes)
      _ = machine.unfinishedBytesChanged(by: -before)
      inputChanged(call)
    case .close:
      inputChanged(call)
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
    let grant = call.machine.consume(byteCount)
    guard grant > 0, !call.isEnded else { return }
    out.appendCredit(stream: call.stream, byteCount: grant)
    markDirty()
  }
}
