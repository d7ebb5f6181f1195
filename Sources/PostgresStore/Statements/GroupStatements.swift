import Domain

/// Consumer groups. What changes entries or consumers of a group runs behind `lock` in its unit, so that one
/// such change of a group follows the other.
enum GroupStatements {
  static let insert = Query<Inserted<ConsumerGroupRow>>("group.insert", ConsumerGroupRow.insert)

  static let update = Query<Updated<ConsumerGroupRow>>(
    "group.update", ConsumerGroupRow.update(where: "version = $version - 1"))

  static let delete = Query<EntityID>(
    "group.delete", Statement.guarded("DELETE FROM consumer_groups WHERE id = $1"))

  static let lock = Query<EntityID>(
    "group.lock", "SELECT g.id FROM consumer_groups g WHERE g.id = $1 FOR UPDATE")

  static let count = Statement("group.count", "SELECT count(*) FROM consumer_groups")

  // MARK: What is shown

  private static let status = """
    SELECT \(ConsumerGroupRow.columns),
      (SELECT min(e.position) FROM group_entries e
        WHERE e.group_id = g.id AND e.state IN ('waiting', 'held')),
      (SELECT count(*) FROM group_entries e WHERE e.group_id = g.id AND e.state = 'waiting'),
      (SELECT count(*) FROM group_entries e WHERE e.group_id = g.id AND e.state = 'held'),
      (SELECT count(*) FROM group_entries e WHERE e.group_id = g.id AND e.state = 'parked'),
      (SELECT count(*) FROM group_consumers c WHERE c.group_id = g.id AND c.lease_until > now())
    """

  static let byName = Query<String>(
    "group.by_name", "\(status) FROM consumer_groups g WHERE g.name = $1")

  /// `$1` after this name, `$2` most groups, `$3` of this user, or NULL.
  static let list = Query<String, Int64, EntityID?>(
    "group.list",
    """
    \(status) FROM consumer_groups g WHERE g.name > $1 AND ($3 IS NULL OR g.user_id = $3)
    ORDER BY g.name LIMIT $2
    """)

  static let consumers = Query<EntityID>(
    "group.consumers",
    """
    SELECT c.name, c.server_id, c.connected_at, (SELECT count(*) FROM group_entries e
      WHERE e.group_id = c.group_id AND e.state = 'held' AND e.session_id = c.session_id)
    FROM group_consumers c WHERE c.group_id = $1 AND c.lease_until > now() ORDER BY c.name
    """)

  static let parked = Query<EntityID, Int64, Int64>(
    "group.parked",
    """
    SELECT e.position, e.event_id, e.attempt, e.reason, e.due_at FROM group_entries e
    WHERE e.group_id = $1 AND e.state = 'parked' AND e.position > $2
    ORDER BY e.position LIMIT $3
    """)

  /// `$2` the events, or NULL: all.
  static let parkedPositions = Query<EntityID, [EntityID]?>(
    "group.parked_positions",
    """
    SELECT e.position FROM group_entries e
    WHERE e.group_id = $1 AND e.state = 'parked' AND ($2 IS NULL OR e.event_id = ANY ($2))
    ORDER BY e.position
    """)

  static let replay = Query<EntityID, [Int64]>(
    "group.replay",
    Statement.guarded(
      """
      UPDATE group_entries SET state = 'waiting', attempt = 0, due_at = now(), reason = ''
      WHERE group_id = $1 AND position = ANY ($2) AND state = 'parked'
      """, rowCount: "cardinality($2)"))

  static let skip = Query<EntityID, [Int64]>(
    "group.skip",
    Statement.guarded(
      """
      DELETE FROM group_entries
      WHERE group_id = $1 AND position = ANY ($2) AND state = 'parked'
      """, rowCount: "cardinality($2)"))

  // MARK: Consumers

  /// `$1` the group, `$2` name, `$3` instance, `$4` user, `$5` server, `$6` session, `$7` for how long in
  /// microseconds, `$8` most consumers. Whether it has the name, whether there are too many, and whether there is the
  /// group.
  static let join = Query<EntityID, String, String, EntityID, String, EntityID, Int64, Int64>(
    "group.join",
    """
    WITH others AS (
      SELECT count(*) AS live FROM group_consumers c
      WHERE c.group_id = $1 AND c.lease_until > now() AND c.name <> $2),
    own AS (
      SELECT c.session_id FROM group_consumers c
      WHERE c.group_id = $1 AND c.name = $2 AND c.instance = $3 AND $3 <> '' AND c.user_id = $4),
    joined AS (
      INSERT INTO group_consumers AS c
        (group_id, name, instance, user_id, server_id, session_id, lease_until)
      SELECT $1, $2, $3, $4, $5, $6, now() + $7 * interval '1 microsecond'
      FROM others, consumer_groups g WHERE others.live < $8 AND g.id = $1
      ON CONFLICT (group_id, name) DO UPDATE SET instance = excluded.instance,
        user_id = excluded.user_id, server_id = excluded.server_id, connected_at = now(),
        session_id = excluded.session_id, lease_until = excluded.lease_until
        WHERE c.lease_until <= now() OR c.session_id = (SELECT own.session_id FROM own)
      RETURNING c.session_id),
    released AS (
      UPDATE group_entries e SET state = 'waiting', session_id = NULL, due_at = now()
      FROM own, joined
      WHERE e.group_id = $1 AND e.state = 'held' AND e.session_id = own.session_id
      RETURNING 1)
    SELECT joined.session_id IS NOT NULL, others.live >= $8,
      EXISTS (SELECT FROM consumer_groups g WHERE g.id = $1)
    FROM others LEFT JOIN joined ON true
    """)

  /// Consumers that went away long before the time of what they may have had.
  static let forgetConsumers = Query<EntityID>(
    "group.forget_consumers",
    """
    DELETE FROM group_consumers
    WHERE group_id = $1 AND lease_until < now() - interval '1 hour'
    """)

  /// `$2` the session, `$3` positions that were not sent to it, `$4` whether it works on nothing any more.
  static let release = Query<EntityID, EntityID, [Int64], Bool>(
    "group.release",
    """
    UPDATE group_entries SET state = 'waiting', session_id = NULL, due_at = now(),
      attempt = attempt - CASE WHEN position = ANY ($3) THEN 1 ELSE 0 END
    WHERE group_id = $1 AND state = 'held' AND session_id = $2
      AND ($4 OR pin IS NULL OR position = ANY ($3))
    """)

  /// The name is free, and its instance may come again for what it still has.
  static let endLease = Query<EntityID, EntityID>(
    "group.end_lease",
    """
    UPDATE group_consumers SET lease_until = now() WHERE group_id = $1 AND session_id = $2
    """)

  /// `$2` for how long, in microseconds.
  static let renew = Query<[EntityID], Int64>(
    "group.renew",
    """
    UPDATE group_consumers SET lease_until = now() + $2 * interval '1 microsecond'
    WHERE session_id = ANY ($1) RETURNING session_id
    """)

  static let all: [any StatementSource] =
    [
      insert, update, delete, lock, count, byName, list, consumers, parked, parkedPositions, replay,
      skip, join, forgetConsumers, release, endLease, renew,
    ] + exchanges
}
