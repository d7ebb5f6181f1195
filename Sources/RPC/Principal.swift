/// Who calls: what a token or certificate stands for.
package struct Principal: Sendable, Hashable {
  /// What a caller is. Each may call what those before it may.
  package enum Role: String, Sendable, Hashable, CaseIterable {
    case learner, instructor, service, admin
  }

  package var userID: String
  package var role: Role
  /// Names the token in logs; not the token.
  package var tokenID: String
  package var scopes: [String]

  package init(userID: String, role: Role, tokenID: String, scopes: [String] = []) {
    self.userID = userID
    self.role = role
    self.tokenID = tokenID
    self.scopes = scopes
  }
}

/// Turns a bearer token into a principal. The transport caches answers for a short time.
package protocol Authenticator: Sendable {
  /// Throws `UNAUTHENTICATED` for a token that is unknown, expired or revoked, and `UNAVAILABLE` when
  /// it cannot tell now.
  func authenticate(token: String) async throws(RPCError) -> Principal
}
