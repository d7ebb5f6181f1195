import Glibc

/// The system's text for an error number.
func systemMessage(_ code: Int32) -> String {
  var buffer = [UInt8](repeating: 0, count: 256)
  let known = buffer.withUnsafeMutableBytes { bytes in
    bytes.withMemoryRebound(to: CChar.self) { buffer in
      buffer.baseAddress.map { strerror_r(code, $0, buffer.count) } == 0
    }
  }
  return known ? String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self) : "error \(code)"
}

/// The few operations on files that the embedded cluster needs, with errors that name the path.
///
/// Where we run as root, some folders belong to the database's user: nothing here follows a
/// symbolic link at the last component of a path that it writes.
enum FileSystem {
  static func failure(_ operation: String, _ path: String) -> EmbeddedClusterError {
    let code = errno
    if code == ENOSPC || code == EDQUOT {
      return .diskFull(path: path, availableMiB: availableMiB(path) ?? 0, neededMiB: 1)
    }
    return .system(operation: operation, path: path, code: code)
  }

  static func exists(_ path: String) -> Bool {
    var information = stat()
    return lstat(path, &information) == 0
  }

  static func information(_ path: String) -> stat? {
    var information = stat()
    return lstat(path, &information) == 0 ? information : nil
  }

  static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

  /// The path without symbolic links and dots; the path must exist.
  static func resolved(_ path: String) throws(EmbeddedClusterError) -> String {
    guard let pointer = realpath(path, nil) else { throw failure("resolve", path) }
    defer { free(pointer) }
    return String(cString: pointer)
  }

  /// Makes a folder and the ones above it; those that exist are left as they are.
  static func makeDirectories(_ path: String, mode: mode_t) throws(EmbeddedClusterError) {
    if mkdir(path, mode) == 0 {
      // The creation mask may have taken bits away.
      guard chmod(path, mode) == 0 else { throw failure("set the mode of", path) }
      return
    }
    switch errno {
    case EEXIST:
      guard let found = information(path) else { throw failure("look at", path) }
      guard found.isDirectory || found.isLink else {
        throw .system(operation: "make the folder", path: path, code: ENOTDIR)
      }
    case ENOENT:
      guard let parent = parent(of: path) else { throw failure("make the folder", path) }
      try makeDirectories(parent, mode: 0o755)
      // Once, and not again and again: below /proc or a link to nowhere it never succeeds.
      guard mkdir(path, mode) == 0 || errno == EEXIST else {
        throw failure("make the folder", path)
      }
      guard chmod(path, mode) == 0 else { throw failure("set the mode of", path) }
    default:
      throw failure("make the folder", path)
    }
  }

  /// Takes a folder of ours from everybody but its user, who keeps what they may, and a group, which
  /// may read where one is named. A folder that is meant for everybody (sticky: /tmp) stays so.
  static func restrictDirectory(_ path: String, group: gid_t?) throws(EmbeddedClusterError) {
    guard let found = information(path) else { throw failure("look at", path) }
    guard found.isDirectory, found.st_mode & 0o1000 == 0 else { return }
    let own = found.st_mode & 0o6750
    try restrict(path, found, mode: group == nil ? own : own | 0o050, group: group)
  }

  /// Gives a file of ours the mode and the group that it is written with today.
  static func restrictFile(
    _ path: String, mode: mode_t, group: gid_t?
  ) throws(EmbeddedClusterError) {
    guard let found = information(path), found.st_mode & S_IFMT == S_IFREG else { return }
    try restrict(path, found, mode: mode, group: group)
  }

  private static func restrict(
    _ path: String, _ found: stat, mode: mode_t, group: gid_t?
  ) throws(EmbeddedClusterError) {
    // What belongs to another account is that account's to close; `hito doctor` tells.
    guard found.st_uid == geteuid() || geteuid() == 0 else { return }
    if let group, found.st_gid != group {
      guard lchown(path, uid_t.max, group) == 0 else { throw failure("give to a group", path) }
    }
    guard found.st_mode & 0o7777 == mode || chmod(path, mode) == 0 else {
      throw failure("set the mode of", path)
    }
  }

  static func parent(of path: String) -> String? {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    guard slash != path.startIndex else { return path == "/" ? nil : "/" }
    return String(path[..<slash])
  }

  /// Makes a private folder of one user, or accepts it as it is when it is just that.
  static func makePrivateDirectory(
    _ path: String, owner: ServiceAccount
  ) throws(EmbeddedClusterError) -> Bool {
    if mkdir(path, 0o700) == 0 {
      guard lchown(path, owner.userID, owner.groupID) == 0 else {
        throw failure("give away", path)
      }
      return true
    }
    guard errno == EEXIST else { throw failure("make the folder", path) }
    guard let found = information(path) else { throw failure("look at", path) }
    return found.isDirectory && found.st_uid == owner.userID && found.st_mode & 0o777 == 0o700
  }

  /// At most `byteCountMax` bytes from the end of a file; empty when it cannot be read.
  static func tail(_ path: String, byteCountMax: Int) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else { return "" }
    defer { close(file) }
    let size = lseek(file, 0, SEEK_END)
    guard size >= 0, lseek(file, max(0, size - byteCountMax), SEEK_SET) >= 0 else { return "" }
    return String(decoding: readAll(file, byteCountMax: byteCountMax), as: UTF8.self)
  }

  /// The text of a small file; nil when there is none or it cannot be read.
  static func text(_ path: String, byteCountMax: Int = 64 * 1024) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return String(decoding: readAll(file, byteCountMax: byteCountMax), as: UTF8.self)
  }

  private static func readAll(_ file: Int32, byteCountMax: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while bytes.count < byteCountMax {
      let count = read(file, &chunk, min(chunk.count, byteCountMax - bytes.count))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      bytes.append(contentsOf: chunk[..<count])
    }
    return bytes
  }

  /// Replaces a file as a whole: either the old or the new text is there after a crash.
  static func replace(
    _ path: String, with text: String, mode: mode_t, group: gid_t?
  ) throws(EmbeddedClusterError) {
    let temporary = path + ".new"
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard file >= 0 else { throw failure("create", temporary) }
    var written = group.map { fchown(file, uid_t.max, $0) == 0 } ?? true
    written = written && fchmod(file, mode) == 0
    let bytes = Array(text.utf8)
    var offset = 0
    while written && offset < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        write(file, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
      }
      if count < 0 && errno == EINTR { continue }
      written = count > 0
      offset += max(0, count)
    }
    written = written && fsync(file) == 0
    let problem = written ? nil : failure("write", temporary)
    close(file)
    if let problem { throw problem }
    try move(temporary, to: path)
  }

  /// Renames, and makes the rename last.
  static func move(_ source: String, to target: String) throws(EmbeddedClusterError) {
    guard rename(source, target) == 0 else { throw failure("move to \(target):", source) }
    try synchronizeDirectory(parent(of: target) ?? "/")
  }

  static func synchronizeDirectory(_ path: String) throws(EmbeddedClusterError) {
    let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw failure("open", path) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw failure("synchronize", path) }
  }

  /// The names in a folder, without the two that are always there.
  static func names(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  static func link(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = buffer.withUnsafeMutableBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { buffer in
        buffer.baseAddress.map { readlink(path, $0, buffer.count) } ?? -1
      }
    }
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }

  /// What an ordinary user may still write on the disk of a path.
  static func availableMiB(_ path: String) -> Int? {
    var information = statvfs()
    guard statvfs(path, &information) == 0 else { return nil }
    return Int(information.f_bavail) * Int(information.f_frsize) / 1_048_576
  }
}

extension stat {
  var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }
  var isLink: Bool { st_mode & S_IFMT == S_IFLNK }
}
