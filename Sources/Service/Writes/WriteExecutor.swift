internal import Contract
internal import Domain
internal import JSON
internal import OpenSSL
internal import RPC
internal import Retrieval

/// What a method decided: what to write, and what to answer once it is written.
struct Decision<Response: WriteResponse> {
  var changes: [Change]
  var events: [NewEvent]
  var response: Response

  /// The reply of a request that changes nothing.
  static func unchanged(_ response: Response) -> Decision {
    Decision(changes: [], events: [], response: response)
  }
}

/// How a method's write deals with others that are first.
struct WritePolicy: Sendable {
  /// Whether a taken unique value means that another writer made the same thing just now: the
  /// decision is made again and finds it.
  var retriesDuplicates = false
  /// What the caller's idempotency key stands for in this write.
  var key = KeyUse.request

  enum KeyUse: Sendable {
    /// The one request of the call.
    case request
    /// Nothing: this write is a part of a call, and repeating it changes nothing by itself.
    case none
    /// A stream of requests with this hash.
    case stream([UInt8])
  }
}

/// The one way in which methods write: read, decide, commit; and again where the state moved on
/// in between. No lock is held while a decision is made.
///
/// A repeat of a keyed request needs no look-up of its own: the commit finds the first reply before
/// it writes anything. Only where the repeat is refused, on a state that the first time made, the
/// reply is looked for.
struct WriteExecutor: Sendable {
  /// How often a decision is made before the caller hears of contention.
  static let attemptMaximum = 10

  let store: any WriteStore
  let clock: any TimeSource
  let ids: any IDGenerator
  let cursors: CursorCodec
  /// Told after each commit.
  let committed: @Sendable () -> Void
  /// Lets what is written be found.
  let indexer: PassageIndexer
  /// Waits before the next attempt, given how many there were.
  let pause: @Sendable (Int) async throws -> Void

  func perform<Response: WriteResponse>(
    _ context: CallContext, _ caller: Caller, _ policy: WritePolicy = WritePolicy(),
    _ decide: (ChangeContext) async throws -> Decision<Response>
  ) async throws -> Response {
    let request = requestKey(context, caller, policy.key)
    let memory = PassageIndexer.Memory()
    for attempt in 1...Self.attemptMaximum {
      if attempt > 1 { try await pause(attempt - 1) }
      let decision: Decision<Response>
      do {
        decision = try await decide(changeContext(context, caller))
      } catch {
        if error is StoreError { throw error }
        if let request, let reply: Response = try await reply(to: request) { return reply }
        throw error
      }
      if let response = try await commit(decision, request, policy, memory) { return response }
    }
    throw RPCError.contention()
  }

  /// - Returns: nil where the decision must be made again.
  private func commit<Response: WriteResponse>(
    _ decision: Decision<Response>, _ request: RequestKey?, _ policy: WritePolicy,
    _ memory: PassageIndexer.Memory
  ) async throws -> Response? {
    var response = decision.response
    let last =
      decision.events.last.map { cursors.receipt($0.id) } ?? decision.response.receipt?.cursor ?? ""
    response.receipt = WriteReceipt(cursor: last, replayed: false)
    if decision.changes.isEmpty, decision.events.isEmpty, request == nil { return response }
    let passages = await indexer.changes(for: decision.changes, memory)
    let write = Write(
      changes: decision.changes + passages, events: decision.events,
      reply: request.map { KeyedReply(request: $0, reply: response.encodedBytes()) })
    let outcome: CommitOutcome
    do throws(StoreError) {
      outcome = try await store.commit(write)
    } catch {
      if case .duplicate = error, policy.retriesDuplicates { return nil }
      throw error
    }
    switch outcome {
    case .committed:
      committed()
      return response
    case .stale: return nil
    case .replayed(let bytes): return try replayed(bytes)
    case .keyConflict: throw RPCError.keyConflict()
    }
  }

  private func reply<Response: WriteResponse>(to request: RequestKey) async throws -> Response? {
    switch try await store.reply(to: request) {
    case .replayed(let bytes): try replayed(bytes)
    case .keyConflict: throw RPCError.keyConflict()
    case .committed, .stale, nil: nil
    }
  }

  private func replayed<Response: WriteResponse>(_ bytes: [UInt8]) throws(RPCError) -> Response {
    do throws(DecodeError) {
      var response = try Response.decode(bytes)
      response.receipt = WriteReceipt(cursor: response.receipt?.cursor ?? "", replayed: true)
      return response
    } catch {
      throw RPCError(.internal, "the stored reply cannot be read").caused(by: error)
    }
  }

  /// Whether the caller's key has a reply already, of this stream or of another one.
  func isAnswered(_ context: CallContext, _ caller: Caller) async throws(StoreError) -> Bool {
    guard let request = requestKey(context, caller, .stream([])) else { return false }
    return try await store.reply(to: request) != nil
  }

  private func requestKey(
    _ context: CallContext, _ caller: Caller, _ use: WritePolicy.KeyUse
  ) -> RequestKey? {
    if case .none = use { return nil }
    guard let key = context.idempotencyKey, !key.isEmpty else { return nil }
    var hash = SHA256()
    hash.update(context.method.path.utf8)
    hash.update([0])
    if case .stream(let streamHash) = use {
      hash.update(streamHash)
    } else {
      hash.update(context.requestBytes)
    }
    return RequestKey(
      callerID: caller.userID, method: context.method.path, key: key,
      requestHash: hash.finalize())
  }

  private func changeContext(_ context: CallContext, _ caller: Caller) -> ChangeContext {
    ChangeContext(
      now: clock.now(), ids: ids, metadata: EventMetadata.of(context, caller))
  }
}

/// What an event says of where it comes from.
enum EventMetadata {
  private static let valueLengthMax = 128

  static func of(_ context: CallContext, _ caller: Caller) -> JSONValue {
    var actor: [(key: String, value: JSONValue)] = [
      ("user_id", .string(caller.userID.description)), ("role", .string(caller.role.rawValue)),
    ]
    if let token = caller.tokenID { actor.append(("token_id", .string(token.description))) }
    var members: [(key: String, value: JSONValue)] = [
      ("actor", .object(actor)), ("method", .string(context.method.path)),
    ]
    if let key = context.idempotencyKey { members.append(("idempotency_key", .string(key))) }
    if let trace = context.traceparent { members.append(("traceparent", .string(trace))) }
    for name in ["correlation-id", "causation-id"] {
      guard let value = context.metadata.last(where: { $0.0 == name })?.1,
        value.utf8.count <= valueLengthMax
      else { continue }
      members.append((name == "correlation-id" ? "correlation_id" : "causation_id", .string(value)))
    }
    return .object(members)
  }
}
