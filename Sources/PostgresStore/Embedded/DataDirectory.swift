import Glibc

/// Where a server keeps everything: its database, its lake, its certificates.
package enum DataDirectory {
  /// The user's, where none is named: /var/lib/hito for root, $XDG_DATA_HOME/hito or
  /// ~/.local/share/hito for anybody else. Nil for a user without a home.
  package static func standard(dataHome: String?, home: String?, isRoot: Bool) -> String? {
    if isRoot { return "/var/lib/hito" }
    return dataHome.map { $0 + "/hito" } ?? home.map { $0 + "/.local/share/hito" }
  }

  /// Makes the directory, or a folder in it, or closes one that is there to everybody but its user
  /// and a group.
  ///
  /// - Parameter readingGroup: the group that may read; nil leaves the group as it is.
  package static func prepare(
    _ path: String, readingGroup: UInt32?
  ) throws(EmbeddedClusterError) {
    let resolved = try ClusterDirectory.prepare(path)
    try FileSystem.restrictDirectory(resolved, group: readingGroup)
  }

  /// The number of a group of this system, by its name or its number; nil where there is none.
  package static func groupNumber(named name: String) -> UInt32? {
    var entry = group()
    var result: UnsafeMutablePointer<group>?
    let count = 64 * 1024
    let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: count)
    defer { buffer.deallocate() }
    if getgrnam_r(name, &entry, buffer, count, &result) == 0, result != nil { return entry.gr_gid }
    return UInt32(name)
  }
}

/// Holds a data directory for one server: no two servers ever share one.
///
/// The kernel drops the lock with the process, however that ends. Children do not inherit it:
/// a database that outlives a crash does not keep the next server out. No other account may open
/// the file: whoever can, could hold the lock and keep every server out.
final class DataDirectoryLock: Sendable {
  private let file: Int32

  init(dataDirectory: String) throws(EmbeddedClusterError) {
    let path = dataDirectory + "/lock"
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw FileSystem.failure("open", path) }
    // One of an earlier version.
    _ = fchmod(file, 0o600)
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      let holder = FileSystem.text(path).flatMap { Int32($0.prefix { $0 != "\n" }) }
      throw .inUse(dataDirectory: dataDirectory, processID: holder)
    }
    // For the message above only: the lock itself is the kernel's.
    let text = Array("\(getpid())\n".utf8)
    if ftruncate(file, 0) == 0 { _ = write(file, text, text.count) }
    self.file = file
  }

  deinit { close(file) }
}
