/// Reads of goals and tasks. In all of them `$1` sees everybody, `$2` is the caller, and `$3` says
/// whether an instructor may look through a course of theirs.
enum GoalStatements {
  private static let goalColumns = """
    g.id, g.user_id, g.course_id, g.title, g.description, g.status, g.progress_percentage,
    g.validation_criteria, g.ai_feedback, g.target_date, g.started_at, g.completed_at, g.version,
    g.revision, g.created_at, g.updated_at
    """

  private static let taskColumns = """
    t.id, t.goal_id, t.user_id, t.title, t.description, t.status, t.ordinal, t.validation_criteria,
    t.started_at, t.completed_at, t.version, t.created_at, t.updated_at
    """

  private static let isVisible = """
    g.status <> 'deleted' AND ($1 OR g.user_id = $2 OR $3 AND EXISTS (
      SELECT 1 FROM courses c JOIN enrolments n ON n.course_id = c.id
      WHERE c.id = g.course_id AND c.user_id = $2 AND c.status <> 'deleted'
        AND n.user_id = g.user_id AND n.is_active))
    """

  /// A goal and its tasks as one statement, so that they are of one snapshot. The goal's long texts
  /// come with its first task only.
  private static func aggregate(_ condition: String) -> String {
    """
    SELECT s.*, \(taskColumns)
    FROM (SELECT \(goalColumns) FROM goals g WHERE \(condition) AND \(isVisible)) s
    LEFT JOIN tasks t ON t.goal_id = s.id AND t.status <> 'deleted'
    ORDER BY t.ordinal, t.id
    """
  }

  private static let scope: [SQLType] = [.bool, .uuid, .bool]

  static let byID = Statement("goal.by_id", scope + [.uuid], aggregate("g.id = $4"))

  static let byTask = Statement(
    "goal.by_task", scope + [.uuid],
    aggregate("g.id = (SELECT f.goal_id FROM tasks f WHERE f.id = $4 AND f.status <> 'deleted')"))

  static let task = Statement(
    "task.by_id", scope + [.uuid],
    """
    SELECT \(taskColumns) FROM tasks t JOIN goals g ON g.id = t.goal_id
    WHERE t.id = $4 AND t.status <> 'deleted' AND \(isVisible)
    """)

  /// `$4` statuses, `$5` course or NULL, `$6` created at or after, `$7` created before, `$8` part of
  /// the title or NULL, `$9`, `$10` behind this key, `$11` limit.
  private static let listTypes: [SQLType] =
    scope + [
      .textArray, .uuid, .timestamptz, .timestamptz, .text, .timestamptz, .uuid, .int8,
    ]
  private static let listPage = """
    AND g.created_at >= $6 AND g.created_at < $7
    AND ($8 IS NULL OR position(lower($8) IN lower(g.title)) > 0)
    AND (g.created_at, g.id) < ($9, $10) AND \(isVisible)
    ORDER BY g.created_at DESC, g.id DESC LIMIT $11
    """
  private static func list(_ condition: String) -> String {
    "SELECT \(goalColumns) FROM goals g WHERE \(condition) \(listPage)"
  }

  /// `$12` is the owner.
  static let listByOwner = Statement(
    "goals.list_by_owner", listTypes + [.uuid],
    list("g.user_id = $12 AND g.status = ANY ($4) AND ($5 IS NULL OR g.course_id = $5)"))

  static let listByCourse = Statement(
    "goals.list_by_course", listTypes, list("g.course_id = $5 AND g.status = ANY ($4)"))

  /// `$12` is the one status.
  static let listByStatus = Statement(
    "goals.list_by_status", listTypes + [.text],
    list("g.status = $12 AND g.status = ANY ($4) AND ($5 IS NULL OR g.course_id = $5)"))

  static let listAll = Statement(
    "goals.list_all", listTypes,
    list("g.status = ANY ($4) AND ($5 IS NULL OR g.course_id = $5)"))

  /// `$4` statuses, `$5`, `$6` behind this key, `$7` limit.
  private static let taskListTypes: [SQLType] =
    scope + [.textArray, .timestamptz, .uuid, .int8]
  private static func taskList(_ condition: String) -> String {
    """
    SELECT \(taskColumns) FROM tasks t JOIN goals g ON g.id = t.goal_id
    WHERE \(condition) AND t.status = ANY ($4) AND (t.created_at, t.id) < ($5, $6)
      AND \(isVisible)
    ORDER BY t.created_at DESC, t.id DESC LIMIT $7
    """
  }

  /// `$8` is the owner.
  static let tasksByOwner = Statement(
    "tasks.list_by_owner", taskListTypes + [.uuid], taskList("t.user_id = $8"))

  static let tasksAll = Statement("tasks.list_all", taskListTypes, taskList("true"))

  static let all = [
    byID, byTask, task, listByOwner, listByCourse, listByStatus, listAll, tasksByOwner, tasksAll,
  ]
}
