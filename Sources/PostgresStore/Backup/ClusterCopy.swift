import Dispatch
package import Domain
import Glibc

/// A copy of a cluster's files, put into a data directory.
package enum ClusterCopy {
  /// Copies the files of `PostgresTools.copyCluster` into a data directory that has no cluster, for the
  /// system user that the database runs as.
  ///
  /// - Parameter recovers: whether its first start reads on in a WAL archive.
  package static func place(
    _ source: String, inDataDirectory root: String, serviceUser: String = "hito", recovers: Bool
  ) async throws(EmbeddedClusterError) {
    let result: Result<Void, EmbeddedClusterError> = await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          returning: Result { () throws(EmbeddedClusterError) in
            try placeBlocking(source, root, serviceUser, recovers: recovers)
          })
      }
    }
    try result.get()
  }

  private static func placeBlocking(
    _ source: String, _ root: String, _ serviceUser: String, recovers: Bool
  ) throws(EmbeddedClusterError) {
    let account = try ServiceAccount.resolve(serviceUser: serviceUser)
    let directory = ClusterDirectory(root: root)
    try copy(source, to: directory.cluster)
    unlink(directory.cluster + "/backup_manifest")
    if recovers {
      try FileSystem.replace(
        directory.cluster + "/recovery.signal", with: "", mode: 0o600, group: nil)
    }
    if account.needsSwitch {
      let outcome = try ChildProcess.run([
        "chown", "--recursive", "--no-dereference", "\(account.userID):\(account.groupID)", "--",
        directory.cluster,
      ])
      guard outcome.succeeded else {
        throw .foreignDirectory(path: directory.cluster, reason: outcome.output)
      }
    }
    guard chmod(directory.cluster, 0o700) == 0 else {
      throw FileSystem.failure("set the mode of", directory.cluster)
    }
  }

  /// Copies a folder with all that is in it.
  package static func copy(_ source: String, to target: String) throws(EmbeddedClusterError) {
    let outcome = try ChildProcess.run([
      "cp", "--archive", "--reflink=auto", "--no-target-directory", "--", source, target,
    ])
    guard outcome.succeeded else {
      if outcome.output.contains("No space left on device") {
        throw .diskFull(
          path: target,
          availableMiB: FileSystem.availableMiB(FileSystem.parent(of: target) ?? "/") ?? 0,
          neededMiB: 1)
      }
      throw .foreignDirectory(path: target, reason: outcome.output)
    }
  }

  /// Has the disk of a folder write what it was given.
  package static func flush(_ folder: String) throws(EmbeddedClusterError) {
    let outcome = try ChildProcess.run(["sync", "--file-system", "--", folder])
    guard outcome.succeeded else {
      throw .foreignDirectory(path: folder, reason: outcome.output)
    }
  }

  /// Makes a folder where the database's own user, and nobody else but us, may write.
  package static func makeArchive(
    _ path: String, serviceUser: String = "hito"
  ) throws(EmbeddedClusterError) {
    let account = try ServiceAccount.resolve(serviceUser: serviceUser)
    guard try FileSystem.makePrivateDirectory(path, owner: account) else {
      throw .foreignDirectory(path: path, reason: "it is not the database user's own folder")
    }
  }
}

extension EmbeddedCluster.Configuration {
  /// Has each full segment of the write-ahead log copied into a folder, and each minute what there is.
  package mutating func archiveLog(into folder: String) {
    let path = folder.replacing("%", with: "%%")
    settings["archive_mode"] = "on"
    settings["archive_timeout"] = "60s"
    // A segment that is there already and is the same was archived before a crash.
    settings["archive_command"] =
      "if [ -f \"\(path)/%f\" ]; then cmp -s \"%p\" \"\(path)/%f\"; "
      + "else cp \"%p\" \"\(path)/%f.part\" && mv \"\(path)/%f.part\" \"\(path)/%f\"; fi"
  }

  /// Has the next start read on in an archive, up to a moment or to its end, and then begin a history of its
  /// own. No connection is taken before that is done.
  ///
  /// - Parameter time: nil: the end of the archive.
  package mutating func recover(fromArchive folder: String, until time: Timestamp?) {
    settings["restore_command"] =
      "cp \"\(folder.replacing("%", with: "%%"))/%f\" \"%p\""
    settings["hot_standby"] = "off"
    settings["recovery_target_action"] = "promote"
    if let time {
      // Settings are read before PostgreSQL knows abbreviations of zones, and `Z` is one.
      settings["recovery_target_time"] =
        time.description.replacing("T", with: " ").replacing("Z", with: "+00")
    }
  }
}
