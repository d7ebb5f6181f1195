/// A database that a dump is to be put into.
package enum DumpTarget {
  /// Why it is none.
  package enum Obstacle: Error, Sendable, Hashable {
    /// There are tables in it.
    case notEmpty
    /// It lacks pgvector, and its owner may not make it.
    case noVector
  }

  /// Looks whether the database is empty, and has pgvector where its owner may make that.
  package static func prepare(_ settings: ConnectionSettings) async throws {
    let session = try await ScriptSession(settings)
    let tables = try await session.run(
      "SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1")
    guard tables.isEmpty else { throw Obstacle.notEmpty }
    let extensions = try await session.run("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
    guard extensions.isEmpty else { return }
    do {
      try await session.run("CREATE EXTENSION vector")
    } catch {
      throw Obstacle.noVector
    }
  }
}
