extension Migration {
  /// Positions leave `events`, which is only ever inserted into from here on.
  static let eventPositions = Migration(
    version: 13, name: "event positions",
    preparation: [
      .once(
        """
        -- Begun anew where a migration was interrupted.
        DROP TABLE IF EXISTS event_positions;
        CREATE TABLE event_positions (
          position bigint PRIMARY KEY CHECK (position > 0),
          seq bigint NOT NULL,
          -- What readers of a part of the log look for, of the event itself and its payload.
          event_type text COLLATE "C" NOT NULL,
          user_id uuid,
          goal_id uuid,
          task_id uuid,
          course_id uuid,
          created_at timestamptz NOT NULL
        );
        CREATE OR REPLACE FUNCTION hito_uuid(value text) RETURNS uuid
          LANGUAGE sql IMMUTABLE PARALLEL SAFE
          AS $$ SELECT CASE WHEN $1 ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$'
            THEN $1::uuid END $$;
        -- What an event concerns besides its own entity.
        CREATE OR REPLACE FUNCTION hito_event_facts(entity_type text, entity_id uuid, payload jsonb)
          RETURNS TABLE (goal_id uuid, task_id uuid, course_id uuid)
          LANGUAGE sql IMMUTABLE PARALLEL SAFE
          AS $$ SELECT
            CASE $1 WHEN 'goal' THEN $2 WHEN 'user' THEN NULL ELSE hito_uuid($3->>'goal_id') END,
            CASE $1 WHEN 'task' THEN $2 WHEN 'user' THEN NULL ELSE hito_uuid($3->>'task_id') END,
            CASE $1 WHEN 'course' THEN $2 WHEN 'user' THEN NULL ELSE hito_uuid($3->>'course_id') END
          $$;
        """),
      .untilNothingIsLeft(eventPositionsChunk(20_000)),
      .once("CREATE UNIQUE INDEX event_positions_seq_key ON event_positions (seq)"),
      .once("DROP INDEX IF EXISTS events_seq_key"),
      .once("CREATE UNIQUE INDEX CONCURRENTLY events_seq_key ON events (seq)"),
      .untilNothingIsLeft(eventPositionsChunk(20_000)),
    ],
    up: """
      -- Who wrote an event has committed or not; what was stamped meanwhile is carried over.
      LOCK TABLE events, event_position IN ACCESS EXCLUSIVE MODE;
      \(eventPositionsChunk(nil));

      -- Every number up to it has a position or never comes. One row.
      CREATE TABLE event_low_mark (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        low bigint NOT NULL CHECK (low >= 0)
      ) WITH (fillfactor = 10);
      INSERT INTO event_low_mark (low) SELECT coalesce(
        (SELECT min(seq) - 1 FROM events WHERE position IS NULL), (SELECT max(seq) FROM events), 0);

      -- A transaction has its id before it takes a number: see SequencedNumbers. Written here and
      -- not in a function, so that it costs nothing and COPY keeps its speed.
      ALTER TABLE events ALTER COLUMN seq SET DEFAULT
        CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('events_seq_seq'::regclass) END;
      ALTER TABLE events DROP COLUMN position;
      ALTER TABLE events RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
      DROP TABLE event_position;
      DROP FUNCTION hito_torn();
      """,
    down: .sql(
      """
      ALTER TABLE events ADD COLUMN position bigint CHECK (position > 0);
      UPDATE events e SET position = p.position FROM event_positions p WHERE p.seq = e.seq;
      ALTER TABLE events ALTER COLUMN seq SET DEFAULT nextval('events_seq_seq'::regclass);
      ALTER TABLE events SET (
        autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
      DROP INDEX events_seq_key;
      CREATE UNIQUE INDEX events_position_key ON events (position) WHERE position IS NOT NULL;
      CREATE INDEX events_unstamped ON events (seq) WHERE position IS NULL;
      CREATE TABLE event_position (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        last bigint NOT NULL CHECK (last >= 0)
      ) WITH (fillfactor = 10);
      INSERT INTO event_position (last) SELECT coalesce(max(position), 0) FROM event_positions;
      CREATE FUNCTION hito_torn() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
          RAISE EXCEPTION 'the batch changed while it was stamped' USING ERRCODE = 'HT002';
        END
      $$;
      DROP TABLE event_low_mark;
      DROP TABLE event_positions;
      DROP FUNCTION hito_event_facts(text, uuid, jsonb);
      DROP FUNCTION hito_uuid(text);
      """))

  /// Carries the next positions over, at most so many.
  private static func eventPositionsChunk(_ count: Int?) -> String {
    """
    INSERT INTO event_positions (
      position, seq, event_type, user_id, goal_id, task_id, course_id, created_at)
    SELECT e.position, e.seq, e.event_type, e.user_id, f.goal_id, f.task_id, f.course_id, e.created_at
    FROM (SELECT coalesce(max(position), 0) AS last FROM event_positions) done
    JOIN events e ON e.position > done.last\(count.map { " AND e.position <= done.last + \($0)" } ?? "")
    CROSS JOIN LATERAL hito_event_facts(e.entity_type, e.entity_id, e.payload) f
    ORDER BY e.position
    """
  }
}
