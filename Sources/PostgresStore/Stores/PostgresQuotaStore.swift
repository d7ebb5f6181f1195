package import Domain

/// Quotas of users, and what users have stored. They are written with other writes.
package struct PostgresQuotaStore: QuotaStore {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func quota(of userID: EntityID) async throws(StoreError) -> Quota? {
    try await database.rows(
      UsageStatements.quota(userID), as: .system(.usage)
    ).first(Self.read)?.quota
  }

  package func quotas(
    after place: QuotaPlace, limit: Int
  ) async throws(StoreError) -> [StoredQuota] {
    try await database.rows(
      UsageStatements.quotas(place.updatedAt, place.userID, Int64(max(0, limit))),
      as: .system(.usage)
    ).map(Self.read)
  }

  package func storedByteCounts(
    of userIDs: [EntityID], at time: Timestamp
  ) async throws(StoreError) -> [EntityID: Int64] {
    let rows = try await database.rows(
      UsageStatements.storedBytes(userIDs, time), as: .system(.usage))
    let counts: [(EntityID, Int64)] = try rows.map { (row) throws(StoreError) in
      try row.values()
    }
    return Dictionary(uniqueKeysWithValues: counts)
  }

  /// Removes at most `limit` rows of days before `time`.
  ///
  /// - Returns: how many were removed.
  package func purgeStoredBytes(
    before time: Timestamp, limit: Int
  ) async throws(StoreError) -> Int {
    let count = try await database.write(
      UsageStatements.purgeStoredBytes(time, Int64(limit)), for: .housekeeping, on: .long
    ).first?.value(0, as: Int64.self)
    return Int(count ?? 0)
  }

  private static func read(_ row: Row) throws(StoreError) -> StoredQuota {
    let (userID, rate, burst, tokens, streams, bytes, time):
      (EntityID, Double?, Int64?, Int64?, Int32?, Int64?, Timestamp) = try row.values()
    return StoredQuota(
      quota: Quota(
        userID: userID, callsPerSecond: rate, burst: burst, modelTokensPerDay: tokens,
        streamMax: streams, bytesPerDay: bytes),
      updatedAt: time)
  }
}
