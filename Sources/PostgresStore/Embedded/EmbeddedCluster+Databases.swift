extension EmbeddedCluster {
  /// Makes a database as a copy of another one, owned by the owner role. Nobody may be connected to
  /// the source. For tests, which want a fresh database each.
  package func copyDatabase(
    _ source: String, to name: String
  ) async throws(EmbeddedClusterError) {
    guard let connection else { throw .cancelled }
    try await onQueue { () throws(EmbeddedClusterError) in
      try Self.copyDatabase(source, to: name, connection)
    }.get()
  }

  private static func copyDatabase(
    _ source: String, to name: String, _ connection: ClusterConnection
  ) throws(EmbeddedClusterError) {
    do {
      let session = try AdministratorSession(connection.with(database: "postgres"))
      let copy = try session.identifier(name)
      let original = try session.identifier(source)
      try session.run("CREATE DATABASE \(copy) OWNER hito TEMPLATE \(original) STRATEGY file_copy")
    } catch let failure as AdministratorSession.Failure {
      throw .statementFailed(statement: "connect", message: failure.message)
    } catch let error as EmbeddedClusterError {
      throw error
    } catch {
      throw .statementFailed(statement: "connect", message: "\(error)")
    }
  }
}
