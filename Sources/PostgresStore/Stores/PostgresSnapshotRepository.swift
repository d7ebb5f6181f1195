package import Domain

package struct PostgresSnapshotRepository: SnapshotRepository {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func snapshot(
    _ id: UUIDv7, scope: AccessScope
  ) async throws(StoreError) -> FoundSnapshot? {
    try await database.rows(
      SnapshotStatements.byID { parameters in
        bind(scope, &parameters)
        parameters.append(id)
      }
    ).first { (row) throws(StoreError) in
      FoundSnapshot(
        snapshot: try Self.snapshot(row), goalCourseID: try row.optionalUUID(Self.columnCount),
        isExample: try row.bool(Self.columnCount + 1))
    }
  }

  package func snapshots(
    _ filter: SnapshotFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<CodeSnapshot> {
    func bindList(_ parameters: inout ParameterBuffer) {
      bind(scope, &parameters)
      parameters.append(filter.verdict?.rawValue)
      parameters.append(page)
    }
    let call =
      if let taskID = filter.taskID {
        SnapshotStatements.listByTask { parameters in
          bindList(&parameters)
          parameters.append(taskID)
          parameters.append(filter.ownerID)
        }
      } else if let owner = filter.ownerID ?? (scope.role.seesEverybody ? nil : scope.callerID) {
        SnapshotStatements.listByOwner { parameters in
          bindList(&parameters)
          parameters.append(owner)
        }
      } else {
        SnapshotStatements.listAll(bindList)
      }
    return try page.page(
      try await database.rows(call), key: { PageKey(time: $0.createdAt, id: $0.id) },
      Self.snapshot)
  }

  private func bind(_ scope: AccessScope, _ parameters: inout ParameterBuffer) {
    parameters.append(scope.role.seesEverybody)
    parameters.append(scope.callerID)
    parameters.append(scope.role == .instructor)
  }

  private static let columnCount = 23

  private static func snapshot(_ row: Row) throws(StoreError) -> CodeSnapshot {
    CodeSnapshot(
      id: try row.uuid(0), userID: try row.uuid(1), goalID: try row.optionalUUID(2),
      taskID: try row.optionalUUID(3), referenceCourseID: try row.optionalUUID(4),
      filePath: try row.text(5), language: try row.text(6), content: try row.text(7),
      contentHash: try row.bytes(8), judgement: try judgement(row), isShared: try row.bool(19),
      version: try row.int64(20), createdAt: try row.timestamp(21),
      updatedAt: try row.timestamp(22))
  }

  private static func judgement(_ row: Row) throws(StoreError) -> Judgement? {
    guard try !row.isNull(9) else { return nil }
    return Judgement(
      verdict: try row.value(9), score: try row.isNull(10) ? nil : try row.double(10),
      feedback: try row.text(11),
      provenance: Provenance(
        source: try row.text(12), actorID: try row.uuid(13),
        toolVersions: try table(row, names: 15, values: 16),
        limits: try table(row, names: 17, values: 18), policy: try row.text(14)))
  }

  private static func table(
    _ row: Row, names: Int, values: Int
  ) throws(StoreError) -> [String: String] {
    let (names, values) = (try row.texts(names), try row.texts(values))
    guard names.count == values.count else { throw .corrupt("a provenance is torn") }
    return Dictionary(zip(names, values)) { first, _ in first }
  }
}
