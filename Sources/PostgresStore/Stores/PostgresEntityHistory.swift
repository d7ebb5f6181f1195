package import Domain

/// The events of single entities, for people who look at what was.
package struct PostgresEntityHistory: Sendable {
  private let database: PostgresDatabase
  private let log: PostgresEventLog

  package init(_ database: PostgresDatabase, log: PostgresEventLog) {
    self.database = database
    self.log = log
  }

  /// The last event of an entity up to a position; nil where it had none then.
  ///
  /// What has left the database is read page by page: which entity an event is of is not in what stays.
  package func lastEvent(
    of type: EntityType, _ id: EntityID, through position: Int64?
  ) async throws(StoreError) -> StoredEvent? {
    let last = position ?? .max
    let found = try await database.rows(
      EventStatements.lastOfEntity(type.rawValue, id, last), as: .system(.log)
    ).first(EventRow.read)
    if let found { return found }
    let floor = try await log.floor().position
    var after: Int64 = 0
    var latest: StoredEvent?
    while after < min(floor, last) {
      let page = try await log.page(after: after, limit: 10_000, byteCountMax: 16 << 20)
      guard let end = page.events.last?.position else { break }
      latest =
        page.events.last {
          $0.position <= last && $0.entityType == type.rawValue && $0.entityID == id
        } ?? latest
      after = end
    }
    return latest
  }
}
