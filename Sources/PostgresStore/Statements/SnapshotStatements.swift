/// Reads and writes of code snapshots. In the reads `$1` sees everybody, `$2` is the caller, and
/// `$3` says whether an instructor may look through a course of theirs.
enum SnapshotStatements {
  // The provenance comes apart here, so that no JSON needs to be parsed on the way in.
  private static func columns(code: String) -> String {
    """
    s.id, s.user_id, s.goal_id, s.task_id, s.course_id, s.file_path, s.language, \(code),
    s.code_hash, s.verdict, s.validation_score, COALESCE(s.validation_feedback, ''),
    s.provenance->>'source', (s.provenance->>'actor_id')::uuid, s.provenance->>'policy',
    ARRAY(SELECT key FROM jsonb_each_text(s.provenance->'tool_versions') ORDER BY key),
    ARRAY(SELECT value FROM jsonb_each_text(s.provenance->'tool_versions') ORDER BY key),
    ARRAY(SELECT key FROM jsonb_each_text(s.provenance->'limits') ORDER BY key),
    ARRAY(SELECT value FROM jsonb_each_text(s.provenance->'limits') ORDER BY key),
    s.shared, s.version, s.created_at, s.updated_at
    """
  }

  /// The goal as `g` where it counts: a deleted one leads to no course.
  private static let joinGoal =
    "LEFT JOIN goals g ON g.id = s.goal_id AND g.status <> 'deleted'"

  private static let isOverseen = """
    ($1 OR s.user_id = $2 OR $3 AND EXISTS (
      SELECT 1 FROM courses c JOIN enrolments n ON n.course_id = c.id
      WHERE c.id = g.course_id AND c.user_id = $2 AND c.status <> 'deleted'
        AND n.user_id = s.user_id AND n.is_active))
    """

  private static let isExample = """
    (s.shared AND s.verdict = 'passed' OR EXISTS (
      SELECT 1 FROM courses c WHERE c.id = s.course_id AND c.status <> 'deleted'
        AND (c.user_id = $2 OR EXISTS (SELECT 1 FROM enrolments n
          WHERE n.course_id = c.id AND n.user_id = $2 AND n.is_active))))
    """

  private static let scope: [SQLType] = [.bool, .uuid, .bool]

  static let byID = Statement(
    "snapshot.by_id", scope + [.uuid],
    """
    SELECT \(columns(code: "s.code_content")), g.course_id, NOT \(isOverseen)
    FROM code_snapshots s \(joinGoal)
    WHERE s.id = $4 AND (\(isOverseen) OR \(isExample))
    """)

  /// `$4` the verdict or NULL, `$5`, `$6` behind this key, `$7` limit.
  private static let listTypes: [SQLType] = scope + [.text, .timestamptz, .uuid, .int8]
  private static func list(_ condition: String) -> String {
    """
    SELECT \(columns(code: "''")) FROM code_snapshots s \(joinGoal)
    WHERE \(condition) AND ($4 IS NULL OR s.verdict = $4) AND (s.created_at, s.id) < ($5, $6)
      AND \(isOverseen)
    ORDER BY s.created_at DESC, s.id DESC LIMIT $7
    """
  }

  /// `$8` is the owner.
  static let listByOwner = Statement(
    "snapshots.list_by_owner", listTypes + [.uuid], list("s.user_id = $8"))

  /// `$8` is the task, `$9` the owner or NULL.
  static let listByTask = Statement(
    "snapshots.list_by_task", listTypes + [.uuid, .uuid],
    list("s.task_id = $8 AND ($9 IS NULL OR s.user_id = $9)"))

  /// The condition always holds; it is that of the index for this list.
  static let listAll = Statement("snapshots.list_all", listTypes, list("s.version > 0"))

  static let insert = Statement(
    "snapshot.insert",
    [
      .uuid, .uuid, .uuid, .uuid, .uuid, .text, .text, .text, .bytea, .text, .bool, .float8,
      .text, .jsonb, .bool, .int8, .timestamptz, .timestamptz,
    ],
    """
    INSERT INTO code_snapshots (id, user_id, goal_id, task_id, course_id, reference_solution,
      file_path, language, code_content, code_hash, verdict, validation_passed, validation_score,
      validation_feedback, provenance, shared, version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $5 IS NOT NULL, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
      $17, $18)
    """)

  static let update = Statement(
    "snapshot.update",
    [.uuid, .text, .bool, .float8, .text, .jsonb, .bool, .int8, .timestamptz],
    """
    WITH updated AS (
      UPDATE code_snapshots SET verdict = $2, validation_passed = $3, validation_score = $4,
        validation_feedback = $5, provenance = $6, shared = $7, version = $8, updated_at = $9
      WHERE id = $1 AND version = $8 - 1 RETURNING 1)
    SELECT CASE WHEN count(*) = 1 THEN 1 ELSE hito_stale() END FROM updated
    """)

  static let all = [byID, listByOwner, listByTask, listAll, insert, update]
}
