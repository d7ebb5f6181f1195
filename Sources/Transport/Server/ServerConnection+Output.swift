internal import RPC
internal import Wire

// Messages out: straight into the output as far as credit goes; the rest waits in the call.
extension ServerConnection {
  /// A unary reply: one END frame if it fits, else MESSAGE frames and END.
  func reply(_ call: ServerCall, _ message: any WireMessage) {
    guard !call.machine.hasEnded else { return }
    let microseconds = elapsedMicroseconds(call)
    var block: [UInt8] = []
    sendHead(of: call)
    if let said = call.context?.said, said.hasTrailers {
      var trailer = EndTrailer()
      trailer.trailers = said.trailers
      trailer.binaryTrailers = said.binaryTrailers
      trailer.serverMicroseconds = microseconds
      block = trailer.block(minorVersion: machine.minorVersion)
    }
    let blockByteCount = block.isEmpty ? EndTrailer.plainBlockByteCount : block.count
    let isOut = encode(message, call) { byteCount, flags in
      guard takeWhole(call, byteCount, blockByteCount: blockByteCount) else { return nil }
      out.appendHeader(
        .end, flags: flags.union(.hasMessage), stream: call.stream,
        payloadByteCount: blockByteCount + byteCount)
      if block.isEmpty {
        // The usual reply, without a detour over arrays.
        EndTrailer.writePlainBlock(
          serverMicroseconds: microseconds, to: out.extend(by: blockByteCount))
      } else {
        out.append(block)
      }
      return out.extend(by: byteCount)
    }
    guard isOut else { return replyWaits(call) }
    guard let release = call.machine.ended() else { return }
    markDirty()
    record.counters.countEnd(.ok)
    countFinished(call, .ok, microseconds: microseconds)
    perform(release, of: call, nil)
  }

  /// A reply that did not fit END: what is left of it waits.
  private func replyWaits(_ call: ServerCall) {
    switch call.machine.replyHandedOver() {
    case .drop: break
    case .end(let release): writeEnd(of: call, nil, release)
    case .keep:
      // The handler has returned: of its request only what the key's reply is stored with is left.
      if call.idempotencyKey == nil { call.requestByteCount = 0 }
      outputWaits(call)
      settle(call)
    }
  }

  /// One message of a stream. What credit does not allow yet waits in the call.
  func send(_ call: ServerCall, _ message: any WireMessage) {
    sendHead(of: call)
    let isOut = encode(message, call) { byteCount, flags in
      guard takeWhole(call, byteCount) else { return nil }
      out.appendHeader(.message, flags: flags, stream: call.stream, payloadByteCount: byteCount)
      return out.extend(by: byteCount)
    }
    markDirty()
    if !isOut { settle(call) }
  }

  /// One encoded message of a stream, whole or not at all.
  func sendWhole(_ call: ServerCall, _ message: [UInt8]) -> Bool {
    // One that is too large ends the call where it is written.
    guard message.count <= machine.peerLimits.messageByteCountMax,
      takeWhole(call, message.count)
    else { return false }
    sendHead(of: call)
    out.appendHeader(.message, flags: [], stream: call.stream, payloadByteCount: message.count)
    out.append(message)
    markDirty()
    return true
  }

  /// HEAD, once, before the first response: what the handler has said by then (W7.7).
  func sendHead(of call: ServerCall) {
    guard !call.isHeadSettled else { return }
    call.isHeadSettled = true
    guard machine.minorVersion >= 1, let said = call.context?.said, said.hasMetadata else { return }
    out.appendFrame(
      .head, stream: call.stream,
      payload: ResponseHead.block(said.metadata, said.binaryMetadata))
    markDirty()
  }

  /// `message` compressed; nil where it goes out as it is.
  private func packed(_ message: any WireMessage) -> EncodedMessage? {
    // Of few bytes nobody asks twice: they are encoded where they go.
    let byteCount = message.encodedByteCount
    guard byteCount >= CompressedMessage.byteCountMin,
      byteCount <= machine.peerLimits.messageByteCountMax
    else { return nil }
    let packed = CompressedMessage.packed(message.sharedBytes ?? message.encodedBytes())
    return packed.map { EncodedMessage(bytes: $0) }
  }

  /// Encodes into what `place` answers, or, where it says nil, into fragments. False for the latter,
  /// and for a message that is too large and has ended the call.
  private func encode(
    _ message: any WireMessage, _ call: ServerCall,
    _ place: (Int, FrameFlags) -> UnsafeMutableRawBufferPointer?
  ) -> Bool {
    if call.compressesReplies, let packed = packed(message) {
      return encode(packed, .compressed, call, place)
    }
    return encode(message, [], call, place)
  }

  private func encode(
    _ message: any WireMessage, _ flags: FrameFlags, _ call: ServerCall,
    _ place: (Int, FrameFlags) -> UnsafeMutableRawBufferPointer?
  ) -> Bool {
    let byteCountMax = machine.peerLimits.messageByteCountMax
    let (byteCount, isPlaced, rest) = Self.encode(message) { byteCount in
      byteCount <= byteCountMax ? place(byteCount, flags) : nil
    }
    guard byteCount <= byteCountMax else {
      end(
        call,
        RPCError(
          .resourceExhausted,
          "the reply of \(byteCount) bytes is larger than the client accepts"))
      return false
    }
    guard !isPlaced else { return true }
    call.waitingMessage = rest
    call.isWaitingMessageShared = flags.isEmpty && message.sharedBytes != nil
    call.waitingMessageFlags = flags
    call.machine.messages.messageWaits(byteCount: byteCount)
    // Who waits already has the first turn.
    if waiting.blocked.isEmpty {
      while let isLast = sendFragment(call, isAlone: true) {
        if isLast { return false }
      }
    } else {
      waiting.mayContinue()
      markDirty()
    }
    waiting.waitForCredit(call)
    return false
  }

  /// Encodes into what `place` answers, or, where it says nil, into an array; a message that is kept
  /// encoded is not copied for that.
  private static func encode(
    _ message: any WireMessage, _ place: (Int) -> UnsafeMutableRawBufferPointer?
  ) -> (byteCount: Int, isPlaced: Bool, rest: [UInt8]) {
    if let shared = message.sharedBytes {
      guard let placed = place(shared.count) else { return (shared.count, false, shared) }
      shared.withUnsafeBytes { placed.copyMemory(from: $0) }
      return (shared.count, true, [])
    }
    var overflow: UnsafeMutableRawBufferPointer?
    defer { overflow?.deallocate() }
    var byteCount = 0
    message.encode { count in
      byteCount = count
      if let placed = place(count) { return placed }
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
      overflow = memory
      return memory
    }
    return (byteCount, overflow == nil, overflow.map { Array($0) } ?? [])
  }

  // MARK: Credit

  /// Whether messages may be added to the output now. Otherwise those that wait are looked at when
  /// there is room.
  private func takeRoom() -> Bool {
    if gate.isWritable, out.count < outputLimits.byteCountMax { return true }
    waiting.mayContinue()
    return false
  }

  private var frameByteCountMax: Int {
    min(machine.peerLimits.framePayloadByteCountMax, outputLimits.frameByteCountMax)
  }

  /// Whether a message goes out whole, in a frame with `blockByteCount` bytes more. Takes its credit.
  private func takeWhole(
    _ call: ServerCall, _ byteCount: Int, blockByteCount: Int = 0
  ) -> Bool {
    guard takeRoom(),
      call.machine.messages.takeWhole(
        byteCount: byteCount, blockByteCount: blockByteCount, connection: &machine.sendWindow,
        framePayloadByteCountMax: frameByteCountMax)
    else { return false }
    executor.statistics.sent(byteCount, for: call.route.index)
    return true
  }

  /// One fragment of the message that waits: whether it was the last. Nil when there is no credit for
  /// it, or it must wait for a flush.
  private func sendFragment(_ call: ServerCall, isAlone: Bool) -> Bool? {
    guard takeRoom() else { return nil }
    let next = call.machine.messages.nextFragment(
      connection: &machine.sendWindow,
      framePayloadByteCountMax: isAlone ? frameByteCountMax : min(frameByteCountMax, Self.turn))
    guard let next else { return nil }
    if call.stall.since != nil { call.stall.outputMoved(now: core.now()) }
    executor.statistics.sent(next.range.count, for: call.route.index)
    var flags: FrameFlags = next.isLast ? [] : .more
    if next.range.lowerBound == 0 { flags.formUnion(call.waitingMessageFlags) }
    out.appendHeader(
      .message, flags: flags, stream: call.stream, payloadByteCount: next.range.count)
    call.waitingMessage.withUnsafeBytes {
      out.append(UnsafeRawBufferPointer(rebasing: $0[next.range]))
    }
    markDirty()
    if next.isLast { call.waitingMessage = [] }
    return next.isLast
  }

  /// What a call sends in its turn, at the most, where others wait.
  private static let turn = WireLimit.framePayloadByteCountMin

  /// Sends for the calls that wait, if credit came or there may be room: a fragment each in turn, so
  /// that one large message does not hold up the others. Who got nothing is before those that did the next
  /// time, however little comes at once (W9.10).
  func sendDue() {
    var isProgress = waiting.takeDue()
    while isProgress, !waiting.blocked.isEmpty {
      isProgress = false
      var served: [ServerCall] = []
      let round = waiting.takeBlocked()
      for call in round where !call.machine.hasEnded {
        switch sendFragment(call, isAlone: round.count == 1) {
        case nil: waiting.waitForCredit(call)
        case false?:
          isProgress = true
          served.append(call)
        case true?:
          isProgress = true
          waitingMessageSent(call)
        }
      }
      for call in served where !call.machine.hasEnded { waiting.waitForCredit(call) }
    }
  }

  private func waitingMessageSent(_ call: ServerCall) {
    switch call.machine.waitingMessageSent() {
    case .wakeWriter:
      settle(call)
      call.wake()
    case .end(let release): writeEnd(of: call, nil, release)
    }
  }
}
