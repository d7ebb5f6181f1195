import Glibc
import PostgresStore
import Synchronization

/// Folders of tests under /tmp that are gone afterwards, even when the test process was killed: the
/// next one removes what it finds left over.
package enum ThrowAwayDirectory {
  private static let prefix = "hito-test-"

  /// Where tests look for PostgreSQL, as the program itself would.
  package static var postgresCandidates: [String] {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    return PostgresPrograms.candidates(named: variable("HITO_POSTGRES"), home: variable("HOME"))
  }

  /// Makes an empty folder that the database's own user can pass through.
  package static func make() throws -> String {
    removeLeftOvers()
    // The process id in the name says whose it is.
    let template = "/tmp/\(prefix)\(getpid())-XXXXXX"
    var bytes = Array(template.utf8CString)
    guard mkdtemp(&bytes) != nil else {
      throw EmbeddedClusterError.system(operation: "make", path: template, code: errno)
    }
    let path = String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard chmod(path, 0o711) == 0 else {
      throw EmbeddedClusterError.system(operation: "open", path: path, code: errno)
    }
    return path
  }

  /// Removes a folder and everything in it.
  package static func remove(_ path: String) { run("rm", "-rf", "--one-file-system", "--", path) }

  private static let atExit = Mutex<[(path: String, server: Int32?)]>([])

  /// Kills the server and removes the folder when the process ends.
  static func removeAtExit(_ path: String, server: Int32?) {
    let isFirst = self.atExit.withLock { entries in
      entries.append((path, server))
      return entries.count == 1
    }
    guard isFirst else { return }
    atexit {
      for entry in ThrowAwayDirectory.atExit.withLock({ $0 }) {
        if let server = entry.server { kill(server, SIGKILL) }
        ThrowAwayDirectory.remove(entry.path)
      }
    }
  }

  /// Removes the folders of test processes that are gone, with the servers that still run in them.
  private static func removeLeftOvers() {
    run(
      "sh", "-c",
      """
      for folder in /tmp/\(prefix)*; do
        owner=${folder#/tmp/\(prefix)}; owner=${owner%%-*}
        [ -d "$folder" ] && [ -O "$folder" ] && [ ! -d "/proc/$owner" ] || continue
        for file in "$folder"/postgres/postmaster.pid "$folder"/*/postgres/postmaster.pid; do
          [ -f "$file" ] || continue
          server=$(head -n 1 "$file")
          case $(readlink "/proc/$server/cwd") in "$folder"/*) kill -9 "$server" ;; esac
        done
        rm -rf --one-file-system -- "$folder"
      done
      """)
  }

  private static func run(_ arguments: String...) {
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var processID: pid_t = 0
    guard posix_spawnp(&processID, arguments[0], nil, nil, &pointers, environ) == 0 else { return }
    var status: Int32 = 0
    while waitpid(processID, &status, 0) < 0 && errno == EINTR {}
  }
}
