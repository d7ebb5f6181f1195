import Domain

/// The sink's lake and log have the same history: see `LogHistory`.
///
/// Asked at each start and whenever the log says that it has another epoch. Where the lake has events
/// that the log does not, the log has lost them: that is declared, and they leave the lake. So an event
/// is never passed over because a lost one had its position.
extension LakeSink {
  /// Makes them agree; returns the history that both have.
  func align() async throws -> LogHistory {
    let found = try await log.history()
    let stand = try lake.stand()
    if found == stand.history, isCompared { return found }
    let published = stand.publishedPosition
    // What has left the log was compared when it did: from there on, the events tell.
    let floor = try await log.floor()
    try await lake.require(floor)
    let shared = max(
      floor.position, min(published, stand.history?.shared(with: found) ?? published))
    if published > 0, stand.history.map({ $0.logID != found.logID }) ?? false {
      throw LakeError.otherLog
    }
    let agreed = try await agreedPosition(upTo: shared, from: floor.position)
    // Not one event in common, and nothing that says how that came.
    guard stand.history != nil || shared == 0 || agreed > 0 else { throw LakeError.otherLog }
    // A backup from before an epoch that the lake knows: what it was about is open again.
    let isEpochGone = stand.history.map { $0 != found && $0.continues(found) } ?? false
    var history = found
    if agreed < shared || isEpochGone {
      history = try await declare(found, lost: isEpochGone ? .max : shared, after: agreed)
    }
    try await cut(to: agreed, history, since: stand)
    try await lake.adopt(history, at: agreed, since: stand)
    restart(at: agreed)
    if agreed < published {
      logger.warning(
        "the log lost events, and so did the lake",
        metadata: ["from": "\(agreed + 1)", "through": "\(published)"])
    }
    isCompared = true
    return history
  }

  /// The history with an epoch for what the log has lost without knowing it.
  private func declare(
    _ found: LogHistory, lost seen: Int64, after agreed: Int64
  ) async throws -> LogHistory {
    let history = try await log.declare(
      LogLoss(
        epoch: found.current.id, seen: seen, shared: agreed,
        witness: "the lake had events that are gone"))
    // Somewhere else it may still have them: a database that is only behind declares nothing.
    guard history.shared(with: found) <= agreed else {
      throw LakeError.ahead(published: lake.publishedPosition)
    }
    return history
  }

  /// The last position up to `last` at which lake and log have the same event: so they have before it,
  /// and so they have at `low`.
  private func agreedPosition(upTo last: Int64, from low: Int64) async throws -> Int64 {
    let head = try await log.head()
    var (low, above) = (low, max(low, min(last, head)) + 1)
    // Mostly all of it agrees: that is one look.
    if above > low + 1, try await isSame(at: above - 1) { return above - 1 }
    while low + 1 < above {
      let middle = low + (above - low) / 2
      if try await isSame(at: middle) { low = middle } else { above = middle }
    }
    return low
  }

  /// True where the lake can not tell, because a file is damaged: it is written again from the log.
  private func isSame(at position: Int64) async throws -> Bool {
    guard let id = try await lake.eventID(at: position) else { return true }
    return try await log.agrees(on: id, at: position)
  }

  private func cut(
    to position: Int64, _ history: LogHistory, since stand: ParquetEventLake.Stand
  ) async throws {
    for (day, files) in try await lake.straddling(position).sorted(by: { $0.key < $1.key }) {
      var events: [StoredEvent] = []
      for file in files { events += try await read(file, upTo: position, of: history) }
      try await lake.cut(day: day, to: position, from: events, since: stand)
    }
  }
}
