import Domain

/// What users may use, and what they have stored.
enum UsageStatements {
  /// Connections that write for one user at once meet in one of so many rows.
  private static let shardCount = 16

  /// Adds to what a user has stored today.
  static func charge(user: String, byteCount: String) -> String {
    """
    INSERT INTO stored_bytes AS s (day, user_id, shard, byte_count)
      SELECT date_trunc('day', now(), 'UTC'), \(user), pg_backend_pid() % \(shardCount), \(byteCount)
      WHERE \(byteCount) > 0
      ON CONFLICT (day, user_id, shard)
        DO UPDATE SET byte_count = s.byte_count + excluded.byte_count
    """
  }

  static let charge = Query<EntityID, Int64>(
    "usage.charge", charge(user: "$1", byteCount: "$2"))

  /// What each of `$1` has stored on the day of `$2`; those that stored nothing are left out.
  static let storedBytes = Query<[EntityID], Timestamp>(
    "usage.stored_bytes",
    """
    SELECT user_id, sum(byte_count)::bigint FROM stored_bytes
    WHERE day = date_trunc('day', $2, 'UTC') AND user_id = ANY ($1) GROUP BY user_id
    """)

  /// At most `$2` rows of days before `$1`.
  static let purgeStoredBytes = Query<Timestamp, Int64>(
    "usage.purge_stored_bytes",
    """
    WITH gone AS (
      DELETE FROM stored_bytes WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM stored_bytes WHERE day < $1 ORDER BY day LIMIT $2))
      RETURNING 1)
    SELECT count(*) FROM gone
    """)

  private static let columns =
    "user_id, calls_per_second, burst, model_tokens_per_day, stream_max, bytes_per_day, updated_at"

  static let quota = Query<EntityID>(
    "quota.find", "SELECT \(columns) FROM quotas WHERE user_id = $1")

  /// At most `$3` quotas that were changed after `$1`, or then and of a user after `$2`.
  static let quotas = Query<Timestamp, EntityID, Int64>(
    "quota.changed",
    """
    SELECT \(columns) FROM quotas WHERE (updated_at, user_id) > ($1, $2)
    ORDER BY updated_at, user_id LIMIT $3
    """)

  static let saveQuota = Query<EntityID, Double?, Int64?, Int64?, Int32?, Int64?>(
    "quota.save",
    """
    INSERT INTO quotas (user_id, calls_per_second, burst, model_tokens_per_day, stream_max,
      bytes_per_day)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (user_id) DO UPDATE SET calls_per_second = excluded.calls_per_second,
      burst = excluded.burst, model_tokens_per_day = excluded.model_tokens_per_day,
      stream_max = excluded.stream_max, bytes_per_day = excluded.bytes_per_day,
      updated_at = now()
    """)

  static let all: [any StatementSource] = [
    charge, storedBytes, purgeStoredBytes, quota, quotas, saveQuota,
  ]
}
