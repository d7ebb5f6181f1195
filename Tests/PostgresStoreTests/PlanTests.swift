import Domain
import Testing

@testable import PostgresStore

/// On tables of 100,000 rows and more, each index is used by the call that it is for.
@Suite struct PlanTests {
  /// A statement, its arguments as SQL, and the index that must serve it.
  struct Case {
    var statement: any StatementSource
    var arguments: String
    var index: String
    /// Whether a sort is fine, because it is of few rows: those of one owner or one JSON value.
    var maySort = false
    /// Statements whose plan for unknown values may differ: they are planned for their values.
    var onlyCustom = false
    /// Vectors are few in this test (building their index over 100,000 takes minutes), and few are
    /// read faster one by one.
    var withoutSeqScan = false
    /// Who runs it.
    var role = ClusterRole.application.rawValue
  }

  static let user = "'00000000-0000-7000-8000-000000000007'"
  static let course = "'00000000-0000-7000-8000-000000000003'"
  static let end = "'infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 51"
  static let scope = "false, \(user), false"
  static let open = "'{pending,in_progress,completed}'"
  static let goals = "'-infinity', 'infinity', NULL, \(end)"

  static let cases: [Case] = [
    Case(statement: UserStatements.byID, arguments: "\(user), false, \(user)", index: "users_pkey"),
    Case(
      statement: UserStatements.byExternalID, arguments: "'x77', true, \(user)",
      index: "users_external_id_key"),
    Case(
      statement: UserStatements.list, arguments: "true, \(user), false, '-infinity', \(end)",
      index: "users_created"),
    Case(
      statement: UserStatements.listByRole,
      arguments: "true, \(user), false, '-infinity', \(end), 'instructor'",
      index: "users_role_created"),
    Case(
      statement: CourseStatements.byID, arguments: "false, \(user), \(course)",
      index: "courses_pkey", maySort: true),
    Case(
      statement: CourseStatements.list,
      arguments: "false, \(user), '{active}', NULL, '-infinity', \(end)",
      index: "courses_created", maySort: true),
    Case(
      statement: CourseStatements.listByOwner,
      arguments: "false, \(user), '{active}', NULL, '-infinity', \(end), \(user)",
      index: "courses_owner",
      maySort: true),
    Case(
      statement: CourseStatements.listEnrolled,
      arguments: "false, \(user), '{active}', NULL, '-infinity', \(end), NULL",
      index: "enrolments_user",
      maySort: true),
    Case(
      statement: CourseStatements.enrolment, arguments: "false, \(user), true, \(course), \(user)",
      index: "enrolments_course_user_key"),
    Case(
      statement: CourseStatements.enrolments,
      arguments: "true, \(user), false, \(course), '{active}', \(end)",
      index: "enrolments_course_created", maySort: true),
    Case(
      statement: CourseStatements.enrolmentsByLearner,
      arguments: "false, \(user), false, \(user), '{active,invited}', \(end)",
      index: "enrolments_learner", maySort: true),
    Case(
      statement: GoalStatements.byID, arguments: "\(scope), gen_random_uuid()",
      index: "goals_pkey", maySort: true),
    Case(
      statement: GoalStatements.byID, arguments: "\(scope), gen_random_uuid()",
      index: "tasks_goal", maySort: true),
    Case(
      statement: GoalStatements.byTask, arguments: "\(scope), gen_random_uuid()",
      index: "tasks_pkey", maySort: true),
    Case(
      statement: GoalStatements.listByOwner,
      arguments: "\(scope), \(open), NULL, \(goals), \(user)", index: "goals_owner"),
    Case(
      statement: GoalStatements.listByCourse,
      arguments: "true, \(user), false, \(open), \(course), \(goals)", index: "goals_course"),
    Case(
      statement: GoalStatements.listByStatus,
      arguments: "true, \(user), false, '{archived}', NULL, \(goals), 'archived'",
      index: "goals_status_created_at_idx", maySort: true, onlyCustom: true),
    Case(
      statement: GoalStatements.listAll,
      arguments: "true, \(user), false, \(open), NULL, \(goals)", index: "goals_created"),
    Case(
      statement: GoalStatements.tasksByOwner,
      arguments: "\(scope), \(open), '-infinity', \(end), \(user)",
      index: "tasks_owner", maySort: true),
    Case(
      statement: GoalStatements.tasksAll,
      arguments: "true, \(user), false, \(open), '-infinity', \(end)", index: "tasks_created"),
    Case(
      statement: EventStatements.page, arguments: "50000, 500, 262144",
      index: "event_positions_pkey", maySort: true),
    Case(
      statement: EventStatements.end, arguments: "1000", index: "events_seq_key",
      maySort: true),
    Case(
      statement: EventStatements.positionOfEvent, arguments: "gen_random_uuid()",
      index: "events_pkey"),
    Case(
      statement: EventStatements.positionAtTime, arguments: "'2026-01-02', 10000",
      index: "event_positions_pkey"),
    Case(
      statement: EventStatements.tail,
      arguments: "false, \(user), \(user), '2026-01-01', '2026-01-03', 0, 100",
      index: "idx_events_user_created",
      maySort: true),
    Case(
      statement: SequencerStatements.place,
      arguments: "'test', '{5,9}', '{20}', '{40}', 119900, 500, 8000000", index: "events_seq_key",
      maySort: true, withoutSeqScan: true),
    Case(
      statement: EventStatements.newestUnsequenced, arguments: "", index: "events_seq_key",
      maySort: true),
    Case(
      statement: history, arguments: "'goal', gen_random_uuid()", index: "idx_events_entity"),
    Case(
      statement: ofType, arguments: "'goal.completed', '2026-01-01'",
      index: "idx_events_type_created"),
    Case(
      statement: ReplyStatements.find, arguments: "gen_random_uuid(), 'm', 'k'",
      index: "idempotency_keys_pkey"),
    Case(
      statement: ReplyStatements.purgeKeys,
      arguments: "'2026-01-01', '2026-01-01 00:01', 100, NULL",
      index: "idempotency_keys_created"),
    Case(
      statement: UsageStatements.storedBytes, arguments: "ARRAY[\(user)]::uuid[], now()",
      index: "stored_bytes_pkey", withoutSeqScan: true),
    Case(
      statement: UsageStatements.quotas, arguments: "'2026-01-01', \(user), 100",
      index: "quotas_updated", withoutSeqScan: true),
    Case(
      statement: TokenStatements.byHash, arguments: "sha256('7')", index: "tokens_hash_key"),
    Case(
      statement: TokenStatements.listByUser, arguments: "false, \(user), 100, \(user)",
      index: "tokens_owner"),
    Case(
      statement: nearest, arguments: "array_fill(0.5, ARRAY[512])::vector::text",
      index: "embeddings_embedding_idx", withoutSeqScan: true),
    Case(
      statement: validated, arguments: "true, '2026-01-01'",
      index: "idx_code_snapshots_validated"),
    Case(
      statement: SnapshotStatements.byID, arguments: "\(scope), gen_random_uuid()",
      index: "code_snapshots_pkey", maySort: true),
    Case(
      statement: SnapshotStatements.listByOwner,
      arguments: "\(scope), NULL, '-infinity', \(end), \(user)",
      index: "code_snapshots_owner", maySort: true),
    Case(
      statement: SnapshotStatements.listByTask,
      arguments: "\(scope), NULL, '-infinity', \(end), \(user), NULL", index: "code_snapshots_task",
      maySort: true),
    Case(
      statement: SnapshotStatements.listAll,
      arguments: "true, \(user), false, NULL, '-infinity', \(end)",
      index: "code_snapshots_created", maySort: true),
    Case(statement: ownVectors, arguments: user, index: "embeddings_signs"),
  ]

  // What the notes' indexes are for, and no call of the store asks yet.
  static let history = Statement(
    "plan.history", [.text, .uuid],
    "SELECT id FROM events WHERE entity_type = $1 AND entity_id = $2 ORDER BY created_at LIMIT 100")
  static let ofType = Statement(
    "plan.of_type", [.text, .timestamptz],
    "SELECT id FROM events WHERE event_type = $1 AND created_at >= $2 ORDER BY created_at LIMIT 100"
  )
  static let nearest = Statement(
    "plan.nearest", [.text],
    """
    SELECT id FROM embeddings WHERE entity_type = 'code_snapshot'
    ORDER BY embedding <=> $1::vector LIMIT 5
    """)
  static let validated = Statement(
    "plan.validated", [.bool, .timestamptz],
    """
    SELECT id FROM code_snapshots WHERE validation_passed = $1 AND created_at >= $2
    ORDER BY created_at LIMIT 100
    """)
  static let ownVectors = Statement(
    "plan.own_vectors", [.uuid],
    "SELECT id FROM embeddings WHERE user_id = $1 AND entity_type = 'goal' LIMIT 1000")

  /// 20,000 users and courses, 100,000 goals, tasks, enrolments, keys and snapshots, 120,000 events.
  /// Foreign keys are not checked while they are filled, to save half of the time.
  static let rows = """
    SET session_replication_role = replica;
    CREATE FUNCTION pg_temp.id(i bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
      $$ SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid $$;
    INSERT INTO users SELECT pg_temp.id(i), 'x' || i, 'u' || i, NULL,
      CASE WHEN i % 50 = 0 THEN 'instructor' ELSE 'learner' END, 'es', 'UTC', true, 1,
      timestamptz '2026-01-01' + i * interval '1 second', now() FROM generate_series(1, 20000) i;
    INSERT INTO courses SELECT pg_temp.id(i), pg_temp.id(i % 500 + 1), 't', 'd', 'es',
      '{"technologies": []}', 'active', 1, timestamptz '2026-01-01' + i * interval '1 second', now()
      FROM generate_series(1, 20000) i;
    INSERT INTO enrolments SELECT gen_random_uuid(), pg_temp.id(i % 1000 + 1),
      pg_temp.id(i / 1000 * 7 % 20000 + 1 + i % 7), true, 1,
      timestamptz '2026-01-01' + i * interval '1 second', now() FROM generate_series(1, 100000) i
      ON CONFLICT DO NOTHING;
    INSERT INTO goals SELECT gen_random_uuid(), pg_temp.id(i % 2000 + 1), pg_temp.id(i % 1500 + 1),
      't' || i, 'd', (ARRAY['pending', 'in_progress', 'completed'])[i % 3 + 1], 0, '{}', '', NULL,
      NULL, NULL, 1, 1, timestamptz '2026-01-01' + i * interval '1 second', now()
      FROM generate_series(1, 100000) i;
    UPDATE goals SET status = 'archived' WHERE title LIKE '%00';
    INSERT INTO tasks SELECT gen_random_uuid(), id, user_id, 't', 'd', status, 0, '{}', NULL, NULL,
      1, created_at, updated_at FROM goals;
    INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload,
      metadata, schema_version, created_at)
      SELECT gen_random_uuid(),
      (ARRAY['goal.created', 'goal.completed', 'task.created'])[i % 3 + 1], 'goal',
      gen_random_uuid(), 1, pg_temp.id(i % 2000 + 1), '{}', '{}', 1,
      timestamptz '2026-01-01' + i * interval '1 second' FROM generate_series(1, 120000) i;
    INSERT INTO event_positions (position, seq, event_type, user_id, created_at)
      SELECT seq, seq, event_type, user_id, created_at FROM events WHERE seq <= 119900;
    UPDATE event_low_mark SET low = 119900, high = 119900;
    INSERT INTO idempotency_keys (caller_id, method, key, request_hash, created_at)
      SELECT pg_temp.id(i % 2000 + 1), 'm', i::text, sha256('x'),
      timestamptz '2026-01-01' + i * interval '1 second' FROM generate_series(1, 100000) i;
    INSERT INTO idempotency_replies
      SELECT hito_reply_slot(created_at), reply_id, caller_id, 'r' FROM idempotency_keys;
    INSERT INTO tokens SELECT gen_random_uuid(), pg_temp.id(i % 2000 + 1), 'learner',
      sha256(i::text::bytea), 'l', '{}', timestamptz '2026-01-01' + i * interval '1 second', now(),
      NULL FROM generate_series(1, 20000) i;
    INSERT INTO code_snapshots SELECT gen_random_uuid(), pg_temp.id(i % 2000 + 1), NULL,
      pg_temp.id(i), 'f', 'c', 'python', i % 3 = 0, 0.9, '', 1,
      timestamptz '2026-01-01' + i * interval '1 second', now(), sha256('c'), NULL, false,
      CASE WHEN i % 3 = 0 THEN 'passed' ELSE 'failed' END, '{}', false
      FROM generate_series(1, 100000) i;
    INSERT INTO embeddings SELECT gen_random_uuid(),
      (ARRAY['goal', 'code_snapshot'])[i % 2 + 1], gen_random_uuid(),
      pg_temp.id(i % 200 + 1), 'c',
      (SELECT array_agg(sin(i * k)) FROM generate_series(1, 512) k)::vector, 'm', sha256('x'), 0,
      '{}', now(), now() FROM generate_series(1, 500) i;
    """

  @Test func eachIndexServesItsCall() async throws {
    let cases = Self.cases + Self.retrievalCases + Self.validationCases
    try await StoreFixture.run { store in
      var settings = ConnectionSettings(conninfo: store.connection.conninfo(role: .administrator))
      settings.limits.statement = .seconds(300)
      // The vacuum that the server starts by itself holds a table for longer than calls may wait.
      settings.limits.lock = .zero
      let session = try await ScriptSession(settings)
      try await session.run(Self.rows)
      try await session.run(Self.retrievalRows)
      try await session.run(Self.validationRows)
      try await session.run("SET lock_timeout = 0; ANALYZE; SET hito.sequencer = 'test'")
      for statement in Dictionary(grouping: cases, by: \.statement.statement.name).values {
        let one = statement[0].statement.statement
        let types = one.parameters.map(\.sqlName).joined(separator: ", ")
        let list = types.isEmpty ? "" : "(\(types))"
        try await session.run("PREPARE \"\(one.name)\" \(list) AS \(one.text)")
      }
      for mode in ["force_custom_plan", "force_generic_plan"] {
        try await session.run("SET plan_cache_mode = \(mode)")
        for test in cases where mode == "force_custom_plan" || !test.onlyCustom {
          // Row-level security is part of the plan.
          try await session.run("SET ROLE \(test.role)")
          try await session.run("SET enable_seqscan = \(test.withoutSeqScan ? "off" : "on")")
          let plan = try await session.run(
            "EXPLAIN EXECUTE \"\(test.statement.statement.name)\""
              + (test.arguments.isEmpty ? "" : "(\(test.arguments))")
          ).map { $0[0] ?? "" }
          let text = plan.joined(separator: "\n")
          let name = "\(test.statement.statement.name), \(mode)"
          #expect(text.contains(test.index), "\(name) without \(test.index):\n\(text)")
          #expect(
            test.maySort || !plan.contains { $0.contains("Sort") && !$0.contains("Sort Key") },
            "\(name) sorts:\n\(text)")
        }
      }
    }
  }
}
