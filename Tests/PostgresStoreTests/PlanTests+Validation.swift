@testable import PostgresStore

extension PlanTests {
  /// Validations, their queue, and the tests of tasks.
  static let validationCases: [Case] = [
    Case(
      statement: ValidationStatements.byID, arguments: "\(scope), gen_random_uuid()",
      index: "validations_pkey", maySort: true),
    Case(
      statement: ValidationStatements.lastOfSnapshot, arguments: "\(scope), gen_random_uuid()",
      index: "validations_snapshot", maySort: true),
    Case(
      statement: ValidationStatements.listBySnapshot,
      arguments: "\(scope), NULL, \(end), gen_random_uuid()", index: "validations_snapshot",
      maySort: true),
    Case(
      statement: ValidationStatements.listByTask,
      arguments: "\(scope), NULL, \(end), gen_random_uuid()", index: "validations_task",
      maySort: true),
    Case(
      statement: ValidationStatements.listByGroup,
      arguments: "\(scope), NULL, \(end), gen_random_uuid()", index: "validations_group",
      maySort: true),
    Case(
      statement: ValidationStatements.listByOwner,
      arguments: "\(scope), NULL, \(end), \(user)", index: "validations_owner", maySort: true),
    Case(
      statement: ValidationStatements.files, arguments: "\(scope), gen_random_uuid()",
      index: "snapshot_files_pkey", maySort: true),
    Case(
      statement: ValidationStatements.judgedSnapshots, arguments: "ARRAY[\(user)]::uuid[]",
      index: "code_snapshots_judged", maySort: true),
    Case(
      statement: ValidationStatements.queuedCount, arguments: user,
      index: "validations_queued_of"),
    Case(
      statement: ValidationStatements.position, arguments: "gen_random_uuid()",
      index: "validations_queue"),
    Case(
      statement: ValidationStatements.claimQueued, arguments: "'w', 1000000",
      index: "validations_queue"),
    Case(
      statement: ValidationStatements.claimAbandoned, arguments: "'w', 1000000, false",
      index: "validations_running"),
    Case(
      statement: TaskTestsStatements.ofTasks, arguments: "\(scope), ARRAY[\(user)]::uuid[]",
      index: "task_tests_pkey", maySort: true),
    Case(
      statement: TaskTestsStatements.history, arguments: "\(scope), gen_random_uuid(), 10",
      index: "task_tests_pkey"),
    Case(
      statement: TaskTestsStatements.withSuite, arguments: "\(scope), gen_random_uuid(), 10",
      index: "task_tests_suite", maySort: true),
  ]

  /// 100,000 validations, of which 1,000 wait and a few run, and as many tests and files.
  static let validationRows = """
    INSERT INTO validations (id, snapshot_id, user_id, caller_id, task_id, queue_key, turn, group_id,
        is_preview, run_count, seed, status, version, owner, lease_until, attempt, verdict,
        created_at, updated_at)
      SELECT gen_random_uuid(), pg_temp.id(i / 3), pg_temp.id(i % 2000 + 1), pg_temp.id(1),
        pg_temp.id(i / 5), pg_temp.id(i % 2000 + 1), i, pg_temp.id(i / 50), false, 1, 1,
        CASE WHEN i > 99000 THEN 'queued' WHEN i % 30000 = 0 THEN 'running' ELSE 'completed' END,
        1, 'w', now() + interval '1 hour', 1,
        CASE WHEN i <= 99000 AND i % 30000 <> 0 THEN 'passed' END,
        timestamptz '2026-01-01' + i * interval '1 second', now() FROM generate_series(1, 100000) i;
    INSERT INTO snapshot_files SELECT pg_temp.id(i / 2), 'f' || i, pg_temp.id(i % 2000 + 1), 'c'
      FROM generate_series(1, 100000) i;
    INSERT INTO task_tests SELECT pg_temp.id(i / 2), i % 2 + 1, pg_temp.id(i % 2000 + 1),
      pg_temp.id(1), pg_temp.id(i / 20), pg_temp.id(1), 'learner', now()
      FROM generate_series(1, 100000) i;
    """
}
