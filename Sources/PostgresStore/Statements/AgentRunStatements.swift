/// Runs of agents, their leases, and what models have been used.
enum AgentRunStatements {
  private static let columns = """
    r.id, r.kind, r.user_id, r.caller_id, r.request, r.status, r.version, r.owner, r.lease_until,
    r.takeover_count, r.created_at, r.updated_at
    """

  /// `$1` sees everybody, `$2` is the caller.
  static let byID = Statement(
    "run.by_id", [.bool, .uuid, .uuid],
    "SELECT \(columns) FROM agent_runs r WHERE r.id = $3 AND ($1 OR r.user_id = $2)")

  static let events = Statement(
    "run.events", [.uuid, .int8, .int8],
    """
    SELECT \(EventStatements.columns) FROM events e
    WHERE e.entity_type = 'agent_run' AND e.entity_id = $1 AND e.version > $2
    ORDER BY e.version LIMIT $3
    """)

  static let insert = Statement(
    "run.insert",
    [
      .uuid, .text, .uuid, .uuid, .jsonb, .text, .int8, .text, .timestamptz, .timestamptz,
      .timestamptz,
    ],
    """
    INSERT INTO agent_runs (id, kind, user_id, caller_id, request, status, version, owner,
      lease_until, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    """)

  /// `$7` is the version that the run was read with. A lease is never shortened here: a renewal
  /// may have come in between.
  static let update = Statement(
    "run.update", [.uuid, .text, .int8, .text, .timestamptz, .timestamptz, .int8],
    """
    WITH updated AS (
      UPDATE agent_runs SET status = $2, version = $3, owner = $4,
        lease_until = greatest(lease_until, $5), updated_at = $6
      WHERE id = $1 AND version = $7 RETURNING 1)
    SELECT CASE WHEN count(*) = 1 THEN 1 ELSE hito_stale() END FROM updated
    """)

  static let renew = Statement(
    "run.renew", [.uuid, .text, .timestamptz],
    """
    UPDATE agent_runs SET lease_until = $3 WHERE id = $1 AND owner = $2 AND status = 'running'
    RETURNING id
    """)

  static let release = Statement(
    "run.release", [.uuid, .text, .timestamptz],
    "UPDATE agent_runs SET lease_until = least(lease_until, $3) WHERE id = $1 AND owner = $2")

  /// A run that may be taken over: `$1` by whom, `$2` whether no other server exists, `$3` now.
  private static let isFree =
    "(r.status = 'running' AND (r.lease_until <= $3 OR $2 AND r.owner <> $1))"

  static let takeOver = Statement(
    "run.take_over", [.text, .bool, .timestamptz, .uuid, .timestamptz],
    """
    UPDATE agent_runs r SET owner = $1, lease_until = $5, takeover_count = r.takeover_count + 1
    WHERE r.id = $4 AND \(isFree) RETURNING \(columns)
    """)

  static let abandoned = Statement(
    "run.abandoned", [.text, .bool, .timestamptz, .int8],
    """
    SELECT r.id, r.kind, r.lease_until FROM agent_runs r WHERE \(isFree)
    ORDER BY r.lease_until LIMIT $4
    """)

  /// `$2` is any moment of the hour.
  static let recordUsage = Statement(
    "usage.record", [.uuid, .timestamptz, .int8, .int8, .int8],
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
  static let usage = Statement(
    "usage.since", [.uuid, .timestamptz],
    """
    SELECT coalesce(sum(prompt_tokens), 0)::bigint, coalesce(sum(completion_tokens), 0)::bigint,
      coalesce(sum(cost_micros), 0)::bigint
    FROM model_usage WHERE user_id = $1 AND hour >= date_trunc('hour', $2, 'UTC')
    """)

  static let all = [
    byID, events, insert, update, renew, release, takeOver, abandoned, recordUsage, usage,
  ]
}
