#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension PosixStorage {
  package func restrict(_ layout: LakeLayout) throws(LakeError) {
    var facts = stat()
    guard lstat(layout.root, &facts) == 0 else {
      if errno == ENOENT { return }
      throw failure("inspect", layout.root)
    }
    // Sticky: a folder that is meant for everybody, as /tmp is.
    guard facts.st_mode & S_IFMT == S_IFDIR, facts.st_mode & 0o1000 == 0,
      facts.st_uid == geteuid() || geteuid() == 0,
      !isRestricted(facts)
    else { return }
    for folder in [layout.events, layout.manifestFolder, layout.quarantine] {
      try restrictFolder(folder, except: layout.lock)
    }
    // Last, so that what was interrupted is done again.
    try restrict(layout.root, facts)
  }

  private func isRestricted(_ folder: stat) -> Bool {
    guard let readingGroup else { return folder.st_mode & 0o027 == 0 }
    return folder.st_mode & 0o7777 == Self.folderMode && folder.st_gid == readingGroup
  }

  private func restrictFolder(_ path: String, except lock: String) throws(LakeError) {
    for entry in try list(path) ?? [] where "\(path)/\(entry.name)" != lock {
      let inner = "\(path)/\(entry.name)"
      if entry.isFolder {
        try restrictFolder(inner, except: lock)
      } else {
        try restrict(inner)
      }
    }
    try restrict(path)
  }

  private func restrict(_ path: String) throws(LakeError) {
    var facts = stat()
    guard lstat(path, &facts) == 0 else {
      if errno == ENOENT { return }
      throw failure("inspect", path)
    }
    try restrict(path, facts)
  }

  /// Links, and what belongs to another account, are left alone.
  private func restrict(_ path: String, _ facts: stat) throws(LakeError) {
    let kind = facts.st_mode & S_IFMT
    guard kind == S_IFDIR || kind == S_IFREG, facts.st_uid == geteuid() || geteuid() == 0 else {
      return
    }
    let mode = kind == S_IFDIR ? Self.folderMode : Self.fileMode
    if let readingGroup, facts.st_gid != readingGroup {
      guard chown(path, uid_t.max, readingGroup) == 0 else {
        throw failure("give to the reading group", path)
      }
    }
    guard chmod(path, readingGroup == nil ? facts.st_mode & mode : mode) == 0 else {
      throw failure("close", path)
    }
  }
}
