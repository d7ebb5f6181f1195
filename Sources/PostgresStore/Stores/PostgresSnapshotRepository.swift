package import Domain

package struct PostgresSnapshotRepository: SnapshotRepository {
  private let database: PostgresDatabase
  private let floor: ScanFloor

  /// - Parameter scanMax: how many rows a filtered list of everybody's looks at for one page.
  package init(_ database: PostgresDatabase, scanMax: Int? = nil) {
    self.database = database
    floor = ScanFloor(database, rowMax: scanMax)
  }

  package func snapshot(
    _ id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> FoundSnapshot? {
    let call = SnapshotStatements.byID(OverseerScope(scope: scope), id)
    if let found = try await snapshot(call, as: Viewer(scope)) { return found }
    // Not the caller's to see, but perhaps shared with them: then nothing leads to its author.
    var example = try await snapshot(call, as: .withExamples(scope.callerID))
    example?.isExample = true
    return example
  }

  private func snapshot(
    _ call: StatementCall, as viewer: Viewer
  ) async throws(StoreError) -> FoundSnapshot? {
    try await database.rows(call, as: viewer).first { (row) throws(StoreError) in
      let (course, isExample): (EntityID?, Bool) = try row.values(from: SnapshotRow.width)
      return FoundSnapshot(
        snapshot: try SnapshotRow.read(row), goalCourseID: course, isExample: isExample)
    }
  }

  package func authors(of ids: [EntityID]) async throws(StoreError) -> [EntityID] {
    guard !ids.isEmpty else { return [] }
    return try await database.rows(SnapshotStatements.authors(ids), as: .system(.audit)).map {
      (row) throws(StoreError) in try row.value(0)
    }
  }

  package func snapshots(
    _ filter: SnapshotFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<CodeSnapshot> {
    let owner = filter.ownerID ?? (scope.role.seesEverybody ? nil : scope.callerID)
    let isOfEverybody = filter.taskID == nil && owner == nil
    let floor =
      isOfEverybody && filter.verdict != nil
      ? try await floor.time(for: page) { SnapshotStatements.floor($0) } : nil
    let list = SnapshotStatements.List(
      OverseerScope(scope: scope), filter.verdict, floor ?? .distantPast, page)
    let call =
      if let taskID = filter.taskID {
        SnapshotStatements.listByTask(list, taskID, filter.ownerID)
      } else if let owner {
        SnapshotStatements.listByOwner(list, owner)
      } else {
        SnapshotStatements.listAll(list)
      }
    return try page.page(
      try await database.rows(call, as: Viewer(scope)), downTo: floor,
      key: { PageKey(time: $0.createdAt, id: $0.id) },
      SnapshotRow.read)
  }
}
