import Glibc
import PostgresStore
import TestSupport
import Testing

/// Who of the machine's other users can reach what is in the data directory. As root PostgreSQL is
/// another user, and comes in by the directory's group; otherwise it is the same one.
@Suite("Access to the data directory", .serialized, .timeLimit(.minutes(5)))
struct FileAccessTests {
  private static let isRoot = geteuid() == 0
  private static let settingsFiles = ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"]

  private static func facts(_ path: String) -> stat {
    var facts = stat()
    #expect(lstat(path, &facts) == 0, "\(path)")
    return facts
  }

  private static func mode(_ path: String) -> UInt32 { facts(path).st_mode & 0o7777 }

  /// Runs a program as nobody, in one group.
  private static func asNobody(group: UInt32, _ command: String...) -> Bool {
    let arguments =
      ["setpriv", "--reuid=65534", "--regid=\(group)", "--clear-groups", "--"] + command
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process: pid_t = 0
    guard posix_spawnp(&process, arguments[0], nil, nil, &pointers, environ) == 0 else {
      Issue.record("setpriv does not start")
      return false
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return status == 0
  }

  private static func expectClosed(_ directory: String) {
    #expect(mode(directory) & 0o027 == 0)
    #expect(mode(directory + "/lock") == 0o600)
    for file in settingsFiles { #expect(mode(directory + "/" + file) == 0o640, "\(file)") }
    guard isRoot else { return }
    #expect(mode(directory) == 0o750)
    let database = facts(directory + "/postgres")
    #expect(facts(directory).st_gid == database.st_gid)
    #expect(!asNobody(group: 65534, "test", "-x", directory))
    #expect(!asNobody(group: 65534, "flock", "--nonblock", directory + "/lock", "true"))
  }

  @Test("is closed to others from the start")
  func fresh() async throws {
    try await withDirectory { directory in
      let data = directory + "/data"
      let cluster = EmbeddedCluster(configuration(data), logger: .silent)
      let connection = try await cluster.start()
      Self.expectClosed(data)
      if !Self.isRoot { #expect(Self.mode(data) == 0o700) }
      #expect(try run("SELECT 'here'", connection) == [["here"]])
      try await cluster.stop()
    }
  }

  @Test("is closed by the start where an earlier version left it open")
  func existing() async throws {
    try await withDirectory { directory in
      let cluster = EmbeddedCluster(configuration(directory), logger: .silent)
      _ = try await cluster.start()
      try await cluster.stop()
      #expect(chmod(directory, 0o755) == 0 && chmod(directory + "/lock", 0o644) == 0)
      #expect(chown(directory, geteuid(), getegid()) == 0)
      for file in Self.settingsFiles {
        let path = directory + "/" + file
        #expect(chmod(path, 0o644) == 0 && chown(path, geteuid(), getegid()) == 0)
      }
      let connection = try await cluster.start()
      Self.expectClosed(directory)
      #expect(try run("SELECT 'here'", connection) == [["here"]])
      try await cluster.stop()
    }
  }

  @Test("is closed also where PostgreSQL ran on after a crash")
  func adopted() async throws {
    try await withDirectory { directory in
      let probe = try ClusterProbe(directory)
      _ = try probe.waitUntilReady()
      probe.kill()
      for file in Self.settingsFiles { #expect(chmod(directory + "/" + file, 0o644) == 0) }
      #expect(chmod(directory, 0o711) == 0 && chown(directory, geteuid(), getegid()) == 0)
      let cluster = EmbeddedCluster(configuration(directory, isDurable: true), logger: .silent)
      let connection = try await cluster.start()
      #expect(cluster.startKind == .adopted)
      Self.expectClosed(directory)
      // It reads its settings again, so it still gets to them.
      #expect(try run("SELECT pg_reload_conf()::text", connection) == [["true"]])
      #expect(
        try run("SELECT count(*)::text FROM pg_hba_file_rules WHERE error IS NULL", connection)
          == [["2"]])
      try await cluster.stop()
    }
  }

  @Test("is open to the reading group, and PostgreSQL still comes in")
  func readingGroup() async throws {
    try await withDirectory { directory in
      // As root a group that neither we nor the database's user are in: "daemon" everywhere.
      let group = Self.isRoot ? 1 : getegid()
      var shared = configuration(directory)
      shared.readingGroup = group
      let cluster = EmbeddedCluster(shared, logger: .silent)
      var connection = try await cluster.start()
      #expect(Self.mode(directory) == 0o750 && Self.facts(directory).st_gid == group)
      #expect(Self.mode(directory + "/lock") == 0o600)
      if Self.isRoot {
        #expect(Self.asNobody(group: group, "test", "-x", directory))
        #expect(!Self.asNobody(group: group, "flock", "-n", directory + "/lock", "true"))
        #expect(!Self.asNobody(group: group, "test", "-x", directory + "/postgres"))
        #expect(!Self.asNobody(group: 65534, "test", "-x", directory))
      }
      #expect(try run("SELECT 'here'", connection) == [["here"]])
      try await cluster.stop()
      // And back: the database's own group again.
      let closed = EmbeddedCluster(configuration(directory), logger: .silent)
      connection = try await closed.start()
      Self.expectClosed(directory)
      #expect(try run("SELECT 'here'", connection) == [["here"]])
      try await closed.stop()
    }
  }

  @Test("of an external database is closed as well")
  func withoutCluster() throws {
    let directory = try ThrowAwayDirectory.make()
    defer { ThrowAwayDirectory.remove(directory) }
    let data = directory + "/data"
    try DataDirectory.prepare(data, readingGroup: nil)
    #expect(Self.mode(data) & 0o027 == 0)
    #expect(chmod(data, 0o2755) == 0)
    try DataDirectory.prepare(data, readingGroup: nil)
    #expect(Self.mode(data) == 0o2750)
    // A folder that is everybody's, as /tmp is, stays so.
    #expect(chmod(data, 0o1777) == 0)
    try DataDirectory.prepare(data, readingGroup: getegid())
    #expect(Self.mode(data) == 0o1777)
    #expect(DataDirectory.groupNumber(named: "root") == 0)
    #expect(DataDirectory.groupNumber(named: "4711") == 4711)
    #expect(DataDirectory.groupNumber(named: "no such group") == nil)
  }
}
