/// What every embedded cluster holds: the roles, the database and the extensions. Each step looks
/// first, so that a crash between two of them is made good at the next start.
struct ClusterContents {
  let connection: ClusterConnection
  let hasStatementStatistics: Bool

  private enum Statement {
    static let roles = """
      SELECT rolname::text FROM pg_roles WHERE rolname = ANY ('{hito,hito_app,hito_reader}')
      """
    static let createOwner = "CREATE ROLE hito LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE"
    static let createApplication =
      "CREATE ROLE hito_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS"
    static let createReader =
      "CREATE ROLE hito_reader NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
    static let grantReader = "GRANT hito_reader TO hito_app"
    /// Of a role that inherits, the policies of the other one hold too (`RowSecurity`).
    static let keepReaderFromOwner = "REVOKE hito_reader FROM hito"
    static let grantStatistics = "GRANT pg_read_all_stats TO hito, hito_app"
    static let databases = "SELECT 1 FROM pg_database WHERE datname = $1"
    static let createDatabase = "CREATE DATABASE hito OWNER hito TEMPLATE template0 ENCODING 'UTF8'"
    static let closeDatabase = "REVOKE ALL ON DATABASE hito FROM PUBLIC"
    static let openDatabase = "GRANT CONNECT ON DATABASE hito TO hito_app"
    static let createVector = "CREATE EXTENSION IF NOT EXISTS vector"
    static let updateVector = "ALTER EXTENSION vector UPDATE"
    static let createStatistics = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements"
  }

  func ensure(through session: borrowing AdministratorSession) throws(EmbeddedClusterError) {
    let roles = Set(try session.run(Statement.roles).compactMap { $0.first ?? nil })
    if !roles.contains(ClusterRole.owner.rawValue) { try session.run(Statement.createOwner) }
    if !roles.contains(ClusterRole.application.rawValue) {
      try session.run(Statement.createApplication)
    }
    if !roles.contains(ReaderRole.name) { try session.run(Statement.createReader) }
    try session.run(Statement.grantReader)
    try session.run(Statement.keepReaderFromOwner)
    try session.run(Statement.grantStatistics)
    if try session.run(Statement.databases, [connection.database]).isEmpty {
      try session.run(Statement.createDatabase)
    }
    try session.run(Statement.closeDatabase)
    try session.run(Statement.openDatabase)
    try ensureExtensions()
  }

  private func ensureExtensions() throws(EmbeddedClusterError) {
    do {
      let session = try AdministratorSession(connection)
      try session.run(Statement.createVector)
      try session.run(Statement.updateVector)
      if hasStatementStatistics { try session.run(Statement.createStatistics) }
    } catch let failure as AdministratorSession.Failure {
      throw .statementFailed(statement: "connect to the database hito", message: failure.message)
    } catch let error as EmbeddedClusterError {
      throw error
    } catch {
      throw .statementFailed(statement: "connect", message: "\(error)")
    }
  }
}
