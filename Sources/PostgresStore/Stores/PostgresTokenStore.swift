package import Domain

package struct PostgresTokenStore: TokenStore {
  /// The most tokens that one list holds.
  package static let listMaximum = 1000

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func insert(_ token: TokenRecord) async throws(StoreError) {
    let call = TokenStatements.insert { parameters in
      parameters.append(token.id)
      parameters.append(token.userID)
      parameters.append(token.role.rawValue)
      parameters.append(bytes: token.hash)
      parameters.append(token.label)
      parameters.append(token.scopes)
      parameters.append(token.createdAt)
      parameters.append(token.expiresAt)
      parameters.append(token.revokedAt)
    }
    _ = try await database.run(StatementUnit([call], isWrite: true))
  }

  package func token(hash: [UInt8]) async throws(StoreError) -> TokenRecord? {
    try await database.rows(
      TokenStatements.byHash { $0.append(bytes: hash) }
    ).first(PostgresTokenStore.token)
  }

  package func token(_ id: UUIDv7) async throws(StoreError) -> TokenRecord? {
    try await database.rows(
      TokenStatements.byID { $0.append(id) }
    ).first(PostgresTokenStore.token)
  }

  package func tokens(user: UUIDv7?) async throws(StoreError) -> [TokenRecord] {
    let limit = Int64(PostgresTokenStore.listMaximum)
    let call =
      if let user {
        TokenStatements.listByUser { parameters in
          parameters.append(limit)
          parameters.append(user)
        }
      } else {
        TokenStatements.list { $0.append(limit) }
      }
    return try await database.rows(call).map(PostgresTokenStore.token)
  }

  package func revoke(_ id: UUIDv7, at now: Timestamp) async throws(StoreError) -> Bool {
    let call = TokenStatements.revoke { parameters in
      parameters.append(id)
      parameters.append(now)
    }
    let results = try await database.run(StatementUnit([call], isWrite: true))
    return try results.first?.first?.int64(0) == 1
  }

  private static func token(_ row: Row) throws(StoreError) -> TokenRecord {
    TokenRecord(
      id: try row.uuid(0), userID: try row.uuid(1), role: try row.value(2),
      hash: try row.bytes(3), label: try row.text(4), scopes: try row.texts(5),
      createdAt: try row.timestamp(6), expiresAt: try row.timestamp(7),
      revokedAt: try row.optionalTimestamp(8))
  }
}
