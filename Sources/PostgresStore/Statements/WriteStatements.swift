/// The statements of a commit. Each guarded one fails its unit (`hito_stale`) where its row has
/// moved on.
enum WriteStatements {
  static let insertUser = Statement(
    "user.insert",
    [.uuid, .text, .text, .text, .text, .text, .text, .bool, .int8, .timestamptz, .timestamptz],
    """
    INSERT INTO users (id, external_id, display_name, email, role, language, time_zone, is_active,
      version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    """)

  static let updateUser = Statement(
    "user.update",
    [.uuid, .text, .text, .text, .text, .text, .text, .bool, .int8, .timestamptz],
    """
    WITH updated AS (
      UPDATE users SET external_id = $2, display_name = $3, email = $4, role = $5, language = $6,
        time_zone = $7, is_active = $8, version = $9, updated_at = $10
      WHERE id = $1 AND version = $9 - 1 RETURNING 1)
    SELECT CASE WHEN count(*) = 1 THEN 1 ELSE hito_stale() END FROM updated
    """)

  static let insertCourse = Statement(
    "course.insert",
    [.uuid, .uuid, .text, .text, .text, .jsonb, .text, .int8, .timestamptz, .timestamptz],
    """
    INSERT INTO courses (id, user_id, title, description, language, metadata, status, version,
      created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    """)

  static let updateCourse = Statement(
    "course.update", [.uuid, .text, .text, .text, .jsonb, .text, .int8, .timestamptz],
    """
    WITH updated AS (
      UPDATE courses SET title = $2, description = $3, language = $4, metadata = $5, status = $6,
        version = $7, updated_at = $8
      WHERE id = $1 AND version = $7 - 1 RETURNING 1)
    SELECT CASE WHEN count(*) = 1 THEN 1 ELSE hito_stale() END FROM updated
    """)

  static let insertEnrolment = Statement(
    "enrolment.insert", [.uuid, .uuid, .uuid, .bool, .int8, .timestamptz, .timestamptz],
    """
    INSERT INTO enrolments (id, course_id, user_id, is_active, version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    """)

  static let updateEnrolment = Statement(
    "enrolment.update", [.uuid, .bool, .int8, .timestamptz],
    """
    WITH updated AS (
      UPDATE enrolments SET is_active = $2, version = $3, updated_at = $4
      WHERE id = $1 AND version = $3 - 1 RETURNING 1)
    SELECT CASE WHEN count(*) = 1 THEN 1 ELSE hito_stale() END FROM updated
    """)

  static let insertGoal = Statement(
    "goal.insert",
    [
      .uuid, .uuid, .uuid, .text, .text, .text, .float8, .textArray, .text, .timestamptz,
      .timestamptz, .timestamptz, .int8, .timestamptz, .timestamptz,
    ],
    """
    INSERT INTO goals (id, user_id, course_id, title, description, status, progress_percentage,
      validation_criteria, ai_feedback, target_date, started_at, completed_at, version, revision,
      created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, $14, $15)
    """)

  /// `$14` is the revision that the goal was loaded with.
  static let updateGoal = Statement(
    "goal.update",
    [
      .uuid, .uuid, .text, .text, .text, .float8, .textArray, .text, .timestamptz, .timestamptz,
      .timestamptz, .int8, .timestamptz, .int8,
    ],
    """
    WITH updated AS (
      UPDATE goals SET course_id = $2, title = $3, description = $4, status = $5,
        progress_percentage = $6, validation_criteria = $7, ai_feedback = $8, target_date = $9,
        started_at = $10, completed_at = $11, version = $12, updated_at = $13, revision = $14 + 1
      WHERE id = $1 AND revision = $14 RETURNING 1)
    SELECT CASE WHEN count(*) = 1 THEN 1 ELSE hito_stale() END FROM updated
    """)

  /// Writes the tasks of one goal (`$1`, of the user `$2`); criteria are array literals, because
  /// an array of arrays must not be ragged. A task that is another goal's is not touched: stale.
  static let saveTasks = Statement(
    "tasks.save",
    [
      .uuid, .uuid, .uuidArray, .textArray, .textArray, .textArray, .int4Array, .textArray,
      .timestamptzArray, .timestamptzArray, .int8Array, .timestamptzArray, .timestamptzArray,
    ],
    """
    WITH saved AS (
      INSERT INTO tasks AS t (id, goal_id, user_id, title, description, status, ordinal,
        validation_criteria, started_at, completed_at, version, created_at, updated_at)
      SELECT n.id, $1, $2, n.title, n.description, n.status, n.ordinal, n.criteria::text[],
        n.started_at, n.completed_at, n.version, n.created_at, n.updated_at
      FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS n (id, title, description,
        status, ordinal, criteria, started_at, completed_at, version, created_at, updated_at)
      ON CONFLICT (id) DO UPDATE SET title = excluded.title, description = excluded.description,
        status = excluded.status, ordinal = excluded.ordinal,
        validation_criteria = excluded.validation_criteria, started_at = excluded.started_at,
        completed_at = excluded.completed_at, version = excluded.version,
        updated_at = excluded.updated_at
      WHERE t.goal_id = excluded.goal_id AND t.user_id = excluded.user_id
      RETURNING 1)
    SELECT CASE WHEN count(*) = cardinality($3) THEN 1 ELSE hito_stale() END FROM saved
    """)

  /// Rows get their `seq` in the order of the arrays, after every row lock of the unit.
  static let insertEvents = Statement(
    "events.insert",
    [
      .uuidArray, .textArray, .textArray, .uuidArray, .int8Array, .uuidArray, .jsonbArray,
      .jsonbArray, .timestamptzArray, .int4,
    ],
    """
    INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload, metadata,
      created_at, schema_version)
    SELECT n.id, n.event_type, n.entity_type, n.entity_id, n.version, n.user_id, n.payload,
      n.metadata, n.created_at, $10
    FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) WITH ORDINALITY AS n (id, event_type,
      entity_type, entity_id, version, user_id, payload, metadata, created_at, place)
    ORDER BY n.place
    """)

  static let insertReply = Statement(
    "reply.insert", [.uuid, .text, .text, .bytea, .bytea],
    """
    INSERT INTO idempotency_keys (caller_id, method, key, request_hash, reply)
    VALUES ($1, $2, $3, $4, $5)
    """)

  static let findReply = Statement(
    "reply.find", [.uuid, .text, .text],
    """
    SELECT request_hash, reply FROM idempotency_keys
    WHERE caller_id = $1 AND method = $2 AND key = $3 AND created_at > now() - interval '24 hours'
    """)

  static let deleteExpiredReply = Statement(
    "reply.delete_expired", [.uuid, .text, .text],
    """
    DELETE FROM idempotency_keys
    WHERE caller_id = $1 AND method = $2 AND key = $3 AND created_at <= now() - interval '24 hours'
    """)

  /// At most `$2` replies made before `$1`.
  static let purgeReplies = Statement(
    "reply.purge", [.timestamptz, .int8],
    """
    WITH gone AS (
      DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE created_at < $1 LIMIT $2))
      RETURNING 1)
    SELECT count(*) FROM gone
    """)

  static let all = [
    insertUser, updateUser, insertCourse, updateCourse, insertEnrolment, updateEnrolment,
    insertGoal, updateGoal, saveTasks, insertEvents, insertReply, findReply, deleteExpiredReply,
    purgeReplies,
  ]
}
