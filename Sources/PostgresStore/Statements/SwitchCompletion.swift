/// The end of a switch to another model, as the owner of the tables.
///
/// Nobody can write or search while one table takes the other's name, so that nothing is done then that
/// takes longer the more vectors there are:
///
///   noting ── list ──▶ listed ── catchUp until few are left ──▶ swap ──▶ settle ──▶ finish
///
/// From `begin` on, triggers note in `embedding_changes` which passages and enrolments change, in the
/// transaction that changes them. What is noted is looked at again once it is committed: `catchUp` beside
/// everybody's work, at most `changeMax` changes in `swap`. Whether a passage waits is the active model's
/// until the swap: where it should be otherwise after it, that is noted too (`is_late`), and `settle`
/// brings it about, in portions; it continues where a server died.
enum SwitchCompletion {
  /// How many changes are looked at while everybody else waits: a few milliseconds.
  static let changeMax = 1_000
  /// More are waiting than that; nothing was done.
  static let tooMany = "HT003"

  private static let sameKey = """
    e.entity_type = p.entity_type AND e.entity_id = p.entity_id AND e.chunk_number = p.chunk_number
    """

  /// Of the passage `p`. Looked up for each passage, or of all of the table at once.
  private static func hasVector(in table: String, ofAll: Bool = false) -> String {
    """
    EXISTS (SELECT 1 FROM \(table) e
      WHERE \(sameKey) AND e.user_id = p.user_id AND e.content_hash = p.content_hash
        AND NOT e.is_copy\(ofAll ? "" : " OFFSET 0"))
    """
  }

  /// Notes what has to be otherwise after the swap. Reads everything, beside everybody's work.
  static let list = """
    DELETE FROM embedding_changes WHERE is_late;
    \(SwitchScripts.copies);
    INSERT INTO embedding_changes (entity_type, entity_id, chunk_number, is_late)
      SELECT p.entity_type, p.entity_id, p.chunk_number, true FROM passages p
      WHERE p.waits = \(hasVector(in: "embeddings_next", ofAll: true))
    """

  /// Brings the next model's table to what the oldest changes made of passages and enrolments; how many
  /// they were. All of it is of one snapshot, in which each of them is committed.
  static let catchUp = """
    WITH taken AS (
      DELETE FROM embedding_changes WHERE id IN (
        SELECT id FROM embedding_changes WHERE NOT is_late ORDER BY id LIMIT \(changeMax))
      RETURNING entity_type, entity_id, chunk_number, learner_id),
    stale AS (
      DELETE FROM embeddings_next e USING taken t
      WHERE NOT e.is_copy AND e.entity_type = t.entity_type AND e.entity_id = t.entity_id
        AND e.chunk_number = t.chunk_number AND NOT EXISTS (
          SELECT 1 FROM passages p
          WHERE \(sameKey) AND p.user_id = e.user_id AND p.content_hash = e.content_hash)),
    left_behind AS (
      DELETE FROM embeddings_next c USING taken t
      WHERE t.entity_type = 'enrolment' AND c.is_copy AND c.entity_type = 'course'
        AND c.entity_id = t.entity_id AND c.chunk_number = 0 AND c.user_id = t.learner_id
        AND NOT EXISTS (SELECT 1 FROM enrolments n
          WHERE n.course_id = t.entity_id AND n.user_id = t.learner_id AND n.is_active)),
    late AS (
      INSERT INTO embedding_changes (entity_type, entity_id, chunk_number, is_late)
      SELECT p.entity_type, p.entity_id, p.chunk_number, true
      FROM (SELECT DISTINCT entity_type, entity_id, chunk_number FROM taken) e
      JOIN passages p ON \(sameKey)
      WHERE p.waits = \(hasVector(in: "embeddings_next"))),
    copied AS (
      INSERT INTO embeddings_next (id, entity_type, entity_id, user_id, content, embedding, model,
        content_hash, chunk_number, metadata, is_copy, created_at, updated_at)
      SELECT DISTINCT ON (e.entity_id, n.user_id) gen_random_uuid(), e.entity_type, e.entity_id,
        n.user_id, e.content, e.embedding, e.model, e.content_hash, e.chunk_number, e.metadata, true,
        now(), now()
      FROM taken t
      JOIN enrolments n ON n.course_id = t.entity_id AND n.user_id = t.learner_id AND n.is_active
      JOIN embeddings_next e ON e.entity_type = 'course' AND e.entity_id = t.entity_id
        AND e.chunk_number = 0 AND NOT e.is_copy AND e.user_id <> n.user_id
      JOIN passages p ON \(sameKey) AND p.content_hash = e.content_hash
      WHERE t.entity_type = 'enrolment'
      ON CONFLICT (entity_type, entity_id, chunk_number, user_id) DO NOTHING),
    -- The copies of a course whose text changed go, as far as they are few, and are made anew by the
    -- copier, as they are at any time.
    outdated AS (
      DELETE FROM embeddings_next WHERE ctid = ANY (ARRAY(
        SELECT c.ctid FROM taken t
        JOIN embeddings_next c ON c.entity_type = 'course' AND c.entity_id = t.entity_id
          AND c.chunk_number = 0 AND c.is_copy
        WHERE t.entity_type = 'course' AND t.chunk_number = 0 AND NOT EXISTS (
          SELECT 1 FROM passages p WHERE p.entity_type = 'course' AND p.entity_id = c.entity_id
            AND p.chunk_number = 0 AND p.content_hash = c.content_hash)
        LIMIT \(changeMax)))),
    courses AS (
      INSERT INTO embedding_changes (entity_type, entity_id, chunk_number, is_late)
      SELECT DISTINCT 'course_copies', t.entity_id, 0, true FROM taken t
      WHERE t.entity_type = 'course' AND t.chunk_number = 0)
    SELECT count(*) FROM taken
    """

  /// One table takes the other's name, whose own goes (`finish`). Writers take `passages` before
  /// `embeddings`, and so does this: whoever is in between waits, and then finds the next model active.
  static func swap(model: String) -> String {
    """
    BEGIN;
    SET LOCAL lock_timeout = '\(SwitchScripts.lockTimeout)';
    SET LOCAL statement_timeout = '2s';
    \(swapBody(model: model));
    COMMIT
    """
  }

  /// Without its transaction.
  static func swapBody(model: String) -> String {
    """
    LOCK TABLE passages IN SHARE ROW EXCLUSIVE MODE;
    LOCK TABLE embeddings, embeddings_next IN ACCESS EXCLUSIVE MODE;
    -- Each change is looked up, however few rows the statistics know of.
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_hashjoin = off;
    SET LOCAL enable_mergejoin = off;
    DO $$ BEGIN
      IF NOT EXISTS (SELECT 1 FROM embedding_models WHERE state = 'next' AND name = '\(model)') THEN
        RAISE 'another server has begun a switch to another model';
      END IF;
      IF (SELECT count(*) FROM (SELECT 1 FROM embedding_changes
          WHERE NOT is_late LIMIT \(changeMax + 1)) c) > \(changeMax) THEN
        RAISE 'too much has changed meanwhile' USING ERRCODE = '\(tooMany)';
      END IF;
    END $$;
    \(catchUp);
    DROP TABLE IF EXISTS embeddings_old;
    ALTER TABLE embeddings RENAME TO embeddings_old;
    ALTER TABLE embeddings_next RENAME TO embeddings;
    DO $$
    DECLARE found record;
    BEGIN
      FOR found IN
        SELECT i.indexrelid::regclass AS name, c.relname, i.indrelid = 'embeddings_old'::regclass AS is_old
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid IN ('embeddings_old'::regclass, 'embeddings'::regclass)
        ORDER BY is_old DESC
      LOOP
        EXECUTE format('ALTER INDEX %s RENAME TO %I', found.name, CASE WHEN found.is_old
          THEN replace(found.relname, 'embeddings_', 'embeddings_old_')
          ELSE replace(found.relname, 'embeddings_next_', 'embeddings_') END);
      END LOOP;
    END $$;
    DELETE FROM embedding_models WHERE state = 'active';
    UPDATE embedding_models SET state = 'active' WHERE state = 'next';
    \(settle)
    """
  }

  /// Brings the passages that were noted late to what the active model's vectors are, and has the copies
  /// of courses made anew: a portion; how many there were.
  static let settle = """
    WITH late AS (
      DELETE FROM embedding_changes WHERE id IN (
        SELECT id FROM embedding_changes WHERE is_late ORDER BY id LIMIT \(changeMax))
      RETURNING entity_type, entity_id, chunk_number),
    marked AS (
      UPDATE passages p SET waits = NOT p.waits, attempts = 0, next_attempt_at = '-infinity',
        last_error = NULL
      FROM (SELECT DISTINCT entity_type, entity_id, chunk_number FROM late) e
      WHERE \(sameKey) AND p.waits = \(hasVector(in: "embeddings"))),
    copies AS (
      INSERT INTO course_copies (course_id)
      SELECT DISTINCT c.id FROM late l JOIN courses c ON c.id = l.entity_id
      WHERE l.entity_type = 'course_copies'
      ON CONFLICT (course_id) DO UPDATE SET after_user_id = excluded.after_user_id)
    SELECT count(*) FROM late
    """

  /// Whether a switch was completed and not finished.
  static let isUnfinished = """
    SELECT (to_regclass('embeddings_old') IS NOT NULL OR EXISTS (SELECT 1 FROM embedding_changes))
      AND NOT EXISTS (SELECT 1 FROM embedding_models WHERE state = 'next')
    """

  /// The old vectors go, and nothing is noted any more.
  static let finish = """
    BEGIN;
    SET LOCAL lock_timeout = '\(SwitchScripts.lockTimeout)';
    \(SwitchScripts.endNoting);
    COMMIT;
    BEGIN;
    DROP TABLE IF EXISTS embeddings_old;
    TRUNCATE embedding_changes;
    COMMIT
    """
}
