import Domain

/// The log: writing and reading.
enum EventStatements {
  /// Rows get their `seq` in the order of the values, after every row lock of the unit.
  static let insert = RowInserts<EventRow>("events.insert")

  static let head = Statement(
    "events.head", "SELECT coalesce(max(position), 0) FROM event_positions")

  /// Whether the event is in the table, its position, and the floor.
  static let positionOfEvent = Query<EntityID>(
    "events.position_of",
    """
    SELECT e.id IS NOT NULL, p.position, \(floorColumns)
    FROM event_floor f LEFT JOIN events e ON e.id = $1 LEFT JOIN event_positions p ON p.seq = e.seq
    """)

  /// Those of the numbers that the sequencer has not written off (`SequencerStatements.writeMark`)
  /// that have no position, in the order `direction` and at most so many of each part.
  static func unsequenced(_ columns: String, _ direction: String, limit: String) -> String {
    // OFFSET 0: looked up for each event, and never joined with all positions that there are.
    let isWaiting = "NOT EXISTS (SELECT FROM event_positions p WHERE p.seq = e.seq OFFSET 0)"
    return """
      (SELECT \(columns) FROM events e
        WHERE e.seq > (SELECT coalesce(high, low) FROM event_low_mark) AND \(isWaiting)
        ORDER BY e.seq \(direction) LIMIT \(limit))
      UNION ALL
      (SELECT \(columns) FROM event_low_mark m CROSS JOIN LATERAL unnest(m.holes) AS h (hole)
          CROSS JOIN LATERAL (
            SELECT e.* FROM events e
            WHERE e.seq >= lower(h.hole) AND e.seq < upper(h.hole) AND \(isWaiting)
            ORDER BY e.seq \(direction) LIMIT \(limit)) e
        ORDER BY e.seq \(direction) LIMIT \(limit))
      """
  }

  static let newestUnsequenced = Statement(
    "events.newest_unsequenced",
    "SELECT u.id FROM (\(unsequenced("e.id, e.seq", "DESC", limit: "1"))) u ORDER BY u.seq DESC LIMIT 1"
  )

  /// The position before the first event made after `$1`.
  ///
  /// Times, of events of other systems those at which they came, follow positions but for the little
  /// that commits overtake each other by, so that a
  /// binary search finds the place (30 look-ups for 10⁹ events, and no index on the time), and the
  /// events just before it are looked at one by one.
  static let positionAtTime = Query<Timestamp, Int64>(
    "events.position_at",
    """
    WITH RECURSIVE search (low, high) AS (
      SELECT 0::bigint, coalesce(max(p.position), 0) FROM event_positions p
      UNION ALL
      SELECT CASE WHEN m.isBefore THEN m.middle ELSE s.low END,
        CASE WHEN m.isBefore THEN s.high ELSE m.middle - 1 END
      FROM search s, LATERAL (
        SELECT (s.low + s.high + 1) / 2 AS middle, (
          SELECT coalesce(p.logged_at, p.created_at) <= $1 FROM event_positions p
          WHERE p.position = (s.low + s.high + 1) / 2
        ) AS isBefore) m
      WHERE s.low < s.high),
    found AS (SELECT low FROM search WHERE low >= high LIMIT 1)
    SELECT coalesce(
      (SELECT min(p.position) - 1 FROM event_positions p
        WHERE p.position > (SELECT low FROM found) - $2 AND p.position <= (SELECT low FROM found)
          AND coalesce(p.logged_at, p.created_at) > $1),
      (SELECT low FROM found), 0)
    """)

  /// `$3` user, `$4` from, `$5` until, `$6` after this position or without one, `$7` limit. With the floor,
  /// in a row without an event where there is none.
  static let tail = Query<AccessScope, EntityID, Timestamp, Timestamp, Int64, Int64>(
    "events.tail",
    """
    SELECT t.*, \(floorColumns) FROM event_floor f LEFT JOIN (
      SELECT \(EventRow.columns) FROM events e LEFT JOIN event_positions p ON p.seq = e.seq
      WHERE e.user_id = $3 AND e.created_at >= $4 AND e.created_at < $5
        AND (p.position IS NULL OR p.position > $6) AND ($1 OR e.user_id = $2)
      ORDER BY p.position NULLS LAST, e.seq LIMIT $7) t ON true
    ORDER BY t.position NULLS LAST, t.seq
    """)

  /// The last event of the entity `$1`, `$2` up to the position `$3`.
  static let lastOfEntity = Query<String, EntityID, Int64>(
    "events.last_of_entity",
    """
    SELECT \(EventRow.columns) FROM events e JOIN event_positions p ON p.seq = e.seq
    WHERE e.entity_type = $1 AND e.entity_id = $2 AND p.position <= $3
    ORDER BY e.version DESC LIMIT 1
    """)

  static let notify = Query<String>(
    "wake.notify", "SELECT pg_notify($1, '')")

  static let all: [any StatementSource] =
    [
      page, atPositions, end, head, positionOfEvent, newestUnsequenced, positionAtTime, tail,
      lastOfEntity,
      notify,
      inOrderOfIndexes, floor, places, placesOfRun, timesOfRun,
    ] + insert.all
    + EventInterest.Lead.allCases.filter { $0 != .nothing }.flatMap {
      [window(by: $0), windowOfPlaces(by: $0)]
    }
}
