import Domain

/// The log page by page, and its end.
extension EventStatements {
  /// About what an event takes, without unpacking what is stored as it is.
  static let byteCount = """
    CASE WHEN pg_column_compression(e.payload) IS NULL THEN pg_column_size(e.payload)
      ELSE octet_length(e.payload::text) END
    + CASE WHEN pg_column_compression(e.metadata) IS NULL THEN pg_column_size(e.metadata)
      ELSE octet_length(e.metadata::text) END
    """

  /// About what the events before it take, in the order of positions.
  private static let byteCountBefore = """
    coalesce(sum(\(byteCount)) OVER (
      ORDER BY p.position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
    """

  /// The events after `$1`, at most `$2`, until they take `$3` bytes; with the last position, the current
  /// epoch and the floor of the log, in a row without an event where there is none. What is not above
  /// the floor is not here: nothing of a page that begins below it may be used.
  ///
  /// Positions are dense, so that the walk knows where each step ends. It looks at twice as many
  /// events each time, and ends with the step that reaches the bound: nothing far after it is
  /// unpacked to be measured.
  static let page = Query<Int64, Int64, Int64>(
    "events.page",
    """
    WITH RECURSIVE log AS MATERIALIZED (
      SELECT coalesce(max(position), 0) AS last FROM event_positions),
    walk (reached, step, bytes) AS (
      SELECT $1::bigint, 4::bigint, 0::bigint
      UNION ALL
      SELECT w.reached + w.step, w.step * 2, w.bytes + coalesce((
        SELECT sum(\(byteCount)) FROM event_positions p JOIN events e ON e.seq = p.seq
        WHERE p.position > w.reached AND p.position <= w.reached + w.step)::bigint, 0)
      FROM walk w, log
      WHERE w.bytes < $3 AND w.reached < $1 + $2 AND w.reached < log.last)
    SELECT p.*, log.last, (SELECT h.id FROM log_epochs h ORDER BY h.number DESC LIMIT 1), f.position
    FROM log CROSS JOIN event_floor f LEFT JOIN (
      SELECT \(EventRow.columns),
        \(byteCountBefore) AS before
      FROM event_positions p JOIN events e ON e.seq = p.seq
      WHERE p.position > $1 AND p.position <= (SELECT max(w.reached) FROM walk w)
      ORDER BY p.position LIMIT $2) p ON p.before < $3
    ORDER BY p.position
    """)

  /// The last position, and the numbers of committed events that have none, in ranges: at most `$1`
  /// of them are counted. With the current epoch.
  static let end = Query<Int64>(
    "events.end",
    """
    SELECT p.last, u.low, u.high,
      (SELECT h.id FROM log_epochs h ORDER BY h.number DESC LIMIT 1)
    FROM (SELECT coalesce(max(position), 0) AS last FROM event_positions) p LEFT JOIN (
      SELECT min(n.seq) AS low, max(n.seq) AS high FROM (
        SELECT e.seq, e.seq - row_number() OVER (ORDER BY e.seq) AS island FROM (
          SELECT u.seq FROM (\(unsequenced("e.seq", "ASC", limit: "$1"))) u
          ORDER BY u.seq LIMIT $1) e) n
      GROUP BY n.island) u ON true
    ORDER BY u.low
    """)

  /// The events at the positions `$1`, until they take `$2` bytes.
  static let atPositions = Query<[Int64], Int64>(
    "events.at_positions",
    """
    SELECT s.* FROM (
      SELECT \(EventRow.columns),
        \(byteCountBefore) AS before
      FROM event_positions p JOIN events e ON e.seq = p.seq WHERE p.position = ANY ($1)) s
    WHERE s.before < $2 ORDER BY s.position
    """)
}
