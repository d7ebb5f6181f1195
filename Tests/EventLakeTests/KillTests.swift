import Domain
import EventLake
import Foundation
import Testing

/// As `CrashTests`, with a real process and a real SIGKILL: nothing of ours runs any more, the
/// kernel closes the files and lets go of the lock.
@Suite("kill -9 of the writing process", .serialized)
struct KillTests {
  private static func events(_ positions: ClosedRange<Int64>) -> [StoredEvent] {
    positions.map { position in
      Fixtures.event(
        position, Fixtures.types[Int(position) % Fixtures.types.count],
        at: Fixtures.monday.advanced(by: .seconds(position * 3000)))
    }
  }

  @Test("at steps all over a batch loses nothing and doubles nothing")
  func kill() async throws {
    for step in [5, 12, 16, 20, 24, 30, 36, 40, 44, 50, 60, 70] {
      let folder = try TemporaryFolder()
      let path = folder.path
      await #expect(processExitsWith: .signal(9)) { [path = path as String, step = step as Int] in
        let lake = ParquetEventLake(directory: path, storage: FaultyStorage(.kill(step)))
        try await lake.recover()
        for last in stride(from: Int64(20), through: 2000, by: 20) {
          try await lake.append(KillTests.events(1...last))
        }
      }
      let lake = ParquetEventLake(directory: path)
      let report = try await lake.recover()
      #expect(report.damaged.isEmpty)
      #expect(report.publishedPosition % 20 == 0)
      try await lake.append(Self.events(1...60))
      let period = ReportPeriod(from: Timestamp(microsecondsSinceEpoch: 0))
      let scan = try await lake.scan(LakeQuery(userID: Fixtures.user(1), period: period))
      #expect(scan.rows.map(\.position) == Array(1...60), "killed at step \(step)")
    }
  }
}
