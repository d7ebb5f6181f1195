internal import Domain
internal import EventLog
internal import RPC

/// Whether what a client names is still in the log: see `LogHistory`.
extension CursorWaiter {
  /// Throws where the place is not of the log's history, with where to resume.
  func check(_ place: LogPlace) async throws {
    if try isShared(place, hub.history), let head = hub.head, place.position <= head { return }
    try await hub.follow(log)
    guard try isShared(place, hub.history) else { throw try await unknown(place) }
    let head = try await log.head()
    if place.position <= head { return }
    // The cursor is ours, of this epoch, and was given when the log had reached that far: it has lost
    // that since. Where this database is only behind another one, nothing is declared.
    let history = hub.history
    _ = hub.adopt(
      try await log.declare(
        LogLoss(
          epoch: place.epoch ?? history.epochs[0].id, seen: place.position,
          witness: "a client had a cursor beyond the end")))
    guard try isShared(place, hub.history) else { throw try await unknown(place) }
    throw RPCError.badCursor("is not in the log")
  }

  /// False where the history has no such epoch. Throws where it has, and it ended before the place.
  private func isShared(_ place: LogPlace, _ history: LogHistory) throws(RPCError) -> Bool {
    guard let end = history.end(of: place.epoch ?? history.epochs[0].id) else { return false }
    guard place.position <= end else { throw forked(after: end, history) }
    return true
  }

  /// Of an epoch that this log does not have: it went another way after a restore that was undone by
  /// another one. All its histories are the same up to where any of them was cut first.
  private func unknown(_ place: LogPlace) async throws(StoreError) -> RPCError {
    let history = hub.history
    let cuts = [place.firstCut, history.firstCut].compactMap(\.self)
    return forked(after: min(cuts.min() ?? 0, try await log.head()), history)
  }

  /// Throws where the event of a receipt is gone. Asked only where the log may have been cut since.
  func checkKept(_ id: EntityID, _ epoch: UInt32?) async throws {
    let history = hub.history
    guard (epoch ?? history.epochs[0].id) != history.current.id else { return }
    if try await !log.contains(id) { throw try await lost(epoch) }
  }

  /// The write of a receipt is gone with the end of its epoch.
  func lost(_ epoch: UInt32?) async throws(StoreError) -> RPCError {
    try await hub.follow(log)
    let history = hub.history
    let end = history.end(of: epoch ?? history.epochs[0].id) ?? history.firstCut ?? 0
    let resume = min(end, try await log.head())
    return RPCError.lostWrite(resumeCursor: cursors.cursor(resume, in: history))
  }

  func forked(after position: Int64, _ history: LogHistory) -> RPCError {
    RPCError.logForked(resumeCursor: cursors.cursor(position, in: history))
  }
}
