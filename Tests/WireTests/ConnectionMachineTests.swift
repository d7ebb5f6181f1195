import Testing
import Wire

@Suite struct ServerConnectionMachineTests {
  private let start = ContinuousClock.now
  private var machine: ServerConnectionMachine

  init() {
    var configuration = ServerConnectionMachine.Configuration()
    configuration.limits.concurrentCallCountMax = 2
    configuration.ageMax = .seconds(1000)
    machine = ServerConnectionMachine(configuration: configuration, now: start)
  }

  private func opened() -> ServerConnectionMachine {
    var copy = machine
    copy.helloReceived(Hello())
    return copy
  }

  private func reason(_ body: () throws(WireFault) -> Void) -> GoAwayReason? {
    do throws(WireFault) {
      try body()
      return nil
    } catch {
      return error.reason
    }
  }

  @Test func `W4.1 HELLO comes first and once`() {
    let hello = FrameHeader(.hello, stream: 0, payloadByteCount: 2)
    let call = FrameHeader(.call, flags: .end, stream: 1, payloadByteCount: 9)
    #expect(reason { () throws(WireFault) in _ = try machine.check(hello) } == nil)
    #expect(reason { () throws(WireFault) in _ = try machine.check(call) } == .protocolError)
    let open = opened()
    #expect(reason { () throws(WireFault) in _ = try open.check(hello) } == .protocolError)
    #expect(reason { () throws(WireFault) in _ = try open.check(call) } == nil)
  }

  @Test func `W2.2 sizes are checked by the header alone`() {
    let big = FrameHeader(.message, stream: 1, payloadByteCount: 16385)
    #expect(reason { () throws(WireFault) in _ = try opened().check(big) } == .frameTooLarge)
    let hello = FrameHeader(.hello, stream: 0, payloadByteCount: 8193)
    #expect(reason { () throws(WireFault) in _ = try machine.check(hello) } == .frameTooLarge)
  }

  @Test func `W2.4 all combinations of kind, flags and stream are decided`() {
    let open = opened()
    var acceptedCount = 0
    for kind in UInt8.min...UInt8.max {
      for flags in UInt8.min...15 {
        for stream in [0, 1, 2, UInt32(Int32.max), UInt32.max] {
          for size in [0, 2, 4, 6, 8] {
            var header = FrameHeader(.ping, stream: stream, payloadByteCount: size)
            header.kindValue = kind
            header.flags = FrameFlags(rawValue: flags)
            if (try? open.check(header)) != nil { acceptedCount += 1 }
          }
        }
      }
    }
    // CALL 5 flag sets x 2 ids x 4 sizes; MESSAGE 3 x 2 x 5; END and CANCEL 2 each; CREDIT 3;
    // PING and PONG 1 each; GOAWAY 2.
    #expect(acceptedCount == 40 + 30 + 2 + 2 + 3 + 1 + 1 + 2)
  }

  @Test func `W5.1 and W5.7 calls are counted and ids grow`() throws {
    var open = opened()
    #expect(try open.callReceived(stream: 1) == .start)
    #expect(try open.callReceived(stream: 9) == .start)
    #expect(
      try open.callReceived(stream: 11)
        == .refuse(CallFault(.resourceExhausted, "more than 2 concurrent calls")))
    #expect(
      reason { () throws(WireFault) in _ = try open.callReceived(stream: 11) } == .protocolError)
    open.callEnded()
    #expect(try open.callReceived(stream: 13) == .start)
    // Cancelled handlers that still run count up to twice the limit.
    open.callEnded()
    #expect(try open.callReceived(stream: 15) == .start)
    open.callEnded()
    guard case .refuse(let fault) = try open.callReceived(stream: 17) else {
      Issue.record("a fifth handler was started")
      return
    }
    #expect(fault.code == .unavailable)
    open.handlerEnded()
    #expect(try open.callReceived(stream: 19) == .start)
  }

  @Test func `W10.2 six strikes end the connection, a punctual PING clears them`() throws {
    var open = opened()
    var now = start
    try open.pingReceived(now: now)
    for _ in 0..<5 { try open.pingReceived(now: now) }
    now += .seconds(10)
    try open.pingReceived(now: now)
    for _ in 0..<5 { try open.pingReceived(now: now) }
    #expect(reason { () throws(WireFault) in try open.pingReceived(now: now) } == .abuse)
  }

  @Test func `W8.3 CANCELs are bounded by rate`() throws {
    var open = opened()
    for _ in 0..<1000 { try open.cancelReceived(now: start) }
    #expect(reason { () throws(WireFault) in try open.cancelReceived(now: start) } == .abuse)
    let later = start + .seconds(1)
    for _ in 0..<200 { try open.cancelReceived(now: later) }
    #expect(reason { () throws(WireFault) in try open.cancelReceived(now: later) } == .abuse)
  }

  @Test func `W5.9 frames for streams that are not there`() throws {
    var open = opened()
    _ = try open.callReceived(stream: 5)
    try open.absentStreamFrameReceived(stream: 3, messageByteCount: 0, now: start)
    let fault = reason { () throws(WireFault) in
      try open.absentStreamFrameReceived(stream: 7, messageByteCount: 9, now: start)
    }
    #expect(fault == .protocolError)
  }

  @Test func `W11.3 a drain announces, waits for PONG, then finishes`() throws {
    var open = opened()
    _ = try open.callReceived(stream: 1)
    #expect(open.drain(reason: .noError, now: start) == .announceDrain(.noError, ping: 1))
    #expect(open.drain(reason: .noError, now: start) == .nothing)
    #expect(try open.callReceived(stream: 3) == .start)
    #expect(try open.pongReceived(1, now: start) == 3)
    #expect(open.phase == .finishing(lastStream: 3))
    #expect(try open.callReceived(stream: 5) == .ignore)
    #expect(open.lastStream == 3)
    #expect(!open.isFinished)
    open.callEnded()
    open.callEnded()
    #expect(open.isFinished)
  }

  @Test func `W11.3 and W11.5 a drain goes on by time alone`() throws {
    var open = opened()
    _ = try open.callReceived(stream: 1)
    _ = open.drain(reason: .noError, grace: .seconds(5), now: start)
    #expect(open.nextWakeUp == start + .seconds(1))
    #expect(open.timerFired(now: start + .milliseconds(999)) == .nothing)
    #expect(open.timerFired(now: start + .seconds(1)) == .finishDrain(lastStream: 1))
    #expect(open.timerFired(now: start + .seconds(4)) == .nothing)
    #expect(open.timerFired(now: start + .seconds(5)) == .endCalls)
    #expect(open.nextWakeUp == nil)
  }

  @Test func `W1.4 no HELLO in time`() {
    var waiting = machine
    #expect(waiting.timerFired(now: start + .seconds(9)) == .nothing)
    #expect(
      waiting.timerFired(now: start + .seconds(10))
        == .fail(WireFault(.helloTimeout, "no HELLO in time")))
  }

  @Test func `W10.3 silence is asked about, then ends`() {
    var open = opened()
    #expect(open.timerFired(now: start + .seconds(60)) == .ping(1))
    #expect(open.timerFired(now: start + .seconds(79)) == .nothing)
    var answered = open
    answered.bytesReceived(now: start + .seconds(70))
    #expect(answered.timerFired(now: start + .seconds(80)) == .nothing)
    #expect(
      open.timerFired(now: start + .seconds(80))
        == .fail(WireFault(.keepaliveTimeout, "nothing received in time")))
  }

  @Test func `an old connection drains`() {
    var open = opened()
    open.bytesReceived(now: start + .seconds(999))
    #expect(open.timerFired(now: start + .seconds(1000)) == .announceDrain(.maxAge, ping: 1))
  }
}

@Suite struct ClientConnectionMachineTests {
  private func opened(_ concurrentCallCountMax: Int = 100) -> ClientConnectionMachine {
    var machine = ClientConnectionMachine(limits: ReceiveLimits())
    var hello = Hello()
    hello.limits.concurrentCallCountMax = concurrentCallCountMax
    machine.helloReceived(hello)
    return machine
  }

  @Test func `calls are opened after HELLO, up to the server's limit, with growing ids`() {
    #expect(!ClientConnectionMachine(limits: ReceiveLimits()).canOpen)
    var machine = opened(2)
    #expect(machine.openCall() == 1)
    #expect(machine.openCall() == 3)
    #expect(!machine.canOpen)
    machine.callEnded()
    #expect(machine.openCall() == 5)
  }

  @Test func `W2.5 a server does not call or cancel`() {
    let machine = opened()
    for kind in [FrameKind.call, .cancel] {
      let header = FrameHeader(kind, stream: 1, payloadByteCount: 0)
      #expect(throws: WireFault.self) { try machine.check(header) }
    }
  }

  @Test func `W4.1 a server may refuse with GOAWAY before HELLO`() throws {
    let machine = ClientConnectionMachine(limits: ReceiveLimits())
    #expect(
      try machine.check(FrameHeader(.goAway, stream: 0, payloadByteCount: 6)) == .goAway)
  }

  @Test func `W11.4 a drain retires the connection and never raises its last stream`() {
    var machine = opened()
    _ = machine.openCall()
    let last = UInt32(Int32.max)
    #expect(
      machine.goAwayReceived(GoAway(lastStream: last, reason: .noError)) == .drain(lastStream: last)
    )
    #expect(machine.isRetired)
    #expect(!machine.canOpen)
    #expect(
      machine.goAwayReceived(GoAway(lastStream: 1, reason: .noError)) == .drain(lastStream: 1))
    #expect(
      machine.goAwayReceived(GoAway(lastStream: 9, reason: .noError)) == .drain(lastStream: 1))
    #expect(!machine.isFinished)
    machine.callEnded()
    #expect(machine.isFinished)
  }

  @Test func `an error GOAWAY ends the connection`() {
    var machine = opened()
    #expect(
      machine.goAwayReceived(GoAway(lastStream: 1, reason: .abuse)) == .fail(.abuse))
    #expect(machine.phase == .closed)
  }
}
