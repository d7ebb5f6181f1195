import Testing
import Wire

@Suite struct ServerConnectionMachineTests {
  private let start = Moment.now
  private var machine: ServerConnectionMachine

  init() {
    var configuration = ServerConnectionMachine.Configuration()
    configuration.limits.concurrentCallCountMax = 2
    configuration.ageMax = .seconds(1000)
    configuration.idle = IdleMachine.Limits(anonymous: nil, authenticated: .seconds(500))
    machine = ServerConnectionMachine(configuration: configuration, now: start)
    machine.handshakeCompleted(now: start)
  }

  /// A call ends whose handler runs on.
  private func end(_ open: inout ServerConnectionMachine, hasHandler: Bool = true) {
    open.callEnded(
      ServerCallMachine.Release(hasHandler: hasHandler, isBlocked: false, isStarted: hasHandler))
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
    end(&open)
    #expect(try open.callReceived(stream: 13) == .start)
    // Cancelled handlers that still run count up to twice the limit.
    end(&open)
    #expect(try open.callReceived(stream: 15) == .start)
    end(&open)
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

  @Test func `W13.4 tokens that stand for nobody are bounded by rate`() throws {
    var open = opened()
    for _ in 0..<50 { try open.tokenLookUpRefused(now: start) }
    #expect(reason { () throws(WireFault) in try open.tokenLookUpRefused(now: start) } == .abuse)
    let later = start + .seconds(1)
    for _ in 0..<5 { try open.tokenLookUpRefused(now: later) }
    #expect(reason { () throws(WireFault) in try open.tokenLookUpRefused(now: later) } == .abuse)
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
    #expect(open.isDraining)
    #expect(try open.pongReceived(1, now: start) == .finishDrain(lastStream: 3))
    #expect(try open.pongReceived(1, now: start) == .nothing)
    #expect(try open.callReceived(stream: 5) == .ignore)
    #expect(open.goAway(for: WireFault(.abuse, "x"))?.lastStream == 3)
    #expect(!open.isFinished)
    end(&open)
    end(&open)
    #expect(open.isFinished)
  }

  @Test func `W11.3 and W11.5 a drain continues by time alone`() throws {
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

  @Test func `W11.5 a second drain ends no later than it would alone`() throws {
    var old = opened()
    _ = try old.callReceived(stream: 1)
    _ = old.drain(reason: .maxAge, grace: .seconds(20), now: start)
    var announced = old
    #expect(announced.drain(reason: .noError, grace: .seconds(5), now: start) == .nothing)
    _ = announced.timerFired(now: start + .seconds(1))
    #expect(announced.nextWakeUp == start + .seconds(5))
    _ = old.timerFired(now: start + .seconds(1))
    var finishing = old
    #expect(
      finishing.drain(reason: .noError, grace: .seconds(5), now: start + .seconds(2)) == .nothing)
    #expect(finishing.nextWakeUp == start + .seconds(7))
    #expect(finishing.timerFired(now: start + .seconds(7)) == .endCalls)
    // Nor later than the first.
    _ = old.drain(reason: .noError, grace: .seconds(3600), now: start + .seconds(2))
    #expect(old.nextWakeUp == start + .seconds(20))
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

  @Test func `W10.5 a connection that is idle drains, and one with a call does not`() throws {
    var open = opened()
    open.peerAuthenticated()
    var busy = open
    #expect(try busy.callReceived(stream: 1) == .start)
    for second in stride(from: 25, to: 500, by: 25) {
      open.bytesReceived(now: start + .seconds(second))
      #expect(open.timerFired(now: start + .seconds(second)) == .nothing)
    }
    #expect(open.timerFired(now: start + .seconds(500)) == .announceDrain(.idle, ping: 1))
    for second in stride(from: 25, to: 1000, by: 25) {
      busy.bytesReceived(now: start + .seconds(second))
      #expect(busy.timerFired(now: start + .seconds(second)) == .nothing)
    }
  }

  @Test func `a CALL whose head is at fault is refused, and not counted`() throws {
    var open = opened()
    let fault = CallFault(.unimplemented, "no such method")
    #expect(try open.callReceived(stream: 1, fault: fault) == .refuse(fault))
    #expect(open.streams.openCallCount == 0)
    #expect(open.streams.runningHandlerCount == 0)
    _ = open.drain(reason: .noError, now: start)
    _ = open.timerFired(now: start + .seconds(1))
    #expect(try open.callReceived(stream: 3, fault: fault) == .ignore)
  }

  @Test func `W5.7 strangers have fewer calls at once`() throws {
    var configuration = ServerConnectionMachine.Configuration()
    configuration.limits.concurrentCallCountMax = 40
    var open = ServerConnectionMachine(configuration: configuration, now: start)
    open.handshakeCompleted(now: start)
    open.helloReceived(Hello())
    // Calls that name their caller are not counted with them.
    for stream in 0..<20 {
      #expect(try open.callReceived(stream: UInt32(2 * stream + 1)) == .start)
    }
    for stream in 20..<36 {
      let admission = try open.callReceived(stream: UInt32(2 * stream + 1), isStrangers: true)
      #expect(admission == .start)
    }
    let refusal = ServerStreams.Admission.refuse(
      CallFault(.resourceExhausted, "more than 16 concurrent calls without a token"))
    #expect(try open.callReceived(stream: 101, isStrangers: true) == refusal)
    #expect(try open.callReceived(stream: 103) == .start)
    let release = ServerCallMachine.Release(hasHandler: true, isBlocked: false, isStarted: true)
    open.callEnded(release)
    #expect(try open.callReceived(stream: 105, isStrangers: true) == refusal)
    open.callEnded(release, isStrangers: true)
    #expect(try open.callReceived(stream: 107, isStrangers: true) == .start)
  }

  @Test func `W9.7 CREDITs of less than 1 KiB are bounded by rate`() throws {
    var open = opened()
    for _ in 0..<1000 { try open.creditReceived(1023, stream: 1, now: start) }
    for _ in 0..<5000 { try open.creditReceived(1024, stream: 0, now: start) }
    #expect(open.sendWindow.available == WireLimit.connectionCreditDefault + 5000 * 1024)
    let fault = reason { () throws(WireFault) in
      try open.creditReceived(1, stream: 1, now: start)
    }
    #expect(fault == .abuse)
  }

  @Test func `W12.4 calls that expire at once are bounded by rate`() throws {
    var open = opened()
    for _ in 0..<1000 { try open.callExpired(timeout: .milliseconds(9), now: start) }
    for _ in 0..<5000 { try open.callExpired(timeout: .milliseconds(10), now: start) }
    let fault = reason { () throws(WireFault) in try open.callExpired(timeout: .zero, now: start) }
    #expect(fault == .abuse)
  }

  @Test func `W9.8 the connection's credit is a stranger's until a caller is known`() throws {
    var open = opened()
    try open.messageBytesReceived(WireLimit.strangerCredit)
    #expect(
      reason { () throws(WireFault) in try open.messageBytesReceived(1) } == .flowControl)
    #expect(open.callerFound() == WireLimit.connectionCreditDefault - WireLimit.strangerCredit)
    #expect(open.isCallerKnown)
    #expect(open.callerFound() == 0)
    try open.messageBytesReceived(WireLimit.connectionCreditDefault - WireLimit.strangerCredit)
    #expect(
      reason { () throws(WireFault) in try open.messageBytesReceived(1) } == .flowControl)
  }

  @Test func `W6.5 what a client makes the server keep is counted in one place`() {
    var configuration = ServerConnectionMachine.Configuration()
    configuration.limits.messageByteCountMax = 100
    configuration.limits.connectionCredit = 7
    configuration.outputByteCountMax = 50
    var buffered = ServerConnectionMachine(configuration: configuration, now: start).buffered
    let none = KeptBytes()
    #expect(buffered.changed(from: none, to: KeptBytes(input: 407)) == true)
    #expect(buffered.changed(from: none, to: KeptBytes(output: 50)) == true)
    #expect(buffered.changed(from: none, to: KeptBytes(input: 1)) == false)
    #expect(buffered.changed(from: none, to: KeptBytes(output: 1)) == false)
    // Less is always possible, also while it is too much.
    #expect(buffered.changed(from: KeptBytes(input: 1, output: 1), to: none) == true)
    #expect(buffered.changed(from: KeptBytes(input: 407), to: KeptBytes(input: 7)) == true)
    #expect(buffered.kept == KeptBytes(input: 7, output: 50))
  }

  @Test func `before HELLO a drain refuses, and before TLS there is nothing to say`() {
    var waiting = machine
    #expect(
      waiting.drain(reason: .noError, now: start)
        == .refuse(GoAway(lastStream: 0, reason: .noError, text: "draining")))
    var shaking = ServerConnectionMachine(configuration: machine.configuration, now: start)
    #expect(shaking.drain(reason: .noError, now: start) == .close)
    let fault = WireFault(.helloTimeout, "no HELLO in time")
    #expect(waiting.goAway(for: fault)?.reason == .helloTimeout)
    let raw = ServerConnectionMachine(configuration: machine.configuration, now: start)
    #expect(raw.goAway(for: fault) == nil)
    #expect(raw.nextWakeUp == nil)
  }

  @Test func `a connection closes once, and then wants nothing`() throws {
    var open = opened()
    #expect(open.close() == true)
    #expect(open.close() == false)
    #expect(open.isClosed)
    #expect(open.nextWakeUp == nil)
    #expect(open.timerFired(now: start + .seconds(9999)) == .nothing)
    #expect(open.drain(reason: .noError, now: start) == .nothing)
  }

  @Test func `a client's GOAWAY closes at once for a fault, else after its calls`() throws {
    var open = opened()
    _ = try open.callReceived(stream: 1)
    #expect(try open.goAwayReceived(.noError, now: start) == .nothing)
    #expect(!open.isFinished)
    end(&open)
    #expect(open.isFinished)
    #expect(try open.goAwayReceived(.protocolError, now: start) == .close)
  }
}
