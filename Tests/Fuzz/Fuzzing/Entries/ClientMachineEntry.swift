import Wire

/// Events for the client's machines: what the application does, what a server sends, and time.
enum ClientMachineEntry {
  static func run(_ bytes: [UInt8]) {
    var events = ClientEvents(bytes)
    events.run()
  }
}

private struct ClientEvents {
  private struct Call {
    var machine: ClientCallMachine
    var stream: UInt32 = 0
    var heldByteCount = 0
    var endCount = 0
  }

  private var input: FuzzInput
  private var now = Moment.now
  private let limits: ReceiveLimits
  private var machine: ClientConnectionMachine
  private var calls: [Call] = []
  private var isGreeted = false
  private var peerGranted = 0
  private var sentByteCount = 0
  private var granted: Int
  private var receivedByteCount = 0

  init(_ bytes: [UInt8]) {
    input = FuzzInput(bytes)
    var limits = ReceiveLimits()
    limits.connectionCredit = input.size() * 8
    limits.streamCredit = input.size() * 8
    limits.messageByteCountMax = 1 << 16
    self.limits = limits
    granted = limits.connectionCredit
    machine = ClientConnectionMachine(
      limits: limits, keepaliveIdle: .seconds(30), keepaliveTimeout: .seconds(20), now: now)
  }

  mutating func run() {
    var stepCount = 0
    while !input.isEmpty, stepCount < 500, !machine.isClosed {
      stepCount += 1
      do throws(WireFault) {
        try step(input.byte() % 14)
      } catch {
        machine.closed()
      }
      openQueued()
      check()
    }
    machine.closed()
    for index in calls.indices { end(index) }
    check()
    require(machine.openCallCount == 0, "open calls of a closed connection")
    for call in calls { require(call.endCount == 1, "a call ended \(call.endCount) times") }
  }

  private mutating func step(_ event: UInt8) throws(WireFault) {
    switch event {
    case 0: hello()
    case 1, 2: if calls.count < 64 { calls.append(Call(machine: newMachine())) }
    case 3, 4: if let index = index() { send(index) }
    case 5: if let index = index() { finish(index) }
    case 6: if let index = index() { end(index) }
    case 7, 8: try messageReceived()
    case 9: if let index = index() { consume(index, input.size()) }
    case 10: try creditReceived()
    case 11: goAway()
    case 12: time()
    default:
      let stream = UInt32(input.byte())
      try machine.absentStreamFrameReceived(stream: stream)
      try machine.pongReceived(UInt64(input.byte()), now: now)
    }
  }

  private mutating func newMachine() -> ClientCallMachine {
    ClientCallMachine(requestByteCount: input.flag() ? input.size() : nil)
  }

  private mutating func index() -> Int? {
    let choice = Int(input.byte())
    return calls.isEmpty ? nil : choice % calls.count
  }

  private mutating func hello() {
    guard (try? machine.check(FrameHeader(.hello, stream: 0, payloadByteCount: 2))) != nil else {
      return
    }
    var hello = Hello()
    hello.limits.connectionCredit = input.size()
    hello.limits.streamCredit = input.size()
    hello.limits.concurrentCallCountMax = Int(input.byte() & 15)
    machine.helloReceived(hello)
    peerGranted = hello.limits.connectionCredit
    isGreeted = true
  }

  /// What an owner does after each event: calls that wait are opened in order.
  private mutating func openQueued() {
    for index in calls.indices where machine.canOpen {
      guard calls[index].stream == 0, calls[index].endCount == 0 else { continue }
      let stream = machine.openCall()
      require(stream & 1 == 1 && !calls.contains { $0.stream == stream }, "a stream twice")
      calls[index].stream = stream
      let before = machine.sendWindow.available
      _ = calls[index].machine.opened(
        mine: limits, peers: machine.peerLimits, blockByteCount: 40,
        connection: &machine.sendWindow)
      sentByteCount += before - machine.sendWindow.available
    }
  }

  private mutating func send(_ index: Int) {
    _ = calls[index].machine.messageHandedOver(byteCount: input.size())
    let before = machine.sendWindow.available
    while let next = calls[index].machine.nextFragment(
      connection: &machine.sendWindow, framePayloadByteCountMax: 16384)
    {
      require(
        next.range.count >= WireLimit.fragmentByteCountMin || next.isLast, "credit in crumbs")
    }
    sentByteCount += before - machine.sendWindow.available
  }

  private mutating func finish(_ index: Int) {
    let isBlocked = calls[index].machine.isBlocked
    if calls[index].machine.finish() == .sendEnd { require(!isBlocked, "END before its message") }
    require(calls[index].machine.finish() == .nothing, "END twice")
    require(
      calls[index].machine.messageHandedOver(byteCount: 1) == .refuse, "a message after the last")
  }

  private mutating func messageReceived() throws(WireFault) {
    let byteCount = input.size()
    let flags = FrameFlags(rawValue: input.byte() & 10)
    guard isGreeted else { return }
    try machine.messageBytesReceived(byteCount)
    receivedByteCount += byteCount
    guard let index = index(),
      let action = calls[index].machine.fragmentReceived(byteCount: byteCount, flags: flags)
    else {
      granted += machine.consume(byteCount)
      return
    }
    calls[index].heldByteCount += byteCount
    switch action {
    case .fail(let fault): throw fault
    case .refuse: end(index)
    case .hold, .deliver, .close: break
    }
  }

  private mutating func consume(_ index: Int, _ asked: Int) {
    let byteCount = min(asked, calls[index].heldByteCount)
    calls[index].heldByteCount -= byteCount
    granted += machine.consume(byteCount)
    _ = calls[index].machine.consume(byteCount)
  }

  private mutating func creditReceived() throws(WireFault) {
    let isConnections = input.flag()
    let byteCount = input.byte() < 250 ? UInt32(input.size()) : input.number32()
    guard isGreeted else { return }
    if isConnections {
      try machine.sendWindow.creditReceived(byteCount)
      peerGranted += Int(byteCount)
    } else if let index = index() {
      try calls[index].machine.creditReceived(byteCount)
    }
  }

  private mutating func goAway() {
    let goAway = GoAway(
      lastStream: UInt32(input.byte()), reason: GoAwayReason(wireValue: UInt16(input.byte() & 15)))
    switch machine.goAwayReceived(goAway) {
    case .fail: require(machine.isClosed && machine.isRetired, "open after an error")
    case .drain(let last):
      require(last <= goAway.lastStream, "more calls than the server takes")
      require(machine.isRetired && !machine.canOpen, "calls on a connection that drains")
      for index in calls.indices where calls[index].stream > last || calls[index].stream == 0 {
        end(index)
      }
    }
  }

  private mutating func end(_ index: Int) {
    let action = calls[index].machine.ended()
    guard action != .nothing else { return }
    calls[index].endCount += 1
    require((action == .closeStream) == (calls[index].stream != 0), "a stream that is not there")
    if action == .closeStream { machine.callEnded() }
    granted += machine.consume(calls[index].heldByteCount)
    calls[index].heldByteCount = 0
    require(calls[index].machine.ended() == .nothing, "a call ended twice")
  }

  private mutating func time() {
    now += .milliseconds(input.size() * 10)
    var turnCount = 0
    while let due = machine.nextWakeUp, due <= now {
      turnCount += 1
      require(turnCount < 100, "the timer fires for ever")
      if machine.timerFired(now: now) == .giveUp { return machine.closed() }
    }
  }

  private func check() {
    let open = calls.count { $0.stream != 0 && $0.endCount == 0 }
    require(machine.openCallCount == open, "\(machine.openCallCount) are counted, \(open) are open")
    require(machine.receiveWindow.granted == granted - receivedByteCount, "granted credit is lost")
    require(machine.receiveWindow.heldByteCount >= 0, "more was given back than came")
    if isGreeted {
      require(machine.sendWindow.available == peerGranted - sentByteCount, "credit is lost")
    }
    for call in calls {
      require((call.machine.messages?.receiveWindow.heldByteCount ?? 0) >= 0, "a stream's credit")
    }
  }
}
