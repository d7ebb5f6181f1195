package import Domain
package import RPC

/// Turns bearer tokens into principals by looking up their hash.
package struct TokenAuthenticator: Authenticator {
  private let tokens: any TokenStore
  private let users: any UserRepository
  private let clock: any TimeSource

  package init(tokens: any TokenStore, users: any UserRepository, clock: any TimeSource) {
    self.tokens = tokens
    self.users = users
    self.clock = clock
  }

  package func authenticate(token: String) async throws(RPCError) -> Principal {
    guard let hash = TokenSecret.hash(ofPresented: token) else { throw Self.unknown }
    do {
      guard let record = try await tokens.token(hash: hash) else { throw Self.unknown }
      return try await principal(record)
    } catch {
      throw ErrorTable.rpcError(error)
    }
  }

  private func principal(_ record: TokenRecord) async throws -> Principal {
    if record.revokedAt != nil { throw RPCError(.unauthenticated, "the token was revoked") }
    guard record.expiresAt > clock.now() else {
      throw RPCError(.unauthenticated, "the token has expired")
    }
    let scope = AccessScope(callerID: record.userID, role: .learner)
    guard let user = try await users.user(record.userID, scope: scope), user.isActive else {
      throw RPCError(.unauthenticated, "the user of the token is not active")
    }
    // A token never gives more than its user has now, whatever it was made with.
    let role = min(record.role, user.role)
    return Principal(
      userID: record.userID.description, role: Principal.Role(role),
      tokenID: record.id.description, scopes: record.scopes)
  }

  private static var unknown: RPCError {
    RPCError(.unauthenticated, "the token is not one of this server's")
  }
}

extension Principal.Role {
  fileprivate init(_ role: Role) {
    self =
      switch role {
      case .learner: .learner
      case .instructor: .instructor
      case .service: .service
      case .admin: .admin
      }
  }
}
