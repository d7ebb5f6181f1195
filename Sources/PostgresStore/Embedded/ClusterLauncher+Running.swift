import Glibc
import Logging

extension ClusterLauncher {
  /// Starts the server as our direct child.
  func spawn(_ connection: ClusterConnection) throws(EmbeddedClusterError) -> Postmaster {
    try waitForOrphans()
    // Nobody works in the folder: these are leftovers of a crash, and their process id may by now
    // be that of another process, or still that of the dead server, which was not reaped yet.
    // PostgreSQL would refuse to start for either.
    for leftover in [directory.cluster + "/postmaster.pid", connection.socketLock]
    where FileSystem.exists(leftover) {
      logger.notice("removing a stale lock file of PostgreSQL", metadata: ["file": "\(leftover)"])
      unlink(leftover)
    }
    if configuration.isDurable {
      guard try FileSystem.makePrivateDirectory(directory.logs, owner: account) else {
        throw .foreignDirectory(path: directory.logs, reason: "it is not the database user's own")
      }
    }
    let log = open(
      directory.startLog, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o640)
    guard log >= 0 else { throw FileSystem.failure("open", directory.startLog) }
    defer { close(log) }
    let arguments = [
      programs.program("postgres"), "-D", directory.cluster,
      "-c", "config_file=\(directory.settings)",
    ]
    let processID = try ChildProcess.spawn(account.command(arguments), output: log)
    return Postmaster(processID: processID, clusterDirectory: directory.cluster, isChild: true)
  }

  /// After a kill -9 of the server its helpers still hold its memory for a moment.
  private func waitForOrphans() throws(EmbeddedClusterError) {
    let deadline = ContinuousClock.now + configuration.stopTimeout
    while true {
      let orphans = Postmaster.processes(in: directory.cluster)
      guard !orphans.isEmpty else { return }
      guard ContinuousClock.now < deadline else {
        let names = orphans.map(String.init).joined(separator: ", ")
        throw .timedOut(doing: "to end after a crash (processes \(names))", log: lastWords)
      }
      try cancellation.check()
      usleep(Self.pollMicroseconds)
    }
  }

  /// Waits until the server accepts connections and holds what every cluster holds.
  func becomeReady(
    _ postmaster: Postmaster, _ connection: ClusterConnection
  ) throws(EmbeddedClusterError) {
    let deadline = ContinuousClock.now + configuration.startTimeout
    var nextNote = ContinuousClock.now + .seconds(10)
    do throws(EmbeddedClusterError) {
      while try !isReady(connection) {
        try cancellation.check()
        guard postmaster.isAlive else { throw .startFailed(log: lastWords) }
        let now = ContinuousClock.now
        guard now < deadline else {
          throw .timedOut(doing: "to become ready", log: lastWords)
        }
        if now >= nextNote {
          logger.notice("waiting for PostgreSQL to become ready (a recovery can take minutes)")
          nextNote = now + .seconds(10)
        }
        usleep(Self.pollMicroseconds)
      }
    } catch {
      // A server that we started and nobody knows of would hold the folder for ever. One that we
      // found running is left as we found it.
      if postmaster.isOwnChild { try? postmaster.stop(timeout: .seconds(5), logger: logger) }
      throw error
    }
  }

  private func isReady(_ connection: ClusterConnection) throws(EmbeddedClusterError) -> Bool {
    do {
      let session = try AdministratorSession(connection.with(database: "postgres"))
      let contents = ClusterContents(
        connection: connection, hasStatementStatistics: programs.hasStatementStatistics)
      try contents.ensure(through: session)
      return true
    } catch let error as EmbeddedClusterError {
      throw error
    } catch {
      return false  // not yet accepting connections
    }
  }

  /// What PostgreSQL said last, for an error.
  var lastWords: String {
    let start = FileSystem.tail(directory.startLog, byteCountMax: 4096)
    let newest = FileSystem.names(directory.logs)
      .filter { $0.hasSuffix(".log") }
      .map { directory.logs + "/" + $0 }
      .max { Self.modified($0) < Self.modified($1) }
    let later = newest.map { FileSystem.tail($0, byteCountMax: 4096) } ?? ""
    let lines = (start + later).split(separator: "\n").suffix(20)
    return lines.isEmpty ? "(nothing)" : lines.joined(separator: "\n")
  }

  private static func modified(_ path: String) -> Int {
    FileSystem.information(path).map { $0.st_mtim.tv_sec } ?? 0
  }
}

extension Postmaster {
  /// Stops the server in order, or at once when that takes too long: what was committed is safe
  /// in both cases.
  func stop(timeout: Duration, logger: Logger) throws(EmbeddedClusterError) {
    send(SIGINT)
    if waitForEnd(timeout) { return }
    logger.warning("PostgreSQL does not stop in order; stopping it at once")
    send(SIGQUIT)
    if waitForEnd(.seconds(10)) { return }
    throw .timedOut(doing: "to stop", log: "process \(processID)")
  }

  private func waitForEnd(_ timeout: Duration) -> Bool {
    let deadline = ContinuousClock.now + timeout
    while isAlive {
      guard ContinuousClock.now < deadline else { return false }
      usleep(ClusterLauncher.pollMicroseconds)
    }
    return true
  }
}
