internal import Contract
package import RPC

extension QuotaExceeded {
  /// What the caller sees.
  package var rpcError: RPCError {
    RPCError(
      .resourceExhausted, "the caller's quota is used up: at most \(maximum) \(subject)",
      details: .encoded(
        ErrorDetails(
          reason: .quota, retryDelayUs: ErrorTable.micros(retryAfter),
          quota: QuotaInfo(
            subject: subject, maximum: maximum, used: used ?? 0,
            resetsAt: resetsAt.map(Contract.Timestamp.init)))))
  }
}
