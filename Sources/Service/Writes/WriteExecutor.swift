internal import Contract
internal import Domain
internal import JSON
internal import OpenSSL
internal import RPC
internal import Writes

/// How a method's write deals with others that are first.
struct WritePolicy: Sendable {
  /// Whether a taken unique value means that another writer made the same thing just now: the
  /// decision is made again and finds it.
  var retriesDuplicates = false
  /// What the caller's idempotency key stands for in this write.
  var key = KeyUse.request
  /// For writes that take away.
  static let uncharged = WritePolicy(isCharged: false)

  /// Whether it is refused where the caller has stored as much as they may. What takes away is not:
  /// who leaves, hides or deletes need not wait for the next day.
  var isCharged = true

  enum KeyUse: Sendable {
    /// The one request of the call.
    case request
    /// Nothing: this write is a part of a call, and repeating it changes nothing by itself.
    case none
    /// A stream of requests with this hash.
    case stream([UInt8])
  }
}

/// Writes as methods do: keyed by the call, with a receipt in the reply, which is remembered encoded.
struct WriteExecutor: Sendable {
  let executor: DecisionExecutor
  let cursors: CursorCodec
  let quotas: QuotaBook

  /// - Parameter isVisible: whether the caller may still see what a reply shows of another user's,
  ///   where the first time took away what the request is about, so that a repeat finds nothing.
  func perform<Response: WriteResponse>(
    _ context: CallContext, _ caller: Caller, _ policy: WritePolicy = WritePolicy(),
    isVisible: (Response) async throws -> Bool = { _ in false },
    _ decide: (ChangeContext) async throws -> Decision<Response>
  ) async throws -> Response {
    let request: RequestKey? =
      switch policy.key {
      case .request: RequestKey(context, caller, content: context.requestBytes)
      case .stream(let hash): RequestKey(context, caller, content: hash)
      case .none: nil
      }
    let encode = { (response: Response) in response.encodedBytes() }
    func mayRepeat(_ error: any Error, _ bytes: [UInt8]) async throws -> Bool {
      guard Self.deniesAccess(error), !caller.role.seesEverybody else { return true }
      let response: Response = try repeated(bytes)
      if response.showsNothing { return true }
      if let owned = response as? any OwnedResponse, owned.ownerID == caller.userID.description {
        return true
      }
      return try await isVisible(response)
    }
    let written = try await executor.perform(
      request, metadata: EventMetadata.of(context, caller), chargedTo: caller.userID,
      retriesDuplicates: policy.retriesDuplicates, encode: encode, mayRepeat: mayRepeat
    ) { change in
      var decision = try await decide(change)
      // After access was decided: what was done already is answered, however much is used by now, to
      // who may still see it.
      if policy.isCharged, !decision.changes.isEmpty || !decision.events.isEmpty {
        try await quotas.checkStorage(of: caller)
      }
      let last =
        decision.events.last.map { cursors.receipt($0.id) }
        ?? decision.response.receipt?.cursor ?? ""
      decision.response.receipt = WriteReceipt(cursor: last, replayed: false)
      return decision
    }
    switch written {
    case .committed(let response): return response
    case .repeated(let bytes): return try repeated(bytes)
    }
  }

  /// Whether an error may mean that the caller has lost what they could see the first time: then the
  /// reply of that time is not for them any more.
  private static func deniesAccess(_ error: any Error) -> Bool {
    switch ErrorTable.rpcError(error).code {
    case .notFound, .permissionDenied, .unauthenticated: true
    default: false
    }
  }

  private func repeated<Response: WriteResponse>(_ bytes: [UInt8]) throws(RPCError) -> Response {
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
    guard let request = RequestKey(context, caller, content: []) else { return false }
    return try await executor.isTaken(request)
  }
}

extension RequestKey {
  /// Names what a call asks for; nil where it has no key.
  ///
  /// - Parameter content: what is asked: a repeat with the same key and another content is refused.
  init?(_ context: CallContext, _ caller: Caller, content: [UInt8]) {
    guard let key = context.idempotencyKey, !key.isEmpty else { return nil }
    var hash = SHA256()
    hash.update(context.method.path.utf8)
    hash.update([0])
    hash.update(content)
    self.init(
      callerID: caller.userID, method: context.method.path, key: key, requestHash: hash.finalize())
  }
}

/// What an event says of where it comes from.
enum EventMetadata {
  private static let valueLengthMax = 128
  /// What W3C wants passed on at least.
  private static let traceStateLengthMax = 512

  /// The vendors' part of the trace context: visible ASCII and blanks.
  private static func traceState(of context: CallContext) -> String? {
    guard let state = context.metadata.last(where: { $0.0 == "tracestate" })?.1,
      (1...traceStateLengthMax).contains(state.utf8.count),
      state.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
    else { return nil }
    return state
  }

  static func of(_ context: CallContext, _ caller: Caller) -> JSONValue {
    var actor: [(key: String, value: JSONValue)] = [
      ("user_id", .string(caller.userID.description)), ("role", .string(caller.role.rawValue)),
    ]
    if let token = caller.tokenID { actor.append(("token_id", .string(token.description))) }
    var members: [(key: String, value: JSONValue)] = [
      ("actor", .object(actor)), ("method", .string(context.method.path)),
    ]
    if let key = context.idempotencyKey { members.append(("idempotency_key", .string(key))) }
    // What is no trace context is not passed on, as W3C has it.
    if let trace = context.traceparent, TraceParent(trace) != nil {
      members.append(("traceparent", .string(trace)))
      if let state = traceState(of: context) { members.append(("tracestate", .string(state))) }
    }
    for name in ["correlation-id", "causation-id"] {
      guard let value = context.metadata.last(where: { $0.0 == name })?.1,
        value.utf8.count <= valueLengthMax, !InvisibleCharacters.areIn(value)
      else { continue }
      members.append((name == "correlation-id" ? "correlation_id" : "causation_id", .string(value)))
    }
    return .object(members)
  }
}
