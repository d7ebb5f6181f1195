extension Migration {
  /// Events may leave once the lake has them: as the prefix of the log, whose end is the floor.
  static let eventFloor = Migration(
    version: 21, name: "the floor of the log",
    up: """
      -- One row. Up to its position, `events` has nothing and `event_positions` still has everything.
      CREATE TABLE event_floor (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
        -- The event at that position.
        event_id uuid,
        -- No event that left was made later.
        created_until timestamptz,
        -- The highest id that left. Ids are in the order of time, so that one which is not higher may be
        -- taken: no event is written with it.
        highest_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
        -- Of which log and epoch that is true.
        log_id uuid,
        epoch_id bigint,
        -- The lake that has them, and may remove more.
        archive_id uuid,
        moved_at timestamptz,
        CHECK (position = 0 OR (event_id, created_until, log_id, epoch_id, moved_at) IS NOT NULL)
      ) WITH (fillfactor = 10);
      INSERT INTO event_floor DEFAULT VALUES;

      -- The lowest id of version 7 of a moment.
      CREATE FUNCTION hito_id_at(moment timestamptz) RETURNS uuid
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT (lpad(to_hex(greatest(0, floor(extract(epoch FROM moment) * 1000))::bigint), 12, '0')
          || '70008000000000000000')::uuid
      $$;

      -- Removes the events from the position `first` on, which is the one after the floor, and moves the
      -- floor: those of `ids`, which the lake has, in their order. Nothing where they are not the log's;
      -- nothing of the last day, and nothing from the first event on that was made after `moment`, or
      -- whose id is not of the time when it was made.
      \(removalOfEvents("CREATE", isDue: dueByTimes))
      REVOKE EXECUTE ON FUNCTION
        hito_remove_events(uuid, bigint, bigint, uuid[], timestamptz) FROM PUBLIC;
      """,
    down: .sql(
      """
      DO $$ BEGIN
        IF (SELECT position FROM event_floor) > 0 THEN
          RAISE EXCEPTION 'events have left this database: the build before would not find them';
        END IF;
      END $$;
      DROP FUNCTION hito_remove_events(uuid, bigint, bigint, uuid[], timestamptz);
      DROP FUNCTION hito_id_at(timestamptz);
      DROP TABLE event_floor;
      """))

  /// When an event may go: its own time, and that of its id, which are a day apart at the most.
  static let dueByTimes = """
          e.created_at < end_of_due AND e.id < hito_id_at(end_of_due)
          AND e.id >= hito_id_at(e.created_at - interval '1 day')
          AND e.id < hito_id_at(e.created_at + interval '1 day'))
    """

  /// The function that removes events, with a rule for what may go.
  static func removalOfEvents(_ create: String, isDue: String) -> String {
    """
    \(create) FUNCTION hito_remove_events(
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
