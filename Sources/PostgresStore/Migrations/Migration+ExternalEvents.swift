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
      \(removal(isDue: Self.dueOfAll))
      """,
    // Refused where such events are in the log: it is never edited. Without any,
    // hito_remove_events does what it did.
    down: .sql(
      """
      ALTER TABLE event_positions DROP COLUMN logged_at;
      DROP FUNCTION hito_time_of(uuid);
      \(removal(isDue: Self.dueOfOurs))
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

  /// When an event may go: its own time, and that of its id, which are a day apart at the most.
  private static let dueOfOurs = """
          e.created_at < end_of_due AND e.id < hito_id_at(end_of_due)
          AND e.id >= hito_id_at(e.created_at - interval '1 day')
          AND e.id < hito_id_at(e.created_at + interval '1 day'))
    """
  /// The same, but for events of other systems, which are as old as their ids.
  private static let dueOfAll = """
          e.id < hito_id_at(end_of_due) AND (e.entity_type = 'external'
            OR e.created_at < end_of_due
              AND e.id >= hito_id_at(e.created_at - interval '1 day')
              AND e.id < hito_id_at(e.created_at + interval '1 day')))
    """

  /// `hito_remove_events` as `eventFloor` has it, with another rule for what may go.
  private static func removal(isDue: String) -> String {
    """
    CREATE OR REPLACE FUNCTION hito_remove_events(
      archive uuid, epoch bigint, first bigint, ids uuid[], moment timestamptz) RETURNS bigint
      LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
      SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    DECLARE
      floor_row event_floor;
      end_of_due timestamptz := least(moment, now() - interval '1 day');
      wanted bigint := cardinality(ids);
      same bigint;
      due bigint;
      gone record;
    BEGIN
      SELECT * INTO floor_row FROM event_floor FOR UPDATE;
      IF floor_row.archive_id <> archive THEN
        RAISE EXCEPTION 'another lake has what was removed' USING ERRCODE = 'HT004';
      END IF;
      IF epoch IS DISTINCT FROM (SELECT e.id FROM log_epochs e ORDER BY e.number DESC LIMIT 1) THEN
        RAISE EXCEPTION 'the log has another epoch' USING ERRCODE = 'HT005';
      END IF;
      IF wanted > 10000 THEN
        RAISE EXCEPTION 'more than 10000 events at once' USING ERRCODE = 'HT006';
      END IF;
      IF first <> floor_row.position + 1 OR wanted = 0 THEN RETURN 0; END IF;
      SELECT count(*) FILTER (WHERE e.id = ids[p.position - first + 1]),
        coalesce(min(p.position - first) FILTER (WHERE NOT (
    \(isDue)), wanted)
      INTO same, due
      FROM event_positions p JOIN events e ON e.seq = p.seq
      WHERE p.position >= first AND p.position < first + wanted;
      IF same <> wanted THEN
        RAISE EXCEPTION '% of % events from % on are not those of the lake',
          wanted - same, wanted, first USING ERRCODE = 'HT006';
      END IF;
      IF due = 0 THEN RETURN 0; END IF;
      WITH removed AS (
        DELETE FROM events e USING event_positions p
        WHERE p.position >= first AND p.position < first + due AND e.seq = p.seq
        RETURNING e.id, e.created_at)
      SELECT count(*) AS number, max(r.created_at) AS until,
        (SELECT id FROM removed ORDER BY id DESC LIMIT 1) AS highest
      INTO gone FROM removed r;
      IF gone.number <> due THEN
        RAISE EXCEPTION '% events went instead of %', gone.number, due USING ERRCODE = 'HT006';
      END IF;
      UPDATE event_floor f SET position = first + due - 1, event_id = ids[due],
        created_until = greatest(f.created_until, gone.until),
        highest_id = greatest(f.highest_id, gone.highest),
        log_id = (SELECT l.id FROM log_identity l), epoch_id = epoch, archive_id = archive,
        moved_at = now();
      RETURN due;
    END
    $$;
    """
  }
}
