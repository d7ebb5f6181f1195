package import Domain

/// How a server notices that the log is not the one that it has shown: see `LogHistory`.
///
/// Whoever reads events, of the ring or of the log, asks afterwards whether the history is still the
/// one that they continue; a new epoch is known here before any event of it is in the ring.
extension EventHub {
  /// To be called with what was read of the log, before it is used: learns of the epoch it is of.
  func follow(_ page: LogPage, of log: any EventLog) async throws(StoreError) {
    if let epoch = page.epoch { try await follow(epoch, of: log) }
  }

  /// The same with an epoch that was read together with something else.
  package func follow(_ epoch: UInt32, of log: any EventLog) async throws(StoreError) {
    guard epoch != history.current.id else { return }
    try await follow(log)
    // An older one, of which another read has learned meanwhile, is not used either.
    guard epoch == history.current.id else { throw Self.isBehind }
  }

  /// Learns of the log's history.
  package func follow(_ log: any EventLog) async throws(StoreError) {
    guard adopt(try await log.history()) else { throw Self.isBehind }
  }

  /// Compares what the ring shows with the log, and declares what the log has lost of it. To be called
  /// before events are read after an interruption: whatever answers now may be another database.
  package func compare(with log: any EventLog) async throws(StoreError) {
    let found = try await log.history()
    if !adopt(found) {
      // It knows less epochs than we do: a standby that is behind, where nothing can be written and
      // nothing is declared, or a backup from before them.
      let loss = LogLoss(
        epoch: found.current.id, seen: .max, shared: history.shared(with: found),
        witness: "a server had an epoch that is gone")
      guard adopt(try await log.declare(loss)) else { throw Self.isBehind }
    }
    guard let head, head > 0 else { return }
    let last = try await log.head()
    if last >= head, try await isSame(at: head, log) { return }
    let epoch = history.current.id
    let shared = try await sharedPosition(upTo: min(head, last), log)
    let loss = LogLoss(
      epoch: epoch, seen: head, shared: shared, witness: "a server had shown events that are gone")
    guard adopt(try await log.declare(loss)) else { throw Self.isBehind }
  }

  /// The last position up to which ring and log have the same events; what is before the ring counts as
  /// the same.
  private func sharedPosition(
    upTo last: Int64, _ log: any EventLog
  ) async throws(StoreError) -> Int64 {
    // Where an event is the same, so are all before it.
    var (low, above) = (min(firstPosition - 1, last), last + 1)
    while low + 1 < above {
      let middle = low + (above - low) / 2
      if try await isSame(at: middle, log) { low = middle } else { above = middle }
    }
    return low
  }

  /// Whether the log has the ring's event at a position; true where the ring has none.
  private func isSame(at position: Int64, _ log: any EventLog) async throws(StoreError) -> Bool {
    guard let event = event(at: position) else { return true }
    return try await log.agrees(on: event.id, at: position)
  }

  private static var isBehind: StoreError {
    .unavailable("the database is behind what this server has read", maybeCommitted: false)
  }
}
