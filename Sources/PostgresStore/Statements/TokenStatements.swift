import Domain

/// Bearer tokens.
enum TokenStatements {
  static let insert = Query<Inserted<TokenRow>>("token.insert", TokenRow.insert)

  static let byHash = Query<Bytes>(
    "token.by_hash",
    """
    SELECT \(TokenRow.columns) FROM tokens k JOIN users u ON u.id = k.user_id
    WHERE k.hash = $1 AND u.is_active
    """)

  static let byID = Query<EntityID>(
    "token.by_id", "SELECT \(TokenRow.columns) FROM tokens k WHERE k.id = $1")

  /// `$1` is the limit.
  static let list = Query<Int64>(
    "tokens.list",
    "SELECT \(TokenRow.columns) FROM tokens k ORDER BY k.created_at DESC, k.id DESC LIMIT $1")

  static let listByUser = Query<Int64, EntityID>(
    "tokens.list_by_user",
    """
    SELECT \(TokenRow.columns) FROM tokens k WHERE k.user_id = $2
    ORDER BY k.created_at DESC, k.id DESC LIMIT $1
    """)

  static let revoke = Query<EntityID, Timestamp>(
    "token.revoke",
    """
    WITH revoked AS (
      UPDATE tokens SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING 1)
    SELECT count(*) FROM revoked
    """)

  static let all: [any StatementSource] = [insert, byHash, byID, list, listByUser, revoke]
}
