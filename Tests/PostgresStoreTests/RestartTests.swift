import Domain
import Logging
import PostgresStore
import Synchronization
import TestSupport
import Testing

/// PostgreSQL restarts under load; the store heals by itself, and every write is there once.
@Suite struct RestartTests {
  @Test(.timeLimit(.minutes(3))) func aRestartUnderLoadLosesAndDoublesNothing() async throws {
    let directory = try ThrowAwayDirectory.make()
    let cluster = EmbeddedCluster(
      .init(dataDirectory: directory, programCandidates: ThrowAwayDirectory.postgresCandidates),
      logger: Logger(label: "restart") { _ in SwiftLogNoOpLogHandler() })
    let connection = try await cluster.start()
    try await Migrator(ConnectionSettings(conninfo: connection.conninfo(role: .owner))).up()
    try await StoreFixture.serve(connection, connectionCount: 4) { database in
      let store = StoreFixture(connection: connection, database: database)
      let owner = try await store.addUser()
      let progress = Progress()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<8 {
          group.addTask {
            // The load continues over both restarts, however fast the machine is.
            for number in 0..<Self.writeCountMax where !progress.isOver {
              try await Self.writeOnce(
                store, owner, store.request("\(writer)/\(number)", by: owner), progress)
            }
          }
        }
        group.addTask {
          defer { progress.over() }
          for _ in 0..<2 {
            try await Self.awaitWrites(60, progress, store)
            try await cluster.stop()
            _ = try await cluster.start()
          }
          // The store has healed when writes are acknowledged again.
          try await Self.awaitWrites(60, progress, store)
        }
        try await group.waitForAll()
      }
      #expect(progress.count < 8 * Self.writeCountMax, "the load ended before the restarts did")
      let session = try await store.script()
      #expect(
        try await session.run(
          """
          SELECT (SELECT count(*) FROM goals), (SELECT count(DISTINCT title) FROM goals),
            (SELECT count(*) FROM idempotency_keys),
            (SELECT count(*) FROM events WHERE event_type = 'goal.created')
          """) == [Array(repeating: "\(progress.count)", count: 4)])
    }
    try await cluster.stop()
    // Where the test failed before, the next run finds the folder and its server and ends both.
    ThrowAwayDirectory.remove(directory)
  }

  final class Progress: Sendable {
    private let state = Mutex((done: 0, isOver: false))
    var count: Int { state.withLock(\.done) }
    var isOver: Bool { state.withLock(\.isOver) }
    func finished() { state.withLock { $0.done += 1 } }
    func over() { state.withLock { $0.isOver = true } }
  }

  /// More than any machine writes while PostgreSQL restarts twice.
  private static let writeCountMax = 100_000

  /// Returns when `count` more writes have been acknowledged.
  private static func awaitWrites(
    _ count: Int, _ progress: Progress, _ store: StoreFixture
  ) async throws {
    let wanted = progress.count + count
    try await eventually {
      _ = try? await store.log.head()
      return progress.count >= wanted
    }
  }

  /// What a client does: the same request under the same key until it is answered.
  private static func writeOnce(
    _ store: StoreFixture, _ owner: User, _ request: RequestKey, _ progress: Progress
  ) async throws {
    while true {
      let goal = try store.newGoal(owner: owner, title: request.key)
      do {
        let outcome = try await store.save(
          goal, reply: KeyedReply(request: request, reply: Array(request.key.utf8)))
        switch outcome {
        case .committed, .replayed(Array(request.key.utf8)): return progress.finished()
        default: throw FixtureError(outcome)
        }
      } catch StoreError.unavailable {
        // Whether it was committed is not known: the same key again tells.
      }
    }
  }
}
