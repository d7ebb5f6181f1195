/// One call at the client: what it may send and when, from the wait for a free stream to its end.
///
///     queued(message?) --a stream is free--> open --END, CANCEL, connection gone--> ended
///            |                                                                        ^
///            +------------ cancelled, the connection takes no more calls -------------+
///
/// Messages are handed over one at a time; after `finish` none. Handing one over too early or too
/// late is the caller's error and is answered with `.refuse`.
package struct ClientCallMachine: Sendable, Hashable {
  private enum State: Hashable {
    /// With the size of a message that was handed over already.
    case queued(messageByteCount: Int?)
    case open(CallMachine)
    case ended
  }

  private var state: State
  /// Nothing is sent after the message that waits.
  private var isFinished: Bool

  /// `requestByteCount` is the size of a request that is the only message, nil when messages follow.
  package init(requestByteCount: Int?) {
    state = .queued(messageByteCount: requestByteCount)
    isFinished = requestByteCount != nil
  }

  /// Whether the stream is open on the wire.
  package var isOpen: Bool {
    if case .open = state { true } else { false }
  }

  /// Whether a message waits for credit.
  package var isBlocked: Bool {
    if case .open(let messages) = state { messages.isMessageWaiting } else { false }
  }

  /// Whether the message that came last is compressed.
  package var isCompressed: Bool {
    if case .open(let messages) = state { messages.inbound.isCompressed } else { false }
  }

  /// What is sent and received; nil when the call is not open.
  package var messages: CallMachine? {
    if case .open(let messages) = state { messages } else { nil }
  }

  package var unfinishedByteCount: Int {
    if case .open(let messages) = state { messages.inbound.unfinishedByteCount } else { 0 }
  }

  /// Runs `body` on an open call's messages; nil when the call is not open.
  private mutating func withMessages<Value, Failure: Error>(
    _ body: (inout CallMachine) throws(Failure) -> Value
  ) throws(Failure) -> Value? {
    guard case .open(var messages) = state else { return nil }
    defer { state = .open(messages) }
    return try body(&messages)
  }
}

// MARK: Out

extension ClientCallMachine {
  package enum OpenAction: Sendable, Hashable {
    /// CALL with these flags and the message that was handed over.
    case callWithMessage(FrameFlags)
    /// CALL with these flags; what waits follows in fragments.
    case call(FrameFlags)
  }

  /// A stream is free: the call goes out, with its message if that fits the frame and the credit.
  package mutating func opened(
    mine: ReceiveLimits, peers: ReceiveLimits, blockByteCount: Int, connection: inout SendWindow
  ) -> OpenAction {
    var messages = CallMachine(mine: mine, peers: peers, receivesSingleMessage: false)
    defer { state = .open(messages) }
    guard case .queued(let messageByteCount?) = state else {
      return .call(isFinished ? .end : [])
    }
    let isWhole = messages.takeWhole(
      byteCount: messageByteCount, blockByteCount: blockByteCount, connection: &connection,
      framePayloadByteCountMax: peers.framePayloadByteCountMax)
    if isWhole { return .callWithMessage(isFinished ? [.hasMessage, .end] : .hasMessage) }
    messages.messageWaits(byteCount: messageByteCount)
    return .call([])
  }

  package enum MessageAction: Sendable, Hashable {
    /// Ask `nextFragment`.
    case send
    /// Keep it until the call is open.
    case hold
    /// Another message waits, or the call is finished or has ended.
    case refuse
  }

  /// The caller hands over a message.
  package mutating func messageHandedOver(byteCount: Int) -> MessageAction {
    guard !isFinished else { return .refuse }
    switch state {
    case .queued(messageByteCount: nil):
      state = .queued(messageByteCount: byteCount)
      return .hold
    case .open(var messages) where !messages.isMessageWaiting:
      messages.messageWaits(byteCount: byteCount)
      state = .open(messages)
      return .send
    case .queued, .open, .ended:
      return .refuse
    }
  }

  package enum FinishAction: Sendable, Hashable {
    /// Write END.
    case sendEnd
    /// CALL or the last fragment says it, or there is nobody to tell.
    case nothing
  }

  /// The caller has no more messages.
  package mutating func finish() -> FinishAction {
    if isFinished || state == .ended { return .nothing }
    isFinished = true
    return isOpen && !isBlocked ? .sendEnd : .nothing
  }

  /// What one MESSAGE frame carries.
  package struct Fragment: Sendable, Hashable {
    package var range: Range<Int>
    package var flags: FrameFlags
    package var isLast: Bool

    package init(range: Range<Int>, flags: FrameFlags, isLast: Bool) {
      self.range = range
      self.flags = flags
      self.isLast = isLast
    }
  }

  /// Takes the credit for the next fragment of the waiting message; nil for none, or no credit.
  package mutating func nextFragment(
    connection: inout SendWindow, framePayloadByteCountMax: Int
  ) -> Fragment? {
    guard case .open(var messages) = state else { return nil }
    defer { state = .open(messages) }
    let next = messages.nextFragment(
      connection: &connection, framePayloadByteCountMax: framePayloadByteCountMax)
    guard let next else { return nil }
    let flags: FrameFlags = next.isLast ? (isFinished ? .end : []) : .more
    return Fragment(range: next.range, flags: flags, isLast: next.isLast)
  }

  package mutating func creditReceived(_ byteCount: UInt32) throws(WireFault) {
    _ = try withMessages { messages throws(WireFault) in
      try messages.creditReceived(byteCount)
    }
  }
}

// MARK: In and the end

extension ClientCallMachine {
  /// A fragment arrived; nil when the call is not open.
  package mutating func fragmentReceived(
    byteCount: Int, flags: FrameFlags
  ) -> InboundMessages.Action? {
    withMessages { $0.fragmentReceived(byteCount: byteCount, flags: flags) }
  }

  /// Bytes were consumed. Answers with the stream credit to grant now, 0 for none.
  package mutating func consume(_ byteCount: Int) -> Int {
    withMessages { $0.consume(byteCount) } ?? 0
  }

  package enum EndAction: Sendable, Hashable {
    case leaveQueue
    /// Free the stream; CANCEL if it is our side that ends.
    case closeStream
    /// It had ended before.
    case nothing
  }

  /// The call ends, for whatever reason.
  @discardableResult
  package mutating func ended() -> EndAction {
    defer { state = .ended }
    switch state {
    case .queued: return .leaveQueue
    case .open: return .closeStream
    case .ended: return .nothing
    }
  }
}
