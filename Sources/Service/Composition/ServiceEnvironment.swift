internal import Agents
internal import Domain
internal import EventLog
internal import RPC
internal import Retrieval

/// What every service needs, and the frame around each of their calls.
struct ServiceEnvironment: Sendable {
  let stores: ServiceStores
  let clock: any TimeSource
  let ids: any IDGenerator
  let cursors: CursorCodec
  let hub: EventHub
  let visibility: EventVisibility
  let writes: WriteExecutor
  let waiter: CursorWaiter
  let authenticator: TokenAuthenticator
  let agents: AgentOptions

  var journal: RunJournal {
    RunJournal(runs: stores.runs, writes: writes.executor, options: agents)
  }

  var driver: RunDriver {
    RunDriver(stores: stores.agents, journal: journal, live: hub, options: agents)
  }

  var runs: RunCalls { RunCalls(stores: stores, hub: hub, journal: journal, driver: driver) }

  /// Runs the body of a method for its caller: checks the token's scopes, gives the stores the
  /// call's deadline, and maps what is thrown.
  func call<Output>(
    _ context: CallContext, _ body: (Caller) async throws -> Output
  ) async throws -> Output {
    let caller = try caller(of: context)
    return try await CallDeadline.$current.withValue(context.deadline) {
      do { return try await body(caller) } catch { throw ErrorTable.rpcError(error) }
    }
  }

  /// The same for the methods that only admins may call.
  func adminCall<Output>(
    _ context: CallContext, _ body: (Caller) async throws -> Output
  ) async throws -> Output {
    try await call(context) { caller in
      guard caller.role == .admin else {
        throw DomainError.forbidden("only an admin may call this method")
      }
      return try await body(caller)
    }
  }

  private func caller(of context: CallContext) throws(RPCError) -> Caller {
    let principal = try context.requirePrincipal()
    guard let userID = UUIDv7(principal.userID), let role = Role(rawValue: principal.role) else {
      throw RPCError(.unauthenticated, "the caller is not a user of this server")
    }
    guard TokenScopes.allow(principal.scopes, context.method) else {
      throw RPCError(.permissionDenied, "the token's scopes do not cover this method")
    }
    return Caller(userID: userID, role: role, tokenID: UUIDv7(principal.tokenID))
  }
}

extension AccessScope {
  /// For checks that the server makes on its own account, never for what a caller is shown.
  static func system(_ caller: Caller) -> AccessScope {
    AccessScope(callerID: caller.userID, role: .service)
  }
}
