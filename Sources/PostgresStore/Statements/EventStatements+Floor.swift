import Domain

/// Where events are that have left `events`, and taking them out.
extension EventStatements {
  /// What `floor(of:from:)` reads, of `event_floor f`.
  static let floorColumns =
    "f.position, f.event_id, f.created_until, f.highest_id, f.archive_id"
  static let floorWidth = 5

  /// What `place(of:from:)` reads, of `event_positions p`.
  static let placeColumns = "p.position, p.seq, p.event_type, p.user_id, p.created_at"
  static let placeWidth = 5

  static let epoch = "(SELECT h.id FROM log_epochs h ORDER BY h.number DESC LIMIT 1)"

  static let floor = Statement("events.floor", "SELECT \(floorColumns) FROM event_floor f")

  /// The places after `$1`, at most `$2` and up to the floor, with the last position and the epoch.
  /// One row for each, or one without.
  static let places = Query<Int64, Int64>(
    "events.places",
    """
    SELECT \(floorColumns), (SELECT coalesce(max(position), 0) FROM event_positions), \(epoch), p.*
    FROM event_floor f LEFT JOIN LATERAL (
      SELECT \(placeColumns) FROM event_positions p
      WHERE p.position > $1 AND p.position <= least(f.position, $1 + $2)
      ORDER BY p.position LIMIT $2) p ON true
    ORDER BY p.position
    """)

  /// `$3` the run, `$4` after this position and `$5` up to that one, `$6` limit: the places where the
  /// run's events may be, up to the floor. One row for each, or one without.
  static let placesOfRun = Query<AccessScope, EntityID, Int64, Int64, Int64>(
    "events.places_of_run",
    """
    SELECT \(floorColumns), p.*
    FROM event_floor f LEFT JOIN LATERAL (
      SELECT \(placeColumns) FROM agent_runs r JOIN event_positions p ON p.user_id = r.user_id
      WHERE r.id = $3 AND ($1 OR r.user_id = $2)
        AND p.position > $4 AND p.position <= least(f.position, $5)
        AND p.event_type > 'ai.' AND p.event_type < 'ai/'
      ORDER BY p.position LIMIT $6) p ON true
    ORDER BY p.position
    """)

  /// `$3` the run: when its first event was made and its last one, and the floor.
  static let timesOfRun = Query<AccessScope, EntityID>(
    "events.times_of_run",
    """
    SELECT r.created_at, r.updated_at, f.position FROM agent_runs r, event_floor f
    WHERE r.id = $3 AND ($1 OR r.user_id = $2)
    """)

  static func floor(of row: Row, from column: Int) throws(StoreError) -> LogFloor {
    let position: Int64 = try row.value(column)
    guard position > 0 else { return .none }
    return LogFloor(
      position: position, eventID: try row.value(column + 1),
      createdUntil: try row.value(column + 2), highestID: try row.value(column + 3),
      archiveID: try row.value(column + 4))
  }

  /// Nil where the row has none.
  static func place(of row: Row, from column: Int) throws(StoreError) -> EventPlace? {
    guard let position = try row.value(column, as: Int64?.self) else { return nil }
    return EventPlace(
      position: position, seq: try row.value(column + 1), type: try row.value(column + 2),
      userID: try row.value(column + 3), createdAt: try row.value(column + 4))
  }
}
