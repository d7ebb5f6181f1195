internal import Domain

/// What learners and instructors may use where nothing was set for them. Nil is: no limit. Services and
/// admins, who act for many, have none but what is set.
package struct QuotaDefaults: Sendable, Hashable {
  package var callsPerSecond: Double?
  package var streamMax: Int32?
  package var bytesPerDay: Int64?
  /// Of everybody, whatever their role.
  package var modelTokensPerDay: Int64?

  package init(
    callsPerSecond: Double? = nil, streamMax: Int32? = nil, bytesPerDay: Int64? = nil,
    modelTokensPerDay: Int64? = nil
  ) {
    self.callsPerSecond = callsPerSecond
    self.streamMax = streamMax
    self.bytesPerDay = bytesPerDay
    self.modelTokensPerDay = modelTokensPerDay
  }

  /// What holds for a user: `set`, and the defaults for the rest. Nil is: no limit.
  func effective(_ set: Quota?, _ userID: EntityID, isForMany: Bool) -> Quota {
    var quota = Quota(userID: userID)
    quota.callsPerSecond = Self.limit(set?.callsPerSecond, isForMany ? nil : callsPerSecond)
    quota.streamMax = Self.limit(set?.streamMax, isForMany ? nil : streamMax)
    quota.bytesPerDay = Self.limit(set?.bytesPerDay, isForMany ? nil : bytesPerDay)
    quota.modelTokensPerDay = Self.limit(set?.modelTokensPerDay, modelTokensPerDay)
    quota.burst = quota.callsPerSecond.map { rate in
      set?.burst ?? Int64(max(1, (rate * 2).rounded(.up)))
    }
    return quota
  }

  private static func limit<Value: SignedNumeric & Comparable>(
    _ set: Value?, _ standard: Value?
  ) -> Value? {
    guard let set else { return standard }
    return set < 0 ? nil : set
  }
}
