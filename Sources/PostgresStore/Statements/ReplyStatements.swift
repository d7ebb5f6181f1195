import Domain

/// Replies that are remembered by the key of their request.
enum ReplyStatements {
  /// `$1` the caller, `$2` the method, `$3` the key.
  typealias Key = Parameters<EntityID, String, String>

  /// `$4` the hash of the request, `$5` the reply.
  static let insert = Query<Key, Bytes, Bytes>(
    "reply.insert",
    """
    INSERT INTO idempotency_keys (caller_id, method, key, request_hash, reply)
    VALUES ($1, $2, $3, $4, $5)
    """)

  static let find = Query<Key>(
    "reply.find",
    """
    SELECT request_hash, reply FROM idempotency_keys
    WHERE caller_id = $1 AND method = $2 AND key = $3 AND created_at > now() - interval '24 hours'
    """)

  static let deleteExpired = Query<Key>(
    "reply.delete_expired",
    """
    DELETE FROM idempotency_keys
    WHERE caller_id = $1 AND method = $2 AND key = $3 AND created_at <= now() - interval '24 hours'
    """)

  /// At most `$2` replies made before `$1`.
  static let purge = Query<Timestamp, Int64>(
    "reply.purge",
    """
    WITH gone AS (
      DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE created_at < $1 LIMIT $2))
      RETURNING 1)
    SELECT count(*) FROM gone
    """)

  static let all: [any StatementSource] = [insert, find, deleteExpired, purge]
}

extension RequestKey: ParameterGroup {
  var parameters: ReplyStatements.Key { Parameters(callerID, method, key) }
}
