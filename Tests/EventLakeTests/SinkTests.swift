import Domain
import EventLake
import Foundation
import Logging
import Testing

@Suite("The sink")
struct SinkTests {
  private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func events(_ positions: ClosedRange<Int64>) -> [StoredEvent] {
    positions.map { Fixtures.event($0, Fixtures.types[Int($0) % Fixtures.types.count]) }
  }

  private func opened(_ folder: TemporaryFolder) async throws -> ParquetEventLake {
    let lake = ParquetEventLake(directory: folder.path)
    try await lake.recover()
    return lake
  }

  private func positions(_ lake: ParquetEventLake) async throws -> [Int64] {
    let period = ReportPeriod(from: Timestamp(microsecondsSinceEpoch: 0))
    return try await lake.scan(LakeQuery(userID: Fixtures.user(1), period: period))
      .rows.map(\.position)
  }

  @Test("carries the whole log into the lake on a flush, in pages")
  func flush() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    var policy = FlushMachine.Policy()
    policy.eventCount = 7
    let log = MemoryLog(events(1...30))
    let sink = LakeSink(lake: lake, log: log, policy: policy, logger: Self.quiet)
    #expect(try await sink.flush() == 30)
    #expect(log.readCount == 5)
    #expect(try await positions(lake) == Array(1...30))
    #expect(try await sink.flush() == 30)
    #expect(log.readCount == 5)
  }

  @Test("says up to where the lake has everything, only once it is durable")
  func observed() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    var policy = FlushMachine.Policy()
    policy.delay = .milliseconds(10)
    let sink = LakeSink(
      lake: lake, log: MemoryLog(events(1...30)), policy: policy, logger: Self.quiet)
    let (told, continuation) = AsyncStream.makeStream(of: Int64.self)
    sink.onPublish { position in
      // Asked in the moment in which it is said.
      #expect(lake.publishedPosition >= position)
      continuation.yield(position)
    }
    let running = Task { await sink.run() }
    sink.noticed(head: 30)
    #expect(await told.first { $0 > 0 } == 30)
    running.cancel()
    await running.value
  }

  @Test("publishes earlier where events are large, so that few of them are held")
  func largeEvents() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    var reading = LakeSink.Reading()
    reading.portion = 4
    reading.byteCountMax = 1
    let log = MemoryLog(events(1...30))
    let sink = LakeSink(lake: lake, log: log, reading: reading, logger: Self.quiet)
    #expect(try await sink.flush() == 30)
    // Each of them is larger than that, and goes by itself.
    #expect(log.readCount == 30)
    #expect(try await positions(lake) == Array(1...30))
    // Small ones are read in portions, too, and published together.
    reading.byteCountMax = 1 << 20
    let next = MemoryLog(events(1...60))
    let second = LakeSink(lake: lake, log: next, reading: reading, logger: Self.quiet)
    #expect(try await second.flush() == 60)
    #expect(next.readCount == 8)
    #expect(try await positions(lake) == Array(1...60))
  }

  @Test("publishes by itself when enough has come, whoever else flushes meanwhile")
  func runs() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    var policy = FlushMachine.Policy()
    policy.eventCount = 10
    policy.delay = .seconds(3600)
    let log = MemoryLog()
    let sink = LakeSink(lake: lake, log: log, policy: policy, logger: Self.quiet)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await sink.run() }
      for batch in Int64(0)..<20 {
        log.append(events(batch * 10 + 1...batch * 10 + 10))
        sink.noticed(head: batch * 10 + 10)
        if batch % 3 == 0 { _ = try await sink.flush() }
        while lake.publishedPosition < batch * 10 + 10 { await Task.yield() }
      }
      group.cancelAll()
    }
    #expect(try await positions(lake) == Array(1...200))
  }

  @Test("continues after failures of the log, and says why it stood still")
  func retries() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    var policy = FlushMachine.Policy()
    policy.eventCount = 1
    policy.retryDelay = .milliseconds(1)
    policy.retryDelayMax = .milliseconds(2)
    let log = MemoryLog(events(1...5))
    log.failNext(4)
    let sink = LakeSink(lake: lake, log: log, policy: policy, logger: Self.quiet)
    var sawFailure = false
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await sink.run() }
      sink.noticed(head: 5)
      while lake.publishedPosition < 5 {
        if sink.lastFailure != nil { sawFailure = true }
        await Task.yield()
      }
      while sink.lastFailure != nil { await Task.yield() }
      group.cancelAll()
    }
    #expect(sawFailure)
    #expect(log.readCount >= 5)
  }

  @Test("restores damaged files from the log by itself")
  func repairs() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    let log = MemoryLog(events(1...500))
    let sink = LakeSink(lake: lake, log: log, logger: Self.quiet)
    _ = try await sink.flush()
    for file in try lake.openState().files.prefix(3) {
      try FileManager.default.removeItem(atPath: lake.layout.path(of: file))
    }
    try await lake.close()
    try await lake.recover()
    #expect(lake.damaged.count == 3)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await sink.run() }
      while !lake.damaged.isEmpty { await Task.yield() }
      group.cancelAll()
    }
    #expect(try await positions(lake) == Array(1...500))
  }

  @Test("compacts closed days when nothing else is to be done")
  func compacts() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    let log = MemoryLog(events(1...30))
    let time = FixedTime(moment: Fixtures.monday.advanced(by: .seconds(86_400)))
    let sink = LakeSink(lake: lake, log: log, logger: Self.quiet, time: time)
    for last in [10, 20, 30] as [Int64] { try await lake.append(events(1...last)) }
    let kinds = Set(events(1...30).map { EventKind(eventType: $0.type) })
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await sink.run() }
      while (try? lake.openState().fileCount) != kinds.count { await Task.yield() }
      group.cancelAll()
    }
    #expect(try await positions(lake) == Array(1...30))
  }

  private struct FixedTime: TimeSource {
    var moment: Timestamp
    func now() -> Timestamp { moment }
  }

  @Test("ends when its task is cancelled, also while it waits")
  func cancels() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    let sink = LakeSink(lake: lake, log: MemoryLog(), logger: Self.quiet)
    let task = Task { await sink.run() }
    task.cancel()
    await task.value
  }
}
