/// Makes the rest of a unit run as a role that reads all passages and vectors, without a policy on
/// each row: under one no index of words is used, because PostgreSQL cannot tell that comparing words
/// gives nothing away.
enum ReaderRole {
  static let name = "hito_reader"

  static let begin = Statement("reader.begin", "SELECT set_config('role', 'hito_reader', true)")

  /// Whether this database has the role and lets us take it, without being it all the time.
  static let isThere = Statement(
    "reader.is_there",
    """
    SELECT EXISTS (SELECT 1 FROM pg_roles r
      WHERE r.rolname = 'hito_reader' AND pg_has_role(r.oid, 'MEMBER')
        AND NOT pg_has_role(r.oid, 'USAGE'))
    """)

  static let all: [any StatementSource] = [begin, isThere]
}
