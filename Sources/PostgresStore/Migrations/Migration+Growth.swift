extension Migration {
  /// What grew with the platform gets an index or a bound.
  static let growth = Migration(
    version: 19, name: "what grows with the platform",
    preparation: growthIndexes.flatMap { index in
      [
        // One that was interrupted is there and invalid.
        .once("DROP INDEX IF EXISTS \(index.name)"),
        .once("CREATE INDEX CONCURRENTLY \(index.name) ON \(index.definition)"),
      ]
    },
    up: """
      -- The sequencer's word on the numbers up to high: all but those of the holes have a position or
      -- never come. So who looks for what waits need not pass over all that came after a hole that
      -- an idle transaction keeps open. NULL: high is low.
      ALTER TABLE event_low_mark
        ADD COLUMN high bigint,
        ADD COLUMN holes int8multirange NOT NULL DEFAULT '{}',
        ADD CONSTRAINT event_low_mark_high CHECK (high >= low);

      -- What changes while the vectors of another model are made: see SwitchCompletion. A switch that
      -- was begun without is begun anew.
      CREATE TABLE embedding_changes (
        id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        -- Of a passage, or of an enrolment in a course.
        entity_type text NOT NULL,
        entity_id uuid NOT NULL,
        chunk_number integer NOT NULL,
        learner_id uuid,
        is_late boolean NOT NULL DEFAULT false
      );
      CREATE INDEX embedding_changes_late ON embedding_changes (is_late, id);
      CREATE FUNCTION hito_note_passage() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      BEGIN
        INSERT INTO embedding_changes (entity_type, entity_id, chunk_number) VALUES (
          coalesce(NEW.entity_type, OLD.entity_type), coalesce(NEW.entity_id, OLD.entity_id),
          coalesce(NEW.chunk_number, OLD.chunk_number));
        RETURN NULL;
      END
      $$;
      CREATE FUNCTION hito_note_enrolment() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      BEGIN
        INSERT INTO embedding_changes (entity_type, entity_id, chunk_number, learner_id)
          VALUES ('enrolment', NEW.course_id, 0, NEW.user_id);
        RETURN NULL;
      END
      $$;
      REVOKE EXECUTE ON FUNCTION hito_note_passage(), hito_note_enrolment() FROM PUBLIC;
      DROP TABLE IF EXISTS embeddings_next;
      DELETE FROM embedding_models WHERE state = 'next';

      \(growthPurges.map(purge).joined(separator: "\n"))

      -- Those of one language have another index now.
      DROP INDEX code_snapshots_examples;

      -- From 10,000 on, what the statistics say.
      CREATE OR REPLACE FUNCTION hito_next_count() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
      DECLARE
        known bigint := (
          SELECT c.reltuples::bigint FROM pg_class c WHERE c.oid = to_regclass('embeddings_next'));
      BEGIN
        IF known >= 10000 THEN RETURN known; END IF;
        RETURN (SELECT count(*) FROM (SELECT 1 FROM embeddings_next LIMIT 10000) n);
      EXCEPTION WHEN undefined_table THEN RETURN 0;
      END
      $$;
      """,
    down: .sql(
      """
      \(growthPurges.map { "DROP FUNCTION hito_purge_\($0.name)(timestamptz, integer);" }
        .joined(separator: "\n"))
      DROP TRIGGER IF EXISTS hito_switch ON passages;
      DROP TRIGGER IF EXISTS hito_switch ON enrolments;
      DROP TABLE IF EXISTS embeddings_next, embeddings_old;
      DELETE FROM embedding_models WHERE state = 'next';
      DROP FUNCTION hito_note_enrolment();
      DROP FUNCTION hito_note_passage();
      DROP TABLE embedding_changes;
      CREATE OR REPLACE FUNCTION hito_next_count() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
      BEGIN
        RETURN (SELECT count(*) FROM embeddings_next);
      EXCEPTION WHEN undefined_table THEN RETURN 0;
      END
      $$;
      CREATE INDEX code_snapshots_examples ON code_snapshots (language, id)
        WHERE shared AND verdict = 'passed';
      ALTER TABLE event_low_mark DROP COLUMN holes, DROP COLUMN high;
      \(growthIndexes.map { "DROP INDEX \($0.name);" }.joined(separator: "\n"))
      """))

  private static let growthIndexes: [(name: String, definition: String)] = [
    // Lists of everybody's tokens.
    ("tokens_created", "tokens (created_at, id)"),
    // What the provider refuses, and whether anything was never tried: each of the waiting ones
    // failed while a provider is away.
    (
      "passages_failed",
      "passages (attempts DESC, entity_id, chunk_number) WHERE waits AND last_error IS NOT NULL"
    ),
    ("passages_untried", "passages (entity_id) WHERE waits AND attempts = 0"),
    // The newest examples: everybody's, of one language, and of one grader.
    (
      "code_snapshots_newest_examples",
      "code_snapshots (id) WHERE shared AND verdict = 'passed' AND \(isOfNoInstructor)"
    ),
    (
      "code_snapshots_examples_of_language",
      "code_snapshots (language, id) WHERE shared AND verdict = 'passed' AND \(isOfNoInstructor)"
    ),
    // What was kept long enough.
    ("tokens_ended", "tokens (least(expires_at, revoked_at))"),
    (
      "agent_runs_ended",
      "agent_runs (updated_at) WHERE status IN ('completed', 'failed', 'cancelled', 'rejected')"
    ),
    ("model_usage_hour", "model_usage (hour)"),
    (
      "code_snapshots_graded_examples",
      """
      code_snapshots (((provenance->>'actor_id')::uuid), id)
        WHERE shared AND verdict = 'passed' AND provenance->>'source' = 'instructor'
      """
    ),
  ]
  /// What ended before a time goes, at most so many rows; the oldest first, along an index.
  private static let growthPurges: [(name: String, table: String, end: String, condition: String)] =
    [
      // Those that others were made with go after these: they would take them along.
      (
        "tokens", "tokens", "least(t.expires_at, t.revoked_at)",
        "NOT EXISTS (SELECT FROM tokens c WHERE c.parent_id = t.id)"
      ),
      (
        "runs", "agent_runs", "t.updated_at",
        "t.status IN ('completed', 'failed', 'cancelled', 'rejected')"
      ),
      ("usage", "model_usage", "t.hour", "true"),
    ]

  private static func purge(
    _ purge: (name: String, table: String, end: String, condition: String)
  ) -> String {
    """
    CREATE FUNCTION hito_purge_\(purge.name)(moment timestamptz, row_max integer) RETURNS bigint
      LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH gone AS (
        DELETE FROM \(purge.table) WHERE ctid = ANY (ARRAY(
          SELECT t.ctid FROM \(purge.table) t
          WHERE \(purge.end) < least(moment, now() - interval '1 day') AND \(purge.condition)
          ORDER BY \(purge.end) LIMIT row_max))
        RETURNING 1)
      SELECT count(*) FROM gone
    $$;
    REVOKE EXECUTE ON FUNCTION hito_purge_\(purge.name)(timestamptz, integer) FROM PUBLIC;
    """
  }

  private static let isOfNoInstructor = "provenance->>'source' <> 'instructor'"
}
