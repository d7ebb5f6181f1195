import Domain
import EventLake
import Foundation
import Logging
import Testing

/// A log whose events leave it once the lake has them.
@Suite("Events that leave the log")
struct LakeRetentionTests {
  private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private struct At: TimeSource {
    var moment: Timestamp
    func now() -> Timestamp { moment }
  }

  /// One an hour, from Monday on.
  private static func events(_ positions: ClosedRange<Int64>) -> [StoredEvent] {
    positions.map { position in
      Fixtures.event(
        position, Fixtures.types[Int(position) % 5],
        at: Fixtures.monday.advanced(by: .seconds(position * 3600)))
    }
  }

  private func opened(
    _ folder: TemporaryFolder, below floor: LogFloor = .none,
    storage: any LakeStorage = PosixStorage()
  ) async throws -> ParquetEventLake {
    let lake = ParquetEventLake(directory: folder.path, storage: storage)
    try await lake.recover(below: floor)
    return lake
  }

  private func sink(_ lake: ParquetEventLake, _ log: MemoryLog) -> LakeSink {
    LakeSink(lake: lake, log: log, logger: Self.quiet)
  }

  /// What is older than ten days at noon of the day `day`.
  private func retention(
    _ lake: ParquetEventLake, _ log: MemoryLog, day: Int64
  ) -> LakeRetention {
    LakeRetention(
      lake: lake, log: log, removal: log, lifetime: .seconds(10 * 86_400),
      time: At(moment: Fixtures.monday.advanced(by: .seconds(day * 86_400 + 43_200))),
      logger: Self.quiet)
  }

  /// A lake that has all of a log of 240 hours, of which the first `days` days and a half have left it.
  private func filled(
    _ folder: TemporaryFolder, without days: Int64 = 5
  ) async throws -> (ParquetEventLake, MemoryLog) {
    let log = MemoryLog()
    let lake = try await opened(folder)
    for last in [80, 160, 240] as [Int64] {
      log.append(Self.events(last - 79...last))
      _ = try await sink(lake, log).flush()
    }
    _ = try await retention(lake, log, day: 10 + days).step()
    return (lake, log)
  }

  private func flip(_ lake: ParquetEventLake, _ file: LakeFile) throws {
    let url = URL(fileURLWithPath: lake.layout.path(of: file))
    var bytes = try Data(contentsOf: url)
    bytes[60] ^= 0x10
    try bytes.write(to: url)
  }

  @Test("are those that are old enough, and the lake continues as before")
  func oldEnough() async throws {
    let folder = try TemporaryFolder()
    let (lake, log) = try await filled(folder)
    let floor = try await log.floor()
    #expect(floor.position == 131 && floor.archiveID == lake.id && lake.id != nil)
    #expect(try await retention(lake, log, day: 15).step() == 0)
    _ = try await lake.compact(before: Fixtures.monday.advanced(by: .seconds(20 * 86_400)))
    #expect(try await retention(lake, log, day: 17).step() == 48)
    log.append(Self.events(241...260))
    #expect(try await sink(lake, log).flush() == 260)
    // All of it, though the log is empty then: the next event is the one after.
    #expect(try await retention(lake, log, day: 90).step() == 260 - 179)
    log.append(Self.events(261...270))
    #expect(try await sink(lake, log).flush() == 270)
    try await lake.close()
    let again = try await opened(folder, below: log.floor())
    #expect(try await sink(again, log).flush() == 270)
    let all = Self.events(1...260)
    let rows = try await again.events(
      at: all.map(RowsTests.place), below: log.floor(), byteCountMax: .max, for: nil)
    #expect(rows == all)
  }

  @Test("are none that the lake does not have, or has otherwise")
  func notInTheLake() async throws {
    let folder = try TemporaryFolder()
    let log = MemoryLog(Self.events(1...50))
    let lake = try await opened(folder)
    await #expect(throws: LakeRetention.Obstacle.notReady) {
      _ = try await retention(lake, log, day: 90).step()
    }
    _ = try await sink(lake, log).flush()
    log.append(Self.events(51...100))
    #expect(try await retention(lake, log, day: 90).step() == 50)

    let otherFolder = try TemporaryFolder()
    var changed = Self.events(1...100)
    changed[69].payload = #"{"title":"another"}"#
    let other = try await opened(otherFolder)
    _ = try await sink(other, MemoryLog(Self.events(1...100))).flush()
    let second = MemoryLog(changed)
    await #expect(throws: LakeRetention.Obstacle.differs(position: 70)) {
      _ = try await retention(other, second, day: 90).step()
    }
    #expect(try await second.floor().position == 0)
    // The lake of another server does not remove.
    await #expect(throws: LakeRetention.Obstacle.otherLake(try #require(lake.id))) {
      _ = try await sink(lake, log).flush()
      _ = try await retention(other, log, day: 90).step()
    }
  }

  @Test("stay where a file of them is not what was written, until it is written again")
  func verified() async throws {
    let folder = try TemporaryFolder()
    let (lake, log) = try await filled(folder, without: -1)
    let file = try #require(try lake.openState().files.first)
    // In the bytes between pages and footer that no reader of rows looks at, the checksum does.
    let url = URL(fileURLWithPath: lake.layout.path(of: file))
    var bytes = try Data(contentsOf: url)
    bytes[1] ^= 0x10
    try bytes.write(to: url)
    await #expect(throws: LakeError.self) {
      _ = try await retention(lake, log, day: 90).step()
    }
    #expect(try await log.floor().position == 0)
    #expect(lake.damaged.map(\.file) == [file])
    #expect(try await sink(lake, log).repair() == 1)
    #expect(try await retention(lake, log, day: 90).step() == 240)
  }

  @Test(
    "are the only copy then: a damaged file is kept, said, and taken back when it is whole again")
  func onlyCopy() async throws {
    let folder = try TemporaryFolder()
    let (lake, log) = try await filled(folder)
    let floor = try await log.floor()
    let files = try lake.openState().files
    let lost = try #require(files.first)
    let other = try #require(files.last { $0.firstPosition > floor.position })
    let copy = try Data(contentsOf: URL(fileURLWithPath: lake.layout.path(of: lost)))
    try flip(lake, lost)
    try flip(lake, other)
    try await lake.close()
    #expect(try await lake.recover(below: floor).damaged.count == 2)
    let error = await #expect(throws: LakeError.self) { try await sink(lake, log).repair() }
    #expect(error == .belowFloor([lost]))
    // What the log has was written again.
    #expect(lake.damaged.map(\.file) == [lost])
    let aside = lake.layout.quarantinePath(of: lost)
    #expect(FileManager.default.fileExists(atPath: aside))
    // Everything else continues.
    log.append(Self.events(241...250))
    #expect(try await sink(lake, log).flush() == 250)
    _ = try await lake.compact(before: Fixtures.monday.advanced(by: .seconds(20 * 86_400)))
    // What is put back and not right is no reason to lose what there is.
    try Data("nothing".utf8).write(to: URL(fileURLWithPath: lake.layout.path(of: lost)))
    try await lake.close()
    #expect(try await lake.recover(below: floor).damaged.map(\.file) == [lost])
    #expect(FileManager.default.fileExists(atPath: aside))
    try copy.write(to: URL(fileURLWithPath: lake.layout.path(of: lost)))
    try await lake.close()
    #expect(try await lake.recover(below: floor).damaged.isEmpty)
    let all = Self.events(1...floor.position)
    let rows = try await lake.events(
      at: all.map(RowsTests.place), below: floor, byteCountMax: .max, for: nil)
    #expect(rows == all)
  }

  @Test("are not followed by an empty lake, nor by one that ends before them")
  func noLake() async throws {
    let folder = try TemporaryFolder()
    let (lake, log) = try await filled(folder)
    let floor = try await log.floor()
    try await lake.close()
    let empty = try TemporaryFolder()
    let missing = LakeError.missing(path: empty.path, floor: floor.position)
    let none = ParquetEventLake(directory: empty.path)
    await #expect(throws: missing) { try await none.recover(below: floor) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: empty.path).isEmpty)
    await #expect(throws: missing) { try await sink(none, log).flush() }

    let old = try TemporaryFolder()
    let behind = try await opened(old)
    _ = try await sink(behind, MemoryLog(Self.events(1...50))).flush()
    try await behind.close()
    let again = try await opened(old, below: floor)
    await #expect(throws: LakeError.behindFloor(published: 50, floor: floor.position)) {
      try await sink(again, log).flush()
    }
    #expect(again.publishedPosition == 50)
  }

  @Test("are in the lake after a cut of the log, which is never below them", arguments: [131, 140])
  func cut(kept: Int64) async throws {
    let folder = try TemporaryFolder()
    let (lake, log) = try await filled(folder)
    let floor = try await log.floor()
    #expect(floor.position == 131)
    log.lose(after: kept)
    _ = try await log.declare(
      LogLoss(
        epoch: LogHistory.unnamed.current.id, seen: 240, shared: kept, witness: "test"))
    #expect(try await sink(lake, log).flush() == kept)
    let all = Self.events(1...kept)
    #expect(try await lake.rows(at: all.map(RowsTests.place), byteCountMax: .max).events == all)
  }

  @Test("a damaged file with some of them keeps the lake from being cut, and is kept")
  func cutOfDamaged() async throws {
    let folder = try TemporaryFolder()
    let (lake, log) = try await filled(folder)
    _ = try await lake.compact(before: Fixtures.monday.advanced(by: .seconds(20 * 86_400)))
    let floor = try await log.floor().position
    let file = try #require(
      try lake.openState().files.first {
        $0.firstPosition <= floor && $0.lastPosition > floor + 1
      })
    try flip(lake, file)
    try await lake.close()
    _ = try await lake.recover(below: log.floor())
    log.lose(after: floor + 1)
    _ = try await log.declare(
      LogLoss(epoch: 0, seen: 240, shared: floor + 1, witness: "test"))
    let error = await #expect(throws: LakeError.self) { try await sink(lake, log).flush() }
    #expect(error == .belowFloor([file]))
    #expect(lake.damaged.map(\.file) == [file])
    #expect(FileManager.default.fileExists(atPath: lake.layout.quarantinePath(of: file)))
  }

  enum Fault: CaseIterable {
    case crashBefore, crashAfter, full

    func at(_ operation: Int) -> FaultyStorage.Fault {
      switch self {
      case .crashBefore: .crashBefore(operation)
      case .crashAfter: .crashAfter(operation)
      case .full: .full(from: operation)
      }
    }
  }

  @Test(
    "are not lost where taking a file back is cut short at any operation, or the disk is full",
    arguments: Fault.allCases)
  func crashes(_ fault: Fault) async throws {
    let base = try TemporaryFolder()
    let (lake, log) = try await filled(base)
    let floor = try await log.floor()
    let lost = try #require(try lake.openState().files.first)
    let copy = try Data(contentsOf: URL(fileURLWithPath: lake.layout.path(of: lost)))
    try flip(lake, lost)
    try await lake.close()
    _ = try await lake.recover(below: floor)
    try copy.write(to: URL(fileURLWithPath: lake.layout.quarantinePath(of: lost)))
    try await lake.close()
    let all = Self.events(1...floor.position)
    var operation = 0
    while true {
      let folder = try TemporaryFolder()
      try FileManager.default.removeItem(atPath: folder.path)
      try FileManager.default.copyItem(atPath: base.path, toPath: folder.path)
      let storage = FaultyStorage(fault.at(operation))
      let crashed = ParquetEventLake(directory: folder.path, storage: storage)
      let report = try? await crashed.recover(below: floor)
      try await crashed.close()
      let again = try await opened(folder, below: floor)
      let rows = try await again.events(
        at: all.map(RowsTests.place), below: floor, byteCountMax: .max, for: nil)
      #expect(rows == all, "operation \(operation)")
      try await again.close()
      if report != nil, storage.operationCount <= operation { break }
      operation += 1
    }
    #expect(operation > 10)
  }
}
