package import JSON

/// A bearer token as it is stored: never the token itself, only its SHA-256.
package struct TokenRecord: Sendable, Hashable {
  package var id: EntityID
  package var userID: EntityID
  /// The token that this one was made with: it lives no longer, and is revoked with it. Nil where
  /// the server's operator made it.
  package var parentID: EntityID?
  package var role: Role
  package var hash: [UInt8]
  /// What a person called it, to know it again in a list.
  package var label: String
  package var scopes: [String]
  package var createdAt: Timestamp
  package var expiresAt: Timestamp
  package var revokedAt: Timestamp?

  package init(
    id: EntityID, userID: EntityID, parentID: EntityID? = nil, role: Role, hash: [UInt8],
    label: String,
    scopes: [String],
    createdAt: Timestamp, expiresAt: Timestamp, revokedAt: Timestamp? = nil
  ) {
    self.id = id
    self.userID = userID
    self.parentID = parentID
    self.role = role
    self.hash = hash
    self.label = label
    self.scopes = scopes
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.revokedAt = revokedAt
  }
}

extension TokenRecord {
  /// That the token was made, or revoked. Nobody's event: it counts in no report and no streak, and only
  /// admins follow it. It says whose the token is, and nothing that could be presented.
  package func event(
    _ type: EventType, id eventID: EntityID, at now: Timestamp, metadata: JSONValue
  ) -> NewEvent {
    NewEvent(
      id: eventID, type: type, entityType: .token, entityID: id,
      version: type == .userTokenIssued ? 1 : 2, userID: nil,
      payload: .object([
        ("id", .string(id.description)),
        ("owner_id", .string(userID.description)),
        ("parent_id", (parentID?.description).map(JSONValue.string) ?? .null),
        ("role", .string(role.rawValue)),
        ("scopes", .array(scopes.map(JSONValue.string))),
        ("created_at", .string(createdAt.description)),
        ("expires_at", .string(expiresAt.description)),
        ("revoked_at", (revokedAt?.description).map(JSONValue.string) ?? .null),
      ]),
      metadata: metadata, createdAt: now)
  }
}

/// What became of a token that was to be stored.
package enum TokenInsertion: Sendable, Hashable {
  case inserted
  /// Its user has as many tokens that work as one may have.
  case limitReached
  /// The token that it was made with does not work any more.
  case parentEnded
}

package protocol TokenStore: Sendable {
  /// Inserts a token, and its event with it.
  func insert(_ token: TokenRecord, event: NewEvent) async throws(StoreError)
  /// Inserts a token where its parent works, and its user has fewer than `workingCountMax` that do
  /// at the time when it was made: also when many are made at a time. Its event is committed with it.
  func insert(
    _ token: TokenRecord, event: NewEvent, workingCountMax: Int
  ) async throws(StoreError) -> TokenInsertion
  /// The token with this hash, also when it is expired or revoked; nil also where its user is not
  /// active.
  func token(hash: [UInt8]) async throws(StoreError) -> TokenRecord?
  /// The token of this id, also when it is expired or revoked, or its user is not active. Visible to
  /// its user and to those who see everybody, as in lists.
  func token(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> TokenRecord?
  /// What tokens stand for at a time: the lesser of a token's role and its user's. Those that do not
  /// work then, or whose user is not active, are missing.
  func roles(of ids: [EntityID], at now: Timestamp) async throws(StoreError) -> [EntityID: Role]
  /// Newest first; the store may leave out the oldest of very many.
  func tokens(user: EntityID?, scope: AccessScope) async throws(StoreError) -> [TokenRecord]
  /// Revokes a token, those that were made with it, and so on: also one that is being made. The event of
  /// each that worked until now is committed with it.
  ///
  /// - Parameter event: makes the event of one that is revoked; asked again where others came meanwhile.
  /// - Returns: whether there was such a token.
  func revoke(
    _ id: EntityID, at now: Timestamp, event: @Sendable (TokenRecord) -> NewEvent
  ) async throws(StoreError) -> Bool
}
