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
      .init(dataDirectory: directory, environment: ThrowAwayDirectory.environment),
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
            for number in 0..<40 {
              try await Self.writeOnce(
                store, owner, store.request("\(writer)/\(number)", by: owner), progress)
            }
          }
        }
        group.addTask {
          // In the middle of the load, twice.
          for share in [60, 160] {
            try await eventually {
              _ = try? await store.log.head()
              return progress.count >= share
            }
            try await cluster.stop()
            _ = try await cluster.start()
          }
        }
        try await group.waitForAll()
      }
      #expect(progress.failureCount > 0, "no write met the restarts")
      let session = try await store.script()
      #expect(
        try await session.run(
          """
          SELECT (SELECT count(*) FROM goals), (SELECT count(DISTINCT title) FROM goals),
            (SELECT count(*) FROM idempotency_keys),
            (SELECT count(*) FROM events WHERE event_type = 'goal.created')
          """) == [["320", "320", "320", "320"]])
    }
    try await cluster.stop()
    // Where the test failed before, the next run finds the folder and its server and ends both.
    ThrowAwayDirectory.remove(directory)
  }

  final class Progress: Sendable {
    private let counts = Mutex((done: 0, failed: 0))
    var count: Int { counts.withLock(\.done) }
    var failureCount: Int { counts.withLock(\.failed) }
    func finished() { counts.withLock { $0.done += 1 } }
    func failed() { counts.withLock { $0.failed += 1 } }
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
        progress.failed()
      }
    }
  }
}
