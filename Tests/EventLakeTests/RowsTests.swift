import Domain
import EventLake
import Foundation
import Testing

@Suite("Whole rows by position")
struct RowsTests {
  static func place(_ event: StoredEvent) -> EventPlace {
    EventPlace(
      position: event.position, seq: event.seq, type: event.type, userID: event.userID,
      createdAt: event.createdAt)
  }

  private static let later = Timestamp(microsecondsSinceEpoch: 4_000_000_000_000_000)

  /// A lake with small row groups and events of several days, kinds and users.
  private func filled(
    _ folder: TemporaryFolder, _ events: [StoredEvent], rowGroupRows: Int64 = 50
  ) async throws -> ParquetEventLake {
    var options = EncodingOptions()
    options.rowGroupRows = rowGroupRows
    let lake = ParquetEventLake(directory: folder.path, options: options)
    try await lake.recover()
    var rest = events[...]
    while !rest.isEmpty {
      try await lake.append(Array(rest.prefix(300)))
      rest = rest.dropFirst(300)
    }
    return lake
  }

  @Test("come back as they were, before and after a compaction, whichever are wanted")
  func anyOfThem() async throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(state: 7)
    let events = Fixtures.random(2000, before: Fixtures.monday, using: &random)
    let lake = try await filled(folder, events)
    for isCompacted in [false, true] {
      if isCompacted { try await lake.compact(before: Self.later) }
      for count in [1, 5, 400, 2000] {
        let wanted = events.shuffled(using: &random).prefix(count)
          .sorted { $0.position < $1.position }
        let rows = try await lake.rows(at: wanted.map(Self.place), byteCountMax: .max)
        #expect(rows.events == wanted)
        #expect(rows.rowGroupsRead <= rows.rowGroupCount)
      }
    }
    #expect(try await lake.rows(at: [], byteCountMax: 1).events.isEmpty)
  }

  @Test("end at the first that reaches the bytes that there are", arguments: [true, false])
  func bounded(isCompacted: Bool) async throws {
    let folder = try TemporaryFolder()
    let events = (1...300 as ClosedRange<Int64>).map { position in
      Fixtures.event(
        position, Fixtures.types[Int(position) % 5], user: UInt64(position % 9),
        payload: #"{"title":"\#(String(repeating: "x", count: 1000 + Int(position)))"}"#)
    }
    let lake = try await filled(folder, events, rowGroupRows: 20)
    if isCompacted { try await lake.compact(before: Self.later) }
    for byteCountMax in [1, 5_000, 100_000] {
      var expected: [StoredEvent] = []
      var byteCount = 0
      for event in events where byteCount < byteCountMax {
        expected.append(event)
        byteCount += event.payload.byteCount + event.metadata.byteCount
      }
      let rows = try await lake.rows(at: events.map(Self.place), byteCountMax: byteCountMax)
      #expect(rows.events == expected, "\(byteCountMax)")
    }
  }

  @Test("of one learner are read in the few row groups that have that learner's")
  func fewRowGroups() async throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(state: 3)
    let events = Fixtures.random(
      20_000, users: 200, days: 2, before: Fixtures.monday, using: &random)
    let lake = try await filled(folder, events, rowGroupRows: 100)
    try await lake.compact(before: Self.later)
    let own = events.filter { $0.userID == Fixtures.user(17) && $0.type.hasPrefix("goal.") }
    let rows = try await lake.rows(at: own.prefix(5).map(Self.place), byteCountMax: .max)
    #expect(rows.events == Array(own.prefix(5)))
    // Two days at most of one kind, and the few groups that a learner's rows lie in.
    #expect(rows.files.count <= 2 && rows.rowGroupsRead <= 4, "\(rows)")
    #expect(rows.rowGroupCount > 10)
  }

  @Test("of a file that is damaged are an error, and never left out")
  func damaged() async throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(state: 5)
    let events = Fixtures.random(600, before: Fixtures.monday, using: &random)
    let lake = try await filled(folder, events)
    let file = try #require(try lake.openState().files.first)
    let url = URL(fileURLWithPath: lake.layout.path(of: file))
    var bytes = try Data(contentsOf: url)
    bytes[60] ^= 0x10
    try bytes.write(to: url)
    let inside = events.filter { file.holds($0) }
    for _ in 0..<2 {
      let error = await #expect(throws: LakeError.self) {
        try await lake.rows(at: inside.map(Self.place), byteCountMax: .max)
      }
      if case .damaged(let files) = error {
        #expect(files.map(\.file) == [file])
      } else {
        Issue.record("\(String(describing: error))")
      }
    }
    let outside = events.filter { event in
      !inside.contains { $0.position == event.position }
    }
    #expect(
      try await lake.rows(at: outside.map(Self.place), byteCountMax: .max).events == outside)
    // The log's readers learn what it is.
    let floor = LogFloor(position: 600, eventID: events[599].id)
    await #expect(throws: StoreError.archived(.damaged)) {
      try await lake.events(
        at: inside.map(Self.place), below: floor, byteCountMax: .max, for: nil)
    }
  }

  @Test("and the position of an event are what the floor allows")
  func below() async throws {
    let folder = try TemporaryFolder()
    let events = (1...100 as ClosedRange<Int64>).map { position in
      var event = Fixtures.event(position)
      let time = UInt64(event.createdAt.microsecondsSinceEpoch) / 1000
      event.id = EntityID(high: time << 16 | 0x7000, low: 1 << 63 | UInt64(position))
      return event
    }
    let lake = try await filled(folder, events)
    let floor = LogFloor(position: 60, eventID: events[59].id, highestID: events[59].id)
    #expect(try await lake.position(of: events[41].id, below: floor) == 42)
    #expect(try await lake.position(of: events[80].id, below: floor) == nil)
    let unknown = EntityID(high: events[0].id.high, low: 77 << 20)
    #expect(try await lake.position(of: unknown, below: floor) == nil)
    let places = events.prefix(3).map(Self.place)
    let other = LogFloor(position: 60, eventID: events[58].id)
    let beyond = LogFloor(position: 101, eventID: events[99].id)
    for wrong in [other, beyond] {
      await #expect(throws: StoreError.archived(.notHere)) {
        try await lake.events(at: places, below: wrong, byteCountMax: .max, for: nil)
      }
    }
    let read = try await lake.events(at: places, below: floor, byteCountMax: .max, for: nil)
    #expect(read == Array(events.prefix(3)))
    try await lake.close()
    await #expect(throws: StoreError.archived(.notHere)) {
      try await lake.events(at: places, below: floor, byteCountMax: .max, for: nil)
    }
  }
}
