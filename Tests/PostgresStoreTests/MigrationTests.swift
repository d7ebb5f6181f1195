import Domain
import TestSupport
import Testing

@testable import PostgresStore

@Suite struct MigrationTests {
  static func settings(_ connection: ClusterConnection) -> ConnectionSettings {
    ConnectionSettings(conninfo: connection.conninfo(role: .owner))
  }

  /// Everything that migrations make, as text.
  static func schema(_ session: ScriptSession) async throws -> [[String?]] {
    let objects = try await session.run(
      """
      SELECT 'column', table_name, column_name, data_type || is_nullable || coalesce(column_default, '')
        FROM information_schema.columns WHERE table_schema = 'public'
      UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public'
      UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
      UNION ALL SELECT 'function', p.proname, '', pg_get_functiondef(p.oid) FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'hito%'
      UNION ALL SELECT 'grant', table_name, grantee, privilege_type
        FROM information_schema.table_privileges WHERE grantee = 'hito_app'
      ORDER BY 1, 2, 3, 4
      """)
    return objects.filter { $0[1] != "schema_migrations" }
  }

  @Test func eachMigrationGoesUpDownAndUpAgain() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      let migrator = Migrator(Self.settings(connection))
      let session = try await ScriptSession(Self.settings(connection))
      let latest = Migration.all.count
      #expect(Migration.all.map(\.version) == Array(1...latest))
      var schemas = [try await Self.schema(session)]
      for version in 1...latest {
        #expect(try await migrator.migrate(to: version) == [version])
        schemas.append(try await Self.schema(session))
        // It changes rows only.
        if version != Migration.encoderName.version {
          #expect(schemas[version] != schemas[version - 1])
        }
      }
      for version in (0..<latest).reversed() {
        #expect(try await migrator.migrate(to: version) == [version + 1])
        // Grants come with the last one only.
        let isSame =
          try await Self.schema(session).filter { $0[0] != "grant" }
          == schemas[version].filter { $0[0] != "grant" }
        #expect(isSame, "version \(version) is not what it was on the way up")
      }
      #expect(try await migrator.up() == Array(1...latest))
      #expect(try await Self.schema(session) == schemas[latest])
      #expect(try await migrator.up() == [])
      let status = try await migrator.status()
      #expect(status.count == latest && status.allSatisfy { $0.appliedAt != nil })
    }
  }

  @Test func serversThatStartTogetherMigrateOnce() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      let done = try await withThrowingTaskGroup(of: [Int].self) { group in
        for _ in 0..<4 {
          group.addTask { try await Migrator(Self.settings(connection)).up() }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(done == Array(1...Migration.all.count))
    }
  }

  /// A migration that rewrites a large table takes longer than any call may.
  @Test func aMigrationOutlivesTheLimitsOfOrdinarySessions() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      try await TestAdministrator.limitSessions(of: connection)
      let slow = Migration(
        version: 2, name: "slow", up: "SELECT pg_sleep(1.2)", down: .sql("SELECT pg_sleep(1.2)"))
      let migrator = Migrator(
        Self.settings(connection), migrations: [Migration.all[0], slow])
      #expect(try await migrator.up() == [1, 2])
      #expect(try await migrator.migrate(to: 1) == [2])
      // Others keep the limit: the sleep is their whole transaction.
      try await StoreFixture.serve(connection) { database in
        let sleep = Query<Double>("test.limited", "SELECT pg_sleep($1)::text")
        for lane in [PostgresDatabase.Lane.short, .long] {
          let error = await #expect(throws: StoreError.self) {
            try await database.rows(sleep(60), as: .nobody, on: lane)
          }
          #expect("\(error, default: "")".contains("transaction timeout"), "\(lane)")
        }
      }
    }
  }

  /// However long the first one takes, and without holding up what it does.
  @Test func aServerWaitsForTheMigrationOfAnother() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      let first = try await ScriptSession(Self.settings(connection))
      try await first.run("SELECT pg_advisory_lock(\(AdvisoryLockKey.migrator.rawValue))")
      let watcher = try await TestAdministrator.session(connection)
      async let second = Migrator(Self.settings(connection)).up()
      try await eventually {
        try await watcher.run(
          """
          SELECT count(*) FROM pg_stat_activity WHERE datname = '\(connection.database)'
            AND application_name = 'hito migrate' AND query LIKE '%pg_try_advisory_lock%'
          """) == [["1"]]
      }
      // It waits for every statement of the database that has begun.
      try await first.run("CREATE TABLE beside (id int)")
      try await first.run("CREATE INDEX CONCURRENTLY beside_id ON beside (id)")
      try await first.run("DROP TABLE beside")
      #expect(try await watcher.run("SELECT to_regclass('schema_migrations')") == [[nil]])
      try await first.run("SELECT pg_advisory_unlock(\(AdvisoryLockKey.migrator.rawValue))")
      #expect(try await second == Array(1...Migration.all.count))
    }
  }

  /// A log whose events carry their positions: some have none, in the middle and at the end.
  @Test func anExistingLogKeepsItsPositions() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      let migrator = Migrator(Self.settings(connection))
      _ = try await migrator.migrate(to: Migration.eventPositions.version - 1)
      let session = try await ScriptSession(Self.settings(connection))
      try await session.run(RawEvent.many(50_000))
      try await session.run(
        """
        UPDATE events SET position = CASE WHEN seq < 40000 THEN seq ELSE seq - 1 END
          WHERE seq <> 40000 AND seq <= 49990;
        UPDATE event_position SET last = 49989
        """)
      let before = try await session.run(
        "SELECT id, position FROM events WHERE position IS NOT NULL ORDER BY position")
      // What an interrupted attempt leaves.
      try await session.run("CREATE TABLE event_positions (position bigint)")
      try await migrator.up()
      #expect(
        try await session.run(
          "SELECT e.id, p.position FROM event_positions p JOIN events e USING (seq) ORDER BY 2")
          == before)
      #expect(try await session.run("SELECT low FROM event_low_mark") == [["39999"]])
      try await StoreFixture.serve(connection) { database in
        let events = try #require(
          try await PostgresEventSequencer(database).sequence(limit: 1000))
        #expect(events.map(\.seq) == [40_000] + (49_991...50_000))
        #expect(events.map(\.position) == Array(49_990...50_000))
      }
      // And back, for who must.
      let all = try await session.run(
        "SELECT seq, position FROM event_positions ORDER BY seq")
      _ = try await migrator.migrate(to: Migration.eventPositions.version - 1)
      #expect(
        try await session.run("SELECT seq, position FROM events ORDER BY seq") == all)
    }
  }

  @Test func anEditedMigrationIsRefused() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      _ = try await Migrator(Self.settings(connection)).migrate(to: 1)
      var edited = Migration.all
      edited[0] = Migration(
        version: 1, name: "users and courses", up: "SELECT 1", down: .irreversible("a test"))
      await #expect(throws: MigrationError.modified(version: 1, name: "users and courses")) {
        try await Migrator(Self.settings(connection), migrations: edited).up()
      }
    }
  }

  @Test func aNewerDatabaseIsRefused() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      _ = try await Migrator(Self.settings(connection)).migrate(to: 2)
      let older = Array(Migration.all.prefix(1))
      await #expect(throws: MigrationError.newerDatabase(version: 2)) {
        try await Migrator(Self.settings(connection), migrations: older).up()
      }
    }
  }

  @Test func aFailedMigrationLeavesNothing() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      let broken = [
        Migration.all[0],
        Migration(
          version: 2, name: "broken", up: "CREATE TABLE half (id int); SELECT 1/0",
          down: .irreversible("nothing to take back")),
      ]
      let migrator = Migrator(Self.settings(connection), migrations: broken)
      await #expect(
        throws: MigrationError.failed(version: 2, message: "22012 division by zero")
      ) { try await migrator.up() }
      let status = try await migrator.status()
      #expect(status.map { $0.appliedAt != nil } == [true, false])
      let session = try await ScriptSession(Self.settings(connection))
      #expect(try await session.run("SELECT to_regclass('half')") == [[nil]])
    }
  }

  @Test func thereIsNoWayPastAnIrreversibleOne() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      let migrations = [
        Migration(version: 1, name: "one way", up: "SELECT 1", down: .irreversible("a test"))
      ]
      let migrator = Migrator(Self.settings(connection), migrations: migrations)
      #expect(try await migrator.up() == [1])
      await #expect(throws: MigrationError.irreversible(version: 1, reason: "a test")) {
        try await migrator.migrate(to: 0)
      }
      await #expect(throws: MigrationError.unknownVersion(7)) {
        try await migrator.migrate(to: 7)
      }
    }
  }

  @Test func theApplicationRoleOwnsNothingAndCannotEditTheLog() async throws {
    try await StoreFixture.run { store in
      _ = try await store.addUser()
      let session = try await ScriptSession(
        ConnectionSettings(conninfo: store.connection.conninfo(role: .application)))
      #expect(
        try await session.run("SELECT count(*) FROM pg_class WHERE relowner = 'hito_app'::regrole")
          == [["0"]])
      for sql in [
        "DELETE FROM events", "UPDATE events SET payload = '{}'", "DROP TABLE goals",
        "CREATE TABLE own (id int)", "DELETE FROM users", "UPDATE schema_migrations SET name = ''",
        "TRUNCATE events",
      ] {
        let error = await #expect(throws: ServerError.self) { try await session.run(sql) }
        #expect(error?.sqlState == "42501", "\(sql)")
      }
    }
  }
}
