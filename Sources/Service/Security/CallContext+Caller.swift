internal import Domain
internal import RPC

extension CallContext {
  /// The caller. The router lets nobody into a method that needs one without a token, so that this
  /// fails only for a principal that no user of this server can be.
  var caller: Caller {
    get throws(RPCError) {
      let principal = try requirePrincipal()
      guard let userID = EntityID(principal.userID),
        let role = Role(rawValue: principal.role.rawValue)
      else { throw RPCError(.unauthenticated, "the caller is not a user of this server") }
      return Caller(userID: userID, role: role, tokenID: EntityID(principal.tokenID))
    }
  }
}
