package import Domain

package struct PostgresTokenStore: TokenStore {
  /// The most tokens that one list holds.
  package static let listMax = 1000

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func insert(_ token: TokenRecord) async throws(StoreError) {
    _ = try await database.write(TokenStatements.insert(Inserted(token)), for: .commit)
  }

  package func insert(
    _ token: TokenRecord, workingCountMax: Int
  ) async throws(StoreError) -> TokenInsertion {
    let unit = StatementUnit(
      writing: [
        TokenStatements.shareFamilies(), TokenStatements.lockOwner(token.userID),
        TokenStatements.insertLimited(Inserted(token), Int64(workingCountMax)),
      ], for: .commit)
    guard let row = try await database.run(unit).last?.first else {
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

  package func revoke(_ id: EntityID, at now: Timestamp) async throws(StoreError) -> Bool {
    let unit = StatementUnit(
      writing: [TokenStatements.lockFamilies(), TokenStatements.revoke(id, now)], for: .commit)
    let count = try await database.run(unit).last?.first?.value(0, as: Int64.self) ?? 0
    return count > 0
  }
}
