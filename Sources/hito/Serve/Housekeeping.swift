import Domain
import Logging
import PostgresStore

/// Removes what may be forgotten: replies older than the 24 hours for which a key is remembered.
struct Housekeeping: Sendable {
  /// An hour more than the database remembers a key by its own clock, for clocks that differ: a
  /// reply removed early is a write done twice.
  static let keyLifetime = Duration.seconds(25 * 3600)
  private static let interval = Duration.seconds(600)
  private static let batchLimit = 10_000

  let writes: PostgresWriteStore
  let clock: any TimeSource
  let logger: Logger

  /// Runs until the task is cancelled; a failure is logged and tried again at the next turn.
  func run() async throws {
    while true {
      do throws(StoreError) {
        try await purge()
      } catch {
        logger.warning("old replies were not removed", metadata: ["error": "\(error)"])
      }
      try await Task.sleep(for: Housekeeping.interval)
    }
  }

  private func purge() async throws(StoreError) {
    let limit = clock.now().advanced(by: .zero - Housekeeping.keyLifetime)
    var total = 0
    // In batches, so that no statement holds many rows for long.
    while !Task.isCancelled {
      let count = try await writes.purgeReplies(before: limit, limit: Housekeeping.batchLimit)
      total += count
      if count < Housekeeping.batchLimit { break }
    }
    if total > 0 { logger.info("removed old replies", metadata: ["count": "\(total)"]) }
  }
}
