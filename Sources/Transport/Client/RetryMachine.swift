internal import OpenSSL
package import RPC
internal import Wire

/// When and how often a client repeats a call (W14).
package struct RetryPolicy: Sendable, Hashable {
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
    guard error.code == .unavailable, !error.isCertificateRefused else { return false }
    // Where it continues is the caller's to say: the same request might begin elsewhere.
    if error.resumeCursor?.isEmpty == false { return false }
    return error.isNotStarted || method.isReadOnly
      || (method.kind == .unary && hasIdempotencyKey)
  }
}

extension RPCError {
  /// Whether the server showed a certificate that is not trusted: it will not be trusted later.
  package var isCertificateRefused: Bool {
    cause is TLSError || (cause as? NetworkFailure)?.isCertificateRefused ?? false
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
  /// No attempt begins at or after this.
  let deadline: Moment?
  /// Where there is no deadline: for how long after the first failure it is repeated; nil = without end.
  let repeatTime: Duration?
  /// Whether an attempt perhaps was started; the last one may know of itself only.
  private var isPerhapsStarted = false
  private var failureCount = 0
  private var firstFailure: Moment?

  init(
    policy: RetryPolicy, method: MethodDescriptor, hasIdempotencyKey: Bool,
    deadline: Moment? = nil, repeatTime: Duration? = nil
  ) {
    self.policy = policy
    self.method = method
    self.hasIdempotencyKey = hasIdempotencyKey
    self.deadline = deadline
    self.repeatTime = repeatTime
  }

  /// An attempt has failed with `error`, whose details say `advice`.
  mutating func failed(
    _ error: RPCError, _ advice: RetryAdvice, now: Moment, jitter: Double,
    pacer: inout RetryPacer
  ) -> Step {
    isPerhapsStarted = isPerhapsStarted || !error.isNotStarted
    failureCount += 1
    let first = firstFailure ?? now
    firstFailure = first
    guard
      !advice.isLasting, !error.isUnreachable,
      policy.allowsRetry(after: error, method: method, hasIdempotencyKey: hasIdempotencyKey)
    else { return .giveUp }
    let wait = max(policy.backoff(beforeRetry: failureCount, jitter: jitter), advice.delay)
    let end = deadline ?? repeatTime.map { first + $0 }
    if let end, now + wait >= end { return .giveUp }
    let paced = wait + pacer.delay(now: now)
    if let end, now + paced >= end { return .giveUp }
    return .repeatCall(after: paced)
  }

  /// What the caller gets of an error of the last attempt (C5.2).
  func told(_ error: RPCError) -> RPCError {
    var told = error
    told.isNotStarted = error.isNotStarted && !isPerhapsStarted
    return told
  }
}
