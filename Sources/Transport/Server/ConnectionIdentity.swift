internal import RPC
internal import Wire

/// Who a connection is: the token of its HELLO, and what that stands for.
struct ConnectionIdentity {
  private(set) var token: String?
  private var answer: AuthenticationCache.Answer?

  mutating func helloReceived(token: String?) {
    self.token = token
  }

  mutating func authenticated(_ answer: AuthenticationCache.Answer) {
    self.answer = answer
  }

  /// Whom the HELLO's token stood for, when that was last looked up.
  var lastPrincipal: Principal? { answer?.principal }

  /// Whom the HELLO's token stands for, while that answer is trusted.
  func principal(at time: Moment) -> Principal? {
    guard let answer, answer.validUntil > time else { return nil }
    return answer.principal
  }
}
