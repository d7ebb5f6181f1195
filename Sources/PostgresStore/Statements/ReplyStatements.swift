import Domain

/// Replies that are remembered by the key of their request: the keys in one table, the replies in
/// partitions by the hour.
enum ReplyStatements {
  /// `$1` the caller, `$2` the method, `$3` the key.
  typealias Key = Parameters<EntityID, String, String>

  /// `$4` the hash of the request, `$5` the reply, `$6` the bytes that the write stores, which are
  /// charged to the caller here, where that costs no statement of its own. The key is the first that
  /// is written: a repeat waits there, and holds nothing.
  static let insert = Query<Key, Bytes, Bytes, Int64>(
    "reply.insert",
    """
    WITH key AS (
      INSERT INTO idempotency_keys (caller_id, method, key, request_hash)
      VALUES ($1, $2, $3, $4) RETURNING reply_id, created_at),
    charged AS (
      \(UsageStatements.charge(user: "$1", byteCount: "$6")))
    INSERT INTO idempotency_replies (slot, id, caller_id, reply)
    SELECT hito_reply_slot(created_at), reply_id, $1, $5 FROM key
    """)

  /// The time is asked for in a form that no index answers: the key finds its one row, whatever the
  /// statistics say of the time.
  static let find = Query<Key>(
    "reply.find",
    """
    SELECT k.request_hash, r.reply FROM idempotency_keys k
    JOIN idempotency_replies r ON r.slot = hito_reply_slot(k.created_at) AND r.id = k.reply_id
    WHERE k.caller_id = $1 AND k.method = $2 AND k.key = $3
      AND k.created_at + interval '24 hours' > now()
    """)

  static let deleteExpired = Query<Key>(
    "reply.delete_expired",
    """
    DELETE FROM idempotency_keys
    WHERE caller_id = $1 AND method = $2 AND key = $3
      AND created_at + interval '24 hours' <= now()
    """)

  /// At most `$3` keys made from `$1` on and before `$2`, the oldest first: how many there were, and
  /// when the last one was made. The next batch starts there, and not at the entries of the index
  /// that this one leaves dead.
  /// None that is remembered still, by the clock that dated it; `$4` stands for it in tests.
  static let purgeKeys = Query<Timestamp, Timestamp, Int64, Timestamp?>(
    "reply.purge_keys",
    """
    WITH old AS MATERIALIZED (
      SELECT ctid AS place, created_at FROM idempotency_keys
      WHERE created_at >= $1 AND created_at < $2
        AND created_at < coalesce($4, now()) - interval '24 hours'
      ORDER BY created_at LIMIT $3),
    gone AS (
      DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(SELECT place FROM old)) RETURNING 1)
    SELECT (SELECT count(*) FROM gone), (SELECT max(created_at) FROM old)
    """)

  /// Empties the partitions of all hours but those from `$1` to `$2`, counted since the epoch.
  /// `$3` stands for the database's clock in tests.
  static let empty = Query<Int64, Int64, Timestamp?>(
    "reply.empty", "SELECT hito_empty_replies($1, $2, coalesce($3, now()))")

  static let all: [any StatementSource] = [insert, find, deleteExpired, purgeKeys, empty]
}

extension RequestKey: ParameterGroup {
  var parameters: ReplyStatements.Key { Parameters(callerID, method, key) }
}
