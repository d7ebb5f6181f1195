package import Domain

package struct PostgresUserRepository: UserRepository {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func user(_ id: UUIDv7, scope: AccessScope) async throws(StoreError) -> User? {
    try await database.rows(
      UserStatements.byID { parameters in
        parameters.append(id)
        parameters.append(scope.role.seesEverybody)
        parameters.append(scope.callerID)
      }
    ).first(PostgresUserRepository.user)
  }

  package func user(
    externalID: String, scope: AccessScope
  ) async throws(StoreError) -> User? {
    try await database.rows(
      UserStatements.byExternalID { parameters in
        parameters.append(externalID)
        parameters.append(scope.role.seesEverybody)
        parameters.append(scope.callerID)
      }
    ).first(PostgresUserRepository.user)
  }

  package func users(
    role: Role?, includeInactive: Bool, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<User> {
    let statement = role == nil ? UserStatements.list : UserStatements.listByRole
    let rows = try await database.rows(
      statement { parameters in
        parameters.append(scope.role.seesEverybody)
        parameters.append(scope.callerID)
        parameters.append(includeInactive)
        parameters.append(page)
        if let role { parameters.append(role.rawValue) }
      })
    return try page.page(
      rows, key: { PageKey(time: $0.createdAt, id: $0.id) }, PostgresUserRepository.user)
  }

  private static func user(_ row: Row) throws(StoreError) -> User {
    User(
      id: try row.uuid(0), externalID: try row.optionalText(1), displayName: try row.text(2),
      email: try row.optionalText(3), role: try row.value(4), language: try row.text(5),
      timeZone: try row.text(6), isActive: try row.bool(7), version: try row.int64(8),
      createdAt: try row.timestamp(9), updatedAt: try row.timestamp(10))
  }
}
