/// Bearer tokens.
enum TokenStatements {
  private static let columns = """
    k.id, k.user_id, k.role, k.hash, k.label, k.scopes, k.created_at, k.expires_at, k.revoked_at
    """

  static let insert = Statement(
    "token.insert",
    [.uuid, .uuid, .text, .bytea, .text, .textArray, .timestamptz, .timestamptz, .timestamptz],
    """
    INSERT INTO tokens (id, user_id, role, hash, label, scopes, created_at, expires_at, revoked_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    """)

  static let byHash = Statement(
    "token.by_hash", [.bytea],
    """
    SELECT \(columns) FROM tokens k JOIN users u ON u.id = k.user_id
    WHERE k.hash = $1 AND u.is_active
    """)

  static let byID = Statement(
    "token.by_id", [.uuid], "SELECT \(columns) FROM tokens k WHERE k.id = $1")

  static let list = Statement(
    "tokens.list", [.int8],
    "SELECT \(columns) FROM tokens k ORDER BY k.created_at DESC, k.id DESC LIMIT $1")

  static let listByUser = Statement(
    "tokens.list_by_user", [.int8, .uuid],
    """
    SELECT \(columns) FROM tokens k WHERE k.user_id = $2
    ORDER BY k.created_at DESC, k.id DESC LIMIT $1
    """)

  static let revoke = Statement(
    "token.revoke", [.uuid, .timestamptz],
    """
    WITH revoked AS (
      UPDATE tokens SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING 1)
    SELECT count(*) FROM revoked
    """)

  static let all = [insert, byHash, byID, list, listByUser, revoke]
}

extension Statement {
  /// Every statement that the store runs; a test prepares each on a real server.
  package static let all =
    WriteStatements.all + UserStatements.all + CourseStatements.all + GoalStatements.all
    + SnapshotStatements.all + EventStatements.all + TokenStatements.all
    + PassageStatements.all + SearchStatements.all + ReaderRole.all + EmbeddingStatements.all
    + AgentRunStatements.all
    + DocumentStatements.all
}
