import Domain
import Logging
import Synchronization

/// What one attempt cost and brought, for the log.
struct AttemptCounts: Sendable {
  var promptTokenCount: Int?
  var replyTokenCount: Int?
}

/// Carries a call through: its place among the calls at once, the circuit breaker, the attempts
/// with the waits between them, the end of its time, and one line of log per attempt.
///
/// The log has fixed fields only: no prompt, no reply, no key, no address and no foreign text.
final class ProviderCaller: Sendable {
  private let endpoint: ProviderEndpoint
  /// What is called, in the log.
  let operation: String
  private let queue: FairQueue<EntityID?>
  private let breaker: Mutex<CircuitBreakerMachine>
  private let logger: Logger

  init(_ endpoint: ProviderEndpoint, operation: String, logger: Logger) {
    self.endpoint = endpoint
    self.operation = operation
    self.logger = logger
    queue = FairQueue(insideMax: endpoint.concurrentCallMax, waitingMax: endpoint.waitingCallMax)
    breaker = Mutex(CircuitBreakerMachine(endpoint.breaker))
  }

  /// Runs `attempt` until it brings something or is given up. It gets how far its seed is from the
  /// first one's and when the whole call's time is up; `retrying` is called before each repeat.
  func call<Value: Sendable>(
    retrying: () async throws(ProviderFailure) -> Void = {},
    attempt: (_ reseedCount: Int, _ end: ContinuousClock.Instant) async throws(ProviderFailure) -> (
      Value, AttemptCounts
    )
  ) async throws(ProviderFailure) -> Value {
    var end = ContinuousClock.now.advanced(by: endpoint.timeouts.whole)
    if let deadline = CallDeadline.current { end = min(end, deadline) }
    let caller = CallOrigin.caller
    try await enter(caller, until: end)
    defer { queue.leave(caller) }
    var retries = RetryMachine(endpoint.retries)
    var lastFailure: ProviderFailure?
    while true {
      if Task.isCancelled { throw .cancelled }
      guard let permit = breaker.withLock({ $0.permit(at: .now) }) else {
        throw lastFailure ?? .circuitOpen
      }
      let started = ContinuousClock.now
      let failure: ProviderFailure
      do throws(ProviderFailure) {
        let (value, counts) = try await attempt(retries.reseedCount, end)
        breaker.withLock { $0.succeeded(permit) }
        log(retries.attemptNumber, since: started, counts, nil)
        return value
      } catch {
        failure = error
      }
      report(failure, permit)
      log(retries.attemptNumber, since: started, AttemptCounts(), failure)
      lastFailure = failure
      let decision = retries.failed(
        failure, timeLeft: ContinuousClock.now.duration(to: end),
        jitter: Double.random(in: 0...1))
      guard case .retry(let wait) = decision else { throw failure }
      try await retrying()
      do { try await Task.sleep(for: wait, clock: .continuous) } catch { throw .cancelled }
    }
  }

  private func enter(
    _ caller: EntityID?, until end: ContinuousClock.Instant
  ) async throws(ProviderFailure) {
    let left = ContinuousClock.now.duration(to: end)
    guard left > .zero else { throw .timedOut }
    let entry = await withTimeLimit(left) { [queue] in
      await queue.enter(caller, until: end)
    }
    switch entry.value {
    case .entered: return
    case .refused, .overdue: throw .overloaded
    case .expired: throw .timedOut
    case .cancelled: throw entry.isLate ? .timedOut : .cancelled
    }
  }

  private func report(_ failure: ProviderFailure, _ permit: CircuitBreakerMachine.Permit) {
    breaker.withLock { breaker in
      switch failure.blamesProvider {
      case true?: breaker.failed(permit, at: .now)
      case false?: breaker.succeeded(permit)
      case nil: breaker.abandoned(permit)
      }
    }
  }

  /// Remembers what was found out about the endpoint, and says it once.
  func learn(
    _ habits: EndpointHabits, of key: EndpointHabitBook.Key, in book: EndpointHabitBook
  ) {
    guard habits != EndpointHabits(), book.learn(habits, of: key) else { return }
    logger.notice(
      "learned what a model's endpoint takes",
      metadata: [
        "operation": .string(operation), "model": .string(endpoint.model),
        "habits": .string(habits.text),
      ])
  }

  private func log(
    _ attemptNumber: Int, since started: ContinuousClock.Instant, _ counts: AttemptCounts,
    _ failure: ProviderFailure?
  ) {
    let (seconds, attoseconds) = started.duration(to: .now).components
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    var fields: Logger.Metadata = [
      "operation": .string(operation), "model": .string(endpoint.model),
      "attempt": .stringConvertible(attemptNumber),
      "duration_ms": .stringConvertible(milliseconds),
      "outcome": .string(failure?.name ?? "replied"),
    ]
    if let status = failure?.status { fields["status"] = .stringConvertible(status) }
    if let count = counts.promptTokenCount { fields["prompt_tokens"] = .stringConvertible(count) }
    if let count = counts.replyTokenCount { fields["reply_tokens"] = .stringConvertible(count) }
    let level: Logger.Level = failure == nil || failure == .cancelled ? .debug : .warning
    logger.log(level: level, "called a model's provider", metadata: fields)
  }
}
