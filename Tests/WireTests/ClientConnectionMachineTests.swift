import Testing
import Wire

@Suite struct ClientConnectionMachineTests {
  private let start = Moment.now

  private func unopened() -> ClientConnectionMachine {
    ClientConnectionMachine(
      limits: ReceiveLimits(), keepaliveIdle: .seconds(30), keepaliveTimeout: .seconds(20),
      now: start)
  }

  private func opened(_ concurrentCallCountMax: Int = 100) -> ClientConnectionMachine {
    var machine = unopened()
    var hello = Hello()
    hello.limits.concurrentCallCountMax = concurrentCallCountMax
    machine.helloReceived(hello)
    return machine
  }

  @Test func `calls are opened after HELLO, up to the server's limit, with growing ids`() {
    #expect(!unopened().canOpen)
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
    let machine = unopened()
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
    #expect(machine.isClosed)
    #expect(machine.nextWakeUp == nil)
  }

  @Test func `a silent server is asked while a call waits, and then given up`() {
    var machine = opened()
    #expect(machine.timerFired(now: start + .seconds(30)) == .nothing)
    #expect(machine.nextWakeUp == start + .seconds(60))
    _ = machine.openCall()
    #expect(machine.timerFired(now: start + .seconds(60)) == .ping(1))
    #expect(machine.timerFired(now: start + .seconds(79)) == .nothing)
    var answered = machine
    answered.bytesReceived(now: start + .seconds(79))
    #expect(answered.nextWakeUp == start + .seconds(109))
    #expect(machine.timerFired(now: start + .seconds(80)) == .giveUp)
  }

  @Test func `a PONG answers one PING once, and others are bounded`() throws {
    var machine = opened()
    _ = machine.openCall()
    #expect(machine.timerFired(now: start + .seconds(30)) == .ping(1))
    try machine.pongReceived(1, now: start)
    for _ in 0..<1000 { try machine.pongReceived(1, now: start) }
    #expect(throws: WireFault.self) { try machine.pongReceived(1, now: start) }
  }
}
