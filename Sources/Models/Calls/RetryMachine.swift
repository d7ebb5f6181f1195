/// How often, and after how long, a provider is asked again.
package struct RetryPolicy: Sendable, Hashable {
  /// With the first one.
  package var attemptCountMax: Int
  /// The first wait is at most this, the second at most twice as long, and so on.
  package var backoffFirst: Duration
  package var backoffMax: Duration
  /// The longest wait that a provider may ask for; what asks for longer is given up at once.
  package var retryAfterMax: Duration

  package init(
    attemptCountMax: Int = 3, backoffFirst: Duration = .milliseconds(500),
    backoffMax: Duration = .seconds(20), retryAfterMax: Duration = .seconds(30)
  ) {
    self.attemptCountMax = attemptCountMax
    self.backoffFirst = backoffFirst
    self.backoffMax = backoffMax
    self.retryAfterMax = retryAfterMax
  }
}

/// Decides whether a call that failed is tried again: exponential backoff with full jitter, and
/// the provider's own wish where it has one. Pure; the owner waits.
///
/// A reply that is not what was asked for has a count of its own: it is asked for once more, at
/// once and with another seed, since the provider is well.
package struct RetryMachine: Sendable {
  package enum Decision: Sendable, Hashable {
    case retry(after: Duration)
    case giveUp
  }

  private static let reseedCountMax = 1

  private let policy: RetryPolicy
  /// Attempts that failed for a transient reason.
  private var failureCount = 0
  /// How far the seed of the next attempt is from that of the request.
  package private(set) var reseedCount = 0
  /// Counted from 1.
  package private(set) var attemptNumber = 1

  package init(_ policy: RetryPolicy) {
    self.policy = policy
  }

  /// `timeLeft` is that of the whole call; `jitter` is a random number from 0 to 1.
  package mutating func failed(
    _ failure: ProviderFailure, timeLeft: Duration, jitter: Double
  ) -> Decision {
    if case .replyInvalid = failure {
      guard timeLeft > .zero, reseedCount < Self.reseedCountMax else { return .giveUp }
      reseedCount += 1
      attemptNumber += 1
      return .retry(after: .zero)
    }
    guard failure.isTransient else { return .giveUp }
    failureCount += 1
    guard failureCount < policy.attemptCountMax else { return .giveUp }
    let wait = wait(retryAfter: failure.retryAfter, jitter: min(max(jitter, 0), 1))
    // A wait that outlasts the call helps nobody.
    guard let wait, wait < timeLeft else { return .giveUp }
    attemptNumber += 1
    return .retry(after: wait)
  }

  /// Nil: longer than may be asked for.
  private func wait(retryAfter: Duration?, jitter: Double) -> Duration? {
    if let retryAfter {
      guard retryAfter <= policy.retryAfterMax else { return nil }
      // Whoever was sent away together does not come back together.
      return max(retryAfter, .zero) + policy.backoffFirst * jitter
    }
    var limit = policy.backoffFirst
    for _ in 1..<max(failureCount, 1) where limit < policy.backoffMax { limit = limit * 2 }
    return min(limit, policy.backoffMax) * jitter
  }
}
