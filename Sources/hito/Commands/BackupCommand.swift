import ArgumentParser
import DescriptorJSON
import Domain
import Foundation

/// `hito backup`
struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy everything that a server keeps into a new folder, while it serves.",
    discussion: HelpText.prose(
      """
      The embedded database is copied as files (a base backup), another one is dumped; the lake,
      certificates, settings and the first token are copied beside it, with a checksum for each file. All
      that was acknowledged before the command began is in the backup. It is whole where its MANIFEST is
      there: what an error leaves is removed. Keep it where other users cannot read it: everything is
      in it.

        hito backup /backups/monday
        hito restore /backups/monday --into /var/lib/hito
      """))

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var lake: SettingOptions<LakeSettings>

  @Argument(help: "The folder to make.")
  var folder: String

  func run() async throws {
    try await reporting(database.place, database.database, lake) { settings in
      try await DatabaseSession.with(settings) { session in
        do throws(BackupError) {
          let writer = BackupWriter(settings: settings, session: session) { Output.note($0) }
          let manifest = try await BusyLine.during("backing up") {
            () async throws(BackupError) -> BackupManifest in
            try await writer.write(to: folder)
          }
          let lake = manifest.lakePosition.map { "the lake up to \($0)" } ?? "no lake"
          Output.line("backup \(folder): the log up to position \(manifest.position), \(lake)")
        } catch {
          throw CommandFailure("\(error)")
        }
      }
    }
  }
}

/// `hito restore`
struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Put a backup back, into a new data directory or an empty database.",
    discussion: HelpText.prose(
      """
      Every file is compared with its checksum before anything is written, and the data directory gets
      its name last. The log begins an epoch: cursors of what came after the backup are refused with
      where to continue, and the lake loses what the database does not have.

        hito restore /backups/monday --into /var/lib/hito
        hito restore /backups/monday --into /var/lib/hito --wal-archive /wal --at 2026-01-31T09:05:00Z
        hito restore /backups/monday --database-url postgresql://hito@db/hito --into /var/lib/hito
      """))

  @OptionGroup var place: SettingOptions<PlaceSettings>
  @OptionGroup var database: SettingOptions<DatabaseSettings>

  @Argument(help: "The folder that `hito backup` made.")
  var folder: String

  @Option(help: "The data directory to make. With --database-url it gets the lake and the rest.")
  var into: String?

  @Option(help: "Up to this moment: a time such as 2026-01-31T09:05:00Z. Wants --wal-archive.")
  var at: String?

  func validate() throws {
    if let at, TimeText.microseconds(at) == nil || at.utf8.count == 10 {
      throw ValidationError("--at wants a time such as 2026-01-31T09:05:00Z")
    }
  }

  func run() async throws {
    try await reporting(place, database) { settings in
      let target = BackupRestorer.Target(
        archive: settings[DatabaseSettings().walArchive],
        time: at.flatMap(TimeText.microseconds).map(Timestamp.init(microsecondsSinceEpoch:)),
        databaseURL: settings[DatabaseSettings().databaseURL])
      guard into != nil || target.databaseURL != nil else {
        throw ValidationError("give --into, or --database-url")
      }
      do throws(BackupError) {
        let restorer = BackupRestorer(settings: settings, target: target) { Output.note($0) }
        let (manifest, epochCount) = try await BusyLine.during("restoring") {
          () async throws(BackupError) -> (BackupManifest, Int) in
          try await restorer.restore(URL(filePath: folder).standardizedFileURL.path, into: into)
        }
        Output.line(
          "restored the backup of \(manifest.endedAt); the log is in epoch \(epochCount)")
      } catch {
        throw CommandFailure("\(error)")
      }
    }
  }
}
