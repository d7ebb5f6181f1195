package import Domain

package struct PostgresTokenStore: TokenStore {
  /// The most tokens that one list holds.
  package static let listMax = 1000

  private static let revocationAttemptMax = 8

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func insert(_ token: TokenRecord, event: NewEvent) async throws(StoreError) {
    let unit = StatementUnit(
      writing: [TokenStatements.insert(Inserted(token))] + (try Self.insert(event)), for: .commit)
    _ = try await database.run(unit)
  }

  package func insert(
    _ token: TokenRecord, event: NewEvent, workingCountMax: Int
  ) async throws(StoreError) -> TokenInsertion {
    let unit = StatementUnit(
      writing: [
        TokenStatements.shareFamilies(), TokenStatements.lockOwner(token.userID),
        TokenStatements.insertLimited(Inserted(token), Int64(workingCountMax)),
      ] + (try Self.insert(event)), for: .commit)
    guard let row = try await database.run(unit).dropLast().last?.first else {
      throw .corrupt("the insertion of a token gave no result")
    }
    let (isInserted, hasParent): (Bool, Bool) = try row.values()
    if isInserted { return .inserted }
    return hasParent ? .limitReached : .parentEnded
  }

  package func token(hash: [UInt8]) async throws(StoreError) -> TokenRecord? {
    try await database.rows(
      TokenStatements.byHash(Bytes(hash)), as: .system(.authentication)
    ).first(TokenRow.read)
  }

  package func token(
    _ id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> TokenRecord? {
    try await database.rows(TokenStatements.byID(scope, id), as: Viewer(scope))
      .first(TokenRow.read)
  }

  package func roles(
    of ids: [EntityID], at now: Timestamp
  ) async throws(StoreError) -> [EntityID: Role] {
    var roles: [EntityID: Role] = [:]
    let rows = try await database.rows(
      TokenStatements.roles(ids, now), as: .system(.authentication))
    for index in 0..<rows.count {
      let (id, ofToken, ofUser): (EntityID, Role, Role) = try rows[index].values()
      roles[id] = min(ofToken, ofUser)
    }
    return roles
  }

  package func tokens(
    user: EntityID?, scope: AccessScope
  ) async throws(StoreError) -> [TokenRecord] {
    let limit = Int64(PostgresTokenStore.listMax)
    let call =
      if let user = user ?? (scope.role.seesEverybody ? nil : scope.callerID) {
        TokenStatements.listByUser(scope, limit, user)
      } else {
        TokenStatements.list(scope, limit)
      }
    return try await database.rows(call, as: Viewer(scope)).map(TokenRow.read)
  }

  package func revoke(
    _ id: EntityID, at now: Timestamp, event: @Sendable (TokenRecord) -> NewEvent
  ) async throws(StoreError) -> Bool {
    for _ in 0..<PostgresTokenStore.revocationAttemptMax {
      let family = try await database.rows(
        TokenStatements.familyOf(id), as: .system(.authentication)
      ).map(TokenRow.read)
      let working = family.filter { $0.revokedAt == nil }
      if working.isEmpty { return !family.isEmpty }
      var calls = [
        TokenStatements.lockFamilies(), TokenStatements.revoke(id, now, working.map(\.id)),
      ]
      for var token in working {
        token.revokedAt = now
        calls += try Self.insert(event(token))
      }
      do throws(UnitError) {
        _ = try await database.attempt(StatementUnit(writing: calls, for: .commit))
        return true
      } catch {
        // One was made or revoked meanwhile.
        guard error.serverError?.sqlState == ServerError.stale else { throw error.storeError }
      }
    }
    throw .unavailable("tokens are made with this one again and again", maybeCommitted: false)
  }

  private static func insert(_ event: NewEvent) throws(StoreError) -> [StatementCall] {
    try PostgresWriteStore.sealed([event]).map { TokenStatements.insertEvent(Inserted($0)) }
  }
}
