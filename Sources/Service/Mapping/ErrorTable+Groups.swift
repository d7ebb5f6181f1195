internal import Contract
internal import Domain
internal import EventLog
internal import RPC

/// Why consumers are sent away, or not let in.
extension ErrorTable {
  static func rpcError(_ error: GroupEnd) -> RPCError {
    switch error {
    case .groupIsGone: RPCError.noSuchGroup("")
    case .replaced:
      RPCError(
        .aborted, "another process has taken this consumer's place",
        details: .encoded(ErrorDetails(reason: .consumerReplaced)))
    case .draining: RPCError.draining()
    }
  }

  static func rpcError(_ error: JoinRefused) -> RPCError {
    switch error {
    case .nameTaken:
      RPCError(
        .alreadyExists,
        "another consumer of the group has this name: take another one, or wait until it is gone",
        details: .encoded(
          ErrorDetails(reason: .consumerNameTaken, retryDelayUs: 1_000_000)))
    case .tooManyConsumers:
      rpcError(
        DomainError.limitReached(
          "consumers of a group", maximum: Domain.ConsumerGroup.consumerMax))
    }
  }
}

extension RPCError {
  static func noSuchGroup(_ name: String) -> RPCError {
    RPCError(
      .notFound, "no such consumer group",
      details: .encoded(
        ErrorDetails(resource: ResourceInfo(type: "consumer_group", id: name))))
  }
}
