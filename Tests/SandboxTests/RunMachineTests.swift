import Domain
import Testing

@testable import Sandbox

@Suite struct `A run` {
  private static let start = ContinuousClock.now
  private static let limits = SandboxLimits(
    cpuTime: .seconds(1), wallTime: .seconds(4), outputByteCount: 10, reportByteCount: 5)

  private func machine(_ overflow: SandboxJob.Overflow = .end) -> RunMachine {
    RunMachine(limits: Self.limits, overflow: overflow, launchedAt: Self.start)
  }

  private func usage(cpu: Duration = .zero, kills: Int = 0, forks: Int = 0) -> GroupUsage {
    GroupUsage(cpuTime: cpu, memoryKillCount: kills, refusedForkCount: forks)
  }

  private func outcome(_ machine: RunMachine, _ usage: GroupUsage) throws -> SandboxOutcome {
    try machine.outcome(usage, trace: "")
  }

  @Test func `that ends by itself ends as its command did`() throws {
    var machine = machine()
    machine.began(at: Self.start, cpuTime: .milliseconds(5))
    machine.ended(.exited(code: 3), at: Self.start + .seconds(1))
    #expect(try outcome(machine, usage(cpu: .milliseconds(900))) == .exited(code: 3))
    #expect(machine.wallTime(at: Self.start + .seconds(9)) == .seconds(1))
    #expect(machine.cpuTime(usage(cpu: .milliseconds(900))) == .milliseconds(895))
  }

  @Test func `is judged by the processor time that it used itself`() throws {
    var machine = machine()
    machine.began(at: Self.start, cpuTime: .milliseconds(20))
    machine.looked(
      usage(cpu: .milliseconds(1019)), isReady: { false }, at: Self.start + .seconds(1))
    #expect(machine.ending == nil)
    machine.looked(
      usage(cpu: .milliseconds(1020)), isReady: { false }, at: Self.start + .seconds(1))
    #expect(machine.ending == .limit(.cpuTime))
  }

  @Test func `does not get time for free because somebody looked late`() throws {
    var machine = machine()
    machine.began(at: Self.start, cpuTime: .milliseconds(700))
    #expect(machine.cpuTime(usage(cpu: .milliseconds(700))) == .milliseconds(670))
  }

  @Test func `of a command that waited for it is charged from where it came`() throws {
    var machine = machine()
    machine.continued(at: Self.start, cpuTime: .milliseconds(700))
    machine.began(at: Self.start + .seconds(1), cpuTime: .zero)
    #expect(machine.cpuTime(usage(cpu: .milliseconds(750))) == .milliseconds(50))
    #expect(machine.wallTime(at: Self.start + .seconds(2)) == .seconds(2))
  }

  @Test func `that went over its time between two looks has still done so`() throws {
    var machine = machine()
    machine.began(at: Self.start, cpuTime: .zero)
    machine.ended(.exited(code: 0), at: Self.start + .seconds(1))
    #expect(try outcome(machine, usage(cpu: .milliseconds(1001))) == .limitReached(.cpuTime))
  }

  /// Looked at from its wall limit on until it is ended; how long after its begin that was.
  private func overrun(
    cpu: Duration, isReady: (Int) -> Bool
  ) -> (ending: RunMachine.Ending?, after: Duration) {
    var limits = Self.limits
    limits.cpuTime = .seconds(3)
    var machine = RunMachine(limits: limits, overflow: .end, launchedAt: Self.start)
    machine.began(at: Self.start, cpuTime: .zero)
    var now = Self.start + .seconds(4)
    for number in 0..<1000 {
      machine.looked(usage(cpu: cpu), isReady: { isReady(number) }, at: now)
      if machine.ending != nil { break }
      now += machine.pause(at: now, processorCount: 1)
    }
    return (machine.ending, now - Self.start)
  }

  @Test func `at the wall limit ends at once where it computed`() {
    let end = overrun(cpu: .seconds(2)) { _ in true }
    #expect(end.ending == .limit(.wallTime))
    #expect(end.after == .seconds(4))
  }

  @Test func `that waits for something ends soon after its wall limit`() {
    for isReady in [{ _ in false }, { $0 % 3 == 0 }] as [(Int) -> Bool] {
      let end = overrun(cpu: .milliseconds(1900), isReady: isReady)
      #expect(end.ending == .stalled(wasReady: false))
      #expect(end.after < .seconds(6))
    }
  }

  @Test func `that gets no processor has three times its wall limit, and no more`() {
    for isReady in [{ _ in true }, { $0 % 3 != 0 }] as [(Int) -> Bool] {
      let end = overrun(cpu: .milliseconds(100), isReady: isReady)
      guard case .stalled = end.ending else {
        Issue.record("\(end)")
        continue
      }
      #expect(end.after >= .seconds(12) && end.after < .seconds(12.2))
    }
    #expect(overrun(cpu: .milliseconds(100)) { _ in true }.ending == .stalled(wasReady: true))
  }

  @Test func `keeps the first reason for its end`() throws {
    var machine = machine()
    machine.began(at: Self.start, cpuTime: .zero)
    #expect(machine.received(11, on: .output) == 10)
    machine.cancelled()
    machine.looked(usage(cpu: .seconds(9)), isReady: { false }, at: Self.start + .seconds(9))
    #expect(try outcome(machine, usage(cpu: .seconds(9))) == .limitReached(.output))
  }

  @Test
  func
    `keeps no more of a stream than its limit, and its report ends it even where output does not`()
  {
    var machine = machine(.discard)
    #expect(machine.received(7, on: .output) == 7)
    #expect(machine.received(7, on: .output) == 3)
    #expect(machine.received(7, on: .output) == 0)
    #expect(machine.received(7, on: .errors) == 7)
    #expect(machine.isTruncated(.output))
    #expect(!machine.isTruncated(.errors))
    #expect(machine.ending == nil)
    #expect(machine.received(6, on: .report) == 5)
    #expect(machine.ending == .limit(.output))
  }

  @Test func `that used up its memory ended of that, whatever it said`() throws {
    var machine = machine()
    machine.began(at: Self.start, cpuTime: .zero)
    machine.ended(.signalled(9), at: Self.start)
    #expect(try outcome(machine, usage(kills: 1)) == .limitReached(.memory))
    #expect(throws: SandboxError.cancelled) {
      var cancelled = machine
      cancelled.cancelled()
      _ = try cancelled.outcome(usage(kills: 1), trace: "")
    }
  }

  @Test(arguments: [
    (RunMachine.End.signalled(24), SandboxOutcome.limitReached(.cpuTime)),
    (.signalled(25), .limitReached(.fileSize)), (.signalled(11), .signalled(11)),
    (.refused(errorNumber: 2), .notStarted(errorNumber: 2)),
  ])
  func `that ended of a signal says of which`(end: RunMachine.End, expected: SandboxOutcome) throws
  {
    var machine = machine()
    machine.began(at: Self.start, cpuTime: .zero)
    machine.ended(end, at: Self.start)
    #expect(try outcome(machine, usage()) == expected)
  }

  @Test func `that never begins is a fault of the sandbox`() {
    var machine = machine()
    machine.looked(usage(), isReady: { false }, at: Self.start + RunMachine.preparationMax)
    #expect(machine.ending == nil)
    machine.looked(
      usage(), isReady: { false }, at: Self.start + RunMachine.preparationMax + .seconds(1))
    #expect(machine.ending == .failed("the sandbox was not ready in time"))
    #expect(throws: SandboxError.self) {
      _ = try self.machine().outcome(usage(), trace: "bwrap: no")
    }
  }

  @Test func `is looked at no later than its next limit can come`() {
    var machine = machine()
    machine.began(at: Self.start, cpuTime: .zero)
    #expect(machine.pause(at: Self.start, processorCount: 2) == .milliseconds(100))
    machine.looked(usage(cpu: .milliseconds(980)), isReady: { false }, at: Self.start)
    #expect(machine.pause(at: Self.start, processorCount: 2) == .milliseconds(10))
    #expect(
      machine.pause(at: Self.start + .milliseconds(3999), processorCount: 2) == .milliseconds(2))
  }
}
