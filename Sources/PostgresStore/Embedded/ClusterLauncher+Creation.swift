import Glibc

extension ClusterLauncher {
  /// Makes the cluster when there is none. It is built beside and renamed: a crash in the middle
  /// leaves nothing that looks like a cluster. Returns whether it was made.
  func createIfAbsent() throws(EmbeddedClusterError) -> Bool {
    if FileSystem.exists(directory.cluster + "/PG_VERSION") {
      try requireOwner()
      return false
    }
    if FileSystem.exists(directory.cluster) {
      guard FileSystem.information(directory.cluster)?.isDirectory == true,
        FileSystem.names(directory.cluster).isEmpty, rmdir(directory.cluster) == 0
      else {
        throw .foreignDirectory(
          path: directory.cluster, reason: "it is not a PostgreSQL cluster and not empty")
      }
    }
    logger.notice("creating the database", metadata: ["directory": "\(directory.cluster)"])
    try removeUnfinished()
    guard mkdir(directory.unfinishedCluster, 0o700) == 0 else {
      throw FileSystem.failure("make the folder", directory.unfinishedCluster)
    }
    guard lchown(directory.unfinishedCluster, account.userID, account.groupID) == 0 else {
      throw FileSystem.failure("give away", directory.unfinishedCluster)
    }
    try cancellation.check()
    let outcome = try ChildProcess.run(account.command(initialization))
    guard outcome.succeeded else {
      try removeUnfinished()
      if let available = FileSystem.availableMiB(directory.root), available < 8 {
        throw .diskFull(path: directory.root, availableMiB: available, neededMiB: 128)
      }
      throw .creationFailed(output: outcome.output)
    }
    try FileSystem.move(directory.unfinishedCluster, to: directory.cluster)
    return true
  }

  private var initialization: [String] {
    var arguments = [
      programs.program("initdb"), "--pgdata", directory.unfinishedCluster,
      "--username", ClusterRole.administrator.rawValue, "--auth", "peer",
      "--encoding", "UTF8", "--data-checksums", "--locale", "C.UTF-8",
    ]
    if programs.majorVersion >= 17 {
      // Independent of the C library, whose collations change with updates and break indexes.
      arguments += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    }
    if !configuration.isDurable { arguments.append("--no-sync") }
    return arguments
  }

  private func removeUnfinished() throws(EmbeddedClusterError) {
    guard FileSystem.exists(directory.unfinishedCluster) else { return }
    let outcome = try ChildProcess.run([
      "rm", "--recursive", "--force", "--one-file-system", "--", directory.unfinishedCluster,
    ])
    guard outcome.succeeded else {
      throw .foreignDirectory(path: directory.unfinishedCluster, reason: outcome.output)
    }
  }

  private func requireOwner() throws(EmbeddedClusterError) {
    guard let found = FileSystem.information(directory.cluster), found.isDirectory else {
      throw .foreignDirectory(path: directory.cluster, reason: "it is not a folder")
    }
    guard found.st_uid == account.userID else {
      throw .foreignDirectory(
        path: directory.cluster,
        reason: "it belongs to user \(found.st_uid), and the database would run as "
          + "'\(account.name)' (\(account.userID))")
    }
  }
}
