import Domain
import EventLake
import Foundation
import Testing

@Suite("A damaged file")
struct DamageTests {
  private static let events = (1...50).map {
    Fixtures.event($0, $0 % 2 == 0 ? "task.created" : "goal.created")
  }

  private func query() -> LakeQuery {
    LakeQuery(
      userID: Fixtures.user(1),
      period: ReportPeriod(from: Timestamp(microsecondsSinceEpoch: 0)))
  }

  private func scanned(_ lake: ParquetEventLake) async -> Result<[ArchivedEvent], LakeError> {
    do throws(LakeError) { return .success(try await lake.scan(query()).rows) } catch {
      return .failure(error)
    }
  }

  private func opened(_ folder: TemporaryFolder) async throws -> ParquetEventLake {
    let lake = ParquetEventLake(directory: folder.path)
    try await lake.recover()
    try await lake.append(Self.events)
    return lake
  }

  private func flip(_ lake: ParquetEventLake, _ file: LakeFile, at offset: Int) throws {
    let url = URL(fileURLWithPath: lake.layout.path(of: file))
    var bytes = try Data(contentsOf: url)
    bytes[offset] ^= 0x10
    try bytes.write(to: url)
  }

  @Test("with any flipped bit is found at the next start, set aside, and restored from the log")
  func flippedBit() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    let file = try #require(try lake.openState().files.first)
    for offset in stride(from: 0, to: Int(file.byteCount), by: 97) {
      try flip(lake, file, at: offset)
      try await lake.close()
      let report = try await lake.recover()
      let damaged = try #require(report.damaged.first)
      #expect(report.damaged.count == 1)
      #expect(damaged.file == file)
      #expect(damaged.reason == .wrongChecksum)
      let aside = try #require(damaged.quarantinePath)
      #expect(FileManager.default.fileExists(atPath: aside))
      #expect(!FileManager.default.fileExists(atPath: lake.layout.path(of: file)))
      await #expect(throws: LakeError.damaged([damaged])) { try await lake.scan(query()) }

      try await lake.restore(damaged, from: Self.events)
      #expect(lake.damaged.isEmpty)
      #expect(try await lake.scan(query()).rows.map(\.position) == Array(1...50))
    }
  }

  @Test("stays known over restarts until it is restored")
  func staysKnown() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    let file = try #require(try lake.openState().files.last)
    try FileManager.default.removeItem(atPath: lake.layout.path(of: file))
    for _ in 0..<3 {
      try await lake.close()
      let report = try await lake.recover()
      #expect(report.damaged.map(\.reason) == [.missing])
      #expect(report.damaged.first?.quarantinePath == nil)
    }
    let damaged = try #require(lake.damaged.first)
    await #expect(throws: LakeError.self) {
      try await lake.restore(damaged, from: Array(Self.events.prefix(10)))
    }
    #expect(lake.damaged == [damaged])
    try await lake.restore(damaged, from: Self.events)
    try await lake.close()
    #expect(try await lake.recover().damaged.isEmpty)
  }

  @Test("that a scan meets first is an error and set aside, never left out silently")
  func foundByScan() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    let file = try #require(try lake.openState().files.first)
    // In the middle of the pages: the footer stays readable, the page checksum does not match.
    try flip(lake, file, at: 60)
    let result = await scanned(lake)
    switch result {
    // The flipped bit lies in a column that this scan does not read: then all rows are right.
    case .success(let rows): #expect(rows.map(\.position) == Array(1...50))
    case .failure(let error): #expect(error == .damaged(lake.damaged))
    }
    for damaged in lake.damaged { try await lake.restore(damaged, from: Self.events) }
    try Data("PAR1 this is no Parquet file PAR1".utf8)
      .write(to: URL(fileURLWithPath: lake.layout.path(of: file)))
    let error = await #expect(throws: LakeError.self) { try await lake.scan(query()) }
    #expect(error == .damaged(lake.damaged))
    #expect(lake.damaged.map(\.file) == [file])
    #expect(lake.damaged.map(\.reason) == [.unreadable])
  }

  @Test("never returns wrong rows, whichever byte is flipped")
  func neverWrongRows() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    let file = try #require(try lake.openState().files.first)
    let url = URL(fileURLWithPath: lake.layout.path(of: file))
    let good = try Data(contentsOf: url)
    let expected = try await lake.scan(query()).rows
    var wrong: [Int] = []
    for offset in stride(from: 4, to: good.count, by: 11) {
      var bytes = good
      bytes[offset] ^= 0x10
      try bytes.write(to: url)
      switch await scanned(lake) {
      case .success(let rows): if rows != expected { wrong.append(offset) }
      case .failure:
        for damaged in lake.damaged { try await lake.restore(damaged, from: Self.events) }
      }
    }
    // Pages carry checksums, the footer does not: the checksum of the manifest covers that one.
    let footer = good.count - 8 - Int(good[good.count - 8]) - Int(good[good.count - 7]) << 8
    #expect(wrong.allSatisfy { $0 >= footer }, "\(wrong) of \(good.count), footer at \(footer)")
  }

  @Test("manifest is refused with a hint, and nothing is changed")
  func manifest() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    try await lake.close()
    try await lake.recover()
    try await lake.close()
    let url = URL(fileURLWithPath: lake.layout.manifest)
    var bytes = try Data(contentsOf: url)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: url)
    let error = await #expect(throws: LakeError.self) { try await lake.recover() }
    #expect(
      error == .manifestDamaged(path: lake.layout.manifest, detail: "checksum"))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: url)
    try await lake.recover()
    #expect(try await lake.scan(query()).rows.count == 50)
  }

  @Test("a record of a later build is refused and not cut off as torn")
  func laterRecord() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    try await lake.close()
    let folderURL = URL(fileURLWithPath: lake.layout.manifestFolder)
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folderURL.path)
        .filter { $0.hasPrefix("journal-") }.max())
    let url = folderURL.appendingPathComponent(name)
    let good = try Data(contentsOf: url)
    // As today's records are framed; torn, it is what a crash leaves.
    let json = Array(#"{"merge":{"day":3}}"#.utf8)
    var sum: UInt32 = 0xffff_ffff
    for byte in json {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0x82f6_3b78 : sum >> 1 }
    }
    let hexadecimal = String(sum ^ 0xffff_ffff, radix: 16)
    let line = String(repeating: "0", count: 8 - hexadecimal.count) + hexadecimal + " "
    let bytes = good + Data(line.utf8) + Data(json) + Data("\n".utf8)
    try bytes.write(to: url)
    let error = await #expect(throws: LakeError.self) { try await lake.recover() }
    guard case .manifestDamaged(_, let detail) = error else {
      return #expect(Bool(false), "\(String(describing: error))")
    }
    #expect(detail.contains("a later build"))
    #expect(try Data(contentsOf: url) == bytes)
    try (good + Data(line.utf8) + Data(json.dropLast(3)) + Data("\n".utf8)).write(to: url)
    try await lake.recover()
    #expect(try await lake.scan(query()).rows.count == 50)
  }
}
