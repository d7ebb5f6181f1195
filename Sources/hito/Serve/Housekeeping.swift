import Domain
import Logging
import PostgresStore

/// Removes what may be forgotten: replies older than the 24 hours for which a key is remembered, what
/// users stored on days that have passed, and what was kept as long as the settings say.
struct Housekeeping: Sendable {
  /// An hour more than the database remembers a key by its own clock, for clocks that differ: a
  /// reply removed early is a write done twice.
  static let keyLifetime = Duration.seconds(25 * 3600)
  /// Long after the day has ended everywhere.
  private static let usageLifetime = Duration.seconds(7 * 86_400)
  private static let interval = Duration.seconds(600)
  private static let batchLimit = 10_000

  let writes: PostgresWriteStore
  let quotas: PostgresQuotaStore
  let retention: PostgresRetention
  /// How long each is kept after its end; what is not named is kept for ever.
  let lifetimes: [PostgresRetention.Kind: Duration]
  let clock: any TimeSource
  let logger: Logger

  /// Runs until the task is cancelled; a failure is logged and tried again at the next turn.
  func run() async throws {
    var start = Timestamp(microsecondsSinceEpoch: 0)
    while true {
      do throws(StoreError) {
        try await purge(from: &start)
      } catch {
        logger.warning("what is old was not removed", metadata: ["error": "\(error)"])
      }
      try await Task.sleep(for: Housekeeping.interval)
    }
  }

  /// - Parameter start: where the last key that was removed was in time: what the index has before it is
  ///   dead, and need not be read again.
  private func purge(from start: inout Timestamp) async throws(StoreError) {
    let now = clock.now()
    let end = now.advanced(by: .zero - Housekeeping.keyLifetime)
    let partitionCount = try await writes.emptyReplies(before: end, now: now)
    var keyCount = 0
    // In batches, so that no statement holds many rows for long.
    while !Task.isCancelled {
      let batch = try await writes.purgeKeys(
        from: start, before: end, limit: Housekeeping.batchLimit)
      keyCount += batch.count
      start = batch.next ?? start
      if batch.count < Housekeeping.batchLimit { break }
    }
    let before = now.advanced(by: .zero - Housekeeping.usageLifetime)
    while !Task.isCancelled,
      try await quotas.purgeStoredBytes(before: before, limit: Housekeeping.batchLimit)
        == Housekeeping.batchLimit
    {}
    if partitionCount + keyCount > 0 {
      logger.info(
        "removed old replies", metadata: ["keys": "\(keyCount)", "partitions": "\(partitionCount)"])
    }
    try await retain(now)
  }

  private func retain(_ now: Timestamp) async throws(StoreError) {
    for (kind, lifetime) in lifetimes {
      let before = now.advanced(by: .zero - lifetime)
      var removed = 0
      // Until nothing is left: a token goes after those that were made with it.
      while !Task.isCancelled {
        let count = try await retention.purge(kind, before: before, limit: Housekeeping.batchLimit)
        if count == 0 { break }
        removed += count
      }
      if removed > 0 {
        logger.info("removed what was kept long enough", metadata: ["\(kind)": "\(removed)"])
      }
    }
  }
}
