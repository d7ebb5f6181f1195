/// A bearer token as it is stored: never the token itself, only its SHA-256.
package struct TokenRecord: Sendable, Hashable {
  package var id: EntityID
  package var userID: EntityID
  package var role: Role
  package var hash: [UInt8]
  /// What a person called it, to know it again in a list.
  package var label: String
  package var scopes: [String]
  package var createdAt: Timestamp
  package var expiresAt: Timestamp
  package var revokedAt: Timestamp?

  package init(
    id: EntityID, userID: EntityID, role: Role, hash: [UInt8], label: String, scopes: [String],
    createdAt: Timestamp, expiresAt: Timestamp, revokedAt: Timestamp? = nil
  ) {
    self.id = id
    self.userID = userID
    self.role = role
    self.hash = hash
    self.label = label
    self.scopes = scopes
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.revokedAt = revokedAt
  }
}

package protocol TokenStore: Sendable {
  func insert(_ token: TokenRecord) async throws(StoreError)
  /// The token with this hash, also when it is expired or revoked; nil also where its user is not
  /// active.
  func token(hash: [UInt8]) async throws(StoreError) -> TokenRecord?
  /// The token of this id, also when it is expired or revoked, or its user is not active.
  func token(_ id: EntityID) async throws(StoreError) -> TokenRecord?
  /// Newest first; the store may leave out the oldest of very many.
  func tokens(user: EntityID?) async throws(StoreError) -> [TokenRecord]
  /// - Returns: whether there was such a token.
  func revoke(_ id: EntityID, at now: Timestamp) async throws(StoreError) -> Bool
}
