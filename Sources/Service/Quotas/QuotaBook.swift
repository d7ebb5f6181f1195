package import Domain
package import RPC
internal import Synchronization

/// What users may use, for calls that ask all the time: everything that was set, read again every few
/// seconds, and what those who write have stored today.
///
/// What is stored is counted by commits, so that it holds for all servers. This one adds its own writes
/// at once and learns of those of others within seconds: a user may pass the limit by what it writes to
/// other servers meanwhile, and by its last write.
package final class QuotaBook: Sendable {
  private struct Stored {
    var day: Int64
    var byteCount: Int64
  }

  private struct State {
    var quotas: [EntityID: Quota] = [:]
    /// Where the quotas were read to.
    var place = QuotaPlace.start
    var stored: [EntityID: Stored] = [:]
    /// Users who wrote since their bytes were read last.
    var written: Set<EntityID> = []
  }

  private static let refreshInterval = Duration.seconds(2)
  private static let pageMax = 1000
  private static let userMax = 100_000
  /// How long a commit may take: one that is read late has an earlier time than what was read before.
  private static let commitTimeMax = Duration.seconds(60)
  private static let microsecondsPerDay: Int64 = 86_400_000_000

  private let store: (any QuotaStore)?
  private let defaults: QuotaDefaults
  private let clock: any TimeSource
  private let state = Mutex(State())

  /// - Parameter store: nil where nothing is kept: then the defaults hold.
  package init(store: (any QuotaStore)?, defaults: QuotaDefaults, clock: any TimeSource) {
    self.store = store
    self.defaults = defaults
    self.clock = clock
  }

  // MARK: What holds

  /// What calls and streams are admitted by.
  package func limits(of principal: Principal) -> CallerLimits {
    guard let userID = EntityID(principal.userID) else { return CallerLimits() }
    let isForMany = principal.role == .service || principal.role == .admin
    let quota = defaults.effective(quota(of: userID), userID, isForMany: isForMany)
    return CallerLimits(
      callsPerSecond: quota.callsPerSecond, burst: Int(clamping: quota.burst ?? 1),
      streamMax: quota.streamMax.map { Int($0) })
  }

  /// - Parameter set: what was set for the user; nil where nothing was.
  func effective(_ set: Quota?, _ userID: EntityID, _ role: Role) -> Quota {
    defaults.effective(set, userID, isForMany: role.seesEverybody)
  }

  /// Nil: no limit.
  package func modelTokensPerDay(of userID: EntityID) -> Int64? {
    defaults.effective(quota(of: userID), userID, isForMany: false).modelTokensPerDay
  }

  private func quota(of userID: EntityID) -> Quota? { state.withLock { $0.quotas[userID] } }

  /// The midnights (UTC) before and after now.
  var day: (start: Timestamp, end: Timestamp) {
    let start = dayNumber * Self.microsecondsPerDay
    return (
      Timestamp(microsecondsSinceEpoch: start),
      Timestamp(microsecondsSinceEpoch: start + Self.microsecondsPerDay)
    )
  }

  private var dayNumber: Int64 { clock.now().microsecondsSinceEpoch / Self.microsecondsPerDay }

  // MARK: What is stored

  /// Refuses a write of a user whose bytes of the day are used up.
  func checkStorage(of caller: Caller) async throws {
    guard
      let maximum = effective(quota(of: caller.userID), caller.userID, caller.role)
        .bytesPerDay
    else { return }
    let today = dayNumber
    let known = state.withLock { $0.stored[caller.userID] }
    let used: Int64
    if let known, known.day == today {
      used = known.byteCount
    } else {
      used = try await readStored([caller.userID], today)[caller.userID] ?? 0
    }
    guard used < maximum else {
      let end = day.end
      throw QuotaExceeded(
        "bytes stored per day", maximum: maximum, used: used,
        retryAfter: .microseconds(max(0, end.microseconds(since: clock.now()))), resetsAt: end)
    }
  }

  /// A write of the user was committed.
  func stored(_ byteCount: Int64, by userID: EntityID) {
    let today = dayNumber
    state.withLock { state in
      state.written.insert(userID)
      guard state.stored[userID]?.day == today else { return }
      state.stored[userID]?.byteCount += byteCount
    }
  }

  /// What the store knows of the users, which is kept for their next writes.
  private func readStored(
    _ userIDs: [EntityID], _ today: Int64
  ) async throws(StoreError) -> [EntityID: Int64] {
    let counts = try await store?.storedByteCounts(of: userIDs, at: clock.now()) ?? [:]
    state.withLock { state in
      // Of yesterday, or of users who have not written for long: they are read again when they do.
      if state.stored.count >= Self.userMax { state.stored.removeAll() }
      for userID in userIDs {
        state.stored[userID] = Stored(day: today, byteCount: counts[userID] ?? 0)
      }
    }
    return counts
  }

  // MARK: What others change

  /// Reads what has changed again and again, until the task is cancelled.
  package func run(failed: @Sendable (StoreError) -> Void) async throws {
    while true {
      do throws(StoreError) {
        try await refresh()
      } catch {
        failed(error)
      }
      try await Task.sleep(for: Self.refreshInterval)
    }
  }

  /// Reads the quotas that were set since the last time, and what those have stored who wrote.
  package func refresh() async throws(StoreError) {
    guard let store else { return }
    var place = state.withLock { $0.place }
    place.updatedAt = place.updatedAt.advanced(by: .zero - Self.commitTimeMax)
    while true {
      let page = try await store.quotas(after: place, limit: Self.pageMax)
      state.withLock { state in
        for stored in page { state.quotas[stored.quota.userID] = stored.quota }
        if let last = page.last, last.updatedAt > state.place.updatedAt { state.place = last.place }
      }
      guard page.count == Self.pageMax, let last = page.last else { break }
      place = last.place
    }
    let today = dayNumber
    var written = state.withLock { state in
      defer { state.written = [] }
      return Array(state.written)
    }
    while !written.isEmpty {
      do throws(StoreError) {
        _ = try await readStored(Array(written.suffix(Self.pageMax)), today)
      } catch {
        let left = written
        state.withLock { $0.written.formUnion(left) }
        throw error
      }
      written.removeLast(min(Self.pageMax, written.count))
    }
  }
}

extension Timestamp {
  fileprivate func microseconds(since other: Timestamp) -> Int64 {
    microsecondsSinceEpoch - other.microsecondsSinceEpoch
  }
}
