package import Domain

package struct PostgresExternalEventStore: ExternalEventStore {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func records(
    of keys: [ExternalKey]
  ) async throws(StoreError) -> [ExternalRecord] {
    try await database.rows(
      ExternalStatements.records(keys.map(\.source), keys.map(\.externalID)), as: .nobody
    ).map { (row) throws(StoreError) in
      let (source, id, eventID, hash): (String, String, EntityID, Bytes) = try row.values()
      return ExternalRecord(
        key: ExternalKey(source: source, externalID: id), eventID: eventID,
        contentHash: hash.bytes)
    }
  }

  package func subjects(
    _ keys: [SubjectKey]
  ) async throws(StoreError) -> [ExternalSubject] {
    try await database.rows(
      ExternalStatements.subjects(keys.map(\.source), keys.map(\.subject)), as: .nobody
    ).map { (row) throws(StoreError) in
      let (source, subject, id, version): (String, String, EntityID, Int64) = try row.values()
      return ExternalSubject(
        key: SubjectKey(source: source, subject: subject), entityID: id, version: version,
        loadedVersion: version)
    }
  }
}
