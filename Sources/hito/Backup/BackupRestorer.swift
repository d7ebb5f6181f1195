import DescriptorJSON
import Domain
import Foundation
import Logging
import PostgresStore

/// Puts a backup back: into a data directory that is not there yet, or an empty database of a server.
///
/// All is looked at before anything is written, and the data directory gets its name last. The log begins
/// an epoch, so that cursors of what came after the backup are refused with where to continue.
struct BackupRestorer {
  /// What follows the copy of the database.
  struct Target {
    /// The write-ahead log that was archived since the backup; nil: its end is the backup's.
    var archive: String?
    /// Up to this moment; nil: up to the end of the archive.
    var time: Timestamp?
    /// An empty database to put a dump into, as its owner; nil: one of our own.
    var databaseURL: String?
  }

  let settings: Settings
  let target: Target
  let progress: @Sendable (String) -> Void

  /// - Parameter directory: the new data directory; nil with a database elsewhere: then only that is
  ///   restored.
  /// - Returns: what the backup holds, and the number of the epoch that begins.
  func restore(
    _ source: String, into directory: String?
  ) async throws(BackupError) -> (BackupManifest, epochCount: Int) {
    let manifest = try BackupManifest.read(inFolder: source)
    if target.archive != nil || target.time != nil {
      guard manifest.kind == .cluster, target.archive != nil else {
        throw .failed(
          manifest.kind == .dump
            ? "a dump is of one moment: a point in time wants a backup of an embedded database"
            : "a point in time wants the archived log (--wal-archive)")
      }
    }
    // PostgreSQL would stop at the end of the copy, and say nothing of what came after the moment.
    let copiedAt = manifest.copiedAt ?? manifest.endedAt
    if let time = target.time, let copied = TimeText.microseconds(copiedAt),
      time < Timestamp(microsecondsSinceEpoch: copied)
    {
      throw .failed(
        "\(time) is before the backup was whole (\(copiedAt)): restore an older one up to that time"
      )
    }
    guard manifest.kind == .dump || target.databaseURL == nil else {
      throw .failed(
        "the backup is of an embedded database, whose files cannot go to a server: restore it into a data "
          + "directory, and take a backup of that with --database-url")
    }
    let folder = try directory.map { path throws(BackupError) in try PartialFolder(for: path) }
    do {
      progress("comparing the backup with its checksums")
      try manifest.verify(inFolder: source)
      let epochCount = try await put(manifest, source, folder)
      if let folder {
        progress("putting the files back")
        try putFiles(source, folder)
        try folder.finish()
      }
      return (manifest, epochCount)
    } catch {
      folder?.abandon()
      throw BackupError(error)
    }
  }

  private func put(
    _ manifest: BackupManifest, _ source: String, _ folder: PartialFolder?
  ) async throws -> Int {
    let why = "restored from the backup of \(manifest.endedAt)"
    if manifest.kind == .dump, let url = target.databaseURL {
      return try await restoreDump(manifest, source, into: url, work: folder?.path, why: why)
    }
    guard let folder else { throw BackupError.failed("give a data directory (--into)") }
    var configuration = EmbeddedCluster.Configuration(
      dataDirectory: folder.path, programCandidates: settings.postgresCandidates)
    configuration.readingGroup = settings.readingGroupID
    if manifest.kind == .cluster {
      let tools = try PostgresTools(candidates: settings.postgresCandidates)
      try await tools.verifyCluster(in: "\(source)/\(BackupManifest.clusterFolder)")
      progress("copying the database")
      try await ClusterCopy.place(
        "\(source)/\(BackupManifest.clusterFolder)", inDataDirectory: folder.path,
        recovers: target.archive != nil)
      if let archive = target.archive {
        configuration.recover(
          fromArchive: URL(filePath: archive).standardizedFileURL.path, until: target.time)
      }
    }
    progress("starting the database")
    var logger = Logger(label: "hito.postgres")
    logger.logLevel = .warning
    let cluster = EmbeddedCluster(configuration, logger: logger)
    let connection = try await cluster.start()
    do {
      let owner = connection.conninfo(role: .owner)
      let count: Int
      if manifest.kind == .dump {
        count = try await restoreDump(
          manifest, source, into: owner, work: folder.path, why: why)
      } else {
        count = try await beginEpoch(owner, why)
      }
      try await cluster.stop()
      removeTraces(folder)
      return count
    } catch {
      try? await cluster.stop()
      throw error
    }
  }

  private func restoreDump(
    _ manifest: BackupManifest, _ source: String, into conninfo: String, work: String?, why: String
  ) async throws -> Int {
    let tools = try PostgresTools(candidates: settings.postgresCandidates)
    do {
      try await DumpTarget.prepare(ConnectionSettings(conninfo: conninfo))
    } catch DumpTarget.Obstacle.notEmpty {
      throw BackupError.notEmpty("the database")
    } catch DumpTarget.Obstacle.noVector {
      throw BackupError.failed(
        "the database lacks the extension vector, and its owner may not make it: have an administrator "
          + "make it there, then restore again")
    }
    progress("restoring the database")
    let scratch = work ?? FileManager.default.temporaryDirectory.path
    try await tools.restore(
      "\(source)/\(BackupManifest.dumpFile)", into: ConnectionSettings.parameters(of: conninfo),
      work: scratch)
    return try await beginEpoch(conninfo, why)
  }

  /// Brings the schema up to this build, with rights and rules of rows, and begins an epoch.
  private func beginEpoch(_ conninfo: String, _ why: String) async throws -> Int {
    progress("beginning an epoch of the log")
    try await Migrator(ConnectionSettings(conninfo: conninfo)).up()
    let session = DatabaseSession(of: conninfo)
    let history = try await session.withDatabase { database in
      try await PostgresEventLog(database).declareFork(why: why)
    }
    return history.epochs.count
  }

  /// The settings of the restore itself: the next start writes its own.
  private func removeTraces(_ folder: PartialFolder) {
    for name in ["run", "lock"] {
      try? FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
    }
  }

  private func putFiles(_ source: String, _ folder: PartialFolder) throws {
    for name in [BackupManifest.lakeFolder] + BackupManifest.keptNames
    where FileManager.default.fileExists(atPath: "\(source)/\(name)") {
      try ClusterCopy.copy("\(source)/\(name)", to: "\(folder.path)/\(name)")
    }
  }
}
