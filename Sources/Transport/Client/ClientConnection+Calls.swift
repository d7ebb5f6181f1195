internal import RPC
internal import Wire

// Calls out: CALL as soon as a stream is free, messages as far as credit goes.
extension ClientConnection {
  /// Starts a call, now or when a stream is free. On the loop.
  func start(_ call: ClientCall) {
    guard endError == nil, !machine.isRetired else {
      var error = endError ?? RPCError(.unavailable, "the connection is being retired")
      error.isNotStarted = true
      call.end(error, trailer: nil)
      return
    }
    if let deadline = call.deadline { arm(at: deadline) }
    queued.append(call)
    startQueued()
  }

  func startQueued() {
    guard machine.canOpen, !queued.isEmpty else { return }
    var startedCount = 0
    for call in queued {
      guard machine.canOpen else { break }
      startedCount += 1
      open(call)
    }
    queued.removeFirst(startedCount)
    markDirty()
  }

  private func open(_ call: ClientCall) {
    let stream = machine.openCall()
    call.opened(stream, peerLimits: machine.peerLimits)
    calls[stream] = call
    let block = CallHead.block(
      path: call.method.path, timeoutMicroseconds: timeLeft(call),
      idempotencyKey: call.idempotencyKey, traceparent: call.options.traceparent,
      token: call.options.token, metadata: call.options.metadata)
    guard let message = call.firstMessage else {
      let isFinished = call.isFinished && !call.hasPending
      out.appendFrame(.call, flags: isFinished ? .end : [], stream: stream, payload: block)
      return sendPending(call)
    }
    let room = machine.peerLimits.framePayloadByteCountMax - block.count
    let byteCount = min(sendable(call, message.count), max(0, room))
    if byteCount == message.count {
      take(call, byteCount)
      var flags = FrameFlags.hasMessage
      if call.isFinished { flags.insert(.end) }
      out.appendHeader(
        .call, flags: flags, stream: stream, payloadByteCount: block.count + byteCount)
      out.append(block)
      out.append(message)
      call.firstMessage = nil
      call.sentAll()
    } else {
      // Larger than a frame or the credit: the message follows in fragments.
      out.appendFrame(.call, stream: stream, payload: block)
      call.firstMessage = nil
      call.pending = message
      call.pendingOffset = 0
      sendPending(call)
    }
  }

  private func timeLeft(_ call: ClientCall) -> UInt64? {
    guard let deadline = call.deadline else { return nil }
    let left = ContinuousClock.now.duration(to: deadline).components
    return UInt64(clamping: left.seconds * 1_000_000 + left.attoseconds / 1_000_000_000_000)
  }

  /// Sends the message in `call.pending` as far as credit goes. On the loop.
  func sendPending(_ call: ClientCall) {
    while sendFragment(call) {}
    if call.hasPending, calls[call.stream] === call { blocked.append(call) }
    markDirty()
  }

  /// Half-closes, after the message that is being sent. On the loop.
  func sendEnd(_ call: ClientCall) {
    guard calls[call.stream] === call, !call.hasPending else { return }
    out.appendFrame(.end, stream: call.stream)
    markDirty()
  }

  /// A fragment of the waiting message; false when there is none, or no credit.
  private func sendFragment(_ call: ClientCall) -> Bool {
    guard let pending = call.pending else { return false }
    let left = pending.count - call.pendingOffset
    let byteCount = sendable(call, left)
    guard byteCount > 0 || left == 0 else { return false }
    take(call, byteCount)
    let isLast = byteCount == left
    let flags: FrameFlags = isLast ? (call.isFinished ? .end : []) : .more
    out.appendHeader(.message, flags: flags, stream: call.stream, payloadByteCount: byteCount)
    let range = call.pendingOffset..<call.pendingOffset + byteCount
    pending.withUnsafeBytes { out.append(UnsafeRawBufferPointer(rebasing: $0[range])) }
    call.pendingOffset += byteCount
    if isLast {
      call.pending = nil
      call.pendingOffset = 0
      call.sentAll()
    }
    return true
  }

  /// Credit arrived: a fragment for each waiting call in turn.
  func sendBlocked() {
    var progress = true
    while progress, !blocked.isEmpty {
      progress = false
      let round = blocked
      blocked.removeAll(keepingCapacity: true)
      for call in round where calls[call.stream] === call {
        if sendFragment(call) { progress = true }
        if call.hasPending { blocked.append(call) }
      }
    }
    markDirty()
  }

  private func sendable(_ call: ClientCall, _ byteCount: Int) -> Int {
    call.machine.sendableByteCount(
      of: byteCount, connection: machine.sendWindow,
      framePayloadByteCountMax: machine.peerLimits.framePayloadByteCountMax)
  }

  private func take(_ call: ClientCall, _ byteCount: Int) {
    machine.sendWindow.take(byteCount)
    call.machine.sendWindow.take(byteCount)
  }
}
