/// Reads of users; a caller sees themselves, or everybody.
enum UserStatements {
  private static let columns = """
    u.id, u.external_id, u.display_name, u.email, u.role, u.language, u.time_zone, u.is_active,
    u.version, u.created_at, u.updated_at
    """

  /// `$2` sees everybody, `$3` is the caller.
  static let byID = Statement(
    "user.by_id", [.uuid, .bool, .uuid],
    "SELECT \(columns) FROM users u WHERE u.id = $1 AND ($2 OR u.id = $3)")

  static let byExternalID = Statement(
    "user.by_external_id", [.text, .bool, .uuid],
    "SELECT \(columns) FROM users u WHERE u.external_id = $1 AND ($2 OR u.id = $3)")

  private static let page = """
    AND ($1 OR u.id = $2) AND ($3 OR u.is_active) AND (u.created_at, u.id) < ($4, $5)
    ORDER BY u.created_at DESC, u.id DESC LIMIT $6
    """

  static let list = Statement(
    "users.list", [.bool, .uuid, .bool, .timestamptz, .uuid, .int8],
    "SELECT \(columns) FROM users u WHERE true \(page)")

  static let listByRole = Statement(
    "users.list_by_role", [.bool, .uuid, .bool, .timestamptz, .uuid, .int8, .text],
    "SELECT \(columns) FROM users u WHERE u.role = $7 \(page)")

  static let all = [byID, byExternalID, list, listByRole]
}
