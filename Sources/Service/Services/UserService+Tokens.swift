internal import Contract
internal import Domain
internal import OpenSSL
internal import RPC

extension UserService {
  private static let labelMax = 100
  private static let lifetimeDefault: Int64 = 90 * 86_400
  private static let lifetimeMax: Int64 = 366 * 86_400
  /// Tokens of one user that work at a time.
  private static let workingTokensMax = 100
  private static let listMax = 1000

  /// The reply is never stored, since it holds the secret. A repeat under the same idempotency key
  /// makes no second token either: the key names the token's id, and a taken id is refused.
  func createToken(
    _ request: CreateTokenRequest, _ context: CallContext
  ) async throws -> CreateTokenResponse {
    let caller = try context.caller
    let userID = try Self.tokenOwner(request.userId, caller)
    var validation = Validation()
    validation.text("label", request.label, maximum: Self.labelMax, singleLine: true)
    if !(0...Self.lifetimeMax).contains(request.lifetimeSeconds) {
      validation.add("lifetime_seconds", "must be 0 to \(Self.lifetimeMax)")
    }
    try validation.check()
    let granted = context.principal?.scopes ?? []
    try TokenScopes.check(request.scopes, grantedBy: granted)
    let role = try await tokenRole(request, userID, caller)
    let now = clock.now()
    let lifetime = request.lifetimeSeconds == 0 ? Self.lifetimeDefault : request.lifetimeSeconds
    var expiresAt = now.advanced(by: .seconds(lifetime))
    if let parent = try await parent(of: caller) { expiresAt = min(expiresAt, parent.expiresAt) }
    let secret = TokenSecret()
    let record = TokenRecord(
      id: tokenID(context, caller, now), userID: userID, parentID: caller.tokenID, role: role,
      hash: secret.hash, label: request.label, scopes: request.scopes, createdAt: now,
      expiresAt: expiresAt)
    try await insert(
      record,
      event: record.event(
        .userTokenIssued, id: ids.next(at: now), at: now,
        metadata: EventMetadata.of(context, caller)))
    return CreateTokenResponse(token: Contract.Token(record), secret: secret.text)
  }

  /// The token that the call was made with: what it makes lives no longer than it.
  private func parent(of caller: Caller) async throws -> TokenRecord? {
    guard let id = caller.tokenID else { return nil }
    guard let parent = try await tokens.token(id, scope: AccessScope(caller)) else {
      throw Self.parentEnded
    }
    return parent
  }

  private func insert(_ record: TokenRecord, event: NewEvent) async throws {
    let insertion: TokenInsertion
    do throws(StoreError) {
      insertion = try await tokens.insert(
        record, event: event, workingCountMax: Self.workingTokensMax)
    } catch {
      guard case .duplicate = error else { throw error }
      throw RPCError(
        .alreadyExists,
        "this request made a token before, whose secret cannot be shown again: "
          + "revoke token \(record.id) and make another",
        details: .encoded(ErrorDetails(reason: .keyConflict)))
    }
    switch insertion {
    case .inserted: return
    case .limitReached:
      throw DomainError.limitReached("tokens of a user", maximum: Self.workingTokensMax)
    case .parentEnded: throw Self.parentEnded
    }
  }

  private static var parentEnded: RPCError {
    RPCError(.unauthenticated, "the token is no longer valid")
  }

  func listTokens(
    _ request: ListTokensRequest, _ context: CallContext
  ) async throws -> ListTokensResponse {
    let caller = try context.caller
    let userID = try Self.tokenOwner(request.userId, caller)
    let tokens = try await tokens.tokens(user: userID, scope: AccessScope(caller))
    return ListTokensResponse(tokens: tokens.prefix(Self.listMax).map(Contract.Token.init))
  }

  func revokeToken(
    _ request: RevokeTokenRequest, _ context: CallContext
  ) async throws -> RevokeTokenResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.tokenId, field: "token_id")
    let now = clock.now()
    let metadata = EventMetadata.of(context, caller)
    guard let token = try await tokens.token(id, scope: AccessScope(caller)),
      caller.role == .admin || token.userID == caller.userID,
      try await tokens.revoke(
        id, at: now,
        event: { [ids] token in
          token.event(.userTokenRevoked, id: ids.next(at: now), at: now, metadata: metadata)
        })
    else { throw RPCError(.notFound, "no such token") }
    return RevokeTokenResponse()
  }

  private static func tokenOwner(_ text: String, _ caller: Caller) throws(DomainError) -> EntityID {
    guard let id = try EntityID.optional(text, field: "user_id"), id != caller.userID else {
      return caller.userID
    }
    guard caller.role == .admin else {
      throw .forbidden("only an admin may deal with the tokens of others")
    }
    return id
  }

  private func tokenRole(
    _ request: CreateTokenRequest, _ userID: EntityID, _ caller: Caller
  ) async throws -> Domain.Role {
    let scope = AccessScope(caller)
    guard let user = try await users.user(userID, scope: scope) else {
      throw DomainError.notFound(.user, userID)
    }
    guard user.isActive else {
      throw RPCError.precondition("the user was deactivated", .user, userID)
    }
    // A caller's token may give less than its user has: no token of it gives more than itself.
    let limit = userID == caller.userID ? min(caller.role, user.role) : user.role
    guard let role = try Domain.Role.optional(request.role, field: "role") else {
      return user.role <= limit ? user.role : caller.role
    }
    guard role <= limit else {
      throw DomainError.forbidden("a token cannot give more than its user, or its maker, may")
    }
    return role
  }

  private func tokenID(
    _ context: CallContext, _ caller: Caller, _ now: Domain.Timestamp
  ) -> EntityID {
    guard let key = context.idempotencyKey, !key.isEmpty else {
      return ids.next(at: now)
    }
    var hash = SHA256()
    hash.update(caller.userID.bytes)
    hash.update(key.utf8)
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    let digest = hash.finalize()
    // RFC 9562 §5.8: version 8, whose bits are the application's.
    return EntityID(
      high: word(digest[0..<8]) & ~0xf000 | 0x8000,
      low: word(digest[8..<16]) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
  }
}
