import Digits
import Glibc

/// Where the files of a cluster are in its data directory.
package struct ClusterDirectory: Equatable, Sendable {
  /// The data directory, resolved.
  package let root: String

  package init(root: String) { self.root = root }

  /// PostgreSQL's own folder; nobody else writes in it.
  var cluster: String { root + "/postgres" }
  /// The same while it is being made.
  var unfinishedCluster: String { root + "/postgres.new" }
  /// The settings files are ours, outside of PostgreSQL's folder: as root we never write into a
  /// folder of a lesser user, and SQL cannot change who may connect.
  var settings: String { root + "/postgresql.conf" }
  var hba: String { root + "/pg_hba.conf" }
  var ident: String { root + "/pg_ident.conf" }
  /// The server's own log files, one for each weekday.
  var logs: String { root + "/postgres-log" }
  /// What the server says before its log is open.
  var startLog: String { root + "/postgres-start.log" }

  /// The bytes that the kernel has room for in a socket's path.
  static let socketPathByteCountMax = 107
  private static let socketName = "/.s.PGSQL.5432"
  // The server also makes a lock file beside it; its path has no such limit.

  /// The folders that the socket may be in, best first: in the data directory, or a short one
  /// named after it.
  package func socketDirectories(runtimeDirectories: [String]) -> [String] {
    let short = "hito-" + Self.digest(root)
    return ([root + "/run"] + runtimeDirectories.map { $0 + "/" + short }).filter {
      $0.utf8.count + Self.socketName.utf8.count <= Self.socketPathByteCountMax
    }
  }

  /// What of a cluster is in a data directory.
  package enum Contents: Sendable, Hashable {
    case cluster
    case none
    /// With the system's number of the error.
    case unreadable(Int32)
  }

  /// Looks, and changes nothing.
  package static func contents(of root: String) -> Contents {
    var facts = stat()
    if stat(ClusterDirectory(root: root).cluster, &facts) == 0 { return .cluster }
    return errno == ENOENT || errno == ENOTDIR ? .none : .unreadable(errno)
  }

  /// Makes the data directory and returns its resolved path.
  package static func prepare(_ path: String) throws(EmbeddedClusterError) -> String {
    let absolute = path.hasPrefix("/") ? path : try FileSystem.resolved(".") + "/" + path
    if !FileSystem.exists(absolute) {
      try FileSystem.makeDirectories(absolute, mode: geteuid() == 0 ? 0o750 : 0o700)
    }
    let resolved = try FileSystem.resolved(absolute)
    guard FileSystem.information(resolved)?.isDirectory == true else {
      throw .system(operation: "use as a folder", path: resolved, code: ENOTDIR)
    }
    guard access(resolved, W_OK | X_OK) == 0 else {
      throw FileSystem.failure("write in", resolved)
    }
    return resolved
  }

  /// A name, not a secret; the folder's owner and mode are checked before it is used.
  private static func digest(_ text: String) -> String {
    String(FNV1a(text).value, radix: 16)
  }
}
