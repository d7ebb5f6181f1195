import Domain

/// Reads of a part of the log by what leads to it: one statement for each leading property, so that
/// an index on it is read in the order of positions, whatever is bound and whatever plan is kept.
extension EventStatements {
  /// Over how many values of its leading property a read is shared out; with more, it looks at all
  /// events in order.
  static let windowKeyMax = 500
  /// The least that is looked at of each value.
  private static let windowShareMin = 8

  /// `$1` after, `$2` through, `$3` most events looked at, `$4` most events, `$5` most bytes, `$6` users,
  /// `$7` goals, `$8` tasks, `$9` courses, `$10` types and kinds, each empty: no bound, `$11` the owner of
  /// courses.
  typealias Window = Query<
    Int64, Int64, Int64, Int64, Int64, [EntityID], [EntityID], [EntityID], [EntityID], [String],
    EntityID?
  >

  static func window(by lead: EventInterest.Lead) -> Window { pair(by: lead).events }

  /// The same of what is not above the floor: places instead of events, and no bound on bytes.
  static func windowOfPlaces(by lead: EventInterest.Lead) -> Window { pair(by: lead).places }

  /// The two statements of a leading property.
  private typealias Pair = (events: Window, places: Window)

  private static func pair(by lead: EventInterest.Lead) -> Pair {
    switch lead {
    case .tasks: byTask
    case .goals: byGoal
    case .users: byUser
    case .courses: byCourse
    case .overseer: byOverseer
    case .types: byType
    case .everything, .nothing: byPosition
    }
  }

  private static let byTask = windows("task", keys: "SELECT unnest($8)", [Source("task_id")])
  private static let byGoal = windows("goal", keys: "SELECT unnest($7)", [Source("goal_id")])
  private static let byUser = windows("user", keys: "SELECT unnest($6)", [Source("user_id")])
  private static let byCourse = windows(
    "course", keys: "SELECT unnest($9)", [Source("course_id")])
  private static let byPosition = windows("position", keys: "SELECT 1", [Source(nil)])

  /// The types of a kind are found by stepping from one to the next in the index.
  private static let byType = windows(
    "type",
    keys: """
      WITH RECURSIVE step (type, above) AS (
        SELECT f.type, k.above FROM (
          SELECT left(t, -1) AS below, left(t, -2) || '/' AS above FROM unnest($10) t
          WHERE t LIKE '%.*') k
        CROSS JOIN LATERAL (
          SELECT p.event_type AS type FROM event_positions p
          WHERE p.event_type > k.below AND p.event_type < k.above
          ORDER BY p.event_type, p.position LIMIT 1) f
        UNION ALL
        SELECT f.type, s.above FROM step s CROSS JOIN LATERAL (
          SELECT p.event_type AS type FROM event_positions p
          WHERE p.event_type > s.type AND p.event_type < s.above
          ORDER BY p.event_type, p.position LIMIT 1) f)
      SELECT type FROM step
      UNION ALL
      SELECT t COLLATE "C" FROM unnest($10) t
      WHERE t NOT LIKE '%.*' AND split_part(t, '.', 1) || '.*' <> ALL ($10)
      """,
    [Source("event_type")])

  /// Two indexes: an event of one's own in one's own course is found by both.
  private static let byOverseer = windows(
    "overseer",
    keys: """
      SELECT $11::uuid, false UNION ALL SELECT c.id, true FROM courses c WHERE c.user_id = $11
      """, columns: "key, is_course",
    [Source("user_id", of: "NOT k.is_course"), Source("course_id", of: "k.is_course")])

  /// For this transaction: whatever the statistics say, an index that is in the order of positions is
  /// read in that order, and no further than the limit.
  static let inOrderOfIndexes = Statement(
    "events.in_order_of_indexes",
    """
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
      set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
    """)

  /// Where the events of a key are found.
  private struct Source {
    /// The column of the index before the position; nil: the log itself.
    var column: String?
    /// Which keys; nil: all.
    var condition: String?

    init(_ column: String?, of condition: String? = nil) {
      self.column = column
      self.condition = condition
    }

    /// The first events of the key `k`.
    ///
    /// Column and position are compared as one, and ordered by both: then nothing but the index on
    /// both gives that order. Asked for equality and for a range, planners with statistics of another
    /// time read all of the log by position instead, to find the few that are wanted.
    var select: String {
      let order = (column.map { ["p.\($0)"] } ?? []) + ["p.position"]
      let place = order.joined(separator: ", ")
      let key = column == nil ? "" : "k.key, "
      var conditions = ["(\(place)) > (\(key)$1)", "(\(place)) <= (\(key)$2)"]
      if let column { conditions.append("p.\(column) IS NOT NULL") }
      if let condition { conditions.append(condition) }
      return """
        (SELECT p.position, p.seq, p.event_type, p.user_id, p.goal_id, p.task_id, p.course_id,
            p.created_at
          FROM event_positions p WHERE \(conditions.joined(separator: " AND "))
          ORDER BY \(place) LIMIT (SELECT size FROM share))
        """
    }
  }

  /// `looked` has of each key its first events, as many as its share. Where there may be more of a key,
  /// all keys are complete up to its last one only (`reach`).
  ///
  /// One row for each event, or one without: then up to where it is complete, how many events were
  /// looked at, how many are wanted of them, whether there are too many keys to look by, the epoch and
  /// the floor.
  ///
  /// - Parameter sources: of each key all are asked.
  private static func windows(
    _ name: String, keys: String, columns: String = "key", _ sources: [Source]
  ) -> Pair {
    let wanted = wanted(keys: keys, columns: columns, sources)
    let rest = """
      r.position, (SELECT count(*) FROM looked), (SELECT count(*) FROM wanted),
        (SELECT size = 0 FROM share), \(epoch), \(floorColumns)
      """
    let events = Window(
      "events.window_by_\(name)",
      """
      \(wanted),
      sized AS MATERIALIZED (
        SELECT \(EventRow.columns),
          sum(\(byteCount)) OVER (ORDER BY p.position) - (\(byteCount)) AS before
        FROM wanted p JOIN events e ON e.seq = p.seq)
      SELECT s.*, \(rest)
      FROM reach r CROSS JOIN event_floor f LEFT JOIN sized s ON s.before < $5
      ORDER BY s.position
      """)
    let places = Window(
      "events.window_of_places_by_\(name)",
      """
      \(wanted)
      SELECT \(placeColumns), \(rest)
      FROM reach r CROSS JOIN event_floor f LEFT JOIN wanted p ON $5::bigint IS NOT NULL
      ORDER BY p.position
      """)
    return (events, places)
  }

  private static func wanted(keys: String, columns: String, _ sources: [Source]) -> String {
    """
    WITH keys AS MATERIALIZED (
      SELECT k.* FROM (\(keys)) k (\(columns)) LIMIT \(windowKeyMax + 1)),
    share AS MATERIALIZED (
      SELECT CASE WHEN count(*) <= \(windowKeyMax)
        THEN greatest(\(windowShareMin), $3 / greatest(count(*), 1)) ELSE 0 END AS size
      FROM keys),
    looked AS MATERIALIZED (
      SELECT k.*, p.* FROM keys k CROSS JOIN LATERAL (
        \(sources.map(\.select).joined(separator: "\nUNION ALL\n"))) p),
    reach AS MATERIALIZED (
      SELECT coalesce(min(k.last), $2) AS position FROM (
        SELECT max(l.position) AS last FROM looked l GROUP BY \(columns)
        HAVING count(*) >= (SELECT size FROM share)) k),
    wanted AS MATERIALIZED (
      SELECT DISTINCT l.position, l.seq, l.event_type, l.user_id, l.created_at FROM looked l
      WHERE l.position <= (SELECT position FROM reach)
        AND (cardinality($6) = 0 OR l.user_id = ANY ($6))
        AND (cardinality($7) = 0 OR l.goal_id = ANY ($7))
        AND (cardinality($8) = 0 OR l.task_id = ANY ($8))
        AND (cardinality($9) = 0 OR l.course_id = ANY ($9))
        AND (cardinality($10) = 0 OR l.event_type = ANY ($10)
          OR split_part(l.event_type, '.', 1) || '.*' = ANY ($10))
        AND ($11 IS NULL OR l.user_id = $11
          OR EXISTS (SELECT FROM courses c WHERE c.id = l.course_id AND c.user_id = $11))
      ORDER BY l.position LIMIT $4)
    """
  }
}
