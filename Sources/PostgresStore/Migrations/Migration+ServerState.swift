extension Migration {
  static let serverState = Migration(
    version: 5, name: "idempotency keys, tokens and cursors",
    up: """
      CREATE TABLE idempotency_keys (
        caller_id uuid NOT NULL,
        method text NOT NULL CHECK (char_length(method) BETWEEN 1 AND 200),
        key text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 128),
        request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
        reply bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller_id, method, key)
      ) WITH (autovacuum_vacuum_scale_factor = 0.05);
      -- Rows come in the order of time: block ranges find the old ones at next to no cost.
      CREATE INDEX idempotency_keys_created ON idempotency_keys
        USING brin (created_at) WITH (pages_per_range = 16, autosummarize = on);

      CREATE TABLE tokens (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id),
        role text NOT NULL CHECK (role IN ('learner', 'instructor', 'service', 'admin')),
        hash bytea NOT NULL CONSTRAINT tokens_hash_key UNIQUE CHECK (octet_length(hash) = 32),
        label text NOT NULL CHECK (char_length(label) <= 200),
        scopes text[] NOT NULL CHECK (cardinality(scopes) <= 64),
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
      );
      CREATE INDEX tokens_owner ON tokens (user_id, created_at, id);

      CREATE TABLE sink_cursors (
        name text PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 100),
        position bigint NOT NULL CHECK (position >= 0),
        updated_at timestamptz NOT NULL DEFAULT now()
      ) WITH (fillfactor = 50);
      """,
    down: .sql(
      """
      DROP TABLE sink_cursors;
      DROP TABLE tokens;
      DROP TABLE idempotency_keys;
      """))
}
