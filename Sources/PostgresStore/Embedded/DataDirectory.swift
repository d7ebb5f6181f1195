import Glibc

/// Where a server keeps everything: its database, its lake, its certificates.
package enum DataDirectory {
  /// The data directory to use: what the caller asked for, HITO_DATA_DIR, or the default of the
  /// user: /var/lib/hito for root, $XDG_DATA_HOME/hito or ~/.local/share/hito for anybody else.
  ///
  /// Nil when a user without HOME asks for nothing.
  package static func resolve(
    requested: String?, environment: [String: String], isRoot: Bool = geteuid() == 0
  ) -> String? {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let requested, !requested.isEmpty { return requested }
    if let named = value("HITO_DATA_DIR") { return named }
    if isRoot { return "/var/lib/hito" }
    if let data = value("XDG_DATA_HOME") { return data + "/hito" }
    return value("HOME").map { $0 + "/.local/share/hito" }
  }
}

/// Holds a data directory for one server: no two servers ever share one.
///
/// The kernel drops the lock with the process, however that ends. Children do not inherit it:
/// a database that outlives a crash does not keep the next server out.
final class DataDirectoryLock: Sendable {
  private let file: Int32

  init(dataDirectory: String) throws(EmbeddedClusterError) {
    let path = dataDirectory + "/lock"
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard file >= 0 else { throw FileSystem.failure("open", path) }
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
