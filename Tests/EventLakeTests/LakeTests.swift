import Domain
import EventLake
import Foundation
import Testing

@Suite("The lake")
struct LakeTests {
  private static let always = ReportPeriod(from: Timestamp(microsecondsSinceEpoch: 0))

  private func positions(
    _ lake: ParquetEventLake, user: UInt64 = 1, positionMax: Int64 = .max
  ) async throws(LakeError) -> [Int64] {
    try await lake.scan(
      LakeQuery(userID: Fixtures.user(user), period: Self.always, positionMax: positionMax)
    ).rows.map(\.position)
  }

  private func files(_ lake: ParquetEventLake) throws -> [LakeFile] { try lake.openState().files }

  @Test("is empty at first and answers nothing, not an error")
  func empty() async throws {
    let folder = try TemporaryFolder()
    let lake = ParquetEventLake(directory: folder.path)
    let report = try await lake.recover()
    #expect(report == RecoveryReport())
    #expect(lake.publishedPosition == 0)
    try await lake.append([])
    #expect(try await positions(lake) == [])
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/events"))
  }

  @Test("refuses everything before it is opened")
  func closed() async throws {
    let folder = try TemporaryFolder()
    let lake = ParquetEventLake(directory: folder.path)
    await #expect(throws: LakeError.closed) { try await lake.append([Fixtures.event(1)]) }
    await #expect(throws: LakeError.closed) { try await positions(lake) }
  }

  @Test("is written by one process at a time")
  func locked() async throws {
    let folder = try TemporaryFolder()
    let first = ParquetEventLake(directory: folder.path)
    let second = ParquetEventLake(directory: folder.path)
    try await first.recover()
    await #expect(throws: LakeError.locked(path: "\(folder.path)/manifest/lock")) {
      try await second.recover()
    }
    try await first.close()
    try await second.recover()
  }

  @Test("names files by kind and positions, in hidden-free hive folders")
  func names() async throws {
    let folder = try TemporaryFolder()
    let lake = ParquetEventLake(directory: folder.path)
    try await lake.recover()
    try await lake.append([
      Fixtures.event(1), Fixtures.event(2, "task.completed"), Fixtures.event(3),
      Fixtures.event(4, "weather.changed", at: Fixtures.monday.advanced(by: .seconds(-1))),
    ])
    #expect(
      try files(lake).map(\.path) == [
        "year=2026/month=11/day=01/external_events-000000000004-000000000004.parquet",
        "year=2026/month=11/day=02/goal_events-000000000001-000000000003.parquet",
        "year=2026/month=11/day=02/task_events-000000000002-000000000002.parquet",
      ])
  }

  @Test("passes over what is published, and refuses a gap")
  func repeatsAndGaps() async throws {
    let folder = try TemporaryFolder()
    let lake = ParquetEventLake(directory: folder.path)
    try await lake.recover()
    try await lake.append([Fixtures.event(1), Fixtures.event(2)])
    try await lake.append([Fixtures.event(1), Fixtures.event(2), Fixtures.event(3)])
    try await lake.append([Fixtures.event(2)])
    #expect(try await positions(lake) == [1, 2, 3])
    await #expect(throws: LakeError.gap(expected: 4, found: 5)) {
      try await lake.append([Fixtures.event(5)])
    }
    await #expect(throws: LakeError.gap(expected: 5, found: 6)) {
      try await lake.append([Fixtures.event(4), Fixtures.event(6)])
    }
    #expect(lake.publishedPosition == 3)
  }

  @Test("refuses an event whose time no folder can name")
  func times() async throws {
    let folder = try TemporaryFolder()
    let lake = ParquetEventLake(directory: folder.path)
    try await lake.recover()
    for time in [Int64.min, .max, 253_402_300_800_000_000] {
      let event = Fixtures.event(1, at: Timestamp(microsecondsSinceEpoch: time))
      await #expect(throws: LakeError.self) { try await lake.append([event]) }
    }
    // The last microsecond of 9999 and one before 1970 are fine.
    try await lake.append([
      Fixtures.event(1, at: Timestamp(microsecondsSinceEpoch: 253_402_300_799_999_999)),
      Fixtures.event(2, at: Timestamp(microsecondsSinceEpoch: -1)),
    ])
    #expect(
      try files(lake).map(\.folder) == ["year=1969/month=12/day=31", "year=9999/month=12/day=31"])
  }

  @Test("keeps payloads that are not JSON objects as they are")
  func strangePayloads() async throws {
    let folder = try TemporaryFolder()
    let lake = ParquetEventLake(directory: folder.path)
    try await lake.recover()
    let payloads = ["", "null", "[1]", "{", "\u{0}", #"{"validation_score":"high"}"#]
    try await lake.append(
      payloads.enumerated().map {
        Fixtures.event(Int64($0.offset + 1), "code.validated", payload: $0.element)
      })
    #expect(try await positions(lake) == [1, 2, 3, 4, 5, 6])
  }

  @Test("finds by learner, half-open period and position")
  func filters() async throws {
    let folder = try TemporaryFolder()
    let lake = ParquetEventLake(directory: folder.path)
    try await lake.recover()
    let start = Fixtures.monday
    try await lake.append(
      (1...10).map { index in
        Fixtures.event(
          index, user: index == 5 ? nil : UInt64(index % 2),
          at: start.advanced(by: .seconds(index)))
      })
    #expect(try await positions(lake, user: 1) == [1, 3, 7, 9])
    #expect(try await positions(lake, user: 0) == [2, 4, 6, 8, 10])
    #expect(try await positions(lake, user: 3) == [])
    #expect(try await positions(lake, user: 1, positionMax: 7) == [1, 3, 7])
    let period = ReportPeriod(
      from: start.advanced(by: .seconds(3)), to: start.advanced(by: .seconds(9)))
    let scan = try await lake.scan(LakeQuery(userID: Fixtures.user(1), period: period))
    #expect(scan.rows.map(\.position) == [3, 7])
    #expect(scan.throughPosition == 10)
  }

  @Test("reads only the days that the period touches")
  func prunesDays() async throws {
    let folder = try TemporaryFolder()
    let lake = ParquetEventLake(directory: folder.path)
    try await lake.recover()
    try await lake.append(
      (0..<30).map {
        Fixtures.event($0 + 1, at: Fixtures.monday.advanced(by: .seconds($0 * 86_400)))
      })
    let from = Fixtures.monday.advanced(by: .seconds(10 * 86_400))
    let to = Fixtures.monday.advanced(by: .seconds(12 * 86_400))
    let scan = try await lake.scan(
      LakeQuery(userID: Fixtures.user(1), period: ReportPeriod(from: from, to: to)))
    #expect(scan.fileCount == 2)
    #expect(scan.rows.map(\.position) == [11, 12])
  }

  @Test("matches a brute-force filter over many users, row groups and encodings")
  func againstBruteForce() async throws {
    let folder = try TemporaryFolder()
    var options = EncodingOptions()
    options.rowGroupRows = 100
    let lake = ParquetEventLake(directory: folder.path, options: options)
    try await lake.recover()
    var random = SeededGenerator(state: 9)
    let events = Fixtures.random(
      6000, users: 40, days: 3, before: Fixtures.monday, using: &random)
    for start in stride(from: 0, to: events.count, by: 2500) {
      try await lake.append(Array(events[start..<min(start + 2500, events.count)]))
    }
    for number in UInt64(1)...40 {
      let from = Fixtures.monday.advanced(
        by: .seconds(-Int64.random(in: 0...250_000, using: &random)))
      let to = from.advanced(by: .seconds(Int64.random(in: 0...200_000, using: &random)))
      let period = ReportPeriod(from: from, to: to)
      let user = Fixtures.user(number)
      let scan = try await lake.scan(LakeQuery(userID: user, period: period))
      let wanted = events.filter { $0.userID == user && period.contains($0.createdAt) }.map {
        ArchivedEvent(
          position: $0.position, type: $0.type, createdAt: $0.createdAt,
          validationScore: ValidationScore.of(payload: $0.payload))
      }
      #expect(scan.rows == wanted)
    }
  }

  @Test("leaves other people's files alone and says that they are there")
  func foreignFiles() async throws {
    let folder = try TemporaryFolder()
    let lake = ParquetEventLake(directory: folder.path)
    try await lake.recover()
    try await lake.append([Fixtures.event(1)])
    try await lake.close()
    let day = "\(folder.path)/events/year=2026/month=11/day=02"
    for name in [
      "notes.txt", "goal_events.parquet", "goal_events-000000000009-000000000009.parquet",
    ] {
      try Data("x".utf8).write(to: URL(fileURLWithPath: "\(day)/\(name)"))
    }
    try Data("x".utf8).write(to: URL(fileURLWithPath: "\(day)/.goal_events-1-2.parquet.tmp"))
    let report = try await lake.recover()
    #expect(
      report.foreign.map { ($0 as NSString).lastPathComponent } == [
        "goal_events.parquet", "notes.txt",
      ])
    #expect(report.removed.count == 2)
    #expect(try await positions(lake) == [1])
  }
}
