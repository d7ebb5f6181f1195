import Domain

/// Goals and tasks. In the reads `$1` to `$3` are the scope.
enum GoalStatements {
  private static let isVisible = """
    g.status <> 'deleted' AND \(Visibility.isOverseen(learner: "g.user_id", course: "g.course_id"))
    """

  /// A goal and its tasks as one statement, so that they are of one snapshot. The goal's long texts
  /// come with its first task only.
  private static func aggregate(_ condition: String) -> String {
    """
    SELECT s.*, \(TaskRow.columns)
    FROM (SELECT \(GoalRow.columns) FROM goals g WHERE \(condition) AND \(isVisible)) s
    LEFT JOIN tasks t ON t.goal_id = s.id AND t.status <> 'deleted'
    ORDER BY t.ordinal, t.id
    """
  }

  static let byID = Query<OverseerScope, EntityID>("goal.by_id", aggregate("g.id = $4"))

  static let byTask = Query<OverseerScope, EntityID>(
    "goal.by_task",
    aggregate("g.id = (SELECT f.goal_id FROM tasks f WHERE f.id = $4 AND f.status <> 'deleted')"))

  static let task = Query<OverseerScope, EntityID>(
    "task.by_id",
    """
    SELECT \(TaskRow.columns) FROM tasks t JOIN goals g ON g.id = t.goal_id
    WHERE t.id = $4 AND t.status <> 'deleted' AND \(isVisible)
    """)

  /// `$4` statuses, `$5` course or NULL, `$6` created at or after, `$7` created before, `$8` part of
  /// the title or NULL, `$9`, `$10` after this key, `$11` limit.
  typealias List = Parameters<
    OverseerScope, [WorkStatus], EntityID?, Timestamp, Timestamp, String?, PageRequest
  >
  private static func list(_ condition: String) -> String {
    """
    SELECT \(GoalRow.columns) FROM goals g
    WHERE \(condition) AND g.created_at >= $6 AND g.created_at < $7
      AND ($8 IS NULL OR position(hito_folded($8) IN hito_folded(g.title)) > 0)
      AND (g.created_at, g.id) < ($9, $10) AND \(isVisible)
    ORDER BY g.created_at DESC, g.id DESC LIMIT $11
    """
  }

  /// `$12` is the owner.
  static let listByOwner = Query<List, EntityID>(
    "goals.list_by_owner",
    list("g.user_id = $12 AND g.status = ANY ($4) AND ($5 IS NULL OR g.course_id = $5)"))

  static let listByCourse = Query<List>(
    "goals.list_by_course", list("g.course_id = $5 AND g.status = ANY ($4)"))

  /// `$12` is the one status.
  static let listByStatus = Query<List, WorkStatus>(
    "goals.list_by_status",
    list("g.status = $12 AND g.status = ANY ($4) AND ($5 IS NULL OR g.course_id = $5)"))

  static let listAll = Query<List>(
    "goals.list_all", list("g.status = ANY ($4) AND ($5 IS NULL OR g.course_id = $5)"))

  static let floor = Query<FloorStatement.Range>("goals.floor", FloorStatement.text("goals"))

  static let courseFloor = Query<FloorStatement.Range, EntityID>(
    "goals.floor_by_course", FloorStatement.text("goals", where: "r.course_id = $4"))

  static let statusFloor = Query<FloorStatement.Range, WorkStatus>(
    "goals.floor_by_status", FloorStatement.text("goals", where: "r.status = $4"))

  /// `$4` statuses, `$5` created at or after, `$6`, `$7` after this key, `$8` limit.
  typealias TaskList = Parameters<OverseerScope, [WorkStatus], Timestamp, PageRequest>
  private static func taskList(_ condition: String) -> String {
    """
    SELECT \(TaskRow.columns) FROM tasks t
    WHERE \(condition) AND t.status = ANY ($4) AND t.created_at >= $5
      AND (t.created_at, t.id) < ($6, $7)
      -- Asked for each task in its order, never joined: what policies ask looks dear to the planner,
      -- which would begin with all goals of the owner and sort their tasks.
      AND EXISTS (SELECT 1 FROM goals g WHERE g.id = t.goal_id AND \(isVisible) OFFSET 0)
    ORDER BY t.created_at DESC, t.id DESC LIMIT $8
    """
  }

  /// `$9` is the owner.
  static let tasksByOwner = Query<TaskList, EntityID>(
    "tasks.list_by_owner", taskList("t.user_id = $9"))

  static let tasksAll = Query<TaskList>("tasks.list_all", taskList("true"))

  static let taskFloor = Query<FloorStatement.Range>("tasks.floor", FloorStatement.text("tasks"))

  static let insert = Query<Inserted<GoalRow>>("goal.insert", GoalRow.insert)

  static let update = Query<Updated<GoalRow>>(
    "goal.update", GoalRow.update(where: "revision = $revision"))

  static let insertWithTasks = GoalInserts("goal.insert_with_tasks")

  /// The tasks of a goal that is inserted in the same unit.
  static let insertTasks = RowInserts<TaskRow>("tasks.insert")

  /// Writes tasks of one goal. A task that is another goal's is not touched: stale.
  static let saveTasks = Query<Listed<TaskRow>>(
    "tasks.save",
    Statement.guarded(
      """
      INSERT INTO tasks AS t (\(TaskRow.names))
        SELECT \(TaskRow.elements) FROM unnest(\(TaskRow.arrays)) AS n (\(TaskRow.names))
        ON CONFLICT (id) DO UPDATE SET \(TaskRow.overwriting)
        WHERE t.goal_id = excluded.goal_id AND t.user_id = excluded.user_id
      """, rowCount: "cardinality($1)"))

  static let all: [any StatementSource] =
    [
      byID, byTask, task, listByOwner, listByCourse, listByStatus, listAll, floor, courseFloor,
      statusFloor, tasksByOwner, tasksAll, taskFloor, insert, update, saveTasks,
    ] + insertTasks.all + insertWithTasks.all
}
