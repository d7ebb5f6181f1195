/// What the server decides about one connection: which frames may come, how many calls, when to ping,
/// drain and close. Calls themselves are `CallMachine`s in the owner's table.
///
///     awaiting HELLO --HELLO--> open --drain--> announced --PONG or 1 s--> finishing --> closed
///           |                    |                 |                          |
///           +--------------------+---- fault, timeout, grace over ------------+--> closed
///
/// The owner performs what the answers say, sends GOAWAY for every thrown `WireFault` and closes.
package struct ServerConnectionMachine: Sendable {
  package struct Configuration: Sendable, Hashable {
    package var limits = ReceiveLimits()
    package var pingInterval = WireLimit.pingIntervalDefault
    package var helloTimeout = Duration.seconds(10)
    package var keepaliveIdle = Duration.seconds(60)
    package var keepaliveTimeout = Duration.seconds(20)
    /// After this the connection drains; nil = never. The owner adds jitter.
    package var ageMax: Duration?
    package var drainRoundTripMax = Duration.seconds(1)
    package var drainGrace = Duration.seconds(20)

    package init() {}
  }

  package enum Phase: Sendable, Hashable {
    case awaitingHello
    case open
    /// The first GOAWAY is out; calls on the way are still taken.
    case announced
    /// The second GOAWAY is out: no call above this id.
    case finishing(lastStream: UInt32)
    case closed
  }

  package let configuration: Configuration
  package private(set) var phase = Phase.awaitingHello
  /// What the client accepts.
  package private(set) var peerLimits = ReceiveLimits()
  package private(set) var highestStream: UInt32 = 0
  /// Streams that are open on the wire.
  package private(set) var openCallCount = 0
  /// Handlers that have not returned; cancelled ones run on without a stream for a while.
  package private(set) var runningHandlerCount = 0
  package var sendWindow = SendWindow(initial: 0)
  private var receiveWindow: ReceiveWindow
  private var unfinishedByteCount = 0

  private var pingGuard: PingGuard
  private var cancelMeter = RateMeter(burst: 1000, perSecond: 200)
  private var noiseMeter = RateMeter(burst: 1000, perSecond: 100)
  private var clientSaidGoAway = false

  private var acceptedAt: ContinuousClock.Instant
  private var lastReceivedAt: ContinuousClock.Instant
  private var awaitedPong: UInt64?
  private var pingSentAt: ContinuousClock.Instant?
  private var pingCount: UInt64 = 0
  private var drainStartedAt: ContinuousClock.Instant?
  private var drainGrace = Duration.zero

  package init(configuration: Configuration, now: ContinuousClock.Instant) {
    self.configuration = configuration
    receiveWindow = ReceiveWindow(initial: configuration.limits.connectionCredit)
    pingGuard = PingGuard(interval: configuration.pingInterval)
    acceptedAt = now
    lastReceivedAt = now
  }

  /// Whether everything is done and the owner should close.
  package var isFinished: Bool {
    guard openCallCount == 0 else { return false }
    if case .finishing = phase { return true }
    return clientSaidGoAway
  }

  /// The id for GOAWAY on a fault.
  package var lastStream: UInt32 {
    if case .finishing(let last) = phase { last } else { highestStream }
  }

  package mutating func closed() {
    phase = .closed
  }

  /// TLS is ready: from now on the client has its time for HELLO.
  package mutating func handshakeCompleted(now: ContinuousClock.Instant) {
    acceptedAt = now
    lastReceivedAt = now
  }
}

// MARK: Frames

extension ServerConnectionMachine {
  /// Bytes arrived; call once per read.
  package mutating func bytesReceived(now: ContinuousClock.Instant) {
    lastReceivedAt = now
    pingSentAt = nil
  }

  /// Checks a header before its payload is waited for (W2).
  package func check(_ header: FrameHeader) throws(WireFault) -> FrameKind {
    let isHello = header.kindValue == FrameKind.hello.rawValue
    let byteCountMax =
      isHello || phase == .awaitingHello
      ? WireLimit.helloPayloadByteCountMax : configuration.limits.framePayloadByteCountMax
    guard header.payloadByteCount <= UInt32(byteCountMax) else {
      throw WireFault(.frameTooLarge, "a frame payload above \(byteCountMax) bytes")
    }
    guard let kind = header.kind else {
      throw WireFault(.protocolError, "an unknown kind of frame")
    }
    guard isHello == (phase == .awaitingHello) else {
      throw WireFault(.protocolError, isHello ? "a second HELLO" : "a frame before HELLO")
    }
    guard kind.isWellFormedFromClient(header) else {
      throw WireFault(.protocolError, "a \(kind) frame with wrong flags, stream or size")
    }
    return kind
  }

  /// The client's HELLO; the owner answers with its own.
  package mutating func helloReceived(_ hello: Hello) {
    peerLimits = hello.limits
    sendWindow = SendWindow(initial: hello.limits.connectionCredit)
    phase = .open
  }

  package enum CallAdmission: Sendable, Hashable {
    case start
    case refuse(CallFault)
    /// Above the last stream of a drain: the client knows that it was not started.
    case ignore
  }

  /// A CALL arrived. After `.start` the owner reports `callEnded` and `handlerEnded`.
  package mutating func callReceived(stream: UInt32) throws(WireFault) -> CallAdmission {
    guard stream > highestStream else {
      throw WireFault(.protocolError, "a stream id that is not larger than the last")
    }
    highestStream = stream
    if case .finishing = phase { return .ignore }
    let countMax = configuration.limits.concurrentCallCountMax
    guard openCallCount < countMax else {
      return .refuse(CallFault(.resourceExhausted, "more than \(countMax) concurrent calls"))
    }
    guard runningHandlerCount < 2 * countMax else {
      return .refuse(CallFault(.unavailable, "cancelled calls are still ending"))
    }
    openCallCount += 1
    runningHandlerCount += 1
    return .start
  }

  /// The stream of a started call has ended, by END or CANCEL.
  package mutating func callEnded() {
    openCallCount -= 1
  }

  /// The handler of a started call has returned.
  package mutating func handlerEnded() {
    runningHandlerCount -= 1
  }

  /// Message bytes arrived, of any stream.
  package mutating func messageBytesReceived(_ byteCount: Int) throws(WireFault) {
    try receiveWindow.received(byteCount)
  }

  /// Message bytes were consumed or dropped. Answers with connection credit to grant, 0 for none.
  package mutating func consume(_ byteCount: Int) -> Int {
    receiveWindow.consume(byteCount)
  }

  /// The sum of unfinished messages changed; false when it is above the limit (W6.5).
  package mutating func unfinishedBytesChanged(by byteCount: Int) -> Bool {
    unfinishedByteCount += byteCount
    let factor = WireLimit.unfinishedMessageFactor
    return unfinishedByteCount <= factor * configuration.limits.messageByteCountMax
  }

  /// A frame for a stream that is not open: ended, or never opened (W5.9).
  package mutating func absentStreamFrameReceived(
    stream: UInt32, messageByteCount: Int, now: ContinuousClock.Instant
  ) throws(WireFault) {
    guard stream <= highestStream else {
      throw WireFault(.protocolError, "a frame for a stream that was never opened")
    }
    // Frames with bytes are bounded by credit.
    if messageByteCount == 0 { try countNoise(now: now) }
  }

  package mutating func cancelReceived(now: ContinuousClock.Instant) throws(WireFault) {
    guard cancelMeter.admit(now: now) else { throw WireFault(.abuse, "too many CANCELs") }
  }

  package mutating func pingReceived(now: ContinuousClock.Instant) throws(WireFault) {
    guard pingGuard.admit(now: now) else { throw WireFault(.abuse, "too many PINGs") }
  }

  /// A PONG; answers with the last stream of the second GOAWAY when the drain waited for it.
  package mutating func pongReceived(
    _ opaque: UInt64, now: ContinuousClock.Instant
  ) throws(WireFault) -> UInt32? {
    guard opaque == awaitedPong else {
      try countNoise(now: now)
      return nil
    }
    awaitedPong = nil
    return phase == .announced ? finishDrain() : nil
  }

  /// The client opens no more calls, or reports a fault of ours.
  package mutating func goAwayReceived(now: ContinuousClock.Instant) throws(WireFault) {
    if clientSaidGoAway { try countNoise(now: now) }
    clientSaidGoAway = true
  }

  private mutating func countNoise(now: ContinuousClock.Instant) throws(WireFault) {
    guard noiseMeter.admit(now: now) else {
      throw WireFault(.abuse, "too many frames without effect")
    }
  }
}

// MARK: Drain and time

extension ServerConnectionMachine {
  package enum TimerAction: Sendable, Hashable {
    case nothing
    case fail(WireFault)
    case ping(UInt64)
    /// Begin a drain: send the first GOAWAY with this reason, and this PING.
    case announceDrain(GoAwayReason, ping: UInt64)
    /// Send the second GOAWAY.
    case finishDrain(lastStream: UInt32)
    /// The grace is over: end every call with UNAVAILABLE.
    case endCalls
  }

  /// Begins a drain; `.nothing` when one is going on. Before HELLO there is nothing to drain, and the
  /// owner closes.
  package mutating func drain(
    reason: GoAwayReason, grace: Duration? = nil, now: ContinuousClock.Instant
  ) -> TimerAction {
    guard phase == .open else { return .nothing }
    drainGrace = grace ?? configuration.drainGrace
    phase = .announced
    drainStartedAt = now
    return .announceDrain(reason, ping: nextPing(now: now))
  }

  /// When `timerFired` wants to be called next.
  package var nextWakeUp: ContinuousClock.Instant? {
    switch phase {
    case .closed: return nil
    case .awaitingHello: return acceptedAt + configuration.helloTimeout
    case .announced: return drainStartedAt.map { $0 + configuration.drainRoundTripMax }
    case .finishing: return drainStartedAt.map { $0 + drainGrace }
    case .open:
      let keepalive =
        pingSentAt.map { $0 + configuration.keepaliveTimeout }
        ?? (lastReceivedAt + configuration.keepaliveIdle)
      guard let ageMax = configuration.ageMax else { return keepalive }
      return min(keepalive, acceptedAt + ageMax)
    }
  }

  /// Time passed. May be called at any time.
  package mutating func timerFired(now: ContinuousClock.Instant) -> TimerAction {
    guard let due = nextWakeUp, due <= now else { return .nothing }
    switch phase {
    case .closed: return .nothing
    case .awaitingHello: return .fail(WireFault(.helloTimeout, "no HELLO in time"))
    case .announced: return .finishDrain(lastStream: finishDrain())
    case .finishing:
      // Once: the owner closes as soon as the calls have ended.
      drainStartedAt = nil
      return .endCalls
    case .open:
      if let ageMax = configuration.ageMax, acceptedAt + ageMax <= now {
        return drain(reason: .maxAge, now: now)
      }
      if pingSentAt != nil {
        return .fail(WireFault(.keepaliveTimeout, "nothing received in time"))
      }
      return .ping(nextPing(now: now))
    }
  }

  private mutating func nextPing(now: ContinuousClock.Instant) -> UInt64 {
    pingCount += 1
    awaitedPong = pingCount
    pingSentAt = now
    return pingCount
  }

  private mutating func finishDrain() -> UInt32 {
    phase = .finishing(lastStream: highestStream)
    return highestStream
  }
}
