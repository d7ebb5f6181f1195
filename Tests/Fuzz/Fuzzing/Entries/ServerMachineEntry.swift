import Wire

/// Events for the server's machines, in any order that an owner can bring about: what a client sends, what
/// handlers do, and time. After each of them the counts are those of a model that knows nothing of the
/// machines' states.
enum ServerMachineEntry {
  static func run(_ bytes: [UInt8]) {
    var events = ServerEvents(bytes)
    events.run()
  }
}

private struct ServerEvents {
  private struct Call {
    var machine: ServerCallMachine
    let isStrangers: Bool
    /// Whether the call was taken off the wire: exactly once.
    var isReleased = false
    /// Received, and not consumed.
    var heldByteCount = 0
    var kept = KeptBytes()
  }

  private var input: FuzzInput
  private var now = Moment.now
  private var machine: ServerConnectionMachine
  private var calls: [UInt32: Call] = [:]
  private var nextStream: UInt32 = 1
  private var isGreeted = false
  /// What the client was granted, and has sent.
  private var granted: Int
  private var receivedByteCount = 0
  /// What the client granted, and was sent.
  private var peerGranted = 0
  private var sentByteCount = 0

  init(_ bytes: [UInt8]) {
    input = FuzzInput(bytes)
    var configuration = ServerConnectionMachine.Configuration()
    configuration.limits.connectionCredit = input.size() * 8
    configuration.limits.streamCredit = input.size() * 8
    configuration.limits.concurrentCallCountMax = Int(input.byte() & 15)
    configuration.limits.messageByteCountMax = 1 << 16
    configuration.ageMax = input.flag() ? .seconds(Int(input.byte())) : nil
    machine = ServerConnectionMachine(configuration: configuration, now: now)
    granted = min(configuration.limits.connectionCredit, WireLimit.strangerCredit)
  }

  mutating func run() {
    var stepCount = 0
    while !input.isEmpty, stepCount < 500 {
      stepCount += 1
      do throws(WireFault) {
        try step(input.byte() % 16)
      } catch {
        // The owner says so, and closes.
        if let goAway = machine.goAway(for: error) { require(goAway.reason == error.reason, "") }
        close()
      }
      check()
      if machine.isClosed { break }
    }
    close()
    for stream in calls.keys.sorted() { handlerReturns(stream) }
    check()
    require(machine.streams.openCallCount == 0, "open calls of a closed connection")
    require(machine.streams.runningHandlerCount == 0, "handlers run that have returned")
    require(machine.buffered.kept == KeptBytes(), "bytes of calls that are gone")
  }

  private mutating func step(_ event: UInt8) throws(WireFault) {
    switch event {
    case 0: machine.handshakeCompleted(now: now)
    case 1: hello()
    case 2, 3: try callReceived()
    case 4, 5: try messageReceived()
    case 6: try halfCloseReceived()
    case 7: try creditReceived()
    case 8: try cancelReceived()
    case 9: if let stream = stream() { handlerReturns(stream) }
    case 10, 11: if let stream = stream() { send(stream) }
    case 12: if let stream = stream() { consume(stream, input.size()) }
    case 13: time()
    case 14: try life()
    default: if isGreeted { granted += machine.callerFound() }
    }
  }

  private mutating func hello() {
    let header = FrameHeader(.hello, stream: 0, payloadByteCount: 2)
    guard (try? machine.check(header)) != nil else { return }
    var hello = Hello()
    hello.limits.connectionCredit = input.size()
    hello.limits.streamCredit = input.size()
    hello.minorVersion = UInt16(input.byte())
    machine.helloReceived(hello)
    peerGranted = hello.limits.connectionCredit
    isGreeted = true
    require(machine.minorVersion <= WireLimit.minorVersion, "a version that we do not speak")
  }

  private mutating func stream() -> UInt32? {
    let choice = Int(input.byte())
    return calls.isEmpty ? nil : calls.keys.sorted()[choice % calls.count]
  }

  // MARK: What the client sends

  private mutating func callReceived() throws(WireFault) {
    let choice = input.byte()
    guard isGreeted, !machine.isClosed else { return }
    if choice != 255 { nextStream += 2 }
    let fault = choice & 0x0c == 0x0c ? CallFault(.unauthenticated, "") : nil
    let isStrangers = choice & 0x10 != 0 && !machine.isCallerKnown
    switch try machine.callReceived(stream: nextStream, fault: fault, isStrangers: isStrangers) {
    case .ignore, .refuse: break
    case .start:
      let messages = CallMachine(
        mine: machine.configuration.limits, peers: machine.peerLimits,
        receivesSingleMessage: choice & 1 == 0)
      calls[nextStream] = Call(
        machine: ServerCallMachine(
          messages: messages, startsWithRequest: choice & 3 == 0, isCallerKnown: choice & 4 == 0),
        isStrangers: isStrangers)
    }
  }

  private mutating func messageReceived() throws(WireFault) {
    guard isGreeted, let stream = stream() else { return }
    let byteCount = input.size()
    let flags = FrameFlags(rawValue: input.byte() & 11)
    let isPlausible = byteCount <= machine.receiveWindow.granted
    try machine.messageBytesReceived(byteCount)
    require(isPlausible, "more was taken than was granted")
    receivedByteCount += byteCount
    guard var call = calls[stream], !call.machine.hasEnded else {
      return give(machine.consume(byteCount))
    }
    let action = call.machine.messages.fragmentReceived(byteCount: byteCount, flags: flags)
    call.heldByteCount += byteCount
    calls[stream] = call
    switch action {
    case .fail(let fault): throw fault
    case .refuse: end(stream)
    case .hold: keep(stream)
    case .deliver, .close:
      keep(stream)
      inputChanged(stream)
    }
  }

  private mutating func halfCloseReceived() throws(WireFault) {
    guard let stream = stream(), var call = calls[stream], !call.machine.hasEnded else { return }
    let action = call.machine.messages.halfCloseReceived()
    calls[stream] = call
    switch action {
    case .fail(let fault): throw fault
    case .refuse: end(stream)
    case .hold, .deliver, .close: inputChanged(stream)
    }
  }

  private mutating func creditReceived() throws(WireFault) {
    let isConnections = input.flag()
    let byteCount = input.byte() < 250 ? UInt32(input.size()) : input.number32()
    guard isGreeted else { return }
    let stream = isConnections ? 0 : stream() ?? 0
    try machine.creditReceived(byteCount, stream: stream, now: now)
    if stream == 0 {
      peerGranted += Int(byteCount)
    } else if var call = calls[stream], !call.machine.hasEnded {
      let before = call.machine.messages.sendWindow.available
      try call.machine.messages.creditReceived(byteCount)
      require(
        call.machine.messages.sendWindow.available == before + Int(byteCount), "credit is lost")
      calls[stream] = call
    }
  }

  private mutating func cancelReceived() throws(WireFault) {
    try machine.cancelReceived(now: now)
    if let stream = stream() { end(stream) }
  }

  private mutating func life() throws(WireFault) {
    switch input.byte() & 7 {
    case 0: try machine.pingReceived(now: now)
    case 1: perform(try machine.pongReceived(UInt64(input.byte()), now: now))
    case 2:
      let reason = GoAwayReason(wireValue: UInt16(input.byte()))
      if isGreeted { perform(try machine.goAwayReceived(reason, now: now)) }
    case 3: perform(machine.drain(reason: .noError, grace: .seconds(Int(input.byte())), now: now))
    case 4: machine.bytesReceived(now: now)
    case 5: try machine.tokenLookUpRefused(now: now)
    case 6: try machine.callExpired(timeout: .milliseconds(Int(input.byte())), now: now)
    default:
      let stream = UInt32(input.number16())
      try machine.absentStreamFrameReceived(
        stream: stream, messageByteCount: Int(input.byte() & 1), now: now)
      require(stream <= machine.streams.highestStream, "a stream that never was")
    }
  }

  // MARK: What handlers do

  private mutating func inputChanged(_ stream: UInt32) {
    guard var call = calls[stream], !call.machine.hasEnded else { return }
    if call.machine.isAwaitingCaller, input.flag() { _ = call.machine.callerFound() }
    if call.machine.inputChanged() == .startHandler { call.machine.handlerStarted() }
    calls[stream] = call
  }

  private mutating func handlerReturns(_ stream: UInt32) {
    guard var call = calls[stream], call.machine.isHandlerRunning else { return }
    let release = call.machine.handlerReturned(isSuccess: input.flag())
    machine.handlerEnded()
    calls[stream] = call
    if let release { perform(release, stream) }
    if let call = calls[stream], call.isReleased, !call.machine.isHandlerRunning {
      calls[stream] = nil
    }
  }

  private mutating func send(_ stream: UInt32) {
    guard var call = calls[stream], !call.machine.hasEnded else { return }
    let byteCount = input.size()
    let before = machine.sendWindow.available
    var isSent = false
    let mayWrite = call.machine.isHandlerRunning && !call.machine.isAwaitingCaller
    if !call.machine.messages.isMessageWaiting, mayWrite {
      isSent = call.machine.messages.takeWhole(
        byteCount: byteCount, connection: &machine.sendWindow, framePayloadByteCountMax: 16384)
      if !isSent { call.machine.messages.messageWaits(byteCount: byteCount) }
    }
    var isLast = false
    while let next = call.machine.messages.nextFragment(
      connection: &machine.sendWindow, framePayloadByteCountMax: 16384)
    {
      require(!isLast, "a fragment after the last")
      require(
        next.range.count >= WireLimit.fragmentByteCountMin || next.isLast, "credit in crumbs")
      isLast = next.isLast
    }
    sentByteCount += before - machine.sendWindow.available
    calls[stream] = call
    keep(stream)
    guard isLast, case .end(let release)? = calls[stream]?.machine.waitingMessageSent() else {
      return
    }
    perform(release, stream)
  }

  private mutating func consume(_ stream: UInt32, _ asked: Int) {
    guard var call = calls[stream], !call.isReleased else { return }
    let byteCount = min(asked, call.heldByteCount)
    call.heldByteCount -= byteCount
    _ = call.machine.messages.consume(byteCount)
    calls[stream] = call
    give(machine.consume(byteCount))
    keep(stream)
  }

  // MARK: The end of a call, and of the connection

  private mutating func end(_ stream: UInt32) {
    guard var call = calls[stream], let release = call.machine.ended() else { return }
    calls[stream] = call
    perform(release, stream)
  }

  private mutating func perform(_ release: ServerCallMachine.Release, _ stream: UInt32) {
    guard var call = calls[stream] else { return }
    require(!call.isReleased, "a call ended twice")
    call.isReleased = true
    let held = call.heldByteCount
    call.heldByteCount = 0
    calls[stream] = call
    keep(stream)
    machine.callEnded(release, isStrangers: call.isStrangers)
    give(machine.consume(held))
    if !call.machine.isHandlerRunning { calls[stream] = nil }
  }

  private mutating func close() {
    _ = machine.close()
    require(!machine.close(), "closed twice")
    for stream in calls.keys.sorted() { end(stream) }
  }

  private mutating func keep(_ stream: UInt32) {
    guard var call = calls[stream] else { return }
    let kept =
      call.machine.hasEnded
      ? KeptBytes()
      : KeptBytes(input: call.heldByteCount, output: call.machine.messages.waitingByteCount)
    let isWithin = machine.buffered.changed(from: call.kept, to: kept)
    call.kept = kept
    calls[stream] = call
    if !isWithin { end(stream) }
  }

  private mutating func give(_ byteCount: Int) { granted += byteCount }

  // MARK: Time

  private mutating func time() {
    now += .milliseconds(input.size() * 10)
    var turnCount = 0
    while let due = machine.nextWakeUp, due <= now, !machine.isClosed {
      turnCount += 1
      require(turnCount < 100, "the timer fires for ever")
      perform(machine.timerFired(now: now))
    }
  }

  private mutating func perform(_ action: ServerConnectionMachine.Action) {
    switch action {
    case .nothing, .ping, .announceDrain, .finishDrain: break
    case .endCalls: for stream in calls.keys.sorted() { end(stream) }
    case .fail, .refuse, .close: close()
    }
  }

  // MARK: What always holds

  private func check() {
    let open = calls.values.filter { !$0.isReleased }
    require(
      machine.streams.openCallCount == open.count,
      "\(machine.streams.openCallCount) calls are counted, \(open.count) are open")
    let running = calls.values.count { $0.machine.isHandlerRunning }
    let unstarted = open.count { !$0.machine.isHandlerRunning && !$0.machine.hasHandlerReturned }
    require(
      machine.streams.runningHandlerCount == running + unstarted,
      "\(machine.streams.runningHandlerCount) handlers are counted, \(running) + \(unstarted) run")
    require(machine.receiveWindow.granted == granted - receivedByteCount, "granted credit is lost")
    require(machine.receiveWindow.heldByteCount >= 0, "more was given back than came")
    if isGreeted {
      require(machine.sendWindow.available == peerGranted - sentByteCount, "credit is lost")
      require(machine.sendWindow.available >= 0, "credit below zero")
    }
    for call in calls.values {
      require(call.machine.messages.receiveWindow.heldByteCount >= 0, "a stream's credit")
      require(call.isReleased == call.machine.hasEnded, "an end without its release")
    }
  }
}

extension ServerCallMachine {
  /// Whether its handler is over, and only the last message waits.
  fileprivate var hasHandlerReturned: Bool { messages.isMessageWaiting && !isHandlerRunning }
}
