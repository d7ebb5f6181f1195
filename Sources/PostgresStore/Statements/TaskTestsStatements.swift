import Domain

/// Suites of tests, and which tasks have them. In the reads of tasks `$1` to `$3` are the scope.
enum TaskTestsStatements {
  private static let visible = """
    FROM task_tests t LEFT JOIN goals g ON g.id = t.goal_id AND g.status <> 'deleted'
    """
  private static let isVisible = Visibility.isOverseen(
    learner: "t.user_id", course: "g.course_id")

  static let ofTasks = Query<OverseerScope, [EntityID]>(
    "task_tests.of_tasks",
    """
    SELECT \(TaskTestsRow.columns) FROM unnest($4) AS n (task_id)
    CROSS JOIN LATERAL (
      SELECT * FROM task_tests r WHERE r.task_id = n.task_id ORDER BY r.version DESC LIMIT 1) t
    LEFT JOIN goals g ON g.id = t.goal_id AND g.status <> 'deleted'
    WHERE \(isVisible)
    """)

  /// `$5` limit.
  static let history = Query<OverseerScope, EntityID, Int64>(
    "task_tests.history",
    """
    SELECT \(TaskTestsRow.columns) \(visible)
    WHERE t.task_id = $4 AND \(isVisible) ORDER BY t.version DESC LIMIT $5
    """)

  /// `$4` the suite, `$5` limit. Those that have another one by now are passed over.
  static let withSuite = Query<OverseerScope, EntityID, Int64>(
    "task_tests.with_suite",
    """
    SELECT \(TaskTestsRow.columns) \(visible)
    WHERE t.suite_id = $4 AND \(isVisible) AND NOT EXISTS (
      SELECT 1 FROM task_tests r WHERE r.task_id = t.task_id AND r.version > t.version)
    ORDER BY t.task_id LIMIT $5
    """)

  static let suite = Query<EntityID>(
    "suite.by_id", "SELECT \(SuiteRow.columns) FROM test_suites u WHERE u.id = $1")

  static let suiteByHash = Query<EntityID, Bytes>(
    "suite.by_hash",
    "SELECT \(SuiteRow.columns) FROM test_suites u WHERE u.user_id = $1 AND u.hash = $2")

  static let insertSuite = Query<Inserted<SuiteRow>>("suite.insert", SuiteRow.insert)

  static let insert = RowInserts<TaskTestsRow>("task_tests.insert")

  static let all: [any StatementSource] =
    [ofTasks, history, withSuite, suite, suiteByHash, insertSuite] + insert.all
}
