internal import RPC

/// Who a connection is: the token of its HELLO, what that stands for, and when the tokens of calls
/// that run for long are asked about again (W13.2).
struct ConnectionIdentity {
  private(set) var token: String?
  private var answer: AuthenticationCache.Answer?
  private(set) var recheckDue: ContinuousClock.Instant?

  mutating func helloReceived(token: String?) {
    self.token = token
  }

  mutating func authenticated(_ answer: AuthenticationCache.Answer) {
    self.answer = answer
  }

  /// Whom the HELLO's token stands for, while that answer is trusted.
  func principal(at time: ContinuousClock.Instant) -> Principal? {
    guard let answer, answer.validUntil > time else { return nil }
    return answer.principal
  }

  /// A call with a token did not end at once. Answers with when to ask, if nobody will anyway.
  mutating func longCallStarted(
    now: ContinuousClock.Instant, ttl: Duration
  ) -> ContinuousClock.Instant? {
    guard recheckDue == nil else { return nil }
    recheckDue = now + ttl
    return recheckDue
  }

  /// Time passed: whether to ask now. Is due again after `ttl` while calls with tokens are there.
  mutating func takeRecheck(
    now: ContinuousClock.Instant, ttl: Duration, hasTokens: @autoclosure () -> Bool
  ) -> Bool {
    guard let due = recheckDue, due <= now else { return false }
    let hasTokens = hasTokens()
    recheckDue = hasTokens ? now + ttl : nil
    return hasTokens
  }
}
