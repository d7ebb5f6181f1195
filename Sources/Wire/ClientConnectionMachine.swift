/// What the client decides about one connection: which frames may come, which calls may be opened.
///
///     awaiting HELLO --HELLO--> open --GOAWAY (drain)--> draining --> closed
package struct ClientConnectionMachine: Sendable {
  package enum Phase: Sendable, Hashable {
    case awaitingHello
    case open
    case draining(lastStream: UInt32)
    case closed
  }

  package let limits: ReceiveLimits
  package private(set) var phase = Phase.awaitingHello
  package private(set) var peerLimits = ReceiveLimits()
  package private(set) var openCallCount = 0
  package var sendWindow = SendWindow(initial: 0)
  private var receiveWindow: ReceiveWindow
  private var nextStream: UInt32 = 1
  private var awaitedPong: UInt64?
  private var pingCount: UInt64 = 0
  /// A server has fewer reasons than a client to be noisy; the same bound serves.
  private var noiseMeter = RateMeter(burst: 1000, perSecond: 100)

  package init(limits: ReceiveLimits) {
    self.limits = limits
    receiveWindow = ReceiveWindow(initial: limits.connectionCredit)
  }

  /// Whether a call may be opened now.
  package var canOpen: Bool {
    phase == .open && openCallCount < peerLimits.concurrentCallCountMax
      && nextStream <= WireLimit.streamIDMax
  }

  /// Whether calls must go to another connection.
  package var isRetired: Bool {
    switch phase {
    case .awaitingHello: false
    case .open: nextStream > WireLimit.streamIDMax
    case .draining, .closed: true
    }
  }

  package var isFinished: Bool {
    if case .draining = phase { openCallCount == 0 } else { false }
  }

  /// Opens a stream; the caller has checked `canOpen`.
  package mutating func openCall() -> UInt32 {
    assert(canOpen)
    defer { nextStream += 2 }
    openCallCount += 1
    return nextStream
  }

  package mutating func callEnded() {
    openCallCount -= 1
  }

  package mutating func closed() {
    phase = .closed
  }

  /// Checks a header before its payload is waited for (W2).
  package func check(_ header: FrameHeader) throws(WireFault) -> FrameKind {
    let isHello = header.kindValue == FrameKind.hello.rawValue
    let byteCountMax =
      isHello || phase == .awaitingHello
      ? WireLimit.helloPayloadByteCountMax : limits.framePayloadByteCountMax
    guard header.payloadByteCount <= UInt32(byteCountMax) else {
      throw WireFault(.frameTooLarge, "a frame payload above \(byteCountMax) bytes")
    }
    guard let kind = header.kind else {
      throw WireFault(.protocolError, "an unknown kind of frame")
    }
    // A server may refuse a connection with GOAWAY instead of HELLO.
    guard isHello == (phase == .awaitingHello) || kind == .goAway else {
      throw WireFault(.protocolError, isHello ? "a second HELLO" : "a frame before HELLO")
    }
    guard kind.isWellFormedFromServer(header) else {
      throw WireFault(.protocolError, "a \(kind) frame with wrong flags, stream or size")
    }
    return kind
  }

  package mutating func helloReceived(_ hello: Hello) {
    peerLimits = hello.limits
    sendWindow = SendWindow(initial: hello.limits.connectionCredit)
    phase = .open
  }

  package mutating func messageBytesReceived(_ byteCount: Int) throws(WireFault) {
    try receiveWindow.received(byteCount)
  }

  /// Message bytes were consumed or dropped. Answers with connection credit to grant, 0 for none.
  package mutating func consume(_ byteCount: Int) -> Int {
    receiveWindow.consume(byteCount)
  }

  /// A frame for a stream that is not open: it crossed with our CANCEL, or is nonsense.
  package mutating func absentStreamFrameReceived(stream: UInt32) throws(WireFault) {
    guard stream < nextStream else {
      throw WireFault(.protocolError, "a frame for a stream that was never opened")
    }
  }

  /// Begins a keepalive round trip.
  package mutating func ping() -> UInt64 {
    pingCount += 1
    awaitedPong = pingCount
    return pingCount
  }

  /// Whether a keepalive PING has not been answered.
  package var awaitsPong: Bool { awaitedPong != nil }

  package mutating func pongReceived(
    _ opaque: UInt64, now: ContinuousClock.Instant
  ) throws(WireFault) {
    if opaque == awaitedPong {
      awaitedPong = nil
    } else if !noiseMeter.admit(now: now) {
      throw WireFault(.abuse, "too many frames without effect")
    }
  }

  package enum GoAwayAction: Sendable, Hashable {
    /// Open no more calls; those above this id were not started.
    case drain(lastStream: UInt32)
    /// The server closes the connection because of an error.
    case fail(GoAwayReason)
  }

  package mutating func goAwayReceived(_ goAway: GoAway) -> GoAwayAction {
    guard goAway.reason.isDrain else {
      phase = .closed
      return .fail(goAway.reason)
    }
    // A second GOAWAY can only lower the last stream.
    var last = goAway.lastStream
    if case .draining(let before) = phase { last = min(last, before) }
    phase = .draining(lastStream: last)
    return .drain(lastStream: last)
  }
}
