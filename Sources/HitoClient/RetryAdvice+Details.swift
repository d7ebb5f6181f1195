package import RPC
package import Transport

extension RetryAdvice {
  /// What a server says in the details of `error`.
  package init(_ error: RPCError) {
    guard let details = try? ErrorDetails.decode(error.details) else {
      self.init()
      return
    }
    self.init(
      delay: .microseconds(max(0, details.retryDelayUs)), isLasting: details.reason == .noModel)
  }
}
