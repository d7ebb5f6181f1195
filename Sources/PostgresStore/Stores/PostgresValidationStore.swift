package import Domain
import JSON

package struct PostgresValidationStore: ValidationStore {
  private static let pageMax = 1000

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func validation(
    _ id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> FoundValidation? {
    try await found(ValidationStatements.byID(OverseerScope(scope: scope), id), scope)
  }

  package func lastValidation(
    ofSnapshot id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> FoundValidation? {
    try await found(ValidationStatements.lastOfSnapshot(OverseerScope(scope: scope), id), scope)
  }

  private func found(
    _ call: StatementCall, _ scope: AccessScope
  ) async throws(StoreError) -> FoundValidation? {
    try await database.rows(call, as: Viewer(scope)).first { (row) throws(StoreError) in
      let json: JSONValue? = try row.value(ValidationRow.width)
      let report = json.map { ValidationReport(json: $0) }
      if case .some(nil) = report { throw .corrupt("a whole report cannot be read") }
      return FoundValidation(run: try ValidationRow.read(row), fullReport: report ?? nil)
    }
  }

  package func validations(
    _ filter: ValidationFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<ValidationRun> {
    let list = ValidationStatements.List(OverseerScope(scope: scope), filter.status, page)
    let call =
      if let id = filter.snapshotID {
        ValidationStatements.listBySnapshot(list, id)
      } else if let id = filter.taskID {
        ValidationStatements.listByTask(list, id)
      } else if let id = filter.groupID {
        ValidationStatements.listByGroup(list, id)
      } else {
        ValidationStatements.listByOwner(list, filter.ownerID ?? scope.callerID)
      }
    return try page.page(
      try await database.rows(call, as: Viewer(scope)),
      key: { PageKey(time: $0.createdAt, id: $0.id) }, ValidationRow.read)
  }

  package func events(
    ofValidation id: EntityID, after version: Int64, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent] {
    // Events are their learner's: an instructor who may see the validation is shown them by the server.
    let isInstructor = scope.role == .instructor
    if isInstructor, try await validation(id, scope: scope) == nil { return [] }
    let call = ValidationStatements.events(
      OverseerScope(scope: scope), id, version, Int64(max(0, min(limit, Self.pageMax))))
    let viewer = isInstructor ? Viewer.system(.validation) : Viewer(scope)
    return try await database.rows(call, as: viewer).map(EventRow.read)
  }

  package func files(
    ofSnapshot id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> [SourceFile] {
    try await database.rows(
      ValidationStatements.files(OverseerScope(scope: scope), id), as: Viewer(scope)
    ).map { (row) throws(StoreError) in try SnapshotFileRow.read(row).file }
  }

  package func judgedSnapshots(ofTasks ids: [EntityID]) async throws(StoreError) -> [EntityID] {
    try await database.rows(
      ValidationStatements.judgedSnapshots(ids), as: .system(.validation)
    ).map { (row) throws(StoreError) in try row.value(0) }
  }
}

extension PostgresValidationStore: ValidationQueue {
  package func queuedCount(of key: EntityID) async throws(StoreError) -> Int {
    let count: Int64? = try await database.rows(
      ValidationStatements.queuedCount(key), as: .system(.validation)
    ).first?.value(0)
    return Int(count ?? 0)
  }

  package func position(of id: EntityID) async throws(StoreError) -> Int? {
    let count: Int64? = try await database.rows(
      ValidationStatements.position(id), as: .system(.validation)
    ).first?.value(0)
    return count.map { Int($0) }
  }

  package func claim(
    _ lease: AgentLease, isAlone: Bool
  ) async throws(StoreError) -> ValidationRun? {
    let abandoned = try await database.write(
      ValidationStatements.claimAbandoned(lease.owner, lease.microseconds, isAlone),
      for: .validation
    ).first(ValidationRow.read)
    if let abandoned { return abandoned }
    return try await database.write(
      ValidationStatements.claimQueued(lease.owner, lease.microseconds), for: .validation
    ).first(ValidationRow.read)
  }

  package func renew(
    _ lease: AgentLease, ofValidation id: EntityID
  ) async throws(StoreError) -> Bool {
    try await database.write(
      ValidationStatements.renew(id, lease.owner, lease.microseconds), for: .validation
    ).count > 0
  }

  package func release(
    ofValidation id: EntityID, owner: String
  ) async throws(StoreError) {
    _ = try await database.write(ValidationStatements.release(id, owner), for: .validation)
  }
}

package struct PostgresTaskTestsStore: TaskTestsStore {
  private static let listMax = 1000

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func taskTests(
    ofTasks ids: [EntityID], scope: AccessScope
  ) async throws(StoreError) -> [TaskTests] {
    try await database.rows(
      TaskTestsStatements.ofTasks(OverseerScope(scope: scope), ids), as: Viewer(scope)
    ).map(TaskTestsRow.read)
  }

  package func history(
    ofTask id: EntityID, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [TaskTests] {
    try await database.rows(
      TaskTestsStatements.history(OverseerScope(scope: scope), id, Self.bounded(limit)),
      as: Viewer(scope)
    ).map(TaskTestsRow.read)
  }

  package func tasks(
    withSuite id: EntityID, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [TaskTests] {
    try await database.rows(
      TaskTestsStatements.withSuite(OverseerScope(scope: scope), id, Self.bounded(limit)),
      as: Viewer(scope)
    ).map(TaskTestsRow.read)
  }

  package func suite(_ id: EntityID) async throws(StoreError) -> StoredSuite? {
    try await database.rows(TaskTestsStatements.suite(id), as: .system(.validation))
      .first(SuiteRow.read)
  }

  package func suite(
    hash: [UInt8], authorID: EntityID
  ) async throws(StoreError) -> StoredSuite? {
    try await database.rows(
      TaskTestsStatements.suiteByHash(authorID, Bytes(hash)), as: .own(authorID)
    ).first(SuiteRow.read)
  }

  private static func bounded(_ limit: Int) -> Int64 { Int64(max(0, min(limit, listMax))) }
}
