/// Why the schema could not be brought where it should be.
package enum MigrationError: Error, Sendable, Hashable, CustomStringConvertible {
  case connection(ConnectFailure)
  /// The database has migrations that this build does not know.
  case newerDatabase(version: Int)
  /// A migration was applied with another text.
  case modified(version: Int, name: String)
  case irreversible(version: Int, reason: String)
  case unknownVersion(Int)
  case failed(version: Int, message: String)
  /// No pgvector that would do.
  case noVector(String)

  package var description: String {
    switch self {
    case .connection(let failure): failure.description
    case .newerDatabase(let version):
      "the database has migration \(version), which this build does not know: "
        + "run the newer build, or migrate down with it first"
    case .modified(let version, let name):
      "migration \(version) (\(name)) was applied with another text: this build and the database "
        + "do not belong together"
    case .irreversible(let version, let reason):
      "migration \(version) has no way down: \(reason)"
    case .unknownVersion(let version):
      "there is no migration \(version); the latest is \(Migration.all.count)"
    case .failed(let version, let message): "migration \(version) failed: \(message)"
    case .noVector(let text): text
    }
  }
}

/// One migration of this build, as the database stands.
package struct MigrationStatus: Sendable, Hashable {
  package var version: Int
  package var name: String
  /// When it was applied, as PostgreSQL writes it; nil where it was not.
  package var appliedAt: String?
}

/// Moves the schema up and down. Safe to run from many servers at once: one works, the others wait
/// and find nothing to do.
package struct Migrator: Sendable {
  private static let lockLimit = Duration.seconds(300)
  /// Between two questions whether another server has done migrating.
  private static let turnInterval = Duration.milliseconds(100)

  private let settings: ConnectionSettings
  private let migrations: [Migration]

  /// - Parameter connection: logs in as a role that may create tables (the owner's).
  package init(_ connection: ConnectionSettings, migrations: [Migration] = Migration.all) {
    var settings = connection
    settings.applicationName = "hito migrate"
    // Building an index on a large table takes its time.
    settings.limits = .bulk(lock: Migrator.lockLimit)
    self.settings = settings
    self.migrations = migrations
  }

  package func status() async throws(MigrationError) -> [MigrationStatus] {
    let session = try await connect()
    let applied = try await applied(session)
    return migrations.map { migration in
      MigrationStatus(
        version: migration.version, name: migration.name,
        appliedAt: applied[migration.version]?.appliedAt)
    }
  }

  /// Applies what is missing.
  ///
  /// - Returns: the versions applied now.
  @discardableResult
  package func up() async throws(MigrationError) -> [Int] {
    try await migrate(to: migrations.last?.version ?? 0)
  }

  /// Goes up or down to `version`; 0 is the empty schema.
  ///
  /// - Returns: the versions applied or taken back, in the order of doing.
  @discardableResult
  package func migrate(to version: Int) async throws(MigrationError) -> [Int] {
    guard version == 0 || migrations.contains(where: { $0.version == version }) else {
      throw .unknownVersion(version)
    }
    let session = try await connect()
    try await waitForTurn(session, version: version)
    let applied = try await applied(session)
    var done: [Int] = []
    for migration in migrations
    where migration.version <= version && applied[migration.version] == nil {
      try await apply(migration, session)
      done.append(migration.version)
    }
    if applied.keys.contains(where: { $0 > version }) {
      try await run(RowSecurity.removal, session, version: version)
    }
    for migration in migrations.reversed()
    where migration.version > version && applied[migration.version] != nil {
      try await takeBack(migration, session)
      done.append(migration.version)
    }
    if version == migrations.last?.version, migrations.count == Migration.all.count {
      try await run(Grants.sql, session, version: version)
      try await run(RowSecurity.sql, session, version: version)
    }
    return done
  }

  private func connect() async throws(MigrationError) -> ScriptSession {
    do throws(ConnectFailure) {
      return try await ScriptSession(settings)
    } catch {
      throw .connection(error)
    }
  }

  /// Waits for whoever migrates now, however long that takes, and is released with the session,
  /// whatever happens. Locks of tables are not waited for that long: everybody waits after them.
  private func waitForTurn(
    _ session: ScriptSession, version: Int
  ) async throws(MigrationError) {
    // Asked again and again, instead of waited for: an index that is built beside the others' work
    // waits for all statements that have begun, so also for one that waits for this lock.
    let ask = "SELECT pg_try_advisory_lock(\(AdvisoryLockKey.migrator.rawValue))"
    while try await run(ask, session, version: version) != [["t"]] {
      do {
        try await Task.sleep(for: Migrator.turnInterval)
      } catch {
        throw .failed(version: version, message: "cancelled while another server migrates")
      }
    }
  }

  @discardableResult
  private func run(
    _ sql: String, _ session: ScriptSession, version: Int
  ) async throws(MigrationError) -> [[String?]] {
    do throws(ServerError) {
      return try await session.run(sql)
    } catch {
      if error.message.contains("extension \"vector\"") {
        throw .noVector(
          "pgvector 0.8 or later is needed (\(error.message)): install the package "
            + "postgresql-<version>-pgvector on the database server and run CREATE EXTENSION vector "
            + "as a superuser")
      }
      throw .failed(version: version, message: "\(error.sqlState) \(error.message)")
    }
  }

  private struct Applied {
    var checksum: String
    var appliedAt: String
  }

  private func applied(_ session: ScriptSession) async throws(MigrationError) -> [Int: Applied] {
    let exists = try await run(
      "SELECT to_regclass('public.schema_migrations')", session, version: 0)
    guard exists.first?.first != .some(nil) else { return [:] }
    let rows = try await run(
      "SELECT version, checksum, applied_at FROM schema_migrations ORDER BY version", session,
      version: 0)
    var applied: [Int: Applied] = [:]
    for row in rows {
      guard let version = row[0].flatMap({ Int($0) }) else { continue }
      applied[version] = Applied(checksum: row[1] ?? "", appliedAt: row[2] ?? "")
    }
    if let newest = applied.keys.max(), newest > migrations.last?.version ?? 0 {
      throw .newerDatabase(version: newest)
    }
    for migration in migrations {
      if let found = applied[migration.version], found.checksum != migration.checksum {
        throw .modified(version: migration.version, name: migration.name)
      }
    }
    return applied
  }

  private func apply(
    _ migration: Migration, _ session: ScriptSession
  ) async throws(MigrationError) {
    try await prepare(migration, session)
    let sql = """
      BEGIN;
      CREATE TABLE IF NOT EXISTS schema_migrations (
        version integer PRIMARY KEY,
        name text NOT NULL,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      );
      \(migration.up)
      ;
      INSERT INTO schema_migrations (version, name, checksum)
        VALUES (\(migration.version), '\(migration.name)', '\(migration.checksum)');
      COMMIT
      """
    try await transact(sql, session, version: migration.version)
  }

  private func prepare(
    _ migration: Migration, _ session: ScriptSession
  ) async throws(MigrationError) {
    for step in migration.preparation {
      switch step {
      case .once(let sql): try await run(sql, session, version: migration.version)
      case .untilNothingIsLeft(let chunk):
        let sql = "WITH chunk AS (\(chunk) RETURNING 1) SELECT count(*) FROM chunk"
        while try await run(sql, session, version: migration.version) != [["0"]] {}
      }
    }
  }

  private func takeBack(
    _ migration: Migration, _ session: ScriptSession
  ) async throws(MigrationError) {
    switch migration.down {
    case .irreversible(let reason):
      throw .irreversible(version: migration.version, reason: reason)
    case .sql(let down):
      let sql = """
        BEGIN;
        \(down)
        ;
        DELETE FROM schema_migrations WHERE version = \(migration.version);
        COMMIT
        """
      try await transact(sql, session, version: migration.version)
    }
  }

  private func transact(
    _ sql: String, _ session: ScriptSession, version: Int
  ) async throws(MigrationError) {
    do throws(MigrationError) {
      try await run(sql, session, version: version)
    } catch {
      // The session is thrown away next; the server would roll back by itself too.
      _ = try? await session.run("ROLLBACK")
      throw error
    }
  }
}
