extension Migration {
  /// Which events of other systems are in the log, and what they are about.
  static let externalEvents = Migration(
    version: 25, name: "events of other systems",
    up: """
      ALTER TABLE events DROP CONSTRAINT events_entity_type_check;
      ALTER TABLE events ADD CONSTRAINT events_entity_type_check CHECK (entity_type IN (
        'user', 'course', 'enrolment', 'goal', 'task', 'code_snapshot', 'document', 'agent_run',
        'validation', 'task_tests', 'token', 'external')) NOT VALID;

      -- Outlives its event in `events`: an id of another system is never stored again.
      CREATE TABLE external_events (
        source text NOT NULL COLLATE "C" CHECK (char_length(source) BETWEEN 1 AND 60),
        external_id text NOT NULL COLLATE "C" CHECK (char_length(external_id) BETWEEN 1 AND 200),
        event_id uuid NOT NULL,
        content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
        CONSTRAINT external_events_pkey PRIMARY KEY (source, external_id)
      );

      CREATE TABLE external_subjects (
        source text NOT NULL COLLATE "C" CHECK (char_length(source) BETWEEN 1 AND 60),
        subject text NOT NULL COLLATE "C" CHECK (char_length(subject) BETWEEN 1 AND 200),
        entity_id uuid NOT NULL UNIQUE,
        version bigint NOT NULL CHECK (version > 0),
        CONSTRAINT external_subjects_pkey PRIMARY KEY (source, subject)
      ) WITH (fillfactor = 70);

      -- When an id of version 7 was made.
      CREATE FUNCTION hito_time_of(id uuid) RETURNS timestamptz
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT to_timestamp(
          ('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)
      $$;

      -- When an event of another system came, whose own time may be any. NULL of others: times follow the
      -- order of the log.
      ALTER TABLE event_positions ADD COLUMN logged_at timestamptz;

      -- As before, but that events of other systems are as old as their ids, whatever their own time.
      \(removalOfEvents("CREATE OR REPLACE", isDue: dueOfAll))
      """,
    // Refused where such events are in the log: it is never edited. Without any,
    // hito_remove_events does what it did.
    down: .sql(
      """
      ALTER TABLE event_positions DROP COLUMN logged_at;
      DROP FUNCTION hito_time_of(uuid);
      \(removalOfEvents("CREATE OR REPLACE", isDue: dueByTimes))
      DO $$ BEGIN
        IF EXISTS (SELECT FROM events WHERE entity_type = 'external') THEN
          RAISE EXCEPTION 'events of other systems are in the log' USING ERRCODE = '55000';
        END IF;
      END $$;
      DROP TABLE external_subjects;
      DROP TABLE external_events;
      ALTER TABLE events DROP CONSTRAINT events_entity_type_check;
      ALTER TABLE events ADD CONSTRAINT events_entity_type_check CHECK (entity_type IN (
        'user', 'course', 'enrolment', 'goal', 'task', 'code_snapshot', 'document', 'agent_run',
        'validation', 'task_tests', 'token')) NOT VALID;
      """))

  /// As `dueByTimes`, but for events of other systems, which are as old as their ids.
  private static let dueOfAll = """
          e.id < hito_id_at(end_of_due) AND (e.entity_type = 'external'
            OR e.created_at < end_of_due
              AND e.id >= hito_id_at(e.created_at - interval '1 day')
              AND e.id < hito_id_at(e.created_at + interval '1 day')))
    """
}
