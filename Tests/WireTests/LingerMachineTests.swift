import Testing
import Wire

@Suite struct LingerMachineTests {
  private let start = Moment.now

  private func machine(_ byteCount: Int = 1000) -> LingerMachine {
    LingerMachine(grace: .seconds(10), unwrittenByteCount: byteCount, now: start)
  }

  private func at(_ seconds: Int) -> Moment { start + .seconds(seconds) }

  @Test func `W11.8 the peer has the grace from when everything was handed over`() {
    var linger = machine()
    #expect(linger.timerFired(unwrittenByteCount: 400, now: at(10)) == false)
    linger.outputClosed(now: at(15))
    #expect(linger.due == at(25))
    #expect(linger.timerFired(unwrittenByteCount: 0, now: at(20)) == false)
    #expect(linger.timerFired(unwrittenByteCount: 0, now: at(25)) == true)
  }

  @Test func `W11.8 what is left is written as long as the peer takes some of it`() {
    var linger = machine(1000)
    for second in 1..<50 {
      #expect(linger.timerFired(unwrittenByteCount: 1000 - second, now: at(second)) == false)
    }
  }

  @Test func `W11.8 a peer that takes nothing for the grace is given up`() {
    var linger = machine(1000)
    #expect(linger.timerFired(unwrittenByteCount: 1000, now: at(9)) == false)
    #expect(linger.timerFired(unwrittenByteCount: 1000, now: at(10)) == true)
    var slow = machine(1000)
    #expect(slow.timerFired(unwrittenByteCount: 999, now: at(10)) == false)
    #expect(slow.due == at(20))
    #expect(slow.timerFired(unwrittenByteCount: 999, now: at(20)) == true)
  }

  @Test func `W11.8 a peer that takes a little now and then is given up too`() {
    var linger = machine(1000)
    for second in stride(from: 10, to: 60, by: 10) {
      #expect(linger.timerFired(unwrittenByteCount: 1000 - second, now: at(second)) == false)
    }
    #expect(linger.timerFired(unwrittenByteCount: 100, now: at(60)) == true)
  }
}
