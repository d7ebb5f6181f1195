import Domain
import EventLake
import Foundation
import Logging
import Testing

/// A log that lost its last events, and the lake that has them.
@Suite("A lake whose log was cut")
struct LostEventsTests {
  private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// Over three days and several kinds; `generation` tells those of one history from another's.
  private static func events(
    _ positions: ClosedRange<Int64>, generation: UInt64 = 0
  ) -> [StoredEvent] {
    positions.map { position in
      var event = Fixtures.event(
        position, Fixtures.types[Int(position) % 3],
        at: Fixtures.monday.advanced(by: .seconds((position % 3) * 86_400 + position)))
      guard generation > 0 else { return event }
      event = StoredEvent(
        id: EntityID(high: 0x0199_0000_0000_7000, low: generation << 32 | UInt64(position)),
        seq: position, position: position, type: event.type, entityType: event.entityType,
        entityID: event.entityID, version: event.version, userID: event.userID,
        payload: event.payload, metadata: event.metadata, createdAt: event.createdAt)
      return event
    }
  }

  /// `position:event_id` of every row, as others read the folder.
  private func rows(_ folder: String) throws -> [String] {
    try #require(
      Python.run(
        """
        import json, pathlib, pyarrow.parquet as pq
        found = [p for p in pathlib.Path("events").rglob("*.parquet")
                 if not any(part.startswith(".") for part in p.parts)]
        rows = [r for p in found
                for r in pq.ParquetFile(p).read(["position", "event_id"]).to_pylist()]
        print(json.dumps([f"{r['position']}:{r['event_id']}"
                          for r in sorted(rows, key=lambda r: (r["position"], r["event_id"]))]))
        """, in: folder) as? [String])
  }

  private func wanted(_ events: [StoredEvent]) -> [String] {
    events.map { "\($0.position):\($0.id)" }
  }

  private func opened(
    _ folder: TemporaryFolder, storage: any LakeStorage = PosixStorage()
  ) async throws -> ParquetEventLake {
    let lake = ParquetEventLake(directory: folder.path, storage: storage)
    try await lake.recover()
    return lake
  }

  private func sink(_ lake: ParquetEventLake, _ log: MemoryLog) -> LakeSink {
    LakeSink(lake: lake, log: log, logger: Self.quiet)
  }

  /// A lake with the events of a log, in three publications.
  private func filled(_ folder: TemporaryFolder, _ log: MemoryLog) async throws {
    let lake = try await opened(folder)
    let sink = sink(lake, log)
    for last in [20, 40, 60] as [Int64] {
      log.append(Self.events(last - 19...last))
      _ = try await sink.flush()
    }
    try await lake.close()
  }

  @Test(
    "follows it, whether it says so or the events do", arguments: [true, false], [60, 45, 20, 3])
  func follows(isDeclared: Bool, kept: Int64) async throws {
    let folder = try TemporaryFolder()
    let log = MemoryLog()
    try await filled(folder, log)
    let new = Self.events(kept + 1...kept + 50, generation: 1)
    log.lose(after: kept, then: new)
    if isDeclared {
      let loss = LogLoss(
        epoch: LogHistory.unnamed.current.id, seen: .max, shared: kept, witness: "test")
      _ = try await log.declare(loss)
    }
    let lake = try await opened(folder)
    let sink = sink(lake, log)
    #expect(try await sink.flush() == kept + 50)
    #expect(try rows(folder.path) == wanted(Self.events(1...kept) + new))
    let history = try await log.history()
    #expect(lake.history == history)
    let cuts = isDeclared || kept < 60 ? [0, kept] : [0]
    #expect(history.epochs.map(\.beganAfter) == cuts)
    // It stays so over a start.
    try await lake.close()
    let again = try await opened(folder)
    #expect(again.history == history && again.publishedPosition == kept + 50)
    #expect(try rows(folder.path) == wanted(Self.events(1...kept) + new))
  }

  @Test("follows it while the server lives on, compacted and damaged files included")
  func livesOn() async throws {
    let folder = try TemporaryFolder()
    let log = MemoryLog()
    try await filled(folder, log)
    let lake = try await opened(folder)
    let sink = sink(lake, log)
    _ = try await lake.compact(before: Timestamp(microsecondsSinceEpoch: 4_000_000_000_000_000))
    #expect(try await sink.flush() == 60)
    log.lose(after: 31)
    _ = try await log.declare(
      LogLoss(epoch: LogHistory.unnamed.current.id, seen: 60, witness: "test"))
    // Nothing is new: the lake follows all the same.
    #expect(try await sink.flush() == 31)
    #expect(try rows(folder.path) == wanted(Self.events(1...31)))
    let new = Self.events(32...40, generation: 1)
    log.append(new)
    #expect(try await sink.flush() == 40)
    #expect(try rows(folder.path) == wanted(Self.events(1...31) + new))
  }

  @Test("tells a log that was restored from before an epoch that there was one")
  func epochIsGone() async throws {
    let folder = try TemporaryFolder()
    let log = MemoryLog()
    try await filled(folder, log)
    log.lose(after: 40, then: Self.events(41...50, generation: 1))
    _ = try await log.declare(
      LogLoss(epoch: LogHistory.unnamed.current.id, seen: 60, shared: 40, witness: "test"))
    let lake = try await opened(folder)
    let sink = sink(lake, log)
    #expect(try await sink.flush() == 50)
    let known = lake.history
    // The rows of the epoch are gone, and so is the epoch.
    let new = Self.events(41...70, generation: 2)
    log.lose(after: 40, then: new)
    log.begin(.unnamed)
    #expect(try await sink.flush() == 70)
    let history = try await log.history()
    #expect(history.epochs.map(\.beganAfter) == [0, 40] && history != known)
    #expect(lake.history == history)
    #expect(try rows(folder.path) == wanted(Self.events(1...40) + new))
  }

  @Test("keeps its rows where the database is only behind")
  func behind() async throws {
    let folder = try TemporaryFolder()
    let log = MemoryLog()
    try await filled(folder, log)
    log.lose(after: 40)
    log.refuseDeclarations()
    let lake = try await opened(folder)
    await #expect(throws: LakeError.ahead(published: 60)) {
      try await sink(lake, log).flush()
    }
    #expect(try rows(folder.path) == wanted(Self.events(1...60)))
    // The database has caught up.
    log.append(Self.events(41...60))
    #expect(try await sink(lake, log).flush() == 60)
  }

  @Test("stops at another log, and changes nothing", arguments: [true, false])
  func otherLog(hasHistory: Bool) async throws {
    let folder = try TemporaryFolder()
    let first = MemoryLog()
    if hasHistory {
      try await filled(folder, first)
    } else {
      let lake = try await opened(folder)
      try await lake.append(Self.events(1...60))
      try await lake.close()
    }
    let other = MemoryLog(Self.events(1...80, generation: 2))
    if hasHistory {
      let history = LogHistory(logID: EntityID(high: 5, low: 5), epochs: LogHistory.unnamed.epochs)
      other.begin(try #require(history))
    }
    let lake = try await opened(folder)
    await #expect(throws: LakeError.otherLog) { try await sink(lake, other).flush() }
    #expect(try rows(folder.path) == wanted(Self.events(1...60)))
    #expect(try await other.history().epochs.count == 1)
  }

  @Test("adopts the log that it has followed, where it is of a version that recorded none")
  func adopts() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    try await lake.append(Self.events(1...30))
    #expect(lake.history == nil)
    let log = MemoryLog(Self.events(1...30))
    #expect(try await lake.archivedPosition(in: .unnamed) == 0)
    #expect(try await sink(lake, log).flush() == 30)
    #expect(lake.history == .unnamed)
    #expect(try await lake.archivedPosition(in: .unnamed) == 30)
    // Reports leave out what the log has lost, also before the lake follows.
    let cut = LogHistory.unnamed.losing(LogLoss(epoch: 0, seen: 30, witness: ""), last: 12)
    #expect(try await lake.archivedPosition(in: cut) == 12)
  }

  @Test(
    "is cut again after a crash at any operation, and ends with the log's events",
    arguments: [true, false])
  func crashes(isBefore: Bool) async throws {
    let base = try TemporaryFolder()
    let log = MemoryLog()
    try await filled(base, log)
    let new = Self.events(26...40, generation: 1)
    log.lose(after: 25, then: new)
    _ = try await log.declare(
      LogLoss(epoch: LogHistory.unnamed.current.id, seen: 60, shared: 25, witness: "test"))
    let all = wanted(Self.events(1...25) + new)
    var operation = 0
    while true {
      let folder = try TemporaryFolder()
      try FileManager.default.removeItem(atPath: folder.path)
      try FileManager.default.copyItem(atPath: base.path, toPath: folder.path)
      let storage = FaultyStorage(isBefore ? .crashBefore(operation) : .crashAfter(operation))
      let lake = ParquetEventLake(directory: folder.path, storage: storage)
      var isDone = false
      do {
        try await lake.recover()
        _ = try await sink(lake, log).flush()
        isDone = storage.operationCount <= operation
      } catch {}
      try await lake.close()
      let again = try await opened(folder)
      #expect(try await sink(again, log).flush() == 40, "operation \(operation)")
      let found = try again.openState().files.count
      #expect(found > 0)
      if operation % 7 == 0 || isDone {
        #expect(try rows(folder.path) == all, "operation \(operation)")
      }
      try await again.close()
      if isDone { break }
      operation += 1
    }
    #expect(operation > 20)
  }
}
