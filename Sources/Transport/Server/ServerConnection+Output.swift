internal import RPC
internal import Wire

// Messages out: straight into the output as far as credit goes, the rest waits in `call.pending`.
extension ServerConnection {
  /// The END of a successful call whose message, if any, has been handed over.
  func endOK(_ call: ServerCall) {
    if !call.pending.isEmpty {
      // END follows the last fragment.
      call.endsAfterPending = true
      return
    }
    var trailer = EndTrailer()
    trailer.resumeCursor = call.resumeCursor
    trailer.trailers = call.context?.trailers ?? []
    trailer.serverMicroseconds = elapsedMicroseconds(call)
    writeEnd(call.stream, trailer)
    counters.countEnd(.ok)
    close(call, nil)
  }

  /// A unary reply: one END frame if it fits, else MESSAGE frames and END.
  func reply(_ call: ServerCall, _ message: any WireMessage) {
    guard !call.isEnded else { return }
    let microseconds = elapsedMicroseconds(call)
    let trailers = call.context?.trailers ?? []
    var block: [UInt8] = []
    if !trailers.isEmpty {
      var trailer = EndTrailer()
      trailer.trailers = trailers
      trailer.serverMicroseconds = microseconds
      block = trailer.block()
    }
    let blockByteCount = block.isEmpty ? EndTrailer.plainBlockByteCount : block.count
    var fitted = false
    encode(message, call) { byteCount in
      let frameByteCount = blockByteCount + byteCount
      guard
        out.count < Self.outputByteCountMax,
        frameByteCount <= machine.peerLimits.framePayloadByteCountMax,
        byteCount <= call.machine.sendWindow.available, byteCount <= machine.sendWindow.available
      else { return nil }
      fitted = true
      machine.sendWindow.take(byteCount)
      out.appendHeader(
        .end, flags: .hasMessage, stream: call.stream, payloadByteCount: frameByteCount)
      if block.isEmpty {
        // The usual reply, without a detour over arrays.
        EndTrailer.writePlainBlock(
          serverMicroseconds: microseconds, to: out.extend(by: blockByteCount))
      } else {
        out.append(block)
      }
      return out.extend(by: byteCount)
    }
    guard !call.isEnded else { return }
    guard fitted else {
      countPendingReply(call)
      if !call.isEnded { endOK(call) }
      return
    }
    markDirty()
    counters.countEnd(.ok)
    close(call, nil)
  }

  /// One message of a stream. What credit does not allow yet stays in `call.pending`.
  func send(_ call: ServerCall, _ message: any WireMessage) {
    encode(message, call) { byteCount in
      guard byteCount == sendable(call, byteCount) else { return nil }
      machine.sendWindow.take(byteCount)
      call.machine.sendWindow.take(byteCount)
      out.appendHeader(.message, flags: [], stream: call.stream, payloadByteCount: byteCount)
      return out.extend(by: byteCount)
    }
    markDirty()
  }

  /// Encodes into what `place` answers, or, where it says nil, into fragments.
  private func encode(
    _ message: any WireMessage, _ call: ServerCall,
    _ place: (Int) -> UnsafeMutableRawBufferPointer?
  ) {
    var overflow = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    defer { overflow.deallocate() }
    var byteCount = 0
    let byteCountMax = machine.peerLimits.messageByteCountMax
    message.encode { count in
      byteCount = count
      if count <= byteCountMax, let placed = place(count) { return placed }
      overflow = .allocate(byteCount: count, alignment: 16)
      return overflow
    }
    guard byteCount <= byteCountMax else {
      return end(
        call,
        RPCError(
          .resourceExhausted,
          "the reply of \(byteCount) bytes is larger than the client accepts"))
    }
    guard !overflow.isEmpty else { return }
    call.pending = Array(overflow)
    call.pendingOffset = 0
    sendPending(call)
    if !call.pending.isEmpty { blocked.append(call) }
  }

  /// Replies that wait for credit are bounded by connection: a client that grants nothing must not
  /// make us keep its replies.
  private func countPendingReply(_ call: ServerCall) {
    guard !call.pending.isEmpty else { return }
    call.pendingReplyByteCount = call.pending.count
    pendingReplyByteCount += call.pending.count
    guard pendingReplyByteCount > core.configuration.pendingReplyByteCountMax else { return }
    end(call, RPCError(.resourceExhausted, "too many replies wait for the client's credit"))
  }

  /// How much of a message may go out now; 0 = wait for credit, or for a flush.
  private func sendable(_ call: ServerCall, _ byteCount: Int) -> Int {
    guard out.count < Self.outputByteCountMax else { return 0 }
    return call.machine.sendableByteCount(
      of: byteCount, connection: machine.sendWindow,
      framePayloadByteCountMax: machine.peerLimits.framePayloadByteCountMax)
  }

  /// Sends fragments of the waiting message while there is credit.
  private func sendPending(_ call: ServerCall) {
    while !call.pending.isEmpty {
      guard sendFragment(call) else { return }
    }
  }

  /// One fragment; false when there is no credit for it.
  private func sendFragment(_ call: ServerCall) -> Bool {
    let left = call.pending.count - call.pendingOffset
    let byteCount = sendable(call, left)
    guard byteCount > 0 else { return false }
    machine.sendWindow.take(byteCount)
    call.machine.sendWindow.take(byteCount)
    let isLast = byteCount == left
    out.appendHeader(
      .message, flags: isLast ? [] : .more, stream: call.stream, payloadByteCount: byteCount)
    call.pending.withUnsafeBytes { bytes in
      out.append(
        UnsafeRawBufferPointer(
          rebasing: bytes[call.pendingOffset..<call.pendingOffset + byteCount]))
    }
    call.pendingOffset += byteCount
    markDirty()
    if isLast { pendingSent(call) }
    return true
  }

  private func pendingSent(_ call: ServerCall) {
    call.pending = []
    pendingReplyByteCount -= call.pendingReplyByteCount
    call.pendingReplyByteCount = 0
    if call.endsAfterPending {
      endOK(call)
    } else {
      call.wake()
    }
  }

  /// Credit arrived: sends for the calls that wait, a fragment each in turn, so that one large
  /// message does not hold up the others.
  func sendBlocked() {
    var progress = true
    while progress, !blocked.isEmpty {
      progress = false
      let round = blocked
      blocked.removeAll(keepingCapacity: true)
      for call in round where !call.isEnded {
        if sendFragment(call) { progress = true }
        if !call.pending.isEmpty { blocked.append(call) }
      }
    }
  }
}
