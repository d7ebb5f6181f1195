extension Migration {
  /// Consumer groups, and what each has read and not settled.
  static let consumerGroups = Migration(
    version: 24, name: "consumer groups",
    up: """
      -- Whoever changes what belongs to a group locks its row first.
      CREATE TABLE consumer_groups (
        id uuid PRIMARY KEY,
        name text NOT NULL COLLATE "C" CHECK (name ~ '^[a-z0-9_-]{1,100}$'),
        user_id uuid NOT NULL REFERENCES users (id),
        filter jsonb NOT NULL CHECK (jsonb_typeof(filter) = 'object'),
        strategy text NOT NULL CHECK (strategy IN ('round_robin', 'pinned')),
        from_time timestamptz,
        attempt_max integer NOT NULL CHECK (attempt_max BETWEEN 1 AND 1000),
        ack_timeout bigint NOT NULL CHECK (ack_timeout > 0),
        retry_delay bigint NOT NULL CHECK (retry_delay >= 0),
        retry_delay_max bigint NOT NULL CHECK (retry_delay_max >= 0),
        outstanding_max integer NOT NULL CHECK (outstanding_max > 0),
        parked_max integer NOT NULL CHECK (parked_max > 0),
        read_position bigint NOT NULL CHECK (read_position >= 0),
        version bigint NOT NULL CHECK (version > 0),
        created_at timestamptz NOT NULL,
        CONSTRAINT consumer_groups_name_key UNIQUE (name)
      ) WITH (fillfactor = 50);
      CREATE INDEX consumer_groups_user ON consumer_groups (user_id, name);

      CREATE TABLE group_consumers (
        group_id uuid NOT NULL REFERENCES consumer_groups (id) ON DELETE CASCADE,
        name text NOT NULL COLLATE "C" CHECK (char_length(name) BETWEEN 1 AND 100),
        user_id uuid NOT NULL REFERENCES users (id),
        session_id uuid NOT NULL UNIQUE,
        instance text NOT NULL CHECK (char_length(instance) <= 100),
        server_id text NOT NULL CHECK (char_length(server_id) <= 100),
        connected_at timestamptz NOT NULL DEFAULT now(),
        lease_until timestamptz NOT NULL,
        CONSTRAINT group_consumers_pkey PRIMARY KEY (group_id, name)
      ) WITH (fillfactor = 50);

      -- One row for each event that a group has read and that is not settled.
      CREATE TABLE group_entries (
        group_id uuid NOT NULL REFERENCES consumer_groups (id) ON DELETE CASCADE,
        position bigint NOT NULL CHECK (position > 0),
        event_id uuid NOT NULL,
        -- Of those with the same one, one is held at a time.
        pin uuid,
        state text NOT NULL CHECK (state IN ('waiting', 'held', 'parked')),
        attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
        -- Waiting: not before. Held: until. Parked: since.
        due_at timestamptz NOT NULL,
        session_id uuid,
        reason text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 1000),
        CONSTRAINT group_entries_pkey PRIMARY KEY (group_id, position),
        CHECK ((state = 'held') = (session_id IS NOT NULL))
      ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
      CREATE UNIQUE INDEX group_entries_pin ON group_entries (group_id, pin)
        WHERE state = 'held' AND pin IS NOT NULL;
      CREATE INDEX group_entries_state ON group_entries (group_id, state, position);
      CREATE INDEX group_entries_order ON group_entries (group_id, pin, position)
        WHERE pin IS NOT NULL AND state <> 'parked';
      """,
    down: .sql(
      """
      DROP TABLE group_entries;
      DROP TABLE group_consumers;
      DROP TABLE consumer_groups;
      """))
}
