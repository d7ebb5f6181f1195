import Glibc
import Logging

/// One attempt to come from whatever is in a data directory to a server that is ready.
struct ClusterLauncher {
  struct Launched: Sendable {
    let postmaster: Postmaster
    let connection: ClusterConnection
    let kind: EmbeddedCluster.StartKind
  }

  let configuration: EmbeddedCluster.Configuration
  let directory: ClusterDirectory
  let programs: PostgresPrograms
  let account: ServiceAccount
  let cancellation: CancellationFlag
  let logger: Logger

  /// Room that a start needs: the first segments of the log and some to work with.
  private static let availableMiBMin = 128
  /// The database's user reads them and does not write them.
  private static let settingsMode: mode_t = 0o640
  /// How often a wait looks again.
  static let pollMicroseconds: UInt32 = 20_000

  init(
    configuration: EmbeddedCluster.Configuration, dataDirectory: String,
    programs: PostgresPrograms, cancellation: CancellationFlag, logger: Logger
  ) throws(EmbeddedClusterError) {
    self.configuration = configuration
    self.programs = programs
    self.cancellation = cancellation
    self.logger = logger
    directory = ClusterDirectory(root: dataDirectory)
    var account = try ServiceAccount.resolve(serviceUser: configuration.serviceUser)
    account.readingGroupID = configuration.readingGroup
    self.account = account
  }

  func launch() throws(EmbeddedClusterError) -> Launched {
    try closeToOthers()
    try account.requireAccess(to: directory.root)
    try account.requireAccess(to: programs.program("postgres"))
    try requireSpace()
    let isNew = try createIfAbsent()
    try requireVersion()
    let connection = ClusterConnection(
      socketDirectory: try prepareSocketDirectory(), port: 5432, database: "hito")
    let settings = settings(socketDirectory: connection.socketDirectory)

    var kind: EmbeddedCluster.StartKind = isNew ? .created : .started
    if let running = Postmaster.running(in: directory.cluster) {
      if isInForce(settings) {
        if let launched = try adopt(running, connection) { return launched }
      } else {
        logger.notice("PostgreSQL runs with other settings; restarting it")
        try running.stop(timeout: configuration.stopTimeout, logger: logger)
        kind = .restarted
      }
    }
    try write(settings)
    let postmaster = try spawn(connection)
    try becomeReady(postmaster, connection)
    logger.info(
      "PostgreSQL is ready",
      metadata: ["version": "\(programs.version)", "start": "\(kind)"])
    return Launched(postmaster: postmaster, connection: connection, kind: kind)
  }

  /// Nil when the running server ended while we were looking at it.
  private func adopt(
    _ running: Postmaster, _ connection: ClusterConnection
  ) throws(EmbeddedClusterError) -> Launched? {
    do {
      try becomeReady(running, connection)
    } catch {
      guard !running.isAlive else { throw error }
      return nil
    }
    logger.notice("PostgreSQL was still running after a crash; adopted it")
    return Launched(postmaster: running, connection: connection, kind: .adopted)
  }

  // MARK: Before the start

  /// The database's user passes through the data directory by its group: everybody else stays out,
  /// also of a directory that an earlier version left open.
  private func closeToOthers() throws(EmbeddedClusterError) {
    try FileSystem.restrictDirectory(directory.root, group: account.directoryGroupID)
    for file in [directory.hba, directory.ident, directory.settings] {
      try FileSystem.restrictFile(
        file, mode: Self.settingsMode, group: account.settingsGroupID)
    }
  }

  private func requireSpace() throws(EmbeddedClusterError) {
    if let available = FileSystem.availableMiB(directory.root),
      available < Self.availableMiBMin
    {
      throw .diskFull(
        path: directory.root, availableMiB: available, neededMiB: Self.availableMiBMin)
    }
  }

  private func requireVersion() throws(EmbeddedClusterError) {
    let text = FileSystem.text(directory.cluster + "/PG_VERSION") ?? ""
    let version = String(text.prefix { !$0.isWhitespace })
    guard version == "\(programs.majorVersion)" else {
      throw .versionMismatch(
        cluster: version, programs: programs.version, dataDirectory: directory.root)
    }
  }

  /// The folder of the socket: the first that is short enough.
  private func prepareSocketDirectory() throws(EmbeddedClusterError) -> String {
    let runtime = geteuid() == 0 ? ["/run", "/tmp"] : ["/tmp"]
    let candidates = directory.socketDirectories(runtimeDirectories: runtime)
    guard let path = candidates.first else {
      throw .socketPathTooLong(
        path: directory.root, byteCountMax: ClusterDirectory.socketPathByteCountMax)
    }
    guard try FileSystem.makePrivateDirectory(path, owner: account) else {
      throw .socketDirectoryNotOurs(path: path)
    }
    return path
  }

  private func settings(socketDirectory: String) -> ClusterSettings {
    let own = ServiceAccount.currentName ?? account.name
    var settings = ClusterSettings(
      socketDirectory: socketDirectory,
      hbaPath: directory.hba, identPath: directory.ident, logDirectory: directory.logs,
      systemUsers: [own, account.name],
      resources: .current(),
      majorVersion: programs.majorVersion, vectorVersion: programs.vectorVersion,
      hasStatementStatistics: programs.hasStatementStatistics,
      durability: configuration.isDurable ? .full : .none,
      connectionCountMax: configuration.connectionCountMax,
      overrides: configuration.settings)
    if account.needsSwitch { settings.readingGroup = configuration.readingGroup }
    return settings
  }

  private func isInForce(_ settings: ClusterSettings) -> Bool {
    FileSystem.text(directory.settings) == settings.main
      && FileSystem.text(directory.hba) == settings.hba
      && FileSystem.text(directory.ident) == settings.ident
  }

  private func write(_ settings: ClusterSettings) throws(EmbeddedClusterError) {
    for (file, text) in [
      (directory.hba, settings.hba), (directory.ident, settings.ident),
      (directory.settings, settings.main),
    ] {
      try FileSystem.replace(
        file, with: text, mode: Self.settingsMode, group: account.settingsGroupID)
    }
  }
}
