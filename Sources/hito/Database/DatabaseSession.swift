import Foundation
import Logging
import PostgresStore

/// The database of a server, for commands that work on it directly: with the server running, or
/// without it.
struct DatabaseSession {
  /// How to log in: as the owner of the tables, and as the server does.
  let owner: String
  let application: String
  /// The embedded cluster, running; nil where the database is another server's.
  var embedded: ClusterConnection?
  /// The cluster that was started for this; nil where it was running or is not ours.
  private let cluster: EmbeddedCluster?

  /// Opens the database, runs `body` and leaves everything as it was found: an embedded cluster
  /// that was not running is started and stopped again.
  static func with<Result>(
    _ settings: Settings, _ body: (DatabaseSession) async throws -> Result
  ) async throws -> Result {
    let session = try await open(settings)
    do {
      let result = try await body(session)
      try await session.cluster?.stop()
      return result
    } catch {
      try? await session.cluster?.stop()
      throw error
    }
  }

  private static func open(_ settings: Settings) async throws -> DatabaseSession {
    if let url = settings[DatabaseSettings().databaseURL] {
      return DatabaseSession(owner: url, application: url, cluster: nil)
    }
    let directory = try settings.requireDataDirectory()
    try requireCluster(directory, settings.source(of: PlaceSettings().dataDir.declaration))
    var logger = Logger(label: "hito.postgres")
    logger.logLevel = .warning
    let cluster = EmbeddedCluster(
      try settings.clusterConfiguration(directory), logger: logger)
    do {
      let connection = try await BusyLine.during("starting the database") {
        try await cluster.start()
      }
      return DatabaseSession(connection, cluster: cluster)
    } catch EmbeddedClusterError.inUse {
      guard let connection = await RunningCluster.find(dataDirectory: directory) else {
        throw CommandFailure(
          "a server holds \(directory), but its database does not answer yet; try again in a "
            + "moment", exitStatus: ExitStatus.unavailable)
      }
      return DatabaseSession(connection, cluster: nil)
    }
  }

  /// A database is made by `hito serve` alone: a mistyped folder would be filled with one, and the answer
  /// would be that nothing is there.
  private static func requireCluster(
    _ directory: String, _ source: SettingSource
  ) throws(CommandFailure) {
    switch ClusterDirectory.contents(of: directory) {
    case .cluster: return
    case .unreadable(let number):
      throw CommandFailure(
        "\(directory) (data-dir, \(source)) cannot be looked into: \(SystemText.of(number)). Run this as "
          + "the server's user, or name another folder with --data-dir")
    case .none:
      throw CommandFailure(
        "there is no database in \(directory) (data-dir, \(source)): name the server's folder with "
          + "--data-dir or HITO_DATA_DIR; the first `hito serve` makes one",
        exitStatus: ExitStatus.usage)
    }
  }

  /// One that is running, in all roles as its owner.
  init(of owner: String) { self.init(owner: owner, application: owner, cluster: nil) }

  private init(owner: String, application: String, cluster: EmbeddedCluster?) {
    self.owner = owner
    self.application = application
    self.cluster = cluster
  }

  private init(_ connection: ClusterConnection, cluster: EmbeddedCluster?) {
    self.init(
      owner: connection.conninfo(role: .owner),
      application: connection.conninfo(role: .application), cluster: cluster)
    embedded = connection
  }

  var migrator: Migrator { Migrator(ConnectionSettings(conninfo: owner)) }

  /// Runs `body` with a small pool of connections, on a schema that this build knows.
  func withDatabase<Result: Sendable>(
    _ body: @escaping @Sendable (PostgresDatabase) async throws -> Result
  ) async throws -> Result {
    try await requireSchema()
    var configuration = PostgresDatabase.Configuration(conninfo: application)
    configuration.connectionCount = 1
    configuration.longConnectionCount = 1
    let database = PostgresDatabase(configuration)
    try await database.check()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await database.run() }
      defer { database.shutdown() }
      return try await body(database)
    }
  }

  /// Our own cluster is brought up to date, as the server itself would; that of others is theirs.
  private func requireSchema() async throws {
    if cluster != nil {
      try await migrator.up()
      return
    }
    let pending = try await migrator.status().filter { $0.appliedAt == nil }
    guard pending.isEmpty else {
      throw CommandFailure(
        "the database lacks \(pending.count) migrations: run `hito migrate up` first")
    }
  }
}

/// The embedded cluster of a server that runs now, found by its socket.
enum RunningCluster {
  static func find(dataDirectory: String) async -> ClusterConnection? {
    let root = URL(filePath: dataDirectory).resolvingSymlinksInPath().path
    let directories = ClusterDirectory(root: root)
      .socketDirectories(runtimeDirectories: ["/run", "/tmp"])
    for directory in directories
    where isOurs(directory)
      && FileManager.default.fileExists(atPath: "\(directory)/.s.PGSQL.5432")
    {
      let connection = ClusterConnection(
        socketDirectory: directory, port: 5432, database: "hito")
      let database = PostgresDatabase(
        PostgresDatabase.Configuration(conninfo: connection.conninfo()))
      if (try? await database.check()) != nil { return connection }
    }
    return nil
  }

  /// Whether only the database's user, or we, can have put a socket there: anybody can make a
  /// folder of that name below /tmp.
  private static func isOurs(_ directory: String) -> Bool {
    var facts = stat()
    guard lstat(directory, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR,
      facts.st_mode & 0o077 == 0
    else { return false }
    return facts.st_uid == geteuid() || facts.st_uid == getpwnam("hito")?.pointee.pw_uid
  }
}
