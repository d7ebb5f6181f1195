import Domain
import InMemoryStore
import PostgresStore
import TestSupport

/// A migrated database of its own with every store on it, for one test.
struct StoreFixture: TestedStore {
  let connection: ClusterConnection
  let database: PostgresDatabase
  let ids = UUIDv7Generator()

  var writes: PostgresWriteStore { PostgresWriteStore(database) }
  var users: PostgresUserRepository { PostgresUserRepository(database) }
  var courses: PostgresCourseRepository { PostgresCourseRepository(database) }
  var goals: PostgresGoalRepository { PostgresGoalRepository(database) }
  var snapshots: PostgresSnapshotRepository { PostgresSnapshotRepository(database) }
  var documents: PostgresDocumentRepository { PostgresDocumentRepository(database) }
  var blobs: PostgresEventBlobs { PostgresEventBlobs(database) }
  var log: PostgresEventLog { PostgresEventLog(database) }
  var sequencer: PostgresEventSequencer { PostgresEventSequencer(database) }
  var tokens: PostgresTokenStore { PostgresTokenStore(database) }
  var runs: PostgresAgentRunStore { PostgresAgentRunStore(database) }
  var validations: PostgresValidationStore { PostgresValidationStore(database) }
  var taskTests: PostgresTaskTestsStore { PostgresTaskTestsStore(database) }
  var usages: PostgresModelUsageStore { PostgresModelUsageStore(database) }
  var quotas: PostgresQuotaStore { PostgresQuotaStore(database) }
  var groups: PostgresConsumerGroupStore { PostgresConsumerGroupStore(database) }
  var externals: PostgresExternalEventStore { PostgresExternalEventStore(database) }
  var now: Timestamp { WallClock().now() }
  var retrieval: PostgresRetrievalStore { PostgresRetrievalStore(database) }
  var embeddings: PostgresEmbeddingStore { PostgresEmbeddingStore(database) }
  var audit: PostgresAuditStore { PostgresAuditStore(database) }

  static let start = Timestamp(microsecondsSinceEpoch: 1_800_000_000_000_000)

  static let migrated = TestCluster.Template("migrated") { connection in
    try await Migrator(ConnectionSettings(conninfo: connection.conninfo(role: .owner))).up()
  }

  /// Runs `body` on a fresh database, connected as the application role as the server is.
  static func run(
    connectionCount: Int = 4, _ body: @Sendable (StoreFixture) async throws -> Void
  ) async throws {
    try await inTurn {
      let connection = try await TestCluster.shared().makeDatabase(from: migrated)
      try await serve(connection, connectionCount: connectionCount) { database in
        try await body(StoreFixture(connection: connection, database: database))
      }
    }
  }

  /// Runs `body` when few enough other tests are running.
  static func inTurn(_ body: @Sendable () async throws -> Void) async throws {
    await TestTurns.shared.take()
    do {
      try await body()
    } catch {
      await TestTurns.shared.give()
      throw error
    }
    await TestTurns.shared.give()
  }

  /// Runs `body` while a driver serves this database.
  static func serve(
    _ connection: ClusterConnection, connectionCount: Int = 4,
    longStatementTimeout: Duration = .seconds(300),
    _ body: @Sendable (PostgresDatabase) async throws -> Void
  ) async throws {
    var configuration = PostgresDatabase.Configuration(conninfo: connection.conninfo())
    configuration.connectionCount = connectionCount
    configuration.longConnectionCount = 1
    configuration.longStatementTimeout = longStatementTimeout
    let database = PostgresDatabase(configuration)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await database.run() }
      defer { database.shutdown() }
      try await body(database)
    }
  }

  /// The database has a clock of its own: replies and leases are made older instead.
  func letTimePass(_ duration: Duration) async throws {
    try await script().run(
      """
      UPDATE idempotency_keys
        SET created_at = created_at - \(duration.components.seconds) * interval '1 second';
      UPDATE agent_runs
        SET lease_until = lease_until - \(duration.components.seconds) * interval '1 second';
      UPDATE validations
        SET lease_until = lease_until - \(duration.components.seconds) * interval '1 second';
      UPDATE group_entries
        SET due_at = due_at - \(duration.components.seconds) * interval '1 second';
      UPDATE group_consumers
        SET lease_until = lease_until - \(duration.components.seconds) * interval '1 second';
      UPDATE idempotency_replies r SET slot = hito_reply_slot(k.created_at)
        FROM idempotency_keys k WHERE k.reply_id = r.id
      """)
  }

  /// A session as the owner of the schema, for looking behind the stores' backs.
  func script() async throws -> ScriptSession {
    try await ScriptSession(ConnectionSettings(conninfo: connection.conninfo(role: .owner)))
  }
}
