import Domain

/// The statements of an exchange, in their order.
extension GroupStatements {
  /// `$1` the group; of each settlement `$2` its number, `$3` the position, `$4` the session, `$5` the attempt,
  /// `$6` what is to happen, `$7` the delay of a retry in microseconds, `$8` the reason. The numbers of those
  /// that were held.
  static let settle = Query<
    EntityID, [Int64], [Int64], [EntityID], [Int32], [String], [Int64?], [String]
  >(
    "group.settle",
    """
    WITH held AS MATERIALIZED (
      SELECT s.number, s.action, s.delay, s.reason, e.position, e.attempt,
        g.ack_timeout, g.retry_delay, g.retry_delay_max, g.attempt_max
      FROM unnest($2, $3, $4, $5, $6, $7, $8)
        AS s (number, position, session_id, attempt, action, delay, reason)
      JOIN group_entries e ON e.group_id = $1 AND e.position = s.position AND e.state = 'held'
        AND e.session_id = s.session_id AND e.attempt = s.attempt
      JOIN consumer_groups g ON g.id = $1),
    done AS (
      DELETE FROM group_entries e USING held h
      WHERE e.group_id = $1 AND e.position = h.position AND h.action = 'done'),
    kept AS (
      UPDATE group_entries e SET
        state = CASE WHEN h.action = 'extend' THEN 'held'
          WHEN h.action = 'retry' AND h.attempt < h.attempt_max THEN 'waiting' ELSE 'parked' END,
        session_id = CASE WHEN h.action = 'extend' THEN e.session_id END,
        reason = CASE WHEN h.action = 'extend' THEN e.reason ELSE h.reason END,
        due_at = now() + interval '1 microsecond' * CASE h.action
          WHEN 'extend' THEN h.ack_timeout
          WHEN 'retry' THEN CASE WHEN h.attempt < h.attempt_max THEN coalesce(h.delay,
            least(h.retry_delay_max, h.retry_delay * 2.0 ^ least(h.attempt - 1, 40))) ELSE 0 END
          ELSE 0 END
      FROM held h
      WHERE e.group_id = $1 AND e.position = h.position AND h.action <> 'done')
    SELECT number FROM held
    """)

  /// What was held for too long waits again at once, or is parked after its last attempt.
  static let expire = Query<EntityID>(
    "group.expire",
    """
    UPDATE group_entries e SET session_id = NULL, due_at = now(),
      state = CASE WHEN e.attempt < g.attempt_max THEN 'waiting' ELSE 'parked' END,
      reason = 'not settled in time'
    FROM consumer_groups g
    WHERE g.id = $1 AND e.group_id = $1 AND e.state = 'held' AND e.due_at <= now()
    """)

  /// `$1` the group, `$2` where it was read, `$3` up to where it is now, and of each entry `$4` the position,
  /// `$5` the event, `$6` the pin; `$7` the epoch in which it was read. Nothing where another one has read
  /// meanwhile, or where this is not the log any more that was read.
  static let read = Query<EntityID, Int64, Int64, [Int64], [EntityID], [EntityID?], Int64>(
    "group.read",
    """
    WITH moved AS (
      UPDATE consumer_groups SET read_position = $3 WHERE id = $1 AND read_position = $2
        AND \(EventStatements.epoch) = $7
        AND $3 <= (SELECT coalesce(max(p.position), 0) FROM event_positions p)
      RETURNING 1)
    INSERT INTO group_entries (group_id, position, event_id, pin, state, due_at)
    SELECT $1, n.position, n.event_id, n.pin, 'waiting', now()
    FROM moved, unnest($4, $5, $6) AS n (position, event_id, pin)
    """)

  /// `$1` the group, `$2` the sessions in turn. Each gets the next entry that is due; of those with the same pin
  /// only the first one of all, while none is held. Nothing where too many are parked.
  static let take = Query<EntityID, [EntityID]>(
    "group.take",
    """
    WITH room AS MATERIALIZED (
      SELECT c.session_id, row_number() OVER (ORDER BY u.turn) AS turn
      FROM unnest($2) WITH ORDINALITY AS u (session_id, turn)
      JOIN group_consumers c ON c.session_id = u.session_id AND c.group_id = $1
        AND c.lease_until > now()
      WHERE (SELECT count(*) FROM group_entries e WHERE e.group_id = $1 AND e.state = 'parked')
        < (SELECT g.parked_max FROM consumer_groups g WHERE g.id = $1)),
    next AS MATERIALIZED (
      SELECT n.position, row_number() OVER (ORDER BY n.position) AS turn FROM (
        SELECT e.position FROM group_entries e
        WHERE e.group_id = $1 AND e.state = 'waiting' AND e.due_at <= now()
          AND (e.pin IS NULL
            OR NOT EXISTS (SELECT FROM group_entries o WHERE o.group_id = $1 AND o.pin = e.pin
                AND o.state <> 'parked' AND o.position < e.position)
              AND NOT EXISTS (SELECT FROM group_entries o WHERE o.group_id = $1
                AND o.pin = e.pin AND o.state = 'held'))
        ORDER BY e.position LIMIT (SELECT count(*) FROM room)) n)
    UPDATE group_entries e SET state = 'held', attempt = e.attempt + 1, session_id = r.session_id,
      due_at = now() + g.ack_timeout * interval '1 microsecond'
    FROM next n JOIN room r ON r.turn = n.turn, consumer_groups g
    WHERE g.id = $1 AND e.group_id = $1 AND e.position = n.position
    RETURNING e.position, e.event_id, e.attempt, e.session_id, e.due_at
    """)

  /// How the group stands after it.
  static let outcome = Query<EntityID>(
    "group.outcome",
    """
    SELECT \(ConsumerGroupRow.columns),
      (SELECT count(*) FROM group_entries e
        WHERE e.group_id = $1 AND e.state IN ('waiting', 'held')),
      (SELECT count(*) FROM group_entries e WHERE e.group_id = $1 AND e.state = 'parked'),
      (SELECT (extract(epoch FROM min(e.due_at) - now()) * 1000000)::bigint FROM group_entries e
        WHERE e.group_id = $1 AND e.state IN ('waiting', 'held') AND e.due_at > now())
    FROM consumer_groups g WHERE g.id = $1
    """)

  static let exchanges: [any StatementSource] = [settle, expire, read, take, outcome]
}
