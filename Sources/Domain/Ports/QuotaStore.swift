/// What a user may use. Nil is: the default of the user's role.
package struct Quota: Sendable, Hashable {
  /// As a value: no limit.
  package static let unlimited = -1

  package var userID: EntityID
  package var callsPerSecond: Double?
  /// Calls at once after a rest.
  package var burst: Int64?
  package var modelTokensPerDay: Int64?
  package var streamMax: Int32?
  package var bytesPerDay: Int64?

  package init(
    userID: EntityID, callsPerSecond: Double? = nil, burst: Int64? = nil,
    modelTokensPerDay: Int64? = nil, streamMax: Int32? = nil, bytesPerDay: Int64? = nil
  ) {
    self.userID = userID
    self.callsPerSecond = callsPerSecond
    self.burst = burst
    self.modelTokensPerDay = modelTokensPerDay
    self.streamMax = streamMax
    self.bytesPerDay = bytesPerDay
  }
}

/// Where a reader of quotas is: they are read in the order of their changes.
package struct QuotaPlace: Sendable, Hashable {
  /// Before all of them.
  package static let start = QuotaPlace(
    updatedAt: Timestamp(microsecondsSinceEpoch: 0), userID: EntityID(high: 0, low: 0))

  package var updatedAt: Timestamp
  package var userID: EntityID

  package init(updatedAt: Timestamp, userID: EntityID) {
    self.updatedAt = updatedAt
    self.userID = userID
  }
}

/// A quota with when it was set, by the store's clock.
package struct StoredQuota: Sendable, Hashable {
  package var quota: Quota
  package var updatedAt: Timestamp

  package init(quota: Quota, updatedAt: Timestamp) {
    self.quota = quota
    self.updatedAt = updatedAt
  }

  package var place: QuotaPlace { QuotaPlace(updatedAt: updatedAt, userID: quota.userID) }
}

/// Quotas, and what users have stored. Both are written by commits: `Change.saveQuota`, and
/// `Write.chargedTo`.
package protocol QuotaStore: Sendable {
  /// What was set for a user; nil where nothing was.
  func quota(of userID: EntityID) async throws(StoreError) -> Quota?
  /// At most `limit` quotas that were set after a place. What was committed meanwhile may have an
  /// earlier time than what was read: look back a little.
  func quotas(after place: QuotaPlace, limit: Int) async throws(StoreError) -> [StoredQuota]
  /// What users have stored on the day (UTC) of `time`; without those that stored nothing.
  func storedByteCounts(
    of userIDs: [EntityID], at time: Timestamp
  ) async throws(StoreError) -> [EntityID: Int64]
}
