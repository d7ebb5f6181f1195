import RPC
import Synchronization
import Testing
import Wire

@testable import Transport

/// When calls are repeated, and what servers have to say to it (W14).
@Suite(.timeLimit(.minutes(5)))
struct RetryTests {
  private static let now = Moment.now
  private static let writing = Methods.method("Generate", .serverStreaming, isReadOnly: false)

  private func machine(
    _ method: MethodDescriptor = Methods.echo, hasKey: Bool = false, time: Duration? = nil,
    repeatTime: Duration? = nil
  ) -> RetryMachine {
    RetryMachine(
      policy: RetryPolicy(), method: method, hasIdempotencyKey: hasKey,
      deadline: time.map { Self.now + $0 }, repeatTime: repeatTime)
  }

  private func failed(
    _ retries: inout RetryMachine, _ error: RPCError, _ advice: RetryAdvice = RetryAdvice(),
    after time: Duration = .zero, jitter: Double = 1
  ) -> RetryMachine.Step {
    var pacer = RetryPacer(RetryBudget())
    return retries.failed(error, advice, now: Self.now + time, jitter: jitter, pacer: &pacer)
  }

  private func unavailable(isNotStarted: Bool = false) -> RPCError {
    var error = RPCError(.unavailable, "")
    error.isNotStarted = isNotStarted
    return error
  }

  // MARK: The machine

  @Test func `W14.3 waits grow, and are at least what the server asks for`() {
    var retries = machine()
    let advices = [Duration.zero, .seconds(3), .milliseconds(1), .seconds(600)]
    let steps = advices.map { failed(&retries, unavailable(), RetryAdvice(delay: $0)) }
    #expect(
      steps == [
        .repeatCall(after: .milliseconds(50)), .repeatCall(after: .seconds(3)),
        .repeatCall(after: .milliseconds(200)), .repeatCall(after: .seconds(60)),
      ])
  }

  @Test func `a wait that does not end before the deadline is not begun`() {
    let advice = RetryAdvice(delay: .seconds(2))
    var hurried = machine(time: .seconds(2))
    #expect(failed(&hurried, unavailable(), advice, jitter: 0) == .giveUp)
    var unhurried = machine(time: .seconds(3))
    #expect(
      failed(&unhurried, unavailable(), advice, jitter: 0) == .repeatCall(after: .seconds(2)))
  }

  @Test func `a stream without a deadline is repeated for a while after its first failure`() {
    var retries = machine(repeatTime: .seconds(30))
    #expect(failed(&retries, unavailable(), after: .seconds(600)) != .giveUp)
    #expect(failed(&retries, unavailable(), after: .seconds(629)) != .giveUp)
    #expect(failed(&retries, unavailable(), after: .seconds(630)) == .giveUp)
    var patient = machine()
    for second in 0..<100 {
      #expect(failed(&patient, unavailable(), after: .seconds(second * 60)) != .giveUp)
    }
  }

  @Test func `what lasts is not asked for again`() {
    var retries = machine()
    #expect(failed(&retries, unavailable(), RetryAdvice(isLasting: true)) == .giveUp)
    var unreachable = unavailable(isNotStarted: true)
    unreachable.isUnreachable = true
    #expect(failed(&retries, unreachable) == .giveUp)
  }

  @Test func `W14.1 a stream that writes is repeated only where it was not started`() {
    for isNotStarted in [false, true] {
      var retries = machine(Self.writing)
      let step = failed(&retries, unavailable(isNotStarted: isNotStarted))
      #expect((step == .giveUp) == !isNotStarted)
    }
    var keyed = machine(Methods.write, hasKey: true)
    #expect(failed(&keyed, unavailable()) != .giveUp)
    for code in [StatusCode.resourceExhausted, .internal, .deadlineExceeded] {
      var other = machine()
      #expect(failed(&other, RPCError(code, "")) == .giveUp)
    }
  }

  @Test func `C2.3 the repeats of all calls are a burst and then a rate`() {
    var budget = RetryBudget()
    (budget.burst, budget.perSecond) = (2, 10)
    var pacer = RetryPacer(budget)
    let delays = (0..<4).map { _ in pacer.delay(now: Self.now) }
    #expect(delays == [.zero, .zero, .milliseconds(100), .milliseconds(200)])
    let copies = [Duration.zero, .seconds(60)].map { pacer.takeNow(now: Self.now + $0) }
    #expect(copies == [false, true])
    #expect(pacer.delay(now: Self.now + .seconds(60)) == .zero)
    #expect(pacer.delay(now: Self.now + .seconds(60)) == .milliseconds(100))
  }

  @Test func `a wait for the turn of a repeat that would not end before the deadline is not begun`()
  {
    var budget = RetryBudget()
    (budget.burst, budget.perSecond) = (1, 1)
    var pacer = RetryPacer(budget)
    var steps: [RetryMachine.Step] = []
    for _ in 0..<3 {
      var retries = machine(time: .seconds(2))
      steps.append(
        retries.failed(unavailable(), RetryAdvice(), now: Self.now, jitter: 1, pacer: &pacer))
    }
    #expect(
      steps == [
        .repeatCall(after: .milliseconds(50)), .repeatCall(after: .milliseconds(1050)), .giveUp,
      ])
  }

  // MARK: Streams

  private func stream(
    _ client: HitoTransport, _ method: MethodDescriptor, _ options: CallOptions = CallOptions()
  ) async throws -> ResponseStream<Blob> {
    try await client.serverStreaming(
      method, Blob("please"), returning: Blob.self, options: options)
  }

  private func texts(_ stream: ResponseStream<Blob>) async throws -> [String] {
    var texts: [String] = []
    for try await response in stream { texts.append(response.text) }
    return texts
  }

  @Test(arguments: [GoAwayReason.noError, .maxAge, .internal])
  func `W11.4 a stream above the last one is opened elsewhere`(_ reason: GoAwayReason) async throws
  {
    let server = try await ScriptedServer { connection, frame in
      guard frame.kind == .call else { return [] }
      if connection == 0 { return ScriptedServer.goAway(0, reason) }
      return ScriptedServer.message(frame.stream, "one") + ScriptedServer.end(frame.stream)
    }
    let client = try server.client()
    defer { client.close() }
    #expect(try await texts(stream(client, Self.writing)) == ["one"])
  }

  @Test func `W7.2 a stream whose END says that it was not started is opened again`() async throws {
    let callCount = Mutex(0)
    let server = try await ScriptedServer { _, frame in
      guard frame.kind == .call else { return [] }
      let isFirst = callCount.withLock { count in
        count += 1
        return count == 1
      }
      if isFirst { return ScriptedServer.end(frame.stream, .unavailable, isNotStarted: true) }
      return ScriptedServer.message(frame.stream, "one") + ScriptedServer.end(frame.stream)
    }
    let client = try server.client()
    defer { client.close() }
    #expect(try await texts(stream(client, Self.writing)) == ["one"])
  }

  @Test func `a stream that may have started is opened again only where it reads`() async throws {
    let callCount = Mutex(0)
    let server = try await ScriptedServer { _, frame in
      guard frame.kind == .call else { return [] }
      let number = callCount.withLock { count in
        count += 1
        return count
      }
      if number % 2 == 1 { return ScriptedServer.end(frame.stream, .unavailable) }
      return ScriptedServer.message(frame.stream, "read") + ScriptedServer.end(frame.stream)
    }
    let client = try server.client()
    defer { client.close() }
    #expect(try await texts(stream(client, Methods.watch)) == ["read"])
    let error = await #expect(throws: RPCError.self) {
      try await texts(stream(client, Self.writing))
    }
    #expect(error?.code == .unavailable && error?.isNotStarted == false)
    #expect(callCount.withLock { $0 } == 3)
  }

  @Test func `a stream of which something was read is the caller's to resume`() async throws {
    let callCount = Mutex(0)
    let server = try await ScriptedServer { _, frame in
      guard frame.kind == .call else { return [] }
      callCount.withLock { $0 += 1 }
      return ScriptedServer.message(frame.stream, "one")
        + ScriptedServer.end(frame.stream, .unavailable)
    }
    let client = try server.client()
    defer { client.close() }
    var responses = try await stream(client, Methods.watch).makeAsyncIterator()
    #expect(try await responses.next()?.text == "one")
    let error = await #expect(throws: RPCError.self) { try await responses.next() }
    #expect(error?.code == .unavailable)
    #expect(callCount.withLock { $0 } == 1)
  }

  @Test func `a connection that breaks under a stream that writes is not a reason to repeat it`()
    async throws
  {
    let server = try await ScriptedServer { _, frame in
      frame.kind == .call ? ScriptedServer.hangUp : []
    }
    let client = try server.client()
    defer { client.close() }
    let error = await #expect(throws: RPCError.self) {
      try await texts(stream(client, Self.writing))
    }
    #expect(error?.code == .unavailable && error?.isNotStarted == false)
  }

  @Test func `a delay that the server asks for is kept for calls and streams, within their time`()
    async throws
  {
    let callCount = Mutex(0)
    let server = try await ScriptedServer { _, frame in
      guard frame.kind == .call else { return [] }
      callCount.withLock { $0 += 1 }
      return ScriptedServer.end(frame.stream, .unavailable, message: "later")
    }
    let client = try server.client { $0.retryAdvice = { _ in RetryAdvice(delay: .seconds(50)) } }
    defer { client.close() }
    let hurried = CallOptions(timeout: .seconds(40))
    let unary = await #expect(throws: RPCError.self) { try await client.echo("x", hurried) }
    #expect(unary?.message == "later")
    let streamed = await #expect(throws: RPCError.self) {
      try await texts(stream(client, Methods.watch, hurried))
    }
    #expect(streamed?.message == "later")
    #expect(callCount.withLock { $0 } == 2)
  }

  @Test(arguments: [true, false])
  func `a stream that waits for its next attempt ends when it is cancelled`(
    _ endsTask: Bool
  ) async throws {
    let witness = Witness()
    let server = try await ScriptedServer { _, frame in
      frame.kind == .call ? ScriptedServer.end(frame.stream, .unavailable) : []
    }
    let client = try server.client {
      $0.retryAdvice = { _ in
        witness.note("failed")
        return RetryAdvice(delay: .seconds(60))
      }
    }
    defer { client.close() }
    let responses = try await stream(client, Methods.watch, CallOptions(timeout: .seconds(600)))
    let reader = Task { try await texts(responses) }
    await witness.wait(for: "failed")
    if endsTask { reader.cancel() } else { responses.cancel() }
    let error = await #expect(throws: RPCError.self) { try await reader.value }
    #expect(error?.code == .cancelled)
  }
}
