import Domain
import EventLake
import Foundation
import Testing

@Suite("A crash loses nothing and doubles nothing")
struct CrashTests {
  /// Two days and two kinds, so that a batch has several files.
  private static func events(_ positions: ClosedRange<Int64>) -> [StoredEvent] {
    positions.map { position in
      let type = position % 3 == 0 ? "task.completed" : "goal.created"
      return Fixtures.event(
        position, type,
        at: Fixtures.monday.advanced(by: .seconds((position % 2) * 86_400 + position)))
    }
  }

  /// Positions that are in files under `events/`, read without the manifest, as others do.
  private func foreignPositions(_ folder: String) throws -> [Int64] {
    try #require(
      Python.run(
        """
        import json, pathlib, pyarrow.parquet as pq
        found = [p for p in pathlib.Path("events").rglob("*.parquet")
                 if not any(part.startswith(".") for part in p.parts)]
        rows = [v for p in found for v in pq.ParquetFile(p).read(["position"])[0].to_pylist()]
        print(json.dumps(sorted(rows)))
        """, in: folder) as? [Int64])
  }

  private func ownPositions(_ lake: ParquetEventLake) async throws -> [Int64] {
    let period = ReportPeriod(from: Timestamp(microsecondsSinceEpoch: 0))
    return try await lake.scan(LakeQuery(userID: Fixtures.user(1), period: period))
      .rows.map(\.position)
  }

  /// Leftovers of any kind: hidden files, or data files that the manifest does not have.
  private func leftovers(_ folder: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return names.filter { ($0 as NSString).lastPathComponent.hasPrefix(".") }
  }

  /// The operations of: start, one batch, a second batch.
  private func play(
    _ folder: String, _ storage: FaultyStorage
  ) async throws -> (published: Int64, error: LakeError?) {
    let lake = ParquetEventLake(directory: folder, storage: storage)
    var published: Int64 = 0
    var failure: LakeError?
    do throws(LakeError) {
      try await lake.recover()
      try await lake.append(Self.events(1...20))
      published = 20
      try await lake.append(Self.events(1...40))
      published = 40
    } catch {
      failure = error
    }
    // The kernel lets go of a dead process's lock; here the process lives on.
    try await lake.close()
    return (published, failure)
  }

  private func operationCount() async throws -> Int {
    let folder = try TemporaryFolder()
    let storage = FaultyStorage()
    let end = try await play(folder.path, storage)
    #expect(end.error == nil)
    return storage.operationCount
  }

  /// After the fault: a new start finds whole batches, what was acknowledged is there, and
  /// continuing ends with everything once.
  private func checkRecovered(_ folder: String, acknowledged: Int64, _ what: String) async throws {
    let lake = ParquetEventLake(directory: folder)
    let report = try await lake.recover()
    #expect(report.damaged.isEmpty, "\(what)")
    #expect(report.publishedPosition >= acknowledged, "\(what)")
    #expect([0, 20, 40].contains(report.publishedPosition), "\(what)")
    let published = Array(Int64(1)..<(report.publishedPosition + 1))
    #expect(try await ownPositions(lake) == published, "\(what)")
    try await lake.append(Self.events(1...40))
    #expect(lake.publishedPosition == 40, "\(what)")
    #expect(try await ownPositions(lake) == Array(1...40), "\(what)")
    #expect(leftovers(folder).isEmpty, "\(what): \(leftovers(folder))")
    try await lake.close()
  }

  @Test("before or in the middle of any file operation")
  func everyStep() async throws {
    let count = try await operationCount()
    #expect(count > 40)
    var folders: [TemporaryFolder] = []
    for step in 0..<count {
      for fault in [FaultyStorage.Fault.crashBefore(step), .crashAfter(step)] {
        let folder = try TemporaryFolder()
        let end = try await play(folder.path, FaultyStorage(fault))
        try await checkRecovered(folder.path, acknowledged: end.published, "\(fault)")
        if step % 7 == 0 { folders.append(folder) }
      }
    }
    // What pyarrow sees, for some of them: starting it takes a second.
    for folder in folders {
      #expect(try foreignPositions(folder.path) == Array(1...40))
    }
  }

  @Test("during the recovery from a crash, too")
  func recoveryCrashes() async throws {
    let count = try await operationCount()
    for step in stride(from: 8, to: count, by: 4) {
      for second in stride(from: 0, to: 14, by: 2) {
        let folder = try TemporaryFolder()
        let end = try await play(folder.path, FaultyStorage(.crashAfter(step)))
        let again = try await play(folder.path, FaultyStorage(.crashBefore(second)))
        try await checkRecovered(
          folder.path, acknowledged: max(end.published, again.published), "\(step), \(second)")
      }
    }
  }

  @Test("a failing disk answers a typed error, and the same call works later", arguments: [28, 5])
  func failures(code: Int32) async throws {
    let count = try await operationCount()
    for step in stride(from: Int(code) % 2, to: count, by: 2) {
      let folder = try TemporaryFolder()
      let lake = ParquetEventLake(
        directory: folder.path, storage: FaultyStorage(.fail(step, code: code)))
      var errors: [LakeError] = []
      for _ in 0..<3 {
        do throws(LakeError) {
          try await lake.recover()
          try await lake.append(Self.events(1...20))
          try await lake.append(Self.events(1...40))
          break
        } catch {
          errors.append(error)
        }
      }
      #expect(errors.allSatisfy { $0.isRetryable }, "step \(step): \(errors)")
      #expect(errors.count <= 1, "step \(step): \(errors)")
      #expect(try await ownPositions(lake) == Array(1...40), "step \(step)")
      #expect(lake.damaged.isEmpty, "step \(step)")
    }
  }

  @Test("a full disk keeps what was published and continues when there is space")
  func fullDisk() async throws {
    let count = try await operationCount()
    for step in stride(from: 12, to: count, by: 3) {
      let folder = try TemporaryFolder()
      let end = try await play(folder.path, FaultyStorage(.full(from: step)))
      if let error = end.error {
        guard case .io(_, _, 28) = error else {
          Issue.record("step \(step): \(error)")
          continue
        }
      }
      try await checkRecovered(folder.path, acknowledged: end.published, "full from \(step)")
    }
  }
}
