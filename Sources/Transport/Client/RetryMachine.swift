internal import OpenSSL
package import RPC

/// When and how often a client repeats a call (W14).
package struct RetryPolicy: Sendable, Hashable {
  /// Attempts in all; 1 = no retries.
  package var attemptCountMax = 5
  package var backoffMin = Duration.milliseconds(50)
  package var backoffMax = Duration.seconds(5)

  package init() {}

  /// The wait before attempt `number` (1 = the first retry): exponential, with full jitter above half.
  package func backoff(beforeRetry number: Int, jitter: Double) -> Duration {
    let factor = Double(1 << min(max(number, 1) - 1, 20))
    return min(backoffMin * factor, backoffMax) * (0.5 + jitter / 2)
  }

  /// Whether a call that ended with `error` may be repeated by itself.
  package func allowsRetry(
    after error: RPCError, method: MethodDescriptor, hasIdempotencyKey: Bool
  ) -> Bool {
    guard error.code == .unavailable, !(error.cause is TLSError) else { return false }
    // Where it continues is the caller's to say: the same request might begin elsewhere.
    if error.resumeCursor?.isEmpty == false { return false }
    return error.isNotStarted || method.isReadOnly
      || (method.kind == .unary && hasIdempotencyKey)
  }
}

/// What the details of an error say about repeating the call.
package struct RetryAdvice: Sendable, Hashable {
  /// The longest that a server can make a client wait.
  private static let delayMax = Duration.seconds(60)

  /// Not before this has passed.
  package let delay: Duration
  /// Whether it stays so until the server is configured differently.
  package let isLasting: Bool

  package init(delay: Duration = .zero, isLasting: Bool = false) {
    self.delay = min(max(delay, .zero), Self.delayMax)
    self.isLasting = isLasting
  }
}

/// Decides whether a call that failed is repeated, and when. A pure value: time and chance are
/// arguments.
struct RetryMachine: Sendable {
  enum Step: Sendable, Hashable {
    case repeatCall(after: Duration)
    case giveUp
  }

  let policy: RetryPolicy
  let method: MethodDescriptor
  let hasIdempotencyKey: Bool
  /// Whether attempts that found no server do not count.
  let waitsForReady: Bool
  /// No attempt begins at or after this.
  var deadline: ContinuousClock.Instant?
  private var failureCount = 0

  init(
    policy: RetryPolicy, method: MethodDescriptor, hasIdempotencyKey: Bool,
    waitsForReady: Bool = false, deadline: ContinuousClock.Instant? = nil
  ) {
    self.policy = policy
    self.method = method
    self.hasIdempotencyKey = hasIdempotencyKey
    self.waitsForReady = waitsForReady
    self.deadline = deadline
  }

  /// An attempt has failed with `error`, whose details say `advice`.
  mutating func failed(
    _ error: RPCError, _ advice: RetryAdvice, now: ContinuousClock.Instant, jitter: Double
  ) -> Step {
    failureCount += 1
    let isFree = waitsForReady && error.isNotStarted
    guard
      !advice.isLasting, failureCount < policy.attemptCountMax || isFree,
      policy.allowsRetry(after: error, method: method, hasIdempotencyKey: hasIdempotencyKey)
    else { return .giveUp }
    let wait = max(policy.backoff(beforeRetry: failureCount, jitter: jitter), advice.delay)
    if let deadline, now + wait >= deadline { return .giveUp }
    return .repeatCall(after: wait)
  }
}
