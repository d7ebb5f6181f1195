import Domain
import TestSupport
import Testing

@testable import PostgresStore

/// Row-level security, where the statements of the stores do not come into it.
@Suite struct RowSecurityTests {
  /// Has a user's column, and no learner's rows.
  private static let exceptions: [[String?]] = [["courses"]]

  private static let goalCount = Statement("test.goals", "SELECT count(*) FROM goals")

  private static func count(
    _ database: PostgresDatabase, as viewer: Viewer
  ) async throws -> Int64 {
    try await database.rows(goalCount(), as: viewer)[0].value(0)
  }

  @Test func everyTableWithAUsersColumnHasARule() async throws {
    try await StoreFixture.run { store in
      let session = try await store.script()
      let tables = try await session.run(
        """
        SELECT c.table_name FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type = 'uuid'
          AND c.column_name ~ '(user|caller|learner|owner|author)_id$'
          -- Partitions are reached through their table alone: the application has no right to them.
          AND NOT (SELECT relispartition FROM pg_class WHERE oid = c.table_name::regclass)
        UNION SELECT conrelid::regclass::text FROM pg_constraint
        WHERE contype = 'f' AND confrelid = 'users'::regclass
        ORDER BY 1
        """)
      #expect(tables.contains(["goals"]) && tables.contains(["courses"]))
      let ruled = try await session.run(
        """
        SELECT c.relname FROM pg_class c
        WHERE c.relrowsecurity AND c.relforcerowsecurity AND c.relnamespace = 'public'::regnamespace
          AND ARRAY['hito_owner', 'hito_system', 'hito_viewer']::name[] <@ ARRAY(
            SELECT p.polname FROM pg_policy p WHERE p.polrelid = c.oid)
        ORDER BY 1
        """)
      let names: [String] = ruled.compactMap { row in row[0] }
      #expect(names == RowSecurity.rules.map(\.table).sorted())
      for table in tables where !Self.exceptions.contains(table) {
        #expect(ruled.contains(table), "docs/adding-a-table.md says how a table gets its rule")
      }
    }
  }

  @Test(arguments: [ClusterRole.application, .owner])
  func aUnitSeesWhatItsViewerMayAndTheNextOneNothingOfThat(_ role: ClusterRole) async throws {
    try await StoreFixture.run { store in
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      for owner in [ada, ada, bob] { _ = try await store.addGoal(owner: owner) }
      // One connection, so that each unit comes after the one before.
      var configuration = PostgresDatabase.Configuration(
        conninfo: store.connection.conninfo(role: role))
      configuration.connectionCount = 1
      let database = PostgresDatabase(configuration)
      async let service: Void = database.run()
      for (viewer, expected): (Viewer, Int64) in [
        (.own(ada.id), 2), (.nobody, 0), (.instructor(bob.id), 1), (.withExamples(bob.id), 1),
        (.everybody(bob.id), 3), (.nobody, 0), (.system(.log), 3), (.own(bob.id), 1),
        (.own(store.ids.next(at: StoreFixture.start)), 0), (.nobody, 0),
      ] {
        #expect(try await Self.count(database, as: viewer) == expected, "\(viewer)")
      }
      let units = try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<200 {
          let (viewer, expected): (Viewer, Int64) =
            [(.own(ada.id), 2), (.nobody, 0), (.own(bob.id), 1)][number % 3]
          group.addTask { try await Self.count(database, as: viewer) == expected }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(units.allSatisfy { $0 }, "units in one pipeline see each other's rows")
      database.shutdown()
      try await service
    }
  }

  @Test func aSessionThatSaysNothingSeesNothingUnlessItIsTheOwners() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      _ = try await store.addGoal(owner: ada)
      let count = "SELECT (SELECT count(*) FROM goals) || ' ' || (SELECT count(*) FROM users)"
      let application = try await ScriptSession(
        ConnectionSettings(conninfo: store.connection.conninfo()))
      #expect(try await application.run(count) == [["0 0"]])
      #expect(try await store.script().run(count) == [["1 1"]])
      #expect(try await store.script().run("SET hito.scope = 'none'; \(count)") == [["0 0"]])
    }
  }

  @Test(arguments: [Role.learner, .instructor, .service, .admin])
  func noCallersUnitWrites(_ role: Role) async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada", role: role)
      _ = try await store.addGoal(owner: ada, title: "Uno")
      let viewer = Viewer(AccessScope(ada))
      let update = Query<EntityID>(
        "test.rename", "UPDATE goals SET title = 'Dos' WHERE user_id = $1 RETURNING id")
      #expect(try await store.database.rows(update(ada.id), as: viewer).count == 0)
      let delete = Query<EntityID>(
        "test.forget", "DELETE FROM passages WHERE user_id = $1 RETURNING entity_id")
      #expect(try await store.database.rows(delete(ada.id), as: viewer).count == 0)
      let insert = Query<EntityID>(
        "test.spend",
        """
        INSERT INTO model_usage (user_id, hour, call_count, prompt_tokens, completion_tokens,
          cost_micros) VALUES ($1, now(), 1, 1, 1, 1)
        """)
      let error = await #expect(throws: UnitError.self) {
        try await store.database.attempt(StatementUnit([insert(ada.id)], as: viewer))
      }
      #expect(error?.serverError?.sqlState == "42501")
      #expect(try await store.script().run("SELECT title FROM goals") == [["Uno"]])
    }
  }

  /// Of every table: the rule is asked before anything else of a row.
  @Test func noTableTakesARowOfACaller() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      for rule in RowSecurity.rules {
        // The row of a partitioned table has to have a partition first.
        let row = rule.table == "idempotency_replies" ? "(slot) VALUES (0)" : "DEFAULT VALUES"
        let insert = Statement("test.insert_\(rule.table)", "INSERT INTO \(rule.table) \(row)")
        for viewer in [Viewer.own(ada.id), .everybody(ada.id), .nobody] {
          let error = await #expect(throws: UnitError.self) {
            try await store.database.attempt(StatementUnit([insert()], as: viewer))
          }
          #expect(error?.serverError?.sqlState == "42501", "\(rule.table), \(viewer)")
        }
      }
    }
  }

  /// What each write is asked costs no plan of its own, which is set up at each execution.
  @Test func rulesOfWritesAreAskedForEachRow() async throws {
    try await StoreFixture.run { store in
      let application = try await ScriptSession(
        ConnectionSettings(conninfo: store.connection.conninfo()))
      let writes = [
        "INSERT INTO goals DEFAULT VALUES", "INSERT INTO tasks DEFAULT VALUES",
        "INSERT INTO events DEFAULT VALUES", "INSERT INTO passages DEFAULT VALUES",
        "INSERT INTO embeddings DEFAULT VALUES", "INSERT INTO event_positions DEFAULT VALUES",
        "INSERT INTO idempotency_replies DEFAULT VALUES",
        "INSERT INTO idempotency_keys DEFAULT VALUES RETURNING reply_id",
        """
        INSERT INTO stored_bytes AS s DEFAULT VALUES
        ON CONFLICT (day, user_id, shard) DO UPDATE SET byte_count = s.byte_count + 1
        """,
      ]
      for write in writes {
        let plan = try await application.run("EXPLAIN \(write)").compactMap { $0[0] }
        // Where the log begins is one row, asked for once by each statement that writes events.
        let floorCount = write.hasPrefix("INSERT INTO events") ? 1 : 0
        #expect(plan.count { $0.contains("Plan") } == floorCount, "\(write): \(plan)")
        #expect(plan.count { $0.contains("event_floor") } == floorCount, "\(write): \(plan)")
      }
    }
  }

  @Test func rulesFollowTheBuildAndTheTable() async throws {
    try await StoreFixture.run { store in
      let settings = ConnectionSettings(conninfo: store.connection.conninfo(role: .owner))
      let application = ConnectionSettings(conninfo: store.connection.conninfo())
      let session = try await store.script()
      #expect(try await RowSecurity.state(application) == .upright)
      let administrator = ConnectionSettings(
        conninfo: store.connection.conninfo(role: .administrator))
      #expect(try await RowSecurity.state(administrator) == .passedOver(role: "postgres"))
      // As another build left it.
      try await session.run(
        """
        COMMENT ON POLICY hito_owner ON users IS 'another';
        CREATE POLICY hito_app ON goals TO hito_app USING (true);
        ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY
        """)
      #expect(try await RowSecurity.state(application) == .missing(tables: ["tasks"]))
      try await Migrator(settings).up()
      #expect(try await RowSecurity.state(application) == .upright)
      #expect(
        try await session.run("SELECT count(*) FROM pg_policy WHERE polname = 'hito_app'")
          == [["0"]])
      // The vectors of another model take the place of a table with its rule.
      let change = PostgresEmbeddingSwitch(store.database, owner: settings)
      let model = StoredModel(name: "another", dimensionCount: 8)
      try await change.begin(model)
      let policies = """
        SELECT string_agg(polname, ' ' ORDER BY polname) FROM pg_policy
        WHERE polrelid = 'embeddings'::regclass
        """
      let before = try await session.run(policies)
      try await change.buildIndex()
      try await change.complete(model)
      #expect(try await session.run(policies) == before)
      #expect(try await RowSecurity.state(application) == .upright)
    }
  }
}
