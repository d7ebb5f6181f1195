import Domain

/// Runs of agents, their leases, and what models have been used.
enum AgentRunStatements {
  static let byID = Query<AccessScope, EntityID>(
    "run.by_id",
    """
    SELECT \(AgentRunRow.columns) FROM agent_runs r WHERE r.id = $3 AND ($1 OR r.user_id = $2)
    """)

  /// `$3` the run, `$4` after this version, `$5` limit. With the floor of the log, in a row without an
  /// event where there is none.
  static let events = Query<AccessScope, EntityID, Int64, Int64>(
    "run.events",
    """
    SELECT t.*, f.position FROM event_floor f LEFT JOIN (
      SELECT \(EventRow.columns) FROM events e LEFT JOIN event_positions p ON p.seq = e.seq
      WHERE e.entity_type = 'agent_run' AND e.entity_id = $3 AND e.version > $4
        AND ($1 OR e.user_id = $2)
      ORDER BY e.version LIMIT $5) t ON true
    ORDER BY t.version
    """)

  static let insert = Query<Inserted<AgentRunRow>>("run.insert", AgentRunRow.insert)

  /// The parameter after the row's is the version that the run was read with.
  static let update = Query<Updated<AgentRunRow>, Int64>(
    "run.update", AgentRunRow.update(where: "version = $next"))

  // Leases begin and end by the clock of the database, which all servers share.

  /// `$3` for how long, in microseconds.
  static let renew = Query<EntityID, String, Int64>(
    "run.renew",
    """
    UPDATE agent_runs SET lease_until = now() + $3 * interval '1 microsecond'
    WHERE id = $1 AND owner = $2 AND status = 'running' RETURNING id
    """)

  static let release = Query<EntityID, String>(
    "run.release",
    "UPDATE agent_runs SET lease_until = least(lease_until, now()) WHERE id = $1 AND owner = $2")

  /// A run that may be taken over: `$1` by whom, `$2` whether no other server exists.
  typealias Free = Parameters<String, Bool>
  private static let isFree =
    "(r.status = 'running' AND (r.lease_until <= now() OR $2 AND r.owner <> $1))"

  /// `$4` for how long, in microseconds.
  static let takeOver = Query<Free, EntityID, Int64>(
    "run.take_over",
    """
    UPDATE agent_runs r SET owner = $1, lease_until = now() + $4 * interval '1 microsecond',
      takeover_count = r.takeover_count + 1
    WHERE r.id = $3 AND \(isFree) RETURNING \(AgentRunRow.columns)
    """)

  static let abandoned = Query<Free, Int64>(
    "run.abandoned",
    """
    SELECT r.id, r.kind, greatest(0, extract(epoch FROM now() - r.lease_until) * 1000000)::bigint
    FROM agent_runs r WHERE \(isFree) ORDER BY r.lease_until LIMIT $3
    """)

  /// `$2` is any moment of the hour.
  static let recordUsage = Query<EntityID, Timestamp, Int64, Int64, Int64>(
    "usage.record",
    """
    INSERT INTO model_usage AS u (user_id, hour, call_count, prompt_tokens, completion_tokens,
      cost_micros)
    VALUES ($1, date_trunc('hour', $2, 'UTC'), 1, $3, $4, $5)
    ON CONFLICT (user_id, hour) DO UPDATE SET call_count = u.call_count + 1,
      prompt_tokens = u.prompt_tokens + excluded.prompt_tokens,
      completion_tokens = u.completion_tokens + excluded.completion_tokens,
      cost_micros = u.cost_micros + excluded.cost_micros
    """)

  /// Since the beginning of the hour of `$2`.
  static let usage = Query<EntityID, Timestamp>(
    "usage.since",
    """
    SELECT coalesce(sum(prompt_tokens), 0)::bigint, coalesce(sum(completion_tokens), 0)::bigint,
      coalesce(sum(cost_micros), 0)::bigint
    FROM model_usage WHERE user_id = $1 AND hour >= date_trunc('hour', $2, 'UTC')
    """)

  static let all: [any StatementSource] = [
    byID, events, insert, update, renew, release, takeOver, abandoned, recordUsage, usage,
  ]
}
