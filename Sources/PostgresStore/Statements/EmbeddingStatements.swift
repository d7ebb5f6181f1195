import Domain

/// Making vectors: what waits, and moving to another model.
enum EmbeddingStatements {
  /// Takes `$1` passages due at `$2`; others leave them alone until `$3`. `$4` includes those that
  /// were never tried to the end, whoever has them.
  static let take = Query<Int64, Timestamp, Timestamp, Bool>(
    "embeddings.take",
    """
    UPDATE passages p SET next_attempt_at = $3
    FROM (
      SELECT entity_type, entity_id, chunk_number FROM passages
      WHERE waits AND (next_attempt_at <= $2 OR $4 AND attempts = 0 AND next_attempt_at < $3)
        -- Follows from it, and ends the walk through the index where nothing is due any more.
        AND next_attempt_at <= CASE WHEN $4 THEN greatest($2, $3) ELSE $2 END
      ORDER BY next_attempt_at, entity_id, chunk_number LIMIT $1
      FOR UPDATE SKIP LOCKED) due
    WHERE p.entity_type = due.entity_type AND p.entity_id = due.entity_id
      AND p.chunk_number = due.chunk_number
    RETURNING p.entity_type, p.entity_id, p.chunk_number, p.content, p.content_hash, p.attempts
    """)

  /// `$4` the error, `$5` when to try again.
  static let fail = Query<PassageStatements.Keys, String, Timestamp>(
    "embeddings.fail",
    """
    UPDATE passages p SET attempts = p.attempts + 1, last_error = left($4, 500),
      next_attempt_at = $5
    FROM unnest($1, $2, $3) AS n (kind, id, number)
    WHERE p.entity_type = n.kind AND p.entity_id = n.id AND p.chunk_number = n.number AND p.waits
    """)

  static let hasUntried = Statement(
    "embeddings.has_untried",
    "SELECT EXISTS (SELECT 1 FROM passages WHERE waits AND attempts = 0)")

  /// Whether nothing waits of the entity that an event changed. What has left the table is long past.
  static let isEmbedded = Query<EntityID>(
    "embeddings.is_embedded",
    """
    SELECT NOT EXISTS (
      SELECT 1 FROM passages p
      WHERE p.waits AND p.entity_id IN (e.entity_id, CASE e.entity_type
        WHEN 'task' THEN (e.payload->>'goal_id')::uuid
        WHEN 'agent_run' THEN (e.payload->>'goal_id')::uuid
        WHEN 'document' THEN (e.payload->>'course_id')::uuid
        WHEN 'enrolment' THEN (e.payload->>'course_id')::uuid END)
      -- Asked for the event, never joined with it: under row-level security an index serves only
      -- values that are there before the rows are.
      OFFSET 0)
    FROM events e WHERE e.id = $1
    UNION ALL
    SELECT true FROM event_floor f WHERE f.position > 0 AND $1 <= f.highest_id
    LIMIT 1
    """)

  /// How many passages have their vector, and how many wait: from `$1` on, what the statistics say.
  static let counts = Query<Int64>(
    "embeddings.counts",
    """
    SELECT greatest(0, a.number - w.number), w.number
    FROM (\(bounded("SELECT 1 FROM passages", "passages"))) a,
      (\(bounded("SELECT 1 FROM passages WHERE waits", "passages_waiting"))) w
    """)

  private static func bounded(_ rows: String, _ relation: String) -> String {
    """
    SELECT CASE WHEN c.reltuples >= $1 THEN c.reltuples::bigint
      ELSE (SELECT count(*) FROM (\(rows) LIMIT $1) r) END AS number
    FROM pg_class c WHERE c.oid = '\(relation)'::regclass
    """
  }

  static let problems = Query<Int64>(
    "embeddings.problems",
    """
    SELECT entity_type, entity_id, chunk_number, last_error, attempts, next_attempt_at
    FROM passages WHERE waits AND last_error IS NOT NULL
    ORDER BY attempts DESC, entity_id, chunk_number LIMIT $1
    """)

  static let all: [any StatementSource] = [take, fail, hasUntried, isEmbedded, counts, problems]
}
