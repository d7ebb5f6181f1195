import Domain

/// Bearer tokens.
enum TokenStatements {
  static let insert = Query<Inserted<TokenRow>>("token.insert", TokenRow.insert)

  // Before tokens are made and revoked, in the same unit.
  private static let familyLock = AdvisoryLockKey.tokenFamilies.rawValue

  static let shareFamilies = Statement(
    "tokens.share_families", "SELECT pg_advisory_xact_lock_shared(\(familyLock))")

  static let lockFamilies = Statement(
    "tokens.lock_families", "SELECT pg_advisory_xact_lock(\(familyLock))")

  /// Before the tokens of a user are counted, in the same unit: one count at a time.
  static let lockOwner = Query<EntityID>(
    "tokens.lock_owner", "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE")

  private static let parentWorks = """
    ($parent_id IS NULL OR EXISTS (SELECT 1 FROM tokens p
      WHERE p.id = $parent_id AND p.revoked_at IS NULL AND p.expires_at > $created_at))
    """

  /// The parameter after the row's is how many of the user's may work, this one included. Answers
  /// whether it was inserted, and whether its parent works.
  static let insertLimited = Query<Inserted<TokenRow>, Int64>(
    "token.insert_limited",
    TokenRow.layout.resolve(
      """
      WITH made AS (
        \(TokenRow.insert(
          where: """
            \(parentWorks) AND $next > (SELECT count(*) FROM tokens k
              WHERE k.user_id = $user_id AND k.revoked_at IS NULL AND k.expires_at > $created_at)
            """))
        RETURNING 1)
      SELECT EXISTS (SELECT 1 FROM made), \(parentWorks)
      """, TokenRow.layout.inserted))

  static let byHash = Query<Bytes>(
    "token.by_hash",
    """
    SELECT \(TokenRow.columns) FROM tokens k JOIN users u ON u.id = k.user_id
    WHERE k.hash = $1 AND u.is_active
    """)

  // In the reads of callers `$1` and `$2` are the scope.

  /// `$1` tokens, `$2` the time.
  static let roles = Query<[EntityID], Timestamp>(
    "tokens.roles",
    """
    SELECT k.id, k.role, u.role FROM tokens k JOIN users u ON u.id = k.user_id
    WHERE k.id = ANY ($1) AND k.revoked_at IS NULL AND k.expires_at > $2 AND u.is_active
    """)

  static let byID = Query<AccessScope, EntityID>(
    "token.by_id",
    "SELECT \(TokenRow.columns) FROM tokens k WHERE k.id = $3 AND ($1 OR k.user_id = $2)")

  /// Everybody's, for those who see them; `$3` is the limit.
  static let list = Query<AccessScope, Int64>(
    "tokens.list",
    """
    SELECT \(TokenRow.columns) FROM tokens k WHERE ($1 OR k.user_id = $2)
    ORDER BY k.created_at DESC, k.id DESC LIMIT $3
    """)

  static let listByUser = Query<AccessScope, Int64, EntityID>(
    "tokens.list_by_user",
    """
    SELECT \(TokenRow.columns) FROM tokens k WHERE k.user_id = $4 AND ($1 OR k.user_id = $2)
    ORDER BY k.created_at DESC, k.id DESC LIMIT $3
    """)

  private static let family = """
    WITH RECURSIVE family (id) AS (
      SELECT k.id FROM tokens k WHERE k.id = $1
      UNION SELECT k.id FROM tokens k JOIN family f ON k.parent_id = f.id)
    """

  /// `$1` and all that were made with it.
  static let familyOf = Query<EntityID>(
    "tokens.family",
    """
    \(family)
    SELECT \(TokenRow.columns) FROM tokens k WHERE k.id IN (SELECT id FROM family) ORDER BY k.id
    """)

  /// `$1` and all that were made with it, at `$2`; those that were revoked before stay as they are.
  /// Stale where others than `$3` are revoked by it.
  static let revoke = Query<EntityID, Timestamp, [EntityID]>(
    "token.revoke",
    """
    \(family), revoked AS (
      UPDATE tokens SET revoked_at = $2
      WHERE id IN (SELECT id FROM family) AND revoked_at IS NULL RETURNING id)
    SELECT CASE WHEN count(*) = cardinality($3) AND bool_and(r.id = ANY ($3)) THEN 1
      ELSE hito_stale() END
    FROM revoked r
    """)

  /// The event of a token, where that was inserted in the same unit.
  static let insertEvent = Query<Inserted<EventRow>>(
    "token.insert_event",
    EventRow.insert(where: "EXISTS (SELECT 1 FROM tokens k WHERE k.id = $entity_id)"))

  static let all: [any StatementSource] = [
    insert, shareFamilies, lockFamilies, lockOwner, insertLimited, byHash, byID, roles, list,
    listByUser, familyOf, revoke, insertEvent,
  ]
}
