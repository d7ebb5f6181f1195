internal import Contract
package import RPC

extension QuotaExceeded {
  /// What the caller sees.
  package var rpcError: RPCError {
    var error = RPCError(
      .resourceExhausted, "the caller's quota is used up: at most \(maximum) \(subject)",
      details: .encoded(
        ErrorDetails(
          reason: .quota, retryDelayUs: ErrorTable.micros(retryAfter),
          quota: QuotaInfo(
            subject: subject, maximum: maximum, used: used ?? 0,
            resetsAt: resetsAt.map(Contract.Timestamp.init)))))
    error.isRefusal = isRefusal
    return error
  }
}

extension ServerOverloaded {
  /// What the caller sees.
  package var rpcError: RPCError {
    let details = [UInt8].encoded(
      ErrorDetails(
        reason: .overloaded, retryDelayUs: ErrorTable.micros(retryAfter),
        writeOutcome: isRefusal ? .notWritten : .unspecified))
    var error =
      switch kind {
      case .deadline(let wait):
        RPCError(
          .deadlineExceeded,
          "the call would wait \(wait / .milliseconds(1)) ms for its turn, longer than its deadline allows",
          details: details)
      case .overload:
        RPCError(
          .unavailable,
          "the server has more \(cost.rawValue) calls than it can do; try again later",
          details: details)
      }
    error.isRefusal = isRefusal
    return error
  }
}
