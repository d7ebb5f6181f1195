import Domain
import Testing

@Suite struct `The limit of calls at a time` {
  private static let start = ContinuousClock.now

  private func after(_ milliseconds: Int) -> ContinuousClock.Instant {
    Self.start + .milliseconds(milliseconds)
  }

  private func machine(min: Int = 4, max: Int = 64) -> ConcurrencyLimitMachine {
    ConcurrencyLimitMachine(.init(min: min, max: max))
  }

  /// A window of calls that were all so much slower than without load.
  private func window(
    _ machine: inout ConcurrencyLimitMachine, _ number: Int, slowdown: Double, inside: Int,
    isQuiet: Bool = false
  ) -> ConcurrencyLimitMachine.Window {
    for call in 0..<20 {
      let state = machine.ended(
        slowdown: slowdown, insideCount: inside, isQuiet: isQuiet,
        at: after(number * 100 + call * 4))
      #expect(state == .open || call == 0)
    }
    return machine.ended(
      slowdown: slowdown, insideCount: inside, isQuiet: isQuiet, at: after(number * 100 + 100))
  }

  @Test
  func `falls from what runs while calls are slow, by half at most, and never below its least`() {
    var machine = machine()
    #expect(machine.limit == 64)
    #expect(window(&machine, 0, slowdown: 40, inside: 40) == .slow)
    #expect(machine.limit == 20)
    #expect(window(&machine, 1, slowdown: 5, inside: 20) == .slow)
    #expect(machine.limit == 16)
    for number in 2..<10 { _ = window(&machine, number, slowdown: 40, inside: machine.limit) }
    #expect(machine.limit == 4)
    #expect(machine.slowdown == 40)
  }

  @Test func `rises while all places are taken and calls are fast enough, to its most`() {
    var machine = machine()
    _ = window(&machine, 0, slowdown: 40, inside: 16)
    #expect(machine.limit == 8)
    // Not while nobody wants more.
    _ = window(&machine, 1, slowdown: 2, inside: 7)
    #expect(machine.limit == 8)
    // Nor near what is too much.
    _ = window(&machine, 2, slowdown: 3.5, inside: 8)
    #expect(machine.limit == 8)
    _ = window(&machine, 3, slowdown: 2, inside: 8)
    #expect(machine.limit == 9)
    for number in 4..<60 { _ = window(&machine, number, slowdown: 2, inside: machine.limit) }
    #expect(machine.limit == 64)
  }

  @Test func `takes calls that ran nearly alone for no sign of load, however slow`() {
    var machine = machine()
    #expect(window(&machine, 0, slowdown: 100, inside: 1, isQuiet: true) == .well)
    #expect(machine.limit == 64)
  }

  @Test func `that gives way is halved each time, and one more after each pause`() {
    var machine = YieldingLimitMachine(max: 5)
    machine.recover(at: after(0))
    #expect(machine.limit == 5)
    machine.yield(at: after(0))
    #expect(machine.limit == 2)
    machine.yield(at: after(100))
    machine.yield(at: after(200))
    #expect(machine.limit == 1)
    machine.recover(at: after(600))
    #expect(machine.limit == 1)
    machine.recover(at: after(700))
    machine.recover(at: after(800))
    #expect(machine.limit == 2)
    for number in 1...10 { machine.recover(at: after(700 + number * 500)) }
    #expect(machine.limit == 5)
  }

  @Test func `compares a call with its own method without load`() {
    var time = UnloadedTime()
    #expect(time.value == nil)
    // Until enough ran alone, with the fastest that was seen.
    #expect(time.ended(after: 400, isQuiet: false) == 1)
    #expect(time.ended(after: 800, isQuiet: false) == 2)
    for _ in 0..<40 { _ = time.ended(after: 1000, isQuiet: true) }
    #expect(time.value.map { abs($0 - 1000) < 1 } == true)
    #expect(time.ended(after: 4000, isQuiet: false).rounded() == 4)
    // What is slow under load changes nothing.
    #expect(time.value.map { abs($0 - 1000) < 1 } == true)
  }
}

@Suite struct `An overload` {
  private static let start = ContinuousClock.now

  private func machine(_ rounds: [(milliseconds: Int, at: Int)]) -> OverloadMachine {
    var machine = OverloadMachine(target: .milliseconds(10))
    for round in rounds {
      machine.measured(
        round: .milliseconds(round.milliseconds), at: Self.start + .milliseconds(round.at))
    }
    return machine
  }

  @Test func `is a queue that stands, not a burst`() {
    #expect(!machine([(100, 0), (100, 249)]).isShedding)
    #expect(!machine([(100, 0), (10, 200), (100, 250), (100, 499)]).isShedding)
    #expect(machine([(100, 0), (100, 250)]).isShedding)
  }

  @Test func `is over when rounds have been short for a while`() {
    let overloaded = [(100, 0), (100, 250)]
    #expect(machine(overloaded + [(5, 300), (5, 1299)]).isShedding)
    #expect(machine(overloaded + [(5, 300), (6, 1000), (5, 1301)]).isShedding)
    #expect(!machine(overloaded + [(5, 300), (5, 1300)]).isShedding)
  }
}
