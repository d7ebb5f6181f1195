import Domain
import Synchronization

/// Damaged files are written again from the log, as far as that has their events.
extension LakeSink {
  private static let reinstatementInterval = Duration.seconds(60)

  /// Writes every damaged file again from the log, or takes it back where its bytes are right again;
  /// returns how many. Ends with `.belowFloor` where events of one have left the log: what is left of
  /// it stays in the quarantine, and all others are repaired before.
  package func repair() async throws -> Int {
    // What the log has lost is not written again, nor what came in its place.
    let history = try await align()
    let count = lake.damaged.count
    let now = ContinuousClock.now
    let isDue = nextReinstatement.withLock { next in
      guard next.map({ $0 <= now }) ?? true else { return false }
      next = now.advanced(by: Self.reinstatementInterval)
      return true
    }
    if isDue { try await lake.reinstate() }
    let floor = try await log.floor()
    var lost: [LakeFile] = []
    for entry in lake.damaged {
      guard entry.file.firstPosition > floor.position else {
        lost.append(entry.file)
        continue
      }
      try await lake.restore(
        entry, from: read(entry.file, upTo: entry.file.lastPosition, of: history))
    }
    guard lost.isEmpty else { throw LakeError.belowFloor(lost) }
    return count
  }

  /// A file's events: of the log, and of the file itself what has left the log.
  func read(
    _ file: LakeFile, upTo last: Int64, of history: LogHistory
  ) async throws -> [StoredEvent] {
    var events: [StoredEvent] = []
    var position = file.firstPosition - 1
    let floor = try await log.floor().position
    if position < floor {
      guard !lake.damaged.contains(where: { $0.file == file }) else {
        throw LakeError.belowFloor([file])
      }
      events = try await lake.events(of: file, upTo: min(floor, last))
      position = floor
    }
    while position < last {
      try Task.checkCancellation()
      let limit = min(Int64(pageSize), last - position)
      let page = try await log.page(
        after: position, limit: Int(limit), byteCountMax: reading.byteCountMax)
      try check(page, history)
      guard let end = page.events.last else { break }
      position = end.position
      events += page.events.filter { file.holds($0) }
    }
    return events
  }
}
