import Testing
import Wire

@Suite struct IdleMachineTests {
  private let start = Moment.now

  private func machine() -> IdleMachine {
    IdleMachine(
      limits: .init(anonymous: .seconds(40), authenticated: .seconds(400)), now: start)
  }

  /// Looks whenever it is due; the seconds after which the connection is over, nil within `seconds`.
  private func end(
    of machine: IdleMachine, within seconds: Int, highestStream: (Int) -> UInt32 = { _ in 0 },
    openCallCount: (Int) -> Int = { _ in 0 }
  ) -> Int? {
    var machine = machine
    for second in 1...seconds {
      let isOver = machine.look(
        now: start + .seconds(second), highestStream: highestStream(second),
        openCallCount: openCallCount(second))
      if isOver { return second }
    }
    return nil
  }

  @Test func `W10.5 a peer that never authenticated is idle soon, one that did late`() {
    #expect(end(of: machine(), within: 1000) == 40)
    var known = machine()
    known.authenticated()
    #expect(end(of: known, within: 1000) == 400)
  }

  @Test func `W10.5 a connection is not idle while a call runs`() {
    let end = end(of: machine(), within: 1000, openCallCount: { $0 < 200 ? 1 : 0 })
    // It was seen busy for the last time at 190, and quiet from then on.
    #expect(end == 230)
  }

  @Test func `W10.5 a call between two looks counts, however short it was`() {
    #expect(end(of: machine(), within: 1000, highestStream: { UInt32($0 / 30) }) == nil)
    #expect(end(of: machine(), within: 1000, highestStream: { $0 < 95 ? 1 : 3 }) == 50)
    #expect(end(of: machine(), within: 1000, highestStream: { $0 < 45 ? 1 : 3 }) == 90)
  }

  @Test func `W10.5 the time counts from the handshake`() {
    var late = machine()
    late.started(now: start + .seconds(100))
    #expect(late.due == start + .seconds(110))
    #expect(end(of: late, within: 1000) == 140)
  }

  @Test func `without a limit a connection is never idle and never looked at`() {
    let free = IdleMachine(limits: .init(anonymous: nil, authenticated: nil), now: start)
    #expect(free.due == nil)
    #expect(end(of: free, within: 1000) == nil)
  }
}
