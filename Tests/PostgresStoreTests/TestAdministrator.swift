import PostgresStore
import TestSupport

/// What only the cluster's superuser may do.
enum TestAdministrator {
  static func session(_ connection: ClusterConnection) async throws -> ScriptSession {
    try await ScriptSession(
      ConnectionSettings(conninfo: connection.conninfo(role: .administrator)))
  }

  /// Ends the sessions of the driver in this database, as an administrator or a failover would.
  static func terminateSessions(
    of connection: ClusterConnection, named application: String
  ) async throws {
    let script = try await session(connection)
    try await script.run(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = '\(connection.database)' AND application_name = '\(application)'
        AND pid <> pg_backend_pid()
      """)
  }
}

extension StoreFixture {
  static func emptyDatabase() async throws -> ClusterConnection {
    try await TestCluster.shared().makeDatabase()
  }

  /// Returns once a session of this database waits for a lock.
  func untilAnotherSessionWaitsForALock() async throws {
    let script = try await TestAdministrator.session(connection)
    let sql = """
      SELECT count(*) FROM pg_stat_activity
      WHERE datname = '\(connection.database)' AND wait_event_type = 'Lock'
      """
    try await eventually { try await script.run(sql) != [["0"]] }
  }
}

/// Asks until `condition` holds; throws when that takes too long. Each question is a round trip to
/// the server, so that this neither sleeps nor spins.
func eventually(_ condition: () async throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(60)
  while try await !condition() {
    guard .now < deadline else { throw NeverHappened() }
  }
}

struct NeverHappened: Error {}

/// Lets so many tests at a time use the cluster that its connections suffice.
actor TestTurns {
  static let shared = TestTurns(count: 6)

  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(count: Int) { free = count }

  func take() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  func give() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }
}
