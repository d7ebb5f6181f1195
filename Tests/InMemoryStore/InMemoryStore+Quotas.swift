package import Domain

extension InMemoryStore: QuotaStore {
  package func quota(of userID: EntityID) async throws(StoreError) -> Quota? {
    try access(.read) { $0.quotas[userID]?.quota }
  }

  package func quotas(
    after place: QuotaPlace, limit: Int
  ) async throws(StoreError) -> [StoredQuota] {
    try access(.read) { state in
      Array(
        state.quotas.values.filter {
          ($0.updatedAt, $0.quota.userID) > (place.updatedAt, place.userID)
        }
        .sorted { ($0.updatedAt, $0.quota.userID) < ($1.updatedAt, $1.quota.userID) }
        .prefix(limit))
    }
  }

  package func storedByteCounts(
    of userIDs: [EntityID], at time: Timestamp
  ) async throws(StoreError) -> [EntityID: Int64] {
    try access(.read) { state in
      var counts: [EntityID: Int64] = [:]
      for charge in state.charges
      where charge.day == time.dayNumber && userIDs.contains(charge.userID) {
        counts[charge.userID, default: 0] += charge.byteCount
      }
      return counts
    }
  }
}

extension Timestamp {
  /// Days since the epoch.
  var dayNumber: Int64 { microsecondsSinceEpoch / 86_400_000_000 }
}
