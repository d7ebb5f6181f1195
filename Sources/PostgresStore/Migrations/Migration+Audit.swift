extension Migration {
  /// What is no event and is to be known later, and the seals over both.
  static let audit = Migration(
    version: 23, name: "audit entries and seals",
    up: """
      ALTER TABLE events DROP CONSTRAINT events_entity_type_check;
      ALTER TABLE events ADD CONSTRAINT events_entity_type_check CHECK (entity_type IN (
        'user', 'course', 'enrolment', 'goal', 'task', 'code_snapshot', 'document', 'agent_run',
        'validation', 'task_tests', 'token')) NOT VALID;

      -- Only inserted into. Users are named and not referred to: entries outlive them.
      CREATE TABLE audit_entries (
        number bigint PRIMARY KEY CHECK (number > 0),
        id uuid NOT NULL,
        kind text NOT NULL CHECK (kind IN ('refusal', 'read', 'sign_in', 'export', 'notice')),
        actor_id uuid,
        token_id uuid,
        subject_id uuid,
        method text NOT NULL CHECK (char_length(method) <= 200),
        status integer NOT NULL,
        reason text NOT NULL CHECK (char_length(reason) <= 500),
        peer text NOT NULL CHECK (char_length(peer) <= 100),
        count bigint NOT NULL CHECK (count > 0),
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL
      );
      CREATE INDEX audit_entries_actor ON audit_entries (actor_id, number)
        WHERE actor_id IS NOT NULL;
      CREATE INDEX audit_entries_subject ON audit_entries (subject_id, number)
        WHERE subject_id IS NOT NULL;

      -- The chain over events and entries: see SealChain. Only inserted into.
      CREATE TABLE log_seals (
        number bigint PRIMARY KEY CHECK (number > 0),
        last_position bigint NOT NULL CHECK (last_position >= 0),
        last_entry bigint NOT NULL CHECK (last_entry >= 0),
        made_at timestamptz NOT NULL,
        rows_hash bytea NOT NULL CHECK (octet_length(rows_hash) = 32),
        marks bytea NOT NULL,
        hash bytea NOT NULL CHECK (octet_length(hash) = 32),
        signature bytea NOT NULL
      );
      """,
    down: .sql(
      """
      ALTER TABLE events DROP CONSTRAINT events_entity_type_check;
      ALTER TABLE events ADD CONSTRAINT events_entity_type_check CHECK (entity_type IN (
        'user', 'course', 'enrolment', 'goal', 'task', 'code_snapshot', 'document', 'agent_run',
        'validation', 'task_tests')) NOT VALID;
      DROP TABLE log_seals;
      DROP TABLE audit_entries;
      """))
}
