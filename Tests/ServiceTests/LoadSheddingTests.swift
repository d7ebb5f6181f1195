import Contract
import Domain
import RPC
import Synchronization
import Testing
import Wire

@testable import Service

/// What is refused at the door because of the load, and who gives way to whom. Time is the test's.
@Suite(.timeLimit(.minutes(2))) struct `A server that has more to do than it can` {
  private final class Clock: Sendable {
    private let offset = Mutex(Duration.zero)
    private let start = ContinuousClock.now
    var now: ContinuousClock.Instant { start + offset.withLock { $0 } }
    func pass(_ duration: Duration) { offset.withLock { $0 += duration } }
  }

  /// Calls that have a place, until they are let go.
  private final class Gate: Sendable {
    private let inside = Mutex<[CheckedContinuation<Void, Never>]>([])
    var count: Int { inside.withLock { $0.count } }
    func pass() async {
      await withCheckedContinuation { continuation in
        inside.withLock { $0.append(continuation) }
      }
    }
    func letNextGo() {
      inside.withLock { $0.isEmpty ? nil : $0.removeFirst() }?.resume()
    }
  }

  private let clock = Clock()
  private let gate = Gate()
  private let admission: CallAdmission

  init() {
    admission = CallAdmission(
      AdmissionLimits(heavyCallMax: 4, processorCount: 1), now: { [clock] in clock.now },
      limits: { _ in CallerLimits() })
  }

  private func load(_ cost: MethodRule.Cost) throws -> AdmissionLoad {
    try #require(admission.loads.first { $0.cost == cost })
  }

  /// A call of a caller of its own.
  private func call(
    _ cost: MethodRule.Cost, as caller: String, within limit: Duration? = nil
  ) async throws {
    let context = CallContext(
      method: MethodDescriptor(
        path: "a.B/C", kind: .unary, isReadOnly: true,
        rule: MethodRule(callers: .users, cost: cost, timeout: .seconds(30))),
      deadline: limit.map { Moment(clock.now + $0) },
      principal: Principal(userID: caller, role: .learner, tokenID: ""))
    try await admission.turn(cost, context) { await gate.pass() }
  }

  private func until(_ isSo: () -> Bool) async {
    while !isSo() { await Task.yield() }
  }

  /// One call after another, each with a place for so long.
  private func run(_ count: Int, _ cost: MethodRule.Cost, taking time: Duration) async throws {
    for _ in 0..<count {
      async let one: Void = call(cost, as: "zoe")
      await until { gate.count == 1 }
      clock.pass(time)
      gate.letNextGo()
      try await one
    }
  }

  @Test
  func `refuses what cannot have its turn before its deadline, and says that nothing was done`()
    async throws
  {
    try await run(1, .scan, taking: .milliseconds(400))
    try await withThrowingTaskGroup(of: Void.self) { group in
      // All places, of two callers.
      for caller in ["ada", "ada", "bea", "bea"] {
        group.addTask { try await call(.scan, as: caller) }
      }
      await until { gate.count == 4 }
      // One place is free every 100 ms.
      do {
        try await call(.scan, as: "cleo", within: .milliseconds(90))
        Issue.record("it was let in")
      } catch let error as ServerOverloaded {
        let seen = error.rpcError
        #expect(seen.code == .deadlineExceeded && seen.isRefusal)
        #expect(seen.decodedDetails.reason == .overloaded)
        #expect(seen.decodedDetails.writeOutcome == .notWritten)
        #expect(seen.decodedDetails.retryDelayUs == 100_000)
      }
      group.addTask { try await call(.scan, as: "cleo", within: .milliseconds(110)) }
      await until { admission.waitingCount(.scan) == 1 }
      // Cleo's next one has its turn after her first.
      await #expect(throws: ServerOverloaded.self) {
        try await call(.scan, as: "cleo", within: .milliseconds(190))
      }
      for _ in 0..<5 {
        await until { gate.count > 0 }
        gate.letNextGo()
      }
      try await group.waitForAll()
    }
    #expect(try load(.scan).refusals == .init(deadlineCount: 2))
  }

  @Test func `lets a burst wait, and refuses what comes when the queue stands`() async throws {
    try await run(1, .scan, taking: .milliseconds(400))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for caller in ["a", "a", "b", "b"] { group.addTask { try await call(.scan, as: caller) } }
      await until { gate.count == 4 }
      // A round of 20 callers takes two seconds; one may take one.
      for number in 0..<20 {
        group.addTask { try await call(.scan, as: "\(number)") }
        await until { admission.waitingCount(.scan) == number + 1 }
      }
      #expect(try !load(.scan).isShedding)
      clock.pass(.milliseconds(300))
      do {
        try await call(.scan, as: "late")
        Issue.record("it was let in")
      } catch let error as ServerOverloaded {
        let seen = error.rpcError
        #expect(seen.code == .unavailable && seen.isRefusal)
        #expect(seen.decodedDetails.reason == .overloaded)
        #expect(seen.decodedDetails.retryDelayUs >= 50_000)
      }
      #expect(try load(.scan).isShedding)
      #expect(try load(.scan).refusals.overloadCount == 1)
      // Who waits still has its turn: not so long has passed on the queue's own clock.
      for _ in 0..<24 {
        await until { gate.count > 0 }
        gate.letNextGo()
      }
      try await group.waitForAll()
    }
    // Rounds have been short for a second: nothing is left of it.
    try await run(1, .scan, taking: .milliseconds(400))
    clock.pass(.seconds(1))
    try await run(1, .scan, taking: .milliseconds(400))
    #expect(try !load(.scan).isShedding)
  }

  @Test func `lets fewer scans run while calls that cost little are slow, and more again later`()
    async throws
  {
    try await run(10, .rows, taking: .milliseconds(1))
    #expect(try load(.scan).insideMax == 4)
    #expect(try load(.rows).slowdown == 1)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<20 { group.addTask { try await call(.rows, as: "\(number)") } }
      await until { gate.count == 20 }
      clock.pass(.milliseconds(40))
      for count in (1...19).reversed() {
        gate.letNextGo()
        await until { (try? load(.rows).insideCount) == count }
      }
      clock.pass(.milliseconds(200))
      gate.letNextGo()
      try await group.waitForAll()
    }
    let rows = try load(.rows)
    #expect(rows.slowdown > 30 && rows.insideMax < 512)
    #expect(try load(.scan).insideMax == 2)
    #expect(try load(.search).insideMax == 1)
    clock.pass(.milliseconds(500))
    try await run(1, .scan, taking: .milliseconds(1))
    #expect(try load(.scan).insideMax == 3)
  }
}
