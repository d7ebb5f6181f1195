internal import NIOCore
internal import RPC
internal import Wire

extension ClientConnection {
  /// Handles one frame whose header has been checked.
  func receive(
    _ kind: FrameKind, _ header: FrameHeader, _ payload: UnsafeRawBufferPointer
  ) throws(WireFault) {
    switch kind {
    case .message: try receiveMessage(header, payload)
    case .end: try receiveEnd(header, payload)
    case .head: try receiveHead(header, payload)
    case .credit: try receiveCredit(header, payload.bigEndian32(at: 0))
    case .ping:
      out.appendPing(.pong, opaque: payload.bigEndian64(at: 0))
    case .pong:
      try machine.pongReceived(payload.bigEndian64(at: 0), now: clock())
    case .hello:
      helloReceived(try Hello(payload: payload))
      startQueued()
      rearmTimer()
    case .goAway: receiveGoAway(try GoAway(payload: payload))
    case .call, .cancel:
      throw WireFault(.protocolError, "a frame that servers do not send")
    }
  }

  private func receiveMessage(
    _ header: FrameHeader, _ payload: UnsafeRawBufferPointer
  ) throws(WireFault) {
    try machine.messageBytesReceived(payload.count)
    let call = calls[header.stream]
    let action = call?.machine.fragmentReceived(byteCount: payload.count, flags: header.flags)
    guard let call, let action else {
      try machine.absentStreamFrameReceived(stream: header.stream)
      return consumed(payload.count, of: nil)
    }
    switch action {
    case .fail(let fault): throw fault
    case .refuse(let fault):
      consumed(payload.count, of: nil)
      cancel(call, RPCError(fault.code, "the server sent \(fault.text)"))
    case .hold:
      consumed(call.received(fragment: payload, isComplete: false), of: call)
    case .deliver, .close:
      served()
      call.received(
        fragment: payload, isComplete: true, isCompressed: call.machine.isCompressed)
    }
  }

  private func receiveHead(
    _ header: FrameHeader, _ payload: UnsafeRawBufferPointer
  ) throws(WireFault) {
    let metadata = try ResponseHead.read(payload)
    guard let call = calls[header.stream] else {
      return try machine.absentStreamFrameReceived(stream: header.stream)
    }
    guard call.received(head: metadata) else {
      throw WireFault(.protocolError, "a HEAD that is not before the first message")
    }
  }

  private func receiveEnd(
    _ header: FrameHeader, _ payload: UnsafeRawBufferPointer
  ) throws(WireFault) {
    let (trailer, message) = try EndTrailer.read(payload, minorVersion: machine.minorVersion)
    let hasMessage = header.flags.contains(.hasMessage)
    guard hasMessage || message.isEmpty else {
      throw WireFault(.protocolError, "an END continues after its block without HAS_MESSAGE")
    }
    try machine.messageBytesReceived(message.count)
    guard let call = calls[header.stream] else {
      try machine.absentStreamFrameReceived(stream: header.stream)
      return consumed(message.count, of: nil)
    }
    if trailer.status == .ok, call.machine.unfinishedByteCount > 0 {
      throw WireFault(.protocolError, "an END inside a message")
    }
    if hasMessage {
      guard trailer.status == .ok else {
        throw WireFault(.protocolError, "a message in an END that is an error")
      }
      let flags = header.flags.intersection(.compressed).union(.end)
      switch call.machine.fragmentReceived(byteCount: message.count, flags: flags) {
      case .fail(let fault): throw fault
      case nil: break
      case .refuse(let fault):
        consumed(message.count, of: nil)
        return remove(call, RPCError(fault.code, "the server sent \(fault.text)"), nil)
      case .hold, .deliver, .close:
        call.received(
          fragment: message, isComplete: true, isCompressed: call.machine.isCompressed)
      }
    }
    remove(call, Self.error(of: trailer), trailer)
  }

  private static func error(of trailer: EndTrailer) -> RPCError? {
    guard trailer.status != .ok else { return nil }
    var error = RPCError(
      trailer.status, trailer.message, details: trailer.details,
      resumeCursor: trailer.resumeCursor)
    error.isFromServer = true
    error.isNotStarted = trailer.isNotStarted
    return error
  }

  private func receiveCredit(_ header: FrameHeader, _ byteCount: UInt32) throws(WireFault) {
    if header.stream == 0 {
      try machine.sendWindow.creditReceived(byteCount)
    } else if let call = calls[header.stream] {
      try call.machine.creditReceived(byteCount)
    } else {
      return try machine.absentStreamFrameReceived(stream: header.stream)
    }
    isCreditNew = true
  }

  private func receiveGoAway(_ goAway: GoAway) {
    switch machine.goAwayReceived(goAway) {
    case .fail(let reason):
      let error = RPCError(
        .unavailable, "the server ended the connection: \(reason): \(goAway.text)")
      // First: what ends here must not be given to a call that waits for room.
      retire()
      endUnstarted(after: goAway.lastStream, error)
      end(error)
      context?.close(promise: nil)
    case .drain(let lastStream):
      retire()
      endUnstarted(after: lastStream, RPCError(.unavailable, "the server is shutting down"))
    }
  }

  /// Ends the calls that a server certainly did not start (W11.4).
  private func endUnstarted(after lastStream: UInt32, _ error: RPCError) {
    var error = error
    error.isNotStarted = true
    let waiting = queued
    queued = []
    for call in waiting { call.end(error, trailer: nil) }
    for call in Array(calls.values) where call.stream > lastStream {
      remove(call, error, nil)
    }
  }

  // MARK: Calls end

  /// The server ended a call, or it was never started.
  func remove(_ call: ClientCall, _ error: RPCError?, _ trailer: EndTrailer?) {
    guard calls.removeValue(forKey: call.stream) != nil else { return }
    machine.callEnded()
    if trailer != nil { served() }
    call.end(error, trailer: trailer)
    startQueued()
    if machine.isFinished { finish() }
  }

  /// Ends a call from our side: CANCEL if it is open. On the loop.
  func cancel(_ call: ClientCall, _ error: RPCError) {
    let action = call.machine.ended()
    let unreadByteCount = call.end(error, trailer: nil)
    switch action {
    case .nothing: break
    case .leaveQueue: queued.removeAll { $0 === call }
    case .closeStream:
      out.appendFrame(.cancel, stream: call.stream)
      markDirty()
      calls[call.stream] = nil
      machine.callEnded()
      consumed(unreadByteCount, of: nil)
      startQueued()
      if machine.isFinished { finish() }
    }
  }

  /// Gives consumed bytes back to the server, for the connection and for an open call.
  func consumed(_ byteCount: Int, of call: ClientCall?) {
    guard byteCount > 0, endError == nil else { return }
    let connectionGrant = machine.consume(byteCount)
    if connectionGrant > 0 {
      out.appendCredit(stream: 0, byteCount: connectionGrant)
      markDirty()
    }
    if let call { consumed(byteCount, ofStream: call) }
  }

  /// Gives consumed bytes back to the server for a call alone: the connection's are counted by themselves.
  func consumed(_ byteCount: Int, ofStream call: ClientCall) {
    guard endError == nil else { return }
    let grant = call.machine.consume(byteCount)
    guard grant > 0 else { return }
    out.appendCredit(stream: call.stream, byteCount: grant)
    markDirty()
  }

  // MARK: Time

  func rearmTimer() {
    if let wakeUp = machine.nextWakeUp { arm(at: wakeUp) }
    if let deadline = calls.values.lazy.compactMap(\.deadline).min() { arm(at: deadline) }
    if let deadline = queued.lazy.compactMap(\.deadline).min() { arm(at: deadline) }
  }

  func arm(at due: Moment) {
    guard timer.isLater(than: due) else { return }
    timer.set(for: due, now: clock(), on: loop) { self.timerFired() }
  }

  private func timerFired() {
    timer.fired()
    let now = clock()
    let isLate = { (call: ClientCall) in call.deadline.map { $0 <= now } ?? false }
    let error = RPCError(.deadlineExceeded, "the deadline has passed")
    for call in Array(calls.values) where isLate(call) { cancel(call, error) }
    var unstarted = error
    unstarted.isNotStarted = true
    for call in queued where isLate(call) { cancel(call, unstarted) }
    switch machine.timerFired(now: now) {
    case .nothing: break
    case .ping(let opaque):
      out.appendPing(.ping, opaque: opaque)
      markDirty()
    case .giveUp:
      end(RPCError(.unavailable, "the server does not answer"))
      context?.close(promise: nil)
    }
    rearmTimer()
  }
}
