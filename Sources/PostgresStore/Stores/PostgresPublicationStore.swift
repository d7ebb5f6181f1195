package import Domain

/// Who publishes the log to a broker, and how far: one row for each exchange.
package struct PostgresPublicationStore: PublicationStore {
  private static let errorByteCountMax = 1000

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func acquire(
    _ name: String, owner: EntityID, for lifetime: Duration
  ) async throws(StoreError) -> PublicationLease? {
    let rows = try await database.write(
      PublicationStatements.acquire(name, owner, lifetime.microseconds), for: .publishing)
    guard let row = rows.first else { return nil }
    return PublicationLease(
      name: name, owner: owner, generation: try row.value(0),
      epoch: UInt32(truncatingIfNeeded: try row.value(2, as: Int64.self)),
      position: try row.value(1))
  }

  package func advance(
    _ lease: PublicationLease, to position: Int64, status: PublicationStatus,
    for lifetime: Duration
  ) async throws(StoreError) -> Bool {
    let error = String(
      decoding: status.lastError.utf8.prefix(Self.errorByteCountMax), as: UTF8.self)
    let call = PublicationStatements.advance(
      lease.name, lease.owner, lease.generation, Int64(lease.epoch), position,
      lifetime.microseconds, status.condition.rawValue, status.since, status.unconfirmedCount,
      error)
    // One that is lost in a crash has events published twice, which is promised anyway.
    let unit = StatementUnit(
      writing: [SequencerStatements.withoutFlush(), call], for: .publishing)
    return try await database.run(unit).last?.first != nil
  }

  package func release(_ lease: PublicationLease) async throws(StoreError) {
    _ = try await database.write(
      PublicationStatements.release(lease.name, lease.owner, lease.generation), for: .publishing)
  }

  package func publication(_ name: String) async throws(StoreError) -> Publication? {
    let rows = try await database.rows(PublicationStatements.publication(name), as: .system(.log))
    guard let row = rows.first else { return nil }
    return Publication(
      position: try row.value(0), status: try PublicationStatus.read(row, at: 1))
  }
}

extension PublicationStatus {
  /// Of the columns condition, condition_since, unconfirmed and last_error from `first` on; nil where there is
  /// no condition.
  static func read(_ row: Row, at first: Int) throws(StoreError) -> PublicationStatus? {
    guard let text = try row.value(first, as: String?.self),
      let condition = PublicationCondition(rawValue: text),
      let since = try row.value(first + 1, as: Timestamp?.self)
    else { return nil }
    return PublicationStatus(
      condition: condition, since: since, unconfirmedCount: try row.value(first + 2),
      lastError: try row.value(first + 3))
  }
}

extension Duration {
  fileprivate var microseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }
}
