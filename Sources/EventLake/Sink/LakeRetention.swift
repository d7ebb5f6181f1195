package import Domain
package import Logging
import Logs
import Synchronization

/// Takes events out of the database once they are old enough and the lake has them.
///
/// A batch at a time, from the floor upwards: its events are read from the database and from the lake's
/// files and compared, member by member; the files are read again from the disk, byte by byte, against
/// their checksums; then one transaction removes them and moves the floor. The database compares
/// once more. Whatever dies when, an event is in the database, or it is below the floor and in the lake.
package final class LakeRetention: Sendable {
  /// Why nothing can be removed now.
  package enum Obstacle: Error, Sendable, Hashable, CustomStringConvertible {
    /// The lake is not open, or has not caught up with the log's history.
    case notReady
    /// The events that have left are in another lake, whose server removes more.
    case otherLake(EntityID)
    /// The lake has something else than the database.
    case differs(position: Int64)
    /// The database does not let this event go, nor what is after it.
    case kept(position: Int64)

    package var description: String {
      switch self {
      case .notReady: "the lake has not caught up"
      case .otherLake(let id):
        "events leave for the lake \(id), and not for this server's: leave `event-days` to the server "
          + "that has it, or say `hito log release`"
      case .differs(let position):
        "the lake has another event \(position) than the database: nothing is removed from there on"
      case .kept(let position):
        "the database keeps event \(position) and what is after it: its id is not of the time when it was "
          + "made, or the database's clock says that it is of the last day"
      }
    }
  }

  /// Events that are compared and removed together, and what they may take.
  private static let batchCountMax = 1000
  private static let batchByteMax = 8 << 20
  /// The database has a clock of its own, and keeps what is of its last day.
  private static let clockDifferenceMax = Duration.seconds(300)
  private static let interval = Duration.seconds(60)
  private static let readyInterval = Duration.seconds(1)
  private static let pauseMax = Duration.milliseconds(100)

  private let lake: ParquetEventLake
  private let log: any EventLog
  private let removal: any EventRemoval
  private let lifetime: Duration
  private let time: any TimeSource
  private let logger: Logger
  private let outage: OutageLog
  private let failure = Mutex<String?>(nil)

  /// - Parameters:
  ///   - log: without an archive.
  ///   - lifetime: how long events stay in the database after they were made; a day at least does.
  package init(
    lake: ParquetEventLake, log: any EventLog, removal: any EventRemoval, lifetime: Duration,
    time: any TimeSource, logger: Logger
  ) {
    self.lake = lake
    self.log = log
    self.removal = removal
    self.lifetime = lifetime
    self.time = time
    self.logger = logger
    outage = OutageLog(logger, "removing events from the database that the lake has", level: .error)
  }

  /// Why nothing more was removed; nil while all is well.
  package var lastFailure: String? { failure.withLock { $0 } }

  /// Runs until the task is cancelled; what fails is logged and tried again.
  package func run() async throws {
    while true {
      var interval = Self.interval
      do {
        let count = try await step()
        outage.worked()
        failure.withLock { $0 = nil }
        if count > 0 {
          logger.info("events are in the lake alone now", metadata: ["count": "\(count)"])
        }
      } catch Obstacle.notReady {
        interval = Self.readyInterval
      } catch {
        try Task.checkCancellation()
        failure.withLock { $0 = "\(error)" }
        outage.failed("\(error)")
      }
      try await Task.sleep(for: interval)
    }
  }

  /// Removes what is due now; how many events that was. What is removed before an error stays removed.
  package func step() async throws -> Int {
    let before = time.now().advanced(by: .zero - lifetime - Self.clockDifferenceMax)
    var verified: Set<LakeFile> = []
    var total = 0
    while true {
      try Task.checkCancellation()
      let start = ContinuousClock.now
      let (count, isEnd) = try await removeBatch(before: before, &verified)
      total += count
      if isEnd { return total }
      // As long as it took: others use the database too.
      try await Task.sleep(for: min(ContinuousClock.now - start, Self.pauseMax))
    }
  }

  private func removeBatch(
    before: Timestamp, _ verified: inout Set<LakeFile>
  ) async throws -> (count: Int, isEnd: Bool) {
    let floor = try await removal.floor()
    guard let lakeID = lake.id else { throw Obstacle.notReady }
    if let owner = floor.archiveID, owner != lakeID { throw Obstacle.otherLake(owner) }
    let history = try await log.history()
    guard lake.history == history else { throw Obstacle.notReady }
    try await lake.require(floor)
    let page = try await log.page(
      after: floor.position, limit: Self.batchCountMax, byteCountMax: Self.batchByteMax)
    let published = lake.publishedPosition
    let due = Array(page.events.prefix { $0.position <= published && $0.createdAt < before })
    guard let first = due.first, page.epoch == history.current.id else { return (0, true) }
    let rows = try await lake.rows(at: due.map(EventPlace.init), byteCountMax: .max)
    if let different = zip(due, rows.events).first(where: { $0 != $1 }) {
      throw Obstacle.differs(position: different.0.position)
    }
    guard rows.events.count == due.count else { throw Obstacle.differs(position: first.position) }
    for file in rows.files where !verified.contains(file) {
      try await lake.verify(file)
      verified.insert(file)
    }
    let count = try await removal.remove(
      RemovalBatch(
        archiveID: lakeID, epoch: history.current.id, firstPosition: first.position,
        eventIDs: rows.events.map(\.id), before: before))
    // Another one moved the floor meanwhile where it is not the one that was asked for.
    if count < due.count, try await removal.floor().position == first.position + Int64(count) - 1 {
      throw Obstacle.kept(position: first.position + Int64(count))
    }
    return (count, due.count < page.events.count || page.isEnd)
  }
}

extension EventPlace {
  fileprivate init(_ event: StoredEvent) {
    self.init(
      position: event.position, seq: event.seq, type: event.type, userID: event.userID,
      createdAt: event.createdAt)
  }
}
