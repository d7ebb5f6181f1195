import Domain
import EventLake
import Foundation
import Logging
import Synchronization
import Testing

/// Contents in memory.
private final class MemoryBlobs: PagedEventBlobs {
  private let contents: Mutex<[BlobReference: String]>

  init(_ contents: [BlobReference: String]) { self.contents = Mutex(contents) }

  func blobs(_ references: [BlobReference]) async throws(StoreError) -> [EventBlob] {
    contents.withLock { contents in
      references.compactMap { reference in
        contents[reference].map { EventBlob(reference: reference, content: $0) }
      }
    }
  }

  func blobs(
    after reference: BlobReference?, limit: Int
  ) async throws(StoreError) -> [EventBlob] {
    contents.withLock { contents in
      contents.keys.sorted().filter { key in reference.map { $0 < key } ?? true }.prefix(limit)
        .map { EventBlob(reference: $0, content: contents[$0] ?? "") }
    }
  }
}

@Suite("Contents of events in the lake")
struct BlobTests {
  private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private static func reference(_ byte: UInt8) -> BlobReference {
    BlobReference(ownerID: Fixtures.user(1), hash: [UInt8](repeating: byte, count: 32))
  }

  private static func submitted(_ position: Int64, _ byte: UInt8) -> StoredEvent {
    let digits = String(repeating: String(format: "%02x", byte), count: 32)
    return Fixtures.event(
      position, "code.submitted",
      payload: #"{"code_hash":"\#(digits)","code_byte_count":3,"files":[]}"#)
  }

  private func opened(
    _ folder: TemporaryFolder, _ storage: any LakeStorage = PosixStorage()
  ) async throws -> ParquetEventLake {
    let lake = ParquetEventLake(directory: folder.path, storage: storage)
    try await lake.recover()
    return lake
  }

  @Test("are there as soon as the event that names them is, and read back")
  func stored() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    let blobs = MemoryBlobs([Self.reference(1): "ñ'\n", Self.reference(2): "not named"])
    let log = MemoryLog([Self.submitted(1, 1), Self.submitted(2, 1), Fixtures.event(3)])
    let sink = LakeSink(lake: lake, log: log, blobs: blobs, logger: Self.quiet)
    #expect(try await sink.flush() == 3)
    let reader = LakeReader(directory: folder.path)
    let all = try await reader.blobs([Self.reference(1), Self.reference(2)])
    #expect(all == [EventBlob(reference: Self.reference(1), content: "ñ'\n")])
    // Not where readers of events look.
    let events = try FileManager.default.subpathsOfDirectory(atPath: "\(folder.path)/events")
    #expect(!events.contains { $0.contains("blobs") || $0.contains("0101") })
    #expect(try await reader.state().publishedPosition == 3)
  }

  @Test("hold up no event where one is missing")
  func missing() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    let log = MemoryLog([Self.submitted(1, 1), Fixtures.event(2)])
    let sink = LakeSink(lake: lake, log: log, blobs: MemoryBlobs([:]), logger: Self.quiet)
    #expect(try await sink.flush() == 2)
  }

  @Test("of events that an older version published are copied once")
  func older() async throws {
    let folder = try TemporaryFolder()
    let lake = try await opened(folder)
    let log = MemoryLog([Self.submitted(1, 1)])
    #expect(try await LakeSink(lake: lake, log: log, logger: Self.quiet).flush() == 1)
    log.append([Fixtures.event(2)])
    let contents = (1...40).map { (Self.reference($0), "content \($0)") }
    let blobs = MemoryBlobs(Dictionary(contents) { first, _ in first })
    let sink = LakeSink(lake: lake, log: log, blobs: blobs, logger: Self.quiet)
    #expect(try await sink.flush() == 2)
    let found = try await LakeReader(directory: folder.path).blobs(contents.map(\.0))
    #expect(found.map(\.content) == contents.map(\.1))
  }

  @Test("are whole or missing after a full disk, and the events wait for them", arguments: 0..<12)
  func full(_ step: Int) async throws {
    let folder = try TemporaryFolder()
    try await opened(folder).close()
    let storage = FaultyStorage(.full(from: 20 + 2 * step))
    let blobs = MemoryBlobs([Self.reference(1): "one", Self.reference(2): "two"])
    let log = MemoryLog([Self.submitted(1, 1), Self.submitted(2, 2)])
    do {
      let lake = try await opened(folder, storage)
      _ = try await LakeSink(lake: lake, log: log, blobs: blobs, logger: Self.quiet).flush()
      try await lake.close()
    } catch let error as LakeError {
      #expect(error.isRetryable)
    }
    let state = try await LakeReader(directory: folder.path).state()
    let found = try await LakeReader(directory: folder.path)
      .blobs([Self.reference(1), Self.reference(2)])
    #expect(found.allSatisfy { ["one", "two"].contains($0.content) })
    if state.publishedPosition > 0 { #expect(found.count == 2) }
  }

  @Test("and events are read from a lake that another one has open, group by group")
  func reader() async throws {
    let folder = try TemporaryFolder()
    var options = EncodingOptions()
    options.rowGroupRows = 10
    let lake = ParquetEventLake(directory: folder.path, options: options)
    try await lake.recover()
    let events = (1...95).map { Fixtures.event(Int64($0), "goal.created") }
    try await lake.append(events)
    let reader = LakeReader(directory: folder.path)
    let state = try await reader.state()
    #expect(state.publishedPosition == 95 && state.files.count == 1)
    let file = try #require(state.files.first)
    #expect(try await reader.verify(file))
    var read: [StoredEvent] = []
    for group in 0... {
      guard let more = try await reader.events(of: file, group: group) else { break }
      #expect(more.count <= 10)
      read += more
    }
    #expect(read.map(\.position) == events.map(\.position))
    #expect(read.map(\.payload) == events.map(\.payload))
    #expect(read.map(\.entityID) == events.map(\.entityID))
    // Damaged, and said to be.
    let path = lake.layout.path(of: file)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count / 2] ^= 0xff
    try bytes.write(to: URL(fileURLWithPath: path))
    await #expect(throws: LakeError.self) { try await reader.verify(file) }
    await #expect(throws: LakeError.missing(path: "/nowhere", floor: 0)) {
      try await LakeReader(directory: "/nowhere").state()
    }
  }
}
