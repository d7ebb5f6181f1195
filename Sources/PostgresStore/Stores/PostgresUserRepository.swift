package import Domain

package struct PostgresUserRepository: UserRepository {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func user(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> User? {
    try await database.rows(UserStatements.byID(id, scope), as: Viewer(scope)).first(UserRow.read)
  }

  package func user(
    externalID: String, scope: AccessScope
  ) async throws(StoreError) -> User? {
    try await database.rows(
      UserStatements.byExternalID(externalID, scope), as: Viewer(scope)
    ).first(UserRow.read)
  }

  package func users(
    role: Role?, includeInactive: Bool, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<User> {
    let list = UserStatements.List(scope, includeInactive, page)
    let call =
      if let role {
        UserStatements.listByRole(list, role)
      } else {
        UserStatements.list(list)
      }
    return try page.page(
      try await database.rows(call, as: Viewer(scope)),
      key: { PageKey(time: $0.createdAt, id: $0.id) },
      UserRow.read)
  }
}
