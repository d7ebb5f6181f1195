/// What the server decides about one connection: which frames may come, how many calls, when to ping,
/// drain and close. Calls themselves are `ServerCallMachine`s in the owner's table.
///
///     handshaking --TLS--> awaiting HELLO --HELLO--> open --drain--> announced --PONG or 1 s-->
///          |                     |                    |                  |
///          |                     |                    |                  |      finishing
///          +---------------------+--- fault, timeout, grace over --------+----------+--> closed
///
/// The owner performs what the answers say, sends GOAWAY for every thrown `WireFault` and closes.
package struct ServerConnectionMachine: Sendable {
  package struct Configuration: Sendable, Hashable {
    package var limits = ReceiveLimits()
    package var pingInterval = WireLimit.pingIntervalDefault
    package var helloTimeout = Duration.seconds(10)
    package var keepaliveIdle = Duration.seconds(60)
    package var keepaliveTimeout = Duration.seconds(20)
    package var idle = IdleMachine.Limits()
    /// After this the connection drains; nil = never. The owner adds jitter.
    package var ageMax: Duration?
    package var drainRoundTripMax = Duration.seconds(1)
    package var drainGrace = Duration.seconds(20)
    /// Messages that wait for the client's credit.
    package var outputByteCountMax = 16 << 20

    package init() {}
  }

  enum State: Sendable, Hashable {
    case handshaking
    case awaitingHello
    case open
    /// The first GOAWAY is out; calls on the way are still taken.
    case announced(since: Moment, grace: Duration)
    /// The second GOAWAY is out: no call above this id. Calls are ended at `graceEnd`, once.
    case finishing(lastStream: UInt32, graceEnd: Moment?)
    case closed
  }

  package let configuration: Configuration
  var state = State.handshaking
  /// What the client accepts.
  package private(set) var peerLimits = ReceiveLimits()
  /// What both sides speak; 0 until the client's HELLO is there.
  package private(set) var minorVersion: UInt16 = 0
  /// How messages to the client may be compressed.
  package private(set) var peerEncodings = Encodings()
  package private(set) var streams: ServerStreams
  package var buffered: BufferedBytes
  package var sendWindow = SendWindow(initial: 0)
  package private(set) var receiveWindow: ReceiveWindow
  private var abuse: AbuseGuard
  var keepalive: KeepaliveMachine
  var idle: IdleMachine
  /// How long the calls of a drain may continue, and then the client has to read the last words.
  package internal(set) var grace: Duration
  /// When TLS was ready: from then on HELLO is due, and the connection ages.
  private(set) var readyAt: Moment
  private var hasClientSaidGoAway = false
  /// Whether a token of this connection's calls was accepted.
  package private(set) var isCallerKnown = false

  package init(configuration: Configuration, now: Moment) {
    self.configuration = configuration
    let limits = configuration.limits
    streams = ServerStreams(countMax: limits.concurrentCallCountMax)
    buffered = BufferedBytes(
      inputByteCountMax: WireLimit.unfinishedMessageFactor * limits.messageByteCountMax
        + limits.connectionCredit,
      outputByteCountMax: configuration.outputByteCountMax)
    receiveWindow = ReceiveWindow(
      initial: min(limits.connectionCredit, WireLimit.strangerCredit))
    abuse = AbuseGuard(pingInterval: configuration.pingInterval)
    keepalive = KeepaliveMachine(
      idle: configuration.keepaliveIdle, timeout: configuration.keepaliveTimeout, now: now)
    idle = IdleMachine(limits: configuration.idle, now: now)
    grace = configuration.drainGrace
    readyAt = now
  }
}

// MARK: Life

extension ServerConnectionMachine {
  /// Whether nothing is sent or received any more.
  package var isClosed: Bool {
    if case .closed = state { true } else { false }
  }

  package var isDraining: Bool {
    switch state {
    case .announced, .finishing: true
    case .handshaking, .awaitingHello, .open, .closed: false
    }
  }

  /// Whether everything is done and the owner should close.
  package var isFinished: Bool {
    guard streams.openCallCount == 0 else { return false }
    if case .finishing = state { return true }
    return hasClientSaidGoAway
  }

  private var isBeforeHello: Bool {
    switch state {
    case .handshaking, .awaitingHello: true
    case .open, .announced, .finishing, .closed: false
    }
  }

  /// TLS is ready: from now on the client has its time for HELLO.
  package mutating func handshakeCompleted(now: Moment) {
    guard state == .handshaking else { return }
    state = .awaitingHello
    readyAt = now
    keepalive.bytesReceived(now: now)
    idle.started(now: now)
  }

  package var isPeerAuthenticated: Bool { idle.isAuthenticated }

  /// A token or a certificate of the peer was accepted.
  package mutating func peerAuthenticated() {
    idle.authenticated()
  }

  /// The client's HELLO; the owner answers with its own.
  package mutating func helloReceived(_ hello: Hello) {
    peerLimits = hello.limits
    minorVersion = min(hello.minorVersion, WireLimit.minorVersion)
    if minorVersion >= 1 { peerEncodings = hello.encodings }
    sendWindow = SendWindow(initial: hello.limits.connectionCredit)
    state = .open
  }

  /// The last words for a fault; nil while TLS cannot carry them.
  package func goAway(for fault: WireFault) -> GoAway? {
    if case .handshaking = state { return nil }
    var lastStream = streams.highestStream
    if case .finishing(let last, _) = state { lastStream = last }
    return GoAway(lastStream: lastStream, reason: fault.reason, text: fault.text)
  }

  /// The connection ends; false when it had ended before.
  package mutating func close() -> Bool {
    defer { state = .closed }
    return state != .closed
  }
}

// MARK: Frames

extension ServerConnectionMachine {
  /// Bytes arrived; call once per read.
  package mutating func bytesReceived(now: Moment) {
    keepalive.bytesReceived(now: now)
  }

  /// Checks a header before its payload is waited for (W2).
  package func check(_ header: FrameHeader) throws(WireFault) -> FrameKind {
    let isHello = header.kindValue == FrameKind.hello.rawValue
    let byteCountMax =
      isHello || isBeforeHello
      ? WireLimit.helloPayloadByteCountMax : configuration.limits.framePayloadByteCountMax
    guard header.payloadByteCount <= UInt32(byteCountMax) else {
      throw WireFault(.frameTooLarge, "a frame payload above \(byteCountMax) bytes")
    }
    guard let kind = header.kind else {
      throw WireFault(.protocolError, "an unknown kind of frame")
    }
    guard isHello == isBeforeHello else {
      throw WireFault(.protocolError, isHello ? "a second HELLO" : "a frame before HELLO")
    }
    let isAgreed = minorVersion >= 1 || !header.flags.contains(.compressed)
    guard kind.isWellFormedFromClient(header), isAgreed else {
      throw WireFault(.protocolError, "a \(kind) frame with wrong flags, stream or size")
    }
    return kind
  }

  /// A CALL arrived; `fault` is what its head says against it. After `.start` the owner reports
  /// `callEnded`, and `handlerEnded` if it started a handler.
  package mutating func callReceived(
    stream: UInt32, fault: CallFault? = nil, isStrangers: Bool = false
  ) throws(WireFault) -> ServerStreams.Admission {
    let isFinishing = if case .finishing = state { true } else { false }
    return try streams.callReceived(
      stream: stream, fault: fault, isFinishing: isFinishing, isStrangers: isStrangers)
  }

  /// A token was accepted. Answers with the connection credit to grant for that (W9.8).
  package mutating func callerFound() -> Int {
    isCallerKnown = true
    return receiveWindow.grow(to: configuration.limits.connectionCredit)
  }

  /// A started call has ended.
  package mutating func callEnded(
    _ release: ServerCallMachine.Release, isStrangers: Bool = false
  ) {
    streams.callEnded(hasHandler: release.hasHandler, isStrangers: isStrangers)
  }

  /// The handler of a started call has returned.
  package mutating func handlerEnded() {
    streams.handlerEnded()
  }

  /// CREDIT arrived, of any stream; that of a stream is its call's to take.
  package mutating func creditReceived(
    _ byteCount: UInt32, stream: UInt32, now: Moment
  ) throws(WireFault) {
    try abuse.creditReceived(byteCount, now: now)
    if stream == 0 { try sendWindow.creditReceived(byteCount) }
  }

  /// A call ended by the timeout that its client gave it.
  package mutating func callExpired(
    timeout: Duration, now: Moment
  ) throws(WireFault) {
    try abuse.callExpired(timeout: timeout, now: now)
  }

  /// Message bytes arrived, of any stream.
  package mutating func messageBytesReceived(_ byteCount: Int) throws(WireFault) {
    try receiveWindow.received(byteCount)
  }

  /// Message bytes were consumed or dropped. Answers with connection credit to grant, 0 for none.
  package mutating func consume(_ byteCount: Int) -> Int {
    receiveWindow.consume(byteCount)
  }

  /// Credit of the connection that the client has not had back: for bytes that nobody has consumed, or that are
  /// too few for a frame.
  package var owedCredit: Int { receiveWindow.initial - receiveWindow.granted }

  /// A frame for a stream that is not open: ended, or never opened (W5.9).
  package mutating func absentStreamFrameReceived(
    stream: UInt32, messageByteCount: Int, now: Moment
  ) throws(WireFault) {
    guard stream <= streams.highestStream else {
      throw WireFault(.protocolError, "a frame for a stream that was never opened")
    }
    // Frames with bytes are bounded by credit.
    if messageByteCount == 0 { try abuse.noiseReceived(now: now) }
  }

  package mutating func cancelReceived(now: Moment) throws(WireFault) {
    try abuse.cancelReceived(now: now)
  }

  /// A token that a call named was looked up, and stands for nobody.
  package mutating func tokenLookUpRefused(now: Moment) throws(WireFault) {
    try abuse.tokenLookUpRefused(now: now)
  }

  package mutating func pingReceived(now: Moment) throws(WireFault) {
    try abuse.pingReceived(now: now)
  }

  /// A PONG, which may be what the drain waited for.
  package mutating func pongReceived(
    _ opaque: UInt64, now: Moment
  ) throws(WireFault) -> Action {
    guard keepalive.pongReceived(opaque) else {
      try abuse.noiseReceived(now: now)
      return .nothing
    }
    return finishDrain()
  }

  /// The client opens no more calls, or reports a fault of ours.
  package mutating func goAwayReceived(
    _ reason: GoAwayReason, now: Moment
  ) throws(WireFault) -> Action {
    if hasClientSaidGoAway { try abuse.noiseReceived(now: now) }
    hasClientSaidGoAway = true
    return reason.isDrain ? .nothing : .close
  }
}
