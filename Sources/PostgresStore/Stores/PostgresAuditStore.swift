package import Domain

package struct PostgresAuditStore: AuditStore {
  /// The most rows of one read.
  private static let limitMax = 10_000

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func append(_ entries: [AuditEntry]) async throws(StoreError) {
    guard !entries.isEmpty else { return }
    let unit = StatementUnit(
      writing: [AuditStatements.lock(), AuditStatements.append(Listed(entries))], for: .audit)
    _ = try await database.run(unit)
  }

  package func entries(
    _ query: AuditQuery, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<AuditEntry> {
    let bounds = AuditStatements.Bounds(
      scope, page.after?.entryNumber ?? .max, page.rowLimit, query.kinds.map(\.rawValue),
      query.from ?? .distantPast, query.until ?? .distantFuture)
    let call =
      switch (query.actorID, query.subjectID) {
      case (let actor?, let subject?): AuditStatements.byBoth(bounds, actor, subject)
      case (let actor?, nil): AuditStatements.byActor(bounds, actor)
      case (nil, let subject?): AuditStatements.bySubject(bounds, subject)
      case (nil, nil) where scope.role.seesEverybody: AuditStatements.all(bounds)
      case (nil, nil): AuditStatements.ofCaller(bounds, scope.callerID)
      }
    let rows = try await database.rows(call, as: Viewer(scope), on: .long)
    return try page.page(rows, key: { PageKey(entry: $0.number) }, AuditRow.read)
  }

  package func entries(
    after number: Int64, limit: Int
  ) async throws(StoreError) -> [AuditEntry] {
    guard limit > 0 else { return [] }
    return try await database.rows(
      AuditStatements.after(number, Int64(min(limit, Self.limitMax))), as: .system(.audit)
    ).map(AuditRow.read)
  }

  package func removedEntry() async throws(StoreError) -> Int64 {
    try await database.rows(
      AuditStatements.removed(), as: .system(.audit), on: .long
    ).first?.value(0) ?? 0
  }

  package func lastSeal() async throws(StoreError) -> LogSeal? {
    try await database.rows(AuditStatements.lastSeal(), as: .nobody).first(SealRow.read)
  }

  package func seals(after number: Int64, limit: Int) async throws(StoreError) -> [LogSeal] {
    try await database.rows(
      AuditStatements.sealsAfter(number, Int64(max(1, min(limit, Self.limitMax)))), as: .nobody
    ).map(SealRow.read)
  }

  package func insert(_ seal: LogSeal) async throws(StoreError) -> Bool {
    let unit = StatementUnit(
      writing: [AuditStatements.insertSeal(Inserted(seal))], for: .audit)
    return try await database.run(unit).last?.first != nil
  }

  package func eventOutsideTheLog() async throws(StoreError) -> EntityID? {
    try await database.rows(AuditStatements.stray(), as: .system(.audit), on: .long).first?.value(0)
  }
}
