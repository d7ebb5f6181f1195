package import Domain

package struct PostgresUserRepository: UserRepository {
  private let database: PostgresDatabase
  private let floor: ScanFloor

  /// - Parameter scanMax: how many rows a filtered list of everybody's looks at for one page.
  package init(_ database: PostgresDatabase, scanMax: Int? = nil) {
    self.database = database
    floor = ScanFloor(database, rowMax: scanMax)
  }

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
    // Those of a role have an index of their own, and hardly any of them is inactive.
    let isFiltered = role == nil && !includeInactive && scope.role.seesEverybody
    let floor = isFiltered ? try await floor.time(for: page) { UserStatements.floor($0) } : nil
    let list = UserStatements.List(scope, includeInactive, floor ?? .distantPast, page)
    let call =
      if let role {
        UserStatements.listByRole(list, role)
      } else {
        UserStatements.list(list)
      }
    return try page.page(
      try await database.rows(call, as: Viewer(scope)), downTo: floor,
      key: { PageKey(time: $0.createdAt, id: $0.id) },
      UserRow.read)
  }
}
