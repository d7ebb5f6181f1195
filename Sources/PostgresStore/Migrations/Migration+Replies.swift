extension Migration {
  /// Remembered replies in partitions of an hour each, which are emptied as a whole; their keys stay in
  /// one narrow table, because a unique index must contain the key of its partitions. And what users may
  /// use, and have stored.
  ///
  /// The partitions are a ring: an hour has the one of its number modulo 32. So there always is one to
  /// write to, and nothing to create; five are not in use at any time (`hito_empty_replies`).
  static let replies = Migration(
    version: 15, name: "replies by the hour, quotas and what users have stored",
    up: """
      CREATE FUNCTION hito_reply_slot(made_at timestamptz) RETURNS smallint
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT (floor(extract(epoch FROM made_at AT TIME ZONE 'UTC') / 3600)::bigint % 32)::smallint
      $$;

      CREATE TABLE idempotency_kept AS
        SELECT * FROM idempotency_keys WHERE created_at > now() - interval '25 hours';
      DROP TABLE idempotency_keys;
      CREATE TABLE idempotency_keys (
        caller_id uuid NOT NULL,
        method text NOT NULL CHECK (char_length(method) BETWEEN 1 AND 200),
        key text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 128),
        request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
        reply_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller_id, method, key)
      ) WITH (autovacuum_vacuum_scale_factor = 0.05);
      CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

      CREATE TABLE idempotency_replies (
        slot smallint NOT NULL,
        id bigint NOT NULL,
        -- As in its key: row-level security asks for it.
        caller_id uuid NOT NULL,
        reply bytea NOT NULL,
        CONSTRAINT idempotency_replies_pkey PRIMARY KEY (slot, id)
      ) PARTITION BY LIST (slot);
      DO $$
      BEGIN
        FOR slot IN 0..31 LOOP
          EXECUTE format(
            'CREATE TABLE idempotency_replies_%s PARTITION OF idempotency_replies FOR VALUES IN (%s)',
            slot, slot);
        END LOOP;
      END
      $$;

      INSERT INTO idempotency_keys (caller_id, method, key, request_hash, created_at)
        SELECT caller_id, method, key, request_hash, created_at FROM idempotency_kept;
      INSERT INTO idempotency_replies (slot, id, caller_id, reply)
        SELECT hito_reply_slot(k.created_at), k.reply_id, k.caller_id, b.reply
        FROM idempotency_keys k JOIN idempotency_kept b USING (caller_id, method, key);
      DROP TABLE idempotency_kept;

      -- Empties the partitions of all hours but those from one to another, both counted since the
      -- epoch. Those that this database still remembers by its own clock, which filled them, stay
      -- whatever a server's clock says. One that is being read right now has its turn later, so that
      -- readers wait for half a second at most.
      CREATE FUNCTION hito_empty_replies(first_hour bigint, last_hour bigint, moment timestamptz)
        RETURNS integer
        LANGUAGE plpgsql VOLATILE SECURITY DEFINER
        SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
      DECLARE
        emptied integer := 0;
        partition regclass;
      BEGIN
        IF last_hour < first_hour THEN RETURN 0; END IF;
        first_hour := least(
          first_hour, floor(extract(epoch FROM moment - interval '24 hours') / 3600)::bigint);
        last_hour := greatest(last_hour, floor(extract(epoch FROM moment) / 3600)::bigint + 1);
        FOR slot IN 0..31 LOOP
          partition := format('idempotency_replies_%s', slot)::regclass;
          CONTINUE WHEN pg_relation_size(partition) = 0 OR EXISTS (
            SELECT 1 FROM generate_series(first_hour, least(last_hour, first_hour + 31)) hour
            WHERE hour % 32 = slot);
          BEGIN
            EXECUTE format('TRUNCATE %s', partition);
            emptied := emptied + 1;
          EXCEPTION WHEN lock_not_available THEN EXIT;
          END;
        END LOOP;
        RETURN emptied;
      END
      $$;
      REVOKE EXECUTE ON FUNCTION hito_empty_replies(bigint, bigint, timestamptz) FROM PUBLIC;

      -- NULL: the default of the user's role; -1: no limit.
      CREATE TABLE quotas (
        user_id uuid PRIMARY KEY REFERENCES users (id),
        calls_per_second double precision,
        burst bigint,
        model_tokens_per_day bigint,
        stream_max integer,
        bytes_per_day bigint,
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX quotas_updated ON quotas (updated_at, user_id);

      -- A user's writes of a day in several rows, so that those that run at once need not wait for
      -- each other.
      CREATE TABLE stored_bytes (
        day timestamptz NOT NULL,
        user_id uuid NOT NULL,
        shard smallint NOT NULL,
        byte_count bigint NOT NULL CHECK (byte_count >= 0),
        CONSTRAINT stored_bytes_pkey PRIMARY KEY (day, user_id, shard)
      ) WITH (fillfactor = 70);
      """,
    down: .sql(
      """
      DROP TABLE stored_bytes;
      DROP TABLE quotas;
      CREATE TABLE idempotency_kept AS
        SELECT k.caller_id, k.method, k.key, k.request_hash, r.reply, k.created_at
        FROM idempotency_keys k JOIN idempotency_replies r
          ON r.slot = hito_reply_slot(k.created_at) AND r.id = k.reply_id;
      DROP FUNCTION hito_empty_replies(bigint, bigint, timestamptz);
      DROP TABLE idempotency_replies;
      DROP TABLE idempotency_keys;
      DROP FUNCTION hito_reply_slot(timestamptz);
      CREATE TABLE idempotency_keys (
        caller_id uuid NOT NULL,
        method text NOT NULL CHECK (char_length(method) BETWEEN 1 AND 200),
        key text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 128),
        request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
        reply bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller_id, method, key)
      ) WITH (autovacuum_vacuum_scale_factor = 0.05);
      CREATE INDEX idempotency_keys_created ON idempotency_keys
        USING brin (created_at) WITH (pages_per_range = 16, autosummarize = on);
      INSERT INTO idempotency_keys (caller_id, method, key, request_hash, reply, created_at)
        SELECT * FROM idempotency_kept;
      DROP TABLE idempotency_kept;
      """))
}
