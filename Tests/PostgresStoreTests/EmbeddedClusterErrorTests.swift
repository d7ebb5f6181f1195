import Glibc
import PostgresStore
import TestSupport
import Testing

@Suite("An embedded cluster that cannot start", .serialized, .timeLimit(.minutes(3)))
struct EmbeddedClusterErrorTests {
  private func start(
    _ directory: String, _ change: (inout EmbeddedCluster.Configuration) -> Void = { _ in }
  ) async throws -> EmbeddedClusterError {
    var configuration = configuration(directory)
    change(&configuration)
    let cluster = EmbeddedCluster(configuration, logger: .silent)
    let error = await #expect(throws: EmbeddedClusterError.self) { try await cluster.start() }
    // It has given the directory free: the next attempt may do better.
    return try #require(error)
  }

  @Test(
    "names the folder that keeps the database's user out", .enabled(if: geteuid() == 0))
  func unreachable() async throws {
    try await withDirectory { directory in
      let closed = directory + "/closed"
      #expect(mkdir(closed, 0o700) == 0)
      let error = try await start(closed + "/data")
      #expect(error == .unreachable(path: closed + "/data", blockedAt: closed, user: "hito"))
      #expect("\(error)".contains("chmod a+x \(closed)"))
    }
  }

  @Test("says `make setup` when PostgreSQL is not installed")
  func missingPrograms() async throws {
    try await withDirectory { directory in
      let error = try await start(directory) { $0.programCandidates = ["/nowhere", "/usr"] }
      #expect(error == .missingPrograms(searched: ["/nowhere", "/usr"]))
      #expect("\(error)".contains("make setup"))
    }
  }

  @Test("says which versions do not match")
  func otherVersion() async throws {
    try await withDirectory { directory in
      let cluster = EmbeddedCluster(configuration(directory), logger: .silent)
      _ = try await cluster.start()
      try await cluster.stop()
      try makeFile(directory + "/postgres/PG_VERSION", "9\n")
      let error = try await start(directory)
      guard case .versionMismatch("9", _, directory) = error else {
        Issue.record("\(error)")
        return
      }
      // Its settings are its own affair: PostgreSQL says what is wrong with them.
      try makeFile(
        directory + "/postgres/PG_VERSION", "\(try majorVersion())\n")
      let refused = try await start(directory) { $0.settings["shared_buffers"] = "many" }
      guard case .startFailed(let log) = refused else {
        Issue.record("\(refused)")
        return
      }
      #expect(log.contains("shared_buffers"))
    }
  }

  private func majorVersion() throws -> Int {
    let programs = try PostgresPrograms.locate(
      candidates: ThrowAwayDirectory.postgresCandidates)
    return try #require(Int(programs.version.prefix { $0 != "." }))
  }

  @Test("never touches a folder that is not its own")
  func foreign() async throws {
    try await withDirectory { directory in
      try makeFile(directory + "/postgres/thesis.txt", "years of work")
      let error = try await start(directory)
      guard case .foreignDirectory(directory + "/postgres", _) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(access(directory + "/postgres/thesis.txt", F_OK) == 0)
    }
  }

  @Test("refuses a folder for the socket that others may enter")
  func openSocketDirectory() async throws {
    try await withDirectory { directory in
      #expect(mkdir(directory + "/run", 0o777) == 0)
      #expect(chmod(directory + "/run", 0o777) == 0)
      let error = try await start(directory)
      #expect(error == .socketDirectoryNotOurs(path: directory + "/run"))
    }
  }

  @Test("stops waiting when its task is cancelled and leaves no server behind")
  func cancelled() async throws {
    try await withDirectory { directory in
      let cluster = EmbeddedCluster(configuration(directory), logger: .silent)
      let task = Task { try await cluster.start() }
      task.cancel()
      let result = await task.result
      #expect(throws: EmbeddedClusterError.cancelled) { try result.get() }
      #expect(access(directory + "/postgres/postmaster.pid", F_OK) == -1)
      _ = try await cluster.start()
      try await cluster.stop()
    }
  }

  @Test("uses a short folder for the socket when the data directory's path is long")
  func longPath() async throws {
    try await withDirectory { directory in
      let long = directory + "/" + String(repeating: "long/", count: 20) + "data"
      let cluster = EmbeddedCluster(configuration(long), logger: .silent)
      let connection = try await cluster.start()
      #expect(connection.socketDirectory.utf8.count < 60)
      #expect(try run("SELECT 'short'", connection) == [["short"]])
      try await cluster.stop()
      rmdir(connection.socketDirectory)
    }
  }
}
