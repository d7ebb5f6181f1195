/// What the client decides about one connection: which frames may come, which calls may be opened.
///
///     awaiting HELLO --HELLO--> open --GOAWAY (drain)--> draining --> closed
package struct ClientConnectionMachine: Sendable {
  private enum State: Sendable, Hashable {
    case awaitingHello
    case open
    case draining(lastStream: UInt32)
    case closed
  }

  package let limits: ReceiveLimits
  private var state = State.awaitingHello
  package private(set) var peerLimits = ReceiveLimits()
  /// What both sides speak; 0 until the server's HELLO is there.
  package private(set) var minorVersion: UInt16 = 0
  /// How messages to the server may be compressed.
  package private(set) var peerEncodings = Encodings()
  package private(set) var openCallCount = 0
  package var sendWindow = SendWindow(initial: 0)
  package private(set) var receiveWindow: ReceiveWindow
  private var nextStream: UInt32 = 1
  private var keepalive: KeepaliveMachine
  /// A server has fewer reasons than a client to be noisy; the same bound serves.
  private var noiseMeter = RateMeter(burst: 1000, perSecond: 100)

  package init(
    limits: ReceiveLimits, keepaliveIdle: Duration, keepaliveTimeout: Duration,
    now: Moment
  ) {
    self.limits = limits
    keepalive = KeepaliveMachine(idle: keepaliveIdle, timeout: keepaliveTimeout, now: now)
    receiveWindow = ReceiveWindow(initial: limits.connectionCredit)
  }

  /// Whether a call may be opened now.
  package var canOpen: Bool {
    state == .open && openCallCount < peerLimits.concurrentCallCountMax
      && nextStream <= WireLimit.streamIDMax
  }

  /// Whether calls must go to another connection.
  package var isRetired: Bool {
    switch state {
    case .awaitingHello: false
    case .open: nextStream > WireLimit.streamIDMax
    case .draining, .closed: true
    }
  }

  package var isFinished: Bool {
    if case .draining = state { openCallCount == 0 } else { false }
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

  package var isClosed: Bool { state == .closed }

  package mutating func closed() {
    state = .closed
  }

  /// Bytes arrived; call once per read.
  package mutating func bytesReceived(now: Moment) {
    keepalive.bytesReceived(now: now)
  }

  /// When `timerFired` wants to be called next; nil when the connection has ended.
  package var nextWakeUp: Moment? { isClosed ? nil : keepalive.due }

  /// Time passed. May be called at any time. Without calls nobody waits for this connection, and the
  /// server's own keepalive looks after it.
  package mutating func timerFired(now: Moment) -> KeepaliveMachine.Action {
    isClosed ? .nothing : keepalive.timerFired(now: now, isPeerNeeded: openCallCount > 0)
  }

  /// Checks a header before its payload is waited for (W2).
  package func check(_ header: FrameHeader) throws(WireFault) -> FrameKind {
    let isHello = header.kindValue == FrameKind.hello.rawValue
    let byteCountMax =
      isHello || state == .awaitingHello
      ? WireLimit.helloPayloadByteCountMax : limits.framePayloadByteCountMax
    guard header.payloadByteCount <= UInt32(byteCountMax) else {
      throw WireFault(.frameTooLarge, "a frame payload above \(byteCountMax) bytes")
    }
    guard let kind = header.kind else {
      throw WireFault(.protocolError, "an unknown kind of frame")
    }
    // A server may refuse a connection with GOAWAY instead of HELLO.
    guard isHello == (state == .awaitingHello) || kind == .goAway else {
      throw WireFault(.protocolError, isHello ? "a second HELLO" : "a frame before HELLO")
    }
    let isAgreed = minorVersion >= 1 || (kind != .head && !header.flags.contains(.compressed))
    guard kind.isWellFormedFromServer(header), isAgreed else {
      throw WireFault(.protocolError, "a \(kind) frame with wrong flags, stream or size")
    }
    return kind
  }

  package mutating func helloReceived(_ hello: Hello) {
    peerLimits = hello.limits
    minorVersion = min(hello.minorVersion, WireLimit.minorVersion)
    if minorVersion >= 1 { peerEncodings = hello.encodings }
    sendWindow = SendWindow(initial: hello.limits.connectionCredit)
    // A tenth above: sooner counts as abuse (W10.2).
    keepalive.asksNoMoreOften(
      than: .milliseconds(Int64(hello.pingIntervalMilliseconds)) * 11 / 10)
    state = .open
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

  package mutating func pongReceived(
    _ opaque: UInt64, now: Moment
  ) throws(WireFault) {
    guard keepalive.pongReceived(opaque) || noiseMeter.admit(now: now) else {
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
      state = .closed
      return .fail(goAway.reason)
    }
    // A second GOAWAY can only lower the last stream.
    var last = goAway.lastStream
    if case .draining(let before) = state { last = min(last, before) }
    state = .draining(lastStream: last)
    return .drain(lastStream: last)
  }
}
