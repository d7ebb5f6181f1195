import Domain
import EventLog
import Foundation
import PostgresStore

/// Makes a backup of what a server keeps, while it serves.
///
/// The database first, then the lake: so that the lake has at least what the database no longer has. What
/// the lake has beyond the database is cut when the backup is put back, since the log begins an epoch then.
struct BackupWriter {
  let settings: Settings
  let session: DatabaseSession
  /// Told what is being done, for people.
  let progress: @Sendable (String) -> Void

  /// Writes the backup, and returns what it holds.
  func write(to target: String) async throws(BackupError) -> BackupManifest {
    let folder = try PartialFolder(for: target)
    do {
      let manifest = try await fill(folder)
      try manifest.text().write(
        toFile: "\(folder.path)/\(BackupManifest.fileName)", atomically: true, encoding: .utf8)
      try folder.finish()
      return manifest
    } catch {
      folder.abandon()
      if (error as? CocoaError)?.code == .fileWriteOutOfSpace {
        throw .diskFull("writing the list of what is in the backup")
      }
      throw BackupError(error)
    }
  }

  private func fill(_ folder: PartialFolder) async throws -> BackupManifest {
    let owner = ConnectionSettings(conninfo: session.owner)
    let tools = try PostgresTools(candidates: settings.postgresCandidates)
    let places = try await PostgresInstallation.places(owner)
    let history = try await PostgresInstallation.history(owner)
    try requireRoom(folder)
    var manifest = BackupManifest(
      kind: session.embedded == nil ? .dump : .cluster, hito: HitoVersion.current,
      postgres: tools.version, logID: "\(history.logID)", position: Int64(places.head) ?? 0,
      floor: Int64(places.floor) ?? 0, lakePosition: nil, startedAt: "\(SystemTime().now())",
      endedAt: "", files: [])
    // The event is in the backup itself: who looks at what was put back sees where it comes from.
    try await note(folder.target)
    if let embedded = session.embedded {
      progress("copying the database")
      let target = "\(folder.path)/\(BackupManifest.clusterFolder)"
      try await tools.copyCluster(embedded, into: target)
      manifest.copiedAt = "\(SystemTime().now())"
      progress("reading the copy again")
      try await tools.verifyCluster(in: target)
    } else {
      progress("dumping the database")
      try await tools.dump(
        ConnectionSettings.parameters(of: session.owner),
        into: "\(folder.path)/\(BackupManifest.dumpFile)")
    }
    progress("copying the lake")
    if let lake = settings[LakeSettings().lakeDir] {
      manifest.lakePosition = try LakeCopy.copy(
        lake, to: "\(folder.path)/\(BackupManifest.lakeFolder)")
    }
    if manifest.floor > 0, (manifest.lakePosition ?? 0) < manifest.floor {
      throw BackupError.failed(
        "events up to position \(manifest.floor) have left the database, and the lake that has them is "
          + "not here: give it with --lake-dir")
    }
    try keep(folder)
    progress("computing checksums")
    for name in [BackupManifest.dumpFile, BackupManifest.lakeFolder] + BackupManifest.keptNames {
      manifest.files += try BackupManifest.files(below: name, inFolder: folder.path)
    }
    manifest.endedAt = "\(SystemTime().now())"
    return manifest
  }

  private func keep(_ folder: PartialFolder) throws {
    guard let directory = settings.dataDirectory else { return }
    for name in BackupManifest.keptNames
    where FileManager.default.fileExists(atPath: "\(directory)/\(name)") {
      try ClusterCopy.copy("\(directory)/\(name)", to: "\(folder.path)/\(name)")
    }
  }

  private func note(_ target: String) async throws {
    let now = SystemTime().now()
    let entry = AuditEntry(
      id: UUIDv7Generator().next(at: now), kind: .export, method: "hito backup",
      reason: String("by \(NSUserName()) to \(target)".prefix(500)), firstAt: now, lastAt: now)
    try await session.withDatabase { database in
      try await PostgresAuditStore(database).append([entry])
    }
  }

  /// Before anything is written: an hour of copying that ends with a full disk helps nobody.
  private func requireRoom(_ folder: PartialFolder) throws(BackupError) {
    var needed: Int64 = 0
    if let directory = settings.dataDirectory, session.embedded != nil {
      needed += PartialFolder.byteCount(of: "\(directory)/postgres")
    }
    if let lake = settings[LakeSettings().lakeDir] {
      needed += PartialFolder.byteCount(of: "\(lake)/events")
    }
    guard needed <= folder.availableByteCount else {
      throw .diskFull(
        "looking for room: \(needed >> 20) MiB are needed, and \(folder.availableByteCount >> 20) MiB are free"
      )
    }
  }
}
