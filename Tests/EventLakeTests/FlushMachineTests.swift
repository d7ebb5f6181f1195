import EventLake
import Testing

@Suite("The flush machine")
struct FlushMachineTests {
  private let start = ContinuousClock.now

  private func at(_ seconds: Double) -> ContinuousClock.Instant {
    start.advanced(by: .milliseconds(Int64(seconds * 1000)))
  }

  @Test("looks at the log while nothing waits")
  func idle() {
    let machine = FlushMachine(published: 7)
    #expect(machine.next(at: at(0)) == .look(at: at(5)))
  }

  @Test("flushes five seconds after the first event that waits, not after the last")
  func oldest() {
    var machine = FlushMachine(published: 0)
    machine.noticed(head: 1, at: at(1))
    machine.noticed(head: 2, at: at(4))
    #expect(machine.next(at: at(4)) == .wait(until: at(6)))
    #expect(machine.next(at: at(6)) == .flush)
  }

  @Test("flushes ten thousand events at once")
  func enough() {
    var machine = FlushMachine(published: 0)
    machine.noticed(head: 9_999, at: at(0))
    #expect(machine.next(at: at(0)) == .wait(until: at(5)))
    machine.noticed(head: 10_000, at: at(0))
    #expect(machine.next(at: at(0)) == .flush)
    machine.published(through: 10_000, at: at(1))
    #expect(machine.next(at: at(1)) == .look(at: at(6)))
  }

  @Test("counts what came during a flush from its end")
  func meanwhile() {
    var machine = FlushMachine(published: 0)
    machine.noticed(head: 5, at: at(0))
    machine.noticed(head: 8, at: at(5))
    machine.published(through: 5, at: at(6))
    #expect(machine.next(at: at(6)) == .wait(until: at(11)))
    machine.noticed(head: 10_005, at: at(7))
    #expect(machine.next(at: at(7)) == .flush)
  }

  @Test("counts what nobody noticed from the last time that the log was asked")
  func unnoticed() {
    var machine = FlushMachine(published: 0)
    machine.looked(head: 0, at: at(0))
    machine.looked(head: 3, at: at(5))
    #expect(machine.next(at: at(5)) == .flush)
    machine.published(through: 3, at: at(6))
    machine.looked(head: 3, at: at(11))
    machine.noticed(head: 4, at: at(12))
    #expect(machine.next(at: at(12)) == .wait(until: at(17)))
    var first = FlushMachine(published: 0)
    first.looked(head: 3, at: at(5))
    #expect(first.next(at: at(5)) == .wait(until: at(10)))
  }

  @Test("ignores notices of what it knows or has published")
  func oldNotices() {
    var machine = FlushMachine(published: 10)
    machine.noticed(head: 9, at: at(0))
    machine.noticed(head: 10, at: at(0))
    #expect(machine.next(at: at(0)) == .look(at: at(5)))
    machine.noticed(head: 12, at: at(0))
    machine.published(through: 11, at: at(1))
    machine.published(through: 4, at: at(1))
    #expect(machine.next(at: at(1)) == .wait(until: at(6)))
  }

  @Test("backs off after failures, twice as long each time up to a limit, and forgets on success")
  func backsOff() {
    var machine = FlushMachine(published: 0)
    machine.noticed(head: 1, at: at(0))
    var now = 5.0
    for wanted in [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30] {
      #expect(machine.next(at: at(now)) == .flush)
      machine.failed(at: at(now))
      #expect(machine.next(at: at(now)) == .wait(until: at(now + wanted)))
      now += wanted
    }
    machine.published(through: 1, at: at(now))
    machine.noticed(head: 2, at: at(now))
    #expect(machine.next(at: at(now)) == .wait(until: at(now + 5)))
    machine.failed(at: at(now + 5))
    #expect(machine.next(at: at(now + 5)) == .wait(until: at(now + 5.1)))
  }

  @Test("survives a failure count without end")
  func manyFailures() {
    var machine = FlushMachine(published: 0)
    machine.noticed(head: 1, at: at(0))
    for _ in 0..<1000 { machine.failed(at: at(0)) }
    #expect(machine.next(at: at(0)) == .wait(until: at(30)))
  }
}
