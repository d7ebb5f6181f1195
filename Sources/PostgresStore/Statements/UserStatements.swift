import Domain

/// Users; a caller sees themselves, or everybody.
enum UserStatements {
  private static let select = "SELECT \(UserRow.columns) FROM users u"

  /// `$2` sees everybody, `$3` is the caller.
  static let byID = Query<EntityID, AccessScope>(
    "user.by_id", "\(select) WHERE u.id = $1 AND ($2 OR u.id = $3)")

  static let byExternalID = Query<String, AccessScope>(
    "user.by_external_id", "\(select) WHERE u.external_id = $1 AND ($2 OR u.id = $3)")

  /// `$1`, `$2` the scope, `$3` inactive ones too, `$4` created at or after, `$5`, `$6` after this
  /// key, `$7` limit.
  typealias List = Parameters<AccessScope, Bool, Timestamp, PageRequest>
  private static let page = """
    AND ($1 OR u.id = $2) AND ($3 OR u.is_active) AND u.created_at >= $4
    AND (u.created_at, u.id) < ($5, $6)
    ORDER BY u.created_at DESC, u.id DESC LIMIT $7
    """

  static let list = Query<List>("users.list", "\(select) WHERE true \(page)")

  static let listByRole = Query<List, Role>(
    "users.list_by_role", "\(select) WHERE u.role = $8 \(page)")

  static let floor = Query<FloorStatement.Range>("users.floor", FloorStatement.text("users"))

  static let insert = Query<Inserted<UserRow>>("user.insert", UserRow.insert)

  static let update = Query<Updated<UserRow>>(
    "user.update", UserRow.update(where: "version = $version - 1"))

  static let all: [any StatementSource] = [
    byID, byExternalID, list, listByRole, floor, insert, update,
  ]
}
