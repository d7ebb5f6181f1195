import PostgresStore

extension RowSecurity.State {
  /// What is wrong with the second wall, and what to do; nil where nothing is.
  var warning: (text: String, advice: String)? {
    switch self {
    case .upright: nil
    case .slowSearches:
      (
        "the role hito_reader is missing, or inherited: searches by words look at every passage",
        "as an administrator: CREATE ROLE hito_reader NOLOGIN; GRANT hito_reader TO Hito's role WITH "
          + "INHERIT FALSE, SET TRUE (before PostgreSQL 16: to a role that is NOINHERIT); then "
          + "`hito migrate up`"
      )
    case .passedOver(let role):
      (
        "the database role \(role) passes row-level security over: isolation rests on statements "
          + "alone",
        "log in as a role that is no superuser and has no BYPASSRLS, and owns the tables"
      )
    case .missing(let tables):
      (
        "not under row-level security: \(tables.joined(separator: ", "))",
        "run `hito migrate up`, or start the server"
      )
    }
  }
}
