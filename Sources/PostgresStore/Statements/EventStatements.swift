/// The log: reading, stamping, and how far its consumers are.
enum EventStatements {
  static let columns = """
    e.id, e.seq, e.position, e.event_type, e.entity_type, e.entity_id, e.version, e.user_id,
    e.payload, e.metadata, e.schema_version, e.created_at
    """

  static let after = Statement(
    "events.after", [.int8, .int8],
    "SELECT \(columns) FROM events e WHERE e.position > $1 ORDER BY e.position LIMIT $2")

  static let head = Statement(
    "events.head", [], "SELECT last FROM event_position")

  static let positionOfEvent = Statement(
    "events.position_of", [.uuid], "SELECT e.position FROM events e WHERE e.id = $1")

  static let newestUnstamped = Statement(
    "events.newest_unstamped", [],
    "SELECT e.id FROM events e WHERE e.position IS NULL ORDER BY e.seq DESC LIMIT 1")

  /// The position before the first event made after `$1`.
  ///
  /// Times follow positions but for the little that commits overtake each other by, so that a
  /// binary search finds the place (30 look-ups for 10⁹ events, and no index on the time), and the
  /// events just before it are looked at one by one.
  static let positionAtTime = Statement(
    "events.position_at", [.timestamptz, .int8],
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

  /// `$1` user, `$2` from, `$3` until, `$4` behind this position or without one, `$5` limit.
  static let tail = Statement(
    "events.tail", [.uuid, .timestamptz, .timestamptz, .int8, .int8],
    """
    SELECT \(columns) FROM events e
    WHERE e.user_id = $1 AND e.created_at >= $2 AND e.created_at < $3
      AND (e.position IS NULL OR e.position > $4)
    ORDER BY e.position NULLS LAST, e.seq LIMIT $5
    """)

  /// Whether this session is the stamper, or becomes it now. The setting ends with the session, as
  /// the lock does, and saves asking for the lock at each stamp.
  static let lead = Statement(
    "stamp.lead", [.int8],
    """
    SELECT CASE
      WHEN current_setting('hito.stamper', true) = 'on' THEN true
      WHEN pg_try_advisory_lock($1) THEN set_config('hito.stamper', 'on', false) = 'on'
      ELSE false END
    """)

  /// Gives the next positions to at most `$1` committed events in the order of insertion, where
  /// this session is the stamper. All of the batch or none.
  static let stamp = Statement(
    "stamp.batch", [.int8],
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
      RETURNING \(columns))
    SELECT s.*, CASE
      WHEN (SELECT count(*) FROM stamped) = (SELECT count FROM size) THEN 0
      ELSE hito_torn() END
    FROM size LEFT JOIN stamped s ON true WHERE size.count > 0 ORDER BY s.position
    """)

  static let cursor = Statement(
    "cursor.find", [.text], "SELECT position FROM sink_cursors WHERE name = $1")

  static let advanceCursor = Statement(
    "cursor.advance", [.text, .int8],
    """
    INSERT INTO sink_cursors AS s (name, position) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE
      SET position = greatest(s.position, excluded.position), updated_at = now()
    """)

  static let notify = Statement(
    "wake.notify", [.text], "SELECT pg_notify($1, '')")

  static let all = [
    after, head, positionOfEvent, newestUnstamped, positionAtTime, tail, lead, stamp, cursor,
    advanceCursor, notify,
  ]
}
