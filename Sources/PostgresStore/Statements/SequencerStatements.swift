import Domain

/// What the sequencer does in its session.
enum SequencerStatements {
  /// Whether this session has the lock, or gets it now. The setting ends with the session, as the
  /// lock does: each batch asks for it.
  static let lead = Query<Int64, String>(
    "sequencer.lead",
    """
    SELECT CASE WHEN pg_try_advisory_lock($1) THEN set_config('hito.sequencer', $2, false) = $2
      ELSE false END
    """)

  /// A sequence that gave out numbers in stock, or gives some out again, would lose events.
  static let check = Statement(
    "sequencer.check",
    """
    SELECT s.seqcache = 1 AND s.seqincrement = 1
      AND coalesce(pg_sequence_last_value(s.seqrelid), 0) >= coalesce(greatest(
        (SELECT max(seq) FROM events), (SELECT max(seq) FROM event_positions)), 0)
    FROM pg_sequence s WHERE s.seqrelid = 'events_seq_seq'::regclass
    """)

  /// What was written down last (`writeMark`): the high mark with each of the holes, or without one.
  static let mark = Statement(
    "sequencer.mark",
    """
    SELECT coalesce(m.high, m.low), lower(h.hole), upper(h.hole) - 1
    FROM event_low_mark m LEFT JOIN LATERAL unnest(m.holes) AS h (hole) ON true ORDER BY 2
    """)

  /// The numbers that have positions: those above `$1`, and those of the holes from `$2` to `$3`.
  static let positioned = Query<Int64, [Int64], [Int64]>(
    "sequencer.positioned",
    """
    SELECT p.seq FROM event_positions p WHERE p.seq > $1
    UNION ALL
    SELECT p.seq FROM unnest($2, $3) AS hole (low, high) CROSS JOIN LATERAL (
      SELECT p.seq FROM event_positions p WHERE p.seq BETWEEN hole.low AND hole.high) p
    ORDER BY 1
    """)

  static let transaction = Statement(
    "sequencer.transaction", "SELECT pg_current_xact_id()::text::bigint")

  /// Gives the next positions to committed events in the order of their numbers, all of the batch or
  /// none: `$1` who must lead this session, `$2` holes of one number, `$3` and `$4` longer ones, `$5`
  /// the number above which all is new, `$6` most events, `$7` most bytes.
  ///
  /// One row for each event, or one without: then whether the session leads, the snapshot's xmin, the
  /// id of this transaction where it found something, and whether there may be more in the snapshot.
  /// All of it is of one snapshot, and the id is taken after it: see `SequencedNumbers`.
  ///
  /// The work depends on the batch alone: each branch reads an index in order, up to the limit. The
  /// limit of one keeps the look-up of a hole a look-up: as a plain join, with the order and the limit
  /// around it, all of `events` was read in order instead, and compared with no holes.
  static let place = Query<String, [Int64], [Int64], [Int64], Int64, Int64, Int64>(
    "sequencer.place",
    """
    WITH waiting AS MATERIALIZED (
      SELECT u.*, sum(u.size) OVER (ORDER BY u.seq) - u.size AS before
      FROM (
        (SELECT e.* FROM unnest($2) AS hole (seq) CROSS JOIN LATERAL (
            SELECT e.*, pg_column_size(e.payload) AS size FROM events e WHERE e.seq = hole.seq
            LIMIT 1) e
          WHERE current_setting('hito.sequencer', true) = $1 ORDER BY e.seq LIMIT $6)
        UNION ALL
        (SELECT e.* FROM unnest($3, $4) AS hole (low, high) CROSS JOIN LATERAL (
            SELECT e.*, pg_column_size(e.payload) AS size FROM events e
            WHERE e.seq BETWEEN hole.low AND hole.high ORDER BY e.seq LIMIT $6) e
          WHERE current_setting('hito.sequencer', true) = $1 ORDER BY e.seq LIMIT $6)
        UNION ALL
        (SELECT e.*, pg_column_size(e.payload) AS size FROM events e
          WHERE e.seq > $5 AND current_setting('hito.sequencer', true) = $1
          ORDER BY e.seq LIMIT $6)) u
      ORDER BY u.seq LIMIT $6),
    numbered AS MATERIALIZED (
      SELECT w.*, coalesce((SELECT max(p.position) FROM event_positions p), 0)
        + row_number() OVER (ORDER BY w.seq) AS position
      FROM waiting w WHERE w.before < $7),
    placed AS (
      INSERT INTO event_positions (
        position, seq, event_type, user_id, goal_id, task_id, course_id, created_at,
        logged_at)
      SELECT n.position, n.seq, n.event_type, n.user_id, f.goal_id, f.task_id, f.course_id,
        n.created_at, CASE WHEN n.entity_type = 'external' THEN hito_time_of(n.id) END
      FROM numbered n CROSS JOIN LATERAL hito_event_facts(n.entity_type, n.entity_id, n.payload) f
      ORDER BY n.position)
    SELECT \(EventRow.columns), current_setting('hito.sequencer', true) = $1,
      pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
      CASE WHEN e.seq IS NOT NULL THEN pg_current_xact_id()::text::bigint END,
      (SELECT count(*) FROM waiting) = $6
        OR (SELECT count(*) FROM waiting) > (SELECT count(*) FROM numbered)
    FROM (VALUES (1)) one LEFT JOIN numbered e ON true CROSS JOIN LATERAL (SELECT e.position) p
    ORDER BY e.position
    """)

  /// For this transaction.
  static let withoutFlush = Statement(
    "sequencer.without_flush", "SELECT set_config('synchronous_commit', 'off', true)")

  /// `$1` the low mark, `$2` the high one, from `$3` to `$4` the holes between.
  static let writeMark = Query<Int64, Int64, [Int64], [Int64]>(
    "sequencer.write_mark",
    """
    UPDATE event_low_mark SET low = $1, high = $2, holes = coalesce((
      SELECT range_agg(int8range(hole.low, hole.high, '[]'))
      FROM unnest($3, $4) AS hole (low, high)), '{}')
    WHERE coalesce(high, low) < $2
    """)

  static let all: [any StatementSource] = [
    lead, check, mark, positioned, transaction, place, withoutFlush, writeMark,
  ]
}
