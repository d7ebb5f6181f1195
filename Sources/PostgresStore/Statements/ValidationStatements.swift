import Domain
import JSON

/// Validations. In the reads `$1` to `$3` are the scope.
enum ValidationStatements {
  /// The goal as `g` where it counts: a deleted one leads to no course.
  private static let joinGoal =
    "LEFT JOIN goals g ON g.id = v.goal_id AND g.status <> 'deleted'"

  private static let isVisible = Visibility.isOverseen(
    learner: "v.user_id", course: "g.course_id")

  /// A whole report of `f`, where the caller may see it: not because the code is theirs.
  private static let isFullVisible = """
    ($1 OR f.suite_author_id = $2 OR $3 AND v.user_id <> $2)
    """

  private static let found = """
    SELECT \(ValidationRow.columns), f.report
    FROM validations v \(joinGoal)
    LEFT JOIN validation_reports f ON f.validation_id = v.id AND \(isFullVisible)
    """

  static let byID = Query<OverseerScope, EntityID>(
    "validation.by_id", "\(found) WHERE v.id = $4 AND \(isVisible)")

  static let lastOfSnapshot = Query<OverseerScope, EntityID>(
    "validation.last_of_snapshot",
    """
    \(found)
    WHERE v.snapshot_id = $4 AND v.status = 'completed' AND NOT v.is_preview AND \(isVisible)
    ORDER BY v.created_at DESC, v.id DESC LIMIT 1
    """)

  /// `$4` the status or NULL, `$5`, `$6` after this key, `$7` limit.
  typealias List = Parameters<OverseerScope, ValidationStatus?, PageRequest>
  private static func list(_ condition: String) -> String {
    """
    SELECT \(listed) FROM validations v \(joinGoal)
    WHERE \(condition) AND ($4 IS NULL OR v.status = $4)
      AND (v.created_at, v.id) < ($5, $6) AND \(isVisible)
    ORDER BY v.created_at DESC, v.id DESC LIMIT $7
    """
  }
  private static let listed = ValidationRow.columns(
    replacing: ValidationRow.report, with: "NULL::jsonb")

  /// `$8` leads the way.
  static let listBySnapshot = Query<List, EntityID>(
    "validations.list_by_snapshot", list("v.snapshot_id = $8"))
  static let listByTask = Query<List, EntityID>("validations.list_by_task", list("v.task_id = $8"))
  static let listByGroup = Query<List, EntityID>(
    "validations.list_by_group", list("v.group_id = $8"))
  static let listByOwner = Query<List, EntityID>(
    "validations.list_by_owner", list("v.user_id = $8"))

  /// `$4` the validation, `$5` after this version, `$6` limit.
  static let events = Query<OverseerScope, EntityID, Int64, Int64>(
    "validation.events",
    """
    SELECT \(EventRow.columns) FROM events e LEFT JOIN event_positions p ON p.seq = e.seq
    WHERE e.entity_type = 'validation' AND e.entity_id = $4 AND e.version > $5
      AND EXISTS (SELECT 1 FROM validations v \(joinGoal) WHERE v.id = $4 AND \(isVisible))
    ORDER BY e.version LIMIT $6
    """)

  static let files = Query<OverseerScope, EntityID>(
    "snapshot.files",
    """
    SELECT \(SnapshotFileRow.columns) FROM snapshot_files f
    JOIN code_snapshots v ON v.id = f.snapshot_id \(joinGoal)
    WHERE f.snapshot_id = $4 AND \(isVisible) ORDER BY f.path
    """)

  static let judgedSnapshots = Query<[EntityID]>(
    "snapshots.judged_of_tasks",
    """
    SELECT s.id FROM unnest($1) WITH ORDINALITY AS n (task_id, place)
    CROSS JOIN LATERAL (
      SELECT s.id FROM code_snapshots s
      WHERE s.task_id = n.task_id AND s.validation_passed IS NOT NULL
      ORDER BY s.created_at DESC, s.id DESC LIMIT 1) s
    ORDER BY n.place
    """)

  // MARK: Writes

  static let insertFiles = RowInserts<SnapshotFileRow>("snapshot_files.insert")

  /// One after the other of a queue key, so that each counts those before it.
  static let lock = Query<String>(
    "validation.lock", "SELECT pg_advisory_xact_lock(hashtextextended($1, 21))")

  /// Stale where too many wait already (the parameter after the row's). Each queue key takes turns with
  /// the others: its next one comes after its last one, and not before what waits longest.
  static let insert = Query<Inserted<ValidationRow>, Int64>(
    "validation.insert",
    Statement.guarded(
      ValidationRow.layout.resolve(
        """
        INSERT INTO validations (\(ValidationRow.names), turn)
        SELECT \(ValidationRow.values), greatest(
          (SELECT coalesce(max(q.turn) + 1, 0) FROM validations q
            WHERE q.status = 'queued' AND q.queue_key = $queue_key),
          (SELECT coalesce(min(q.turn), 0) FROM validations q WHERE q.status = 'queued'))
        WHERE (SELECT count(*) FROM (
          SELECT 1 FROM validations q WHERE q.status = 'queued' AND q.queue_key = $queue_key
          LIMIT $next) waiting) < $next
        """, ValidationRow.layout.inserted)))

  /// The parameter after the row's is the version that it was read with.
  static let update = Query<Updated<ValidationRow>, Int64>(
    "validation.update",
    ValidationRow.update(
      where: "version = $next AND attempt = $attempt AND owner = $owner"))

  /// `$1` the validation, `$2` who wrote the tests, `$3` the report.
  static let insertReport = Query<EntityID, EntityID, JSONValue>(
    "validation.insert_report",
    """
    INSERT INTO validation_reports (validation_id, user_id, goal_id, suite_author_id, report)
    SELECT v.id, v.user_id, v.goal_id, $2, $3 FROM validations v WHERE v.id = $1
    """)

  // MARK: The queue. Leases begin and end by the clock of the database, which all workers share.

  static let queuedCount = Query<EntityID>(
    "validation.queued_count",
    "SELECT count(*) FROM validations v WHERE v.status = 'queued' AND v.queue_key = $1")

  /// NULL where it does not wait.
  static let position = Query<EntityID>(
    "validation.position",
    """
    SELECT (SELECT count(*) FROM validations q
      WHERE q.status = 'queued' AND (q.turn, q.id) < (v.turn, v.id))
    FROM validations v WHERE v.id = $1 AND v.status = 'queued'
    """)

  /// What a worker takes: `$1` its name, `$2` for how long, in microseconds.
  private static func claim(_ choice: String) -> String {
    """
    UPDATE validations v SET status = 'running', owner = $1, attempt = v.attempt + 1,
      lease_until = now() + $2 * interval '1 microsecond', started_at = now()
    WHERE v.id = (\(choice) LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING \(ValidationRow.columns)
    """
  }

  /// `$3`: no other worker exists.
  static let claimAbandoned = Query<String, Int64, Bool>(
    "validation.claim_abandoned",
    claim(
      """
      SELECT q.id FROM validations q
      WHERE q.status = 'running' AND (q.lease_until <= now() OR $3 AND q.owner <> $1)
      ORDER BY q.lease_until
      """))

  static let claimQueued = Query<String, Int64>(
    "validation.claim_queued",
    claim("SELECT q.id FROM validations q WHERE q.status = 'queued' ORDER BY q.turn, q.id"))

  /// `$3` for how long, in microseconds.
  static let renew = Query<EntityID, String, Int64>(
    "validation.renew",
    """
    UPDATE validations SET lease_until = now() + $3 * interval '1 microsecond'
    WHERE id = $1 AND owner = $2 AND status = 'running' RETURNING id
    """)

  static let release = Query<EntityID, String>(
    "validation.release",
    """
    UPDATE validations SET lease_until = least(lease_until, now())
    WHERE id = $1 AND owner = $2 AND status = 'running'
    """)

  static let all: [any StatementSource] =
    [
      byID, lastOfSnapshot, listBySnapshot, listByTask, listByGroup, listByOwner, events, files,
      judgedSnapshots, lock, insert, update, insertReport, queuedCount, position, claimAbandoned,
      claimQueued, renew, release,
    ] + insertFiles.all
}
