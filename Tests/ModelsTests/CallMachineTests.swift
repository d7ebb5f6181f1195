import Domain
import Models
import Synchronization
import Testing

@Suite struct RetryTests {
  private let policy = RetryPolicy(
    attemptCountMax: 4, backoffFirst: .milliseconds(100), backoffMax: .milliseconds(250),
    retryAfterMax: .seconds(3))

  @Test func `Waits double up to their limit, and jitter takes any part of them`() {
    var machine = RetryMachine(policy)
    #expect(
      machine.failed(.cut, timeLeft: .seconds(60), jitter: 1) == .retry(after: .milliseconds(100)))
    #expect(
      machine.failed(.slow, timeLeft: .seconds(60), jitter: 0.5)
        == .retry(after: .milliseconds(100)))
    #expect(
      machine.failed(.unreachable, timeLeft: .seconds(60), jitter: 1)
        == .retry(after: .milliseconds(250)))
    #expect(machine.attemptNumber == 4)
    #expect(machine.failed(.cut, timeLeft: .seconds(60), jitter: 0) == .giveUp)
  }

  @Test func `What the provider asks for is waited, within a limit and within the call`() {
    func decision(_ wait: Duration?, left: Duration = .seconds(60)) -> RetryMachine.Decision {
      var machine = RetryMachine(policy)
      return machine.failed(.rateLimited(retryAfter: wait), timeLeft: left, jitter: 0)
    }
    #expect(decision(.seconds(2)) == .retry(after: .seconds(2)))
    #expect(decision(.seconds(3)) == .retry(after: .seconds(3)))
    #expect(decision(.seconds(4)) == .giveUp)
    #expect(decision(.seconds(2), left: .seconds(2)) == .giveUp)
    #expect(decision(nil) == .retry(after: .zero))
  }

  @Test func `An invalid reply is asked for once more, with another seed and at once`() {
    var machine = RetryMachine(policy)
    let invalid = ProviderFailure.replyInvalid("")
    #expect(machine.failed(invalid, timeLeft: .seconds(1), jitter: 1) == .retry(after: .zero))
    #expect(machine.reseedCount == 1)
    // Other failures still have their own count.
    #expect(
      machine.failed(.cut, timeLeft: .seconds(1), jitter: 1) == .retry(after: .milliseconds(100)))
    #expect(machine.failed(invalid, timeLeft: .seconds(1), jitter: 1) == .giveUp)
  }

  @Test(arguments: [
    ProviderFailure.promptTooLong, .replyCut, .refused(.key, status: 401), .tooLarge, .cancelled,
    .timedOut, .serverError(status: 501, retryAfter: nil), .overloaded, .circuitOpen,
  ])
  func `What a repeat does not heal is not repeated`(failure: ProviderFailure) {
    var machine = RetryMachine(policy)
    #expect(machine.failed(failure, timeLeft: .seconds(60), jitter: 0) == .giveUp)
  }
}

@Suite struct RetryAfterTests {
  /// 2026-11-25T01:00:00Z.
  private let now = Timestamp(microsecondsSinceEpoch: 1_795_568_400_000_000)

  @Test func `Seconds and dates are understood`() {
    #expect(RetryAfter.duration("0", now: now) == .zero)
    #expect(RetryAfter.duration("120", now: now) == .seconds(120))
    #expect(RetryAfter.duration("Wed, 25 Nov 2026 01:00:30 GMT", now: now) == .seconds(30))
    #expect(RetryAfter.duration("Tue, 01 Mar 2028 00:00:00 GMT", now: now) == .seconds(39_913_200))
    #expect(RetryAfter.duration("Wed, 25 Nov 2026 00:59:00 GMT", now: now) == .zero)
  }

  @Test(arguments: [
    "", "-1", "1.5", "9999999999", "soon", "Wed, 25 Nov 2026 01:00:30",
    "Wed, 25 Foo 2026 01:00:30 GMT",
    "Wed, 25 Nov 2026 25:00:30 GMT", "Wed, 2x Nov 2026 01:00:30 GMT", "١٢",
    "Wednesday, 25-Nov-26 01:00:30 GMT", String(repeating: "1", count: 100_000),
  ])
  func `Anything else says nothing`(header: String) {
    #expect(RetryAfter.duration(header, now: now) == nil)
  }
}

@Suite struct CircuitBreakerTests {
  private let start = ContinuousClock.now
  private let policy = CircuitBreakerPolicy(
    failureCountMax: 2, openFirst: .seconds(10), openMax: .seconds(30))

  private func at(_ seconds: Int) -> ContinuousClock.Instant {
    start.advanced(by: .seconds(seconds))
  }

  private func take(
    _ machine: inout CircuitBreakerMachine, at second: Int
  ) throws -> CircuitBreakerMachine.Permit {
    let permit = machine.permit(at: at(second))
    return try #require(permit)
  }

  private func passes(_ machine: inout CircuitBreakerMachine, at second: Int) -> Bool {
    machine.permit(at: at(second)) != nil
  }

  private func failed(_ machine: inout CircuitBreakerMachine, at second: Int) throws {
    let permit = try take(&machine, at: second)
    machine.failed(permit, at: at(second))
  }

  private func succeeded(_ machine: inout CircuitBreakerMachine, at second: Int) throws {
    let permit = try take(&machine, at: second)
    machine.succeeded(permit)
  }

  private func abandoned(_ machine: inout CircuitBreakerMachine, at second: Int) throws {
    let permit = try take(&machine, at: second)
    machine.abandoned(permit)
  }

  /// A breaker that opened at second 0.
  private func opened() throws -> CircuitBreakerMachine {
    var machine = CircuitBreakerMachine(policy)
    for _ in 0..<2 { try failed(&machine, at: 0) }
    return machine
  }

  @Test func `Failures in a row open it, and a success between them does not count on`() throws {
    var machine = CircuitBreakerMachine(policy)
    try failed(&machine, at: 0)
    try succeeded(&machine, at: 0)
    try failed(&machine, at: 0)
    #expect(passes(&machine, at: 0))
    try failed(&machine, at: 0)
    #expect(!passes(&machine, at: 0))
  }

  @Test func `After its time one probe passes, and its success closes it`() throws {
    var machine = try opened()
    #expect(!passes(&machine, at: 9))
    let probe = try take(&machine, at: 10)
    #expect(!passes(&machine, at: 10))
    machine.succeeded(probe)
    #expect(passes(&machine, at: 10))
    #expect(passes(&machine, at: 10))
  }

  @Test func `A probe that fails opens it for twice as long, up to the limit`() throws {
    var machine = try opened()
    try failed(&machine, at: 10)
    #expect(!passes(&machine, at: 29))
    try failed(&machine, at: 30)
    #expect(!passes(&machine, at: 59))
    #expect(passes(&machine, at: 60))
  }

  @Test func `An abandoned probe leaves its place to another`() throws {
    var machine = try opened()
    try abandoned(&machine, at: 10)
    #expect(passes(&machine, at: 10))
  }

  @Test func `What an attempt from before the opening reports is ignored`() throws {
    var machine = CircuitBreakerMachine(policy)
    let early = try take(&machine, at: 0)
    for _ in 0..<2 { try failed(&machine, at: 0) }
    machine.succeeded(early)
    #expect(!passes(&machine, at: 1))
    let probe = try take(&machine, at: 10)
    machine.failed(early, at: at(10))
    machine.succeeded(probe)
    #expect(passes(&machine, at: 10))
  }
}
