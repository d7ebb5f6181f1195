extension Migration {
  static let events = Migration(
    version: 3, name: "events",
    up: """
      CREATE TABLE events (
        id uuid PRIMARY KEY,
        -- Taken after the aggregate's row lock: causal per aggregate. Must not be cached.
        seq bigserial NOT NULL,
        -- Dense order of commit, given once by the stamper; the public cursor.
        position bigint CHECK (position > 0),
        event_type text NOT NULL CHECK (event_type ~ '^[a-z_]{1,32}\\.[a-z_]{1,32}$'),
        entity_type text NOT NULL CHECK (
          entity_type IN ('user', 'course', 'enrolment', 'goal', 'task', 'code_snapshot')),
        entity_id uuid NOT NULL,
        version bigint NOT NULL CHECK (version > 0),
        user_id uuid,
        payload jsonb NOT NULL CHECK (jsonb_typeof(payload) = 'object'),
        metadata jsonb NOT NULL CHECK (jsonb_typeof(metadata) = 'object'),
        schema_version integer NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT events_entity_version_key UNIQUE (entity_type, entity_id, version)
      ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
      -- Without the rows not stamped yet: an index entry less per write.
      CREATE UNIQUE INDEX events_position_key ON events (position) WHERE position IS NOT NULL;
      CREATE INDEX events_unstamped ON events (seq) WHERE position IS NULL;
      CREATE INDEX idx_events_user_created ON events(user_id, created_at);
      CREATE INDEX idx_events_entity ON events(entity_type, entity_id, created_at);
      CREATE INDEX idx_events_type_created ON events(event_type, created_at);

      -- The last position given. One row; its lock orders stampers that meet by mistake.
      CREATE TABLE event_position (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        last bigint NOT NULL CHECK (last >= 0)
      ) WITH (fillfactor = 10);
      INSERT INTO event_position (last) VALUES (0);

      -- Fails a stamp that did not reach every row of its batch: positions must stay dense.
      CREATE FUNCTION hito_torn() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
          RAISE EXCEPTION 'the batch changed while it was stamped' USING ERRCODE = 'HT002';
        END
      $$;
      """,
    down: .sql(
      """
      DROP FUNCTION hito_torn();
      DROP TABLE event_position;
      DROP TABLE events;
      """))
}
