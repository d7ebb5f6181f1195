import Domain

/// Code snapshots. In the reads `$1` to `$3` are the scope.
enum SnapshotStatements {
  /// The goal as `g` where it counts: a deleted one leads to no course.
  private static let joinGoal =
    "LEFT JOIN goals g ON g.id = s.goal_id AND g.status <> 'deleted'"

  private static let isOverseen = Visibility.isOverseen(
    learner: "s.user_id", course: "g.course_id")

  private static let isExample = """
    (\(Visibility.isSharedExample("s", reader: "$2")) OR EXISTS (
      SELECT 1 FROM courses c
      WHERE c.id = s.course_id AND c.status <> 'deleted' AND \(Visibility.isReadersCourse)))
    """

  /// With the goal's course, and whether the caller sees it as an example only.
  static let byID = Query<OverseerScope, EntityID>(
    "snapshot.by_id",
    """
    SELECT \(SnapshotRow.columns), g.course_id, NOT \(isOverseen)
    FROM code_snapshots s \(joinGoal)
    WHERE s.id = $4 AND (\(isOverseen) OR \(isExample))
    """)

  static let authors = Query<[EntityID]>(
    "snapshot.authors", "SELECT DISTINCT s.user_id FROM code_snapshots s WHERE s.id = ANY ($1)")

  /// `$4` the verdict or NULL, `$5` created at or after, `$6`, `$7` after this key, `$8` limit.
  typealias List = Parameters<OverseerScope, Verdict?, Timestamp, PageRequest>
  private static func list(_ condition: String) -> String {
    """
    SELECT \(SnapshotRow.columns(emptying: SnapshotRow.code)) FROM code_snapshots s \(joinGoal)
    WHERE \(condition) AND ($4 IS NULL OR s.verdict = $4) AND s.created_at >= $5
      AND (s.created_at, s.id) < ($6, $7) AND \(isOverseen)
    ORDER BY s.created_at DESC, s.id DESC LIMIT $8
    """
  }

  /// `$9` is the owner.
  static let listByOwner = Query<List, EntityID>(
    "snapshots.list_by_owner", list("s.user_id = $9"))

  /// `$9` is the task, `$10` the owner or NULL.
  static let listByTask = Query<List, EntityID, EntityID?>(
    "snapshots.list_by_task", list("s.task_id = $9 AND ($10 IS NULL OR s.user_id = $10)"))

  /// The condition always holds; it is that of the index for this list.
  static let listAll = Query<List>("snapshots.list_all", list("s.version > 0"))

  static let floor = Query<FloorStatement.Range>(
    "snapshots.floor", FloorStatement.text("code_snapshots", where: "r.version > 0"))

  static let insert = Query<Inserted<SnapshotRow>>("snapshot.insert", SnapshotRow.insert)

  static let update = Query<Updated<SnapshotRow>>(
    "snapshot.update", SnapshotRow.update(where: "version = $version - 1"))

  static let all: [any StatementSource] = [
    byID, authors, listByOwner, listByTask, listAll, floor, insert, update,
  ]
}
