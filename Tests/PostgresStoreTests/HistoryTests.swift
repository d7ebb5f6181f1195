import Domain
import PostgresStore
import Synchronization
import Testing

/// A bounded history checker: random writers with conflicts, roll-backs and transactions held open,
/// while a sequencer gives positions and a reader reads. Then: nothing skipped, doubled or out of
/// order.
@Suite struct HistoryTests {
  /// Marsaglia's xorshift: the same seed gives the same choices.
  struct Random: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }
    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
  }

  /// What was acknowledged, and how the writers are doing.
  final class Record: Sendable {
    private let state = Mutex<(committed: [EntityID], writerCount: Int)>(([], 0))
    var committed: [EntityID] { state.withLock(\.committed) }
    var isOver: Bool { state.withLock { $0.writerCount == 0 } }
    func begin(writers: Int) { state.withLock { $0.writerCount = writers } }
    func add(_ ids: [EntityID]) { state.withLock { $0.committed += ids } }
    func endWriter() { state.withLock { $0.writerCount -= 1 } }
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func nothingIsSkippedDoubledOrOutOfOrder(seed: UInt64) async throws {
    try await StoreFixture.run(connectionCount: 6) { store in
      let owner = try await store.addUser()
      let record = Record()
      record.add(try await store.sequenceAll().map(\.id))
      var goals: [EntityID] = []
      for _ in 0..<4 {
        let goal = try store.newGoal(owner: owner)
        _ = try await store.save(goal)
        record.add(goal.events.map(\.id))
        goals.append(goal.goal.id)
      }
      let shared = goals
      record.begin(writers: 7)
      let (sequenced, read) = try await withThrowingTaskGroup(of: Void.self) { group in
        for number in UInt64(0)..<5 {
          group.addTask {
            defer { record.endWriter() }
            try await Self.write(
              store, owner, shared, record, Random(seed: seed * 100 + number))
          }
        }
        for number in UInt64(5)..<7 {
          group.addTask {
            defer { record.endWriter() }
            try await Self.hold(store, record, Random(seed: seed * 100 + number))
          }
        }
        async let sequenced = Self.sequence(store, record)
        async let read = Self.read(store, record)
        try await group.waitForAll()
        return try await (sequenced, read)
      }
      let log = try await store.log.events(after: 0, limit: 10_000)
      let committed = record.committed
      #expect(log.map(\.position) == Array(1...Int64(committed.count)))
      #expect(Set(log.map(\.id)) == Set(committed))
      // The first event was sequenced and committed before the readers began.
      #expect(sequenced == Array(log.dropFirst()))
      #expect(read == log)
      Self.expectOrder(log)
    }
  }

  /// Versions of each entity come by ones, in the order of positions.
  static func expectOrder(_ log: [StoredEvent]) {
    var versions: [String: Int64] = [:]
    for event in log {
      let key = "\(event.entityType) \(event.entityID)"
      #expect(event.version == (versions[key] ?? 0) + 1, "\(key)")
      versions[key] = event.version
    }
  }

  /// Changes goals that others change too.
  private static func write(
    _ store: StoreFixture, _ owner: User, _ goals: [EntityID], _ record: Record, _ seed: Random
  ) async throws {
    var random = seed
    for _ in 0..<40 {
      guard let id = goals.randomElement(using: &random) else { return }
      var goal = try await store.load(id, as: owner)
      let context = store.context()
      switch Int.random(in: 0..<4, using: &random) {
      case 0: _ = try? goal.addTask(TaskDraft(title: "t"), context: context)
      case 1: try goal.update(expectedVersion: nil, context: context) { $0.title += "x" }
      default:
        guard let task = goal.tasks.randomElement(using: &random)?.id else { continue }
        let actions: [WorkAction] = [.start, .complete, .reopen]
        let action = actions.randomElement(using: &random) ?? .start
        _ = try? goal.applyToTask(task, action, expectedVersion: nil, context: context)
      }
      if goal.events.isEmpty { continue }
      // A stale one wrote nothing: none of its events may ever be seen.
      if try await store.save(goal) == .committed { record.add(goal.events.map(\.id)) }
    }
  }

  /// Holds transactions open while others commit, then commits or rolls back.
  private static func hold(
    _ store: StoreFixture, _ record: Record, _ seed: Random
  ) async throws {
    var random = seed
    let session = try await store.script()
    let entity = store.ids.next(at: StoreFixture.start)
    var version = 0
    for _ in 0..<15 {
      let ids = (0..<Int.random(in: 1...3, using: &random)).map { _ in
        store.ids.next(at: StoreFixture.start)
      }
      let inserts = ids.enumerated().map { index, id in
        RawEvent(id: id, entity: entity, version: version + index + 1).insert
      }
      try await session.run("BEGIN; " + inserts.joined(separator: "; "))
      let others = record.committed.count + Int.random(in: 1...20, using: &random)
      let rounds = Int.random(in: 1...30, using: &random)
      for _ in 0..<rounds where record.committed.count < others {
        _ = try await store.log.head()
      }
      if Bool.random(using: &random) {
        try await session.run("COMMIT")
        version += ids.count
        record.add(ids)
      } else {
        try await session.run("ROLLBACK")
      }
    }
  }

  private static func sequence(
    _ store: StoreFixture, _ record: Record
  ) async throws -> [StoredEvent] {
    var all: [StoredEvent] = []
    while true {
      let isOver = record.isOver
      guard let batch = try await store.sequencer.sequence(limit: 7) else { continue }
      all += batch
      if isOver, batch.isEmpty { return all }
    }
  }

  private static func read(
    _ store: StoreFixture, _ record: Record
  ) async throws -> [StoredEvent] {
    var all: [StoredEvent] = []
    while true {
      let isOver = record.isOver
      let expected = record.committed.count
      all += try await store.log.events(after: Int64(all.count), limit: 11)
      if isOver, all.count == expected { return all }
    }
  }
}
