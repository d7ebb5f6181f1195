internal import RPC
internal import Wire

// Calls out: CALL as soon as a stream is free, messages as far as credit goes.
extension ClientConnection {
  /// Starts a call, now or when a stream is free. On the loop.
  func start(_ call: ClientCall) {
    guard endError == nil, !machine.isRetired else {
      var error = endError ?? RPCError(.unavailable, "the connection is being retired")
      error.isNotStarted = true
      if error.code == .internal { error.code = .unavailable }
      call.end(error, trailer: nil)
      retire()
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
    if var error = tooLarge(call.requestByteCount) {
      error.isNotStarted = true
      call.end(error, trailer: nil)
      return
    }
    let stream = machine.openCall()
    call.stream = stream
    calls[stream] = call
    let block = CallHead.block(
      path: call.method.path, timeoutMicroseconds: timeLeft(call),
      idempotencyKey: call.idempotencyKey, traceparent: call.options.traceparent,
      token: call.options.token,
      metadata: Metadata.sendable(
        call.options.metadata, call.options.binaryMetadata,
        byteCountMax: WireLimit.metadataByteCountMax, minorVersion: machine.minorVersion),
      replyEncodings: call.options.compressesReplies.map {
        Encodings($0 ? MessageEncoding.allCases : [])
      })
    let action = call.machine.opened(
      mine: configuration.limits, peers: machine.peerLimits, blockByteCount: block.count,
      connection: &machine.sendWindow)
    switch action {
    case .callWithMessage(let flags):
      out.appendHeader(
        .call, flags: flags.union(call.messageFlags), stream: stream,
        payloadByteCount: block.count + call.message.count)
      out.append(block)
      out.append(call.message)
      call.messageSent()
    case .call(let flags):
      out.appendFrame(.call, flags: flags, stream: stream, payload: block)
      sendMessage(of: call)
    }
  }

  /// The error of a message that the server does not accept (W4.2): it is not sent. On the loop.
  func tooLarge(_ byteCount: Int) -> RPCError? {
    let byteCountMax = machine.peerLimits.messageByteCountMax
    guard byteCount > byteCountMax else { return nil }
    return RPCError(
      .resourceExhausted, "the request has \(byteCount) bytes, the server accepts \(byteCountMax)")
  }

  private func timeLeft(_ call: ClientCall) -> UInt64? {
    guard let deadline = call.deadline else { return nil }
    let left = clock().duration(to: deadline).components
    return UInt64(clamping: left.seconds * 1_000_000 + left.attoseconds / 1_000_000_000_000)
  }

  /// Sends the message that a call holds as far as credit goes. On the loop.
  func sendMessage(of call: ClientCall) {
    guard blocked.isEmpty else {
      // Who waits already has the first turn.
      blocked.append(call)
      return sendBlocked()
    }
    while sendFragment(call, isAlone: true) {}
    if call.machine.isBlocked { blocked.append(call) }
    markDirty()
  }

  /// Half-closes. On the loop.
  func sendEnd(_ call: ClientCall) {
    out.appendFrame(.end, stream: call.stream)
    markDirty()
  }

  /// A fragment of the waiting message; false when there is none, or no credit.
  private func sendFragment(_ call: ClientCall, isAlone: Bool) -> Bool {
    let byteCountMax = machine.peerLimits.framePayloadByteCountMax
    let next = call.machine.nextFragment(
      connection: &machine.sendWindow,
      framePayloadByteCountMax: isAlone ? byteCountMax : WireLimit.framePayloadByteCountMin)
    guard let next else { return false }
    out.appendHeader(
      .message,
      flags: next.range.lowerBound == 0 ? next.flags.union(call.messageFlags) : next.flags,
      stream: call.stream, payloadByteCount: next.range.count)
    call.message.withUnsafeBytes {
      out.append(UnsafeRawBufferPointer(rebasing: $0[next.range]))
    }
    if next.isLast { call.messageSent() }
    return true
  }

  /// Credit arrived: a fragment for each waiting call in turn; who got nothing is before those that did the next
  /// time (W9.10).
  func sendBlocked() {
    isCreditNew = false
    var isProgress = true
    while isProgress, !blocked.isEmpty {
      isProgress = false
      let round = blocked
      blocked.removeAll(keepingCapacity: true)
      var served: [ClientCall] = []
      for call in round {
        let isSent = sendFragment(call, isAlone: round.count == 1)
        if isSent { isProgress = true }
        guard call.machine.isBlocked else { continue }
        if isSent { served.append(call) } else { blocked.append(call) }
      }
      blocked += served
    }
    markDirty()
  }
}
