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
      """,
    // Refused where such events are in the log: it is never edited.
    down: .sql(
      """
      DROP TABLE external_subjects;
      DROP TABLE external_events;
      ALTER TABLE events DROP CONSTRAINT events_entity_type_check;
      ALTER TABLE events ADD CONSTRAINT events_entity_type_check CHECK (entity_type IN (
        'user', 'course', 'enrolment', 'goal', 'task', 'code_snapshot', 'document', 'agent_run',
        'validation', 'task_tests', 'token'));
      """))
}
