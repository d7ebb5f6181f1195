import Domain

/// The log: writing, reading, sequencing, and how far its consumers are.
enum EventStatements {
  /// Rows get their `seq` in the order of the arrays, after every row lock of the unit.
  static let insert = Query<Listed<EventRow>>(
    "events.insert",
    """
    INSERT INTO events (\(EventRow.names))
    SELECT \(EventRow.elements)
    FROM unnest(\(EventRow.arrays)) WITH ORDINALITY AS n (\(EventRow.names), place)
    ORDER BY n.place
    """)

  static let head = Statement(
    "events.head", "SELECT last FROM event_position")

  static let positionOfEvent = Query<EntityID>(
    "events.position_of", "SELECT e.position FROM events e WHERE e.id = $1")

  static let newestUnsequenced = Statement(
    "events.newest_unstamped",
    "SELECT e.id FROM events e WHERE e.position IS NULL ORDER BY e.seq DESC LIMIT 1")

  /// The position before the first event made after `$1`.
  ///
  /// Times follow positions but for the little that commits overtake each other by, so that a
  /// binary search finds the place (30 look-ups for 10⁹ events, and no index on the time), and the
  /// events just before it are looked at one by one.
  static let positionAtTime = Query<Timestamp, Int64>(
    "events.position_at",
    """
    WITH RECURSIVE search (low, high) AS (
      SELECT 0::bigint, last FROM event_position
      UNION ALL
      SELECT CASE WHEN m.isBefore THEN m.middle ELSE s.low END,
        CASE WHEN m.isBefore THEN s.high ELSE m.middle - 1 END
      FROM search s, LATERAL (
        SELECT (s.low + s.high + 1) / 2 AS middle, (
          SELECT e.created_at <= $1 FROM events e WHERE e.position = (s.low + s.high + 1) / 2
        ) AS isBefore) m
      WHERE s.low < s.high),
    found AS (SELECT low FROM search WHERE low >= high LIMIT 1)
    SELECT coalesce(
      (SELECT min(e.position) - 1 FROM events e, found f
        WHERE e.position > f.low - $2 AND e.position <= f.low AND e.created_at > $1),
      (SELECT low FROM found), 0)
    """)

  /// `$1` user, `$2` from, `$3` until, `$4` after this position or without one, `$5` limit.
  static let tail = Query<EntityID, Timestamp, Timestamp, Int64, Int64>(
    "events.tail",
    """
    SELECT \(EventRow.columns) FROM events e
    WHERE e.user_id = $1 AND e.created_at >= $2 AND e.created_at < $3
      AND (e.position IS NULL OR e.position > $4)
    ORDER BY e.position NULLS LAST, e.seq LIMIT $5
    """)

  /// Whether this session is the sequencer, or becomes it now. The setting ends with the session,
  /// as the lock does, and saves asking for the lock at each batch.
  static let lead = Query<Int64>(
    "stamp.lead",
    """
    SELECT CASE
      WHEN current_setting('hito.stamper', true) = 'on' THEN true
      WHEN pg_try_advisory_lock($1) THEN set_config('hito.stamper', 'on', false) = 'on'
      ELSE false END
    """)

  /// Gives the next positions to at most `$1` committed events in the order of insertion, where
  /// this session is the sequencer. All of the batch or none.
  static let sequence = Query<Int64>(
    "stamp.batch",
    """
    WITH batch AS MATERIALIZED (
      SELECT b.seq, row_number() OVER (ORDER BY b.seq) AS place
      FROM (SELECT e.seq FROM events e
        WHERE e.position IS NULL AND current_setting('hito.stamper', true) = 'on'
        ORDER BY e.seq LIMIT $1) b),
    size AS MATERIALIZED (SELECT count(*) AS count FROM batch),
    taken AS (
      UPDATE event_position p SET last = p.last + size.count FROM size WHERE size.count > 0
      RETURNING p.last - size.count AS base),
    stamped AS (
      UPDATE events e SET position = taken.base + batch.place FROM batch, taken
      WHERE e.seq = batch.seq AND e.position IS NULL
      RETURNING \(EventRow.columns))
    SELECT s.*, CASE
      WHEN (SELECT count(*) FROM stamped) = (SELECT count FROM size) THEN 0
      ELSE hito_torn() END
    FROM size LEFT JOIN stamped s ON true WHERE size.count > 0 ORDER BY s.position
    """)

  static let cursor = Query<String>(
    "cursor.find", "SELECT position FROM sink_cursors WHERE name = $1")

  static let advanceCursor = Query<String, Int64>(
    "cursor.advance",
    """
    INSERT INTO sink_cursors AS s (name, position) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE
      SET position = greatest(s.position, excluded.position), updated_at = now()
    """)

  static let notify = Query<String>(
    "wake.notify", "SELECT pg_notify($1, '')")

  static let all: [any StatementSource] = [
    insert, page, end, head, positionOfEvent, newestUnsequenced, positionAtTime, tail, lead,
    sequence,
    cursor,
    advanceCursor, notify,
  ]
}
