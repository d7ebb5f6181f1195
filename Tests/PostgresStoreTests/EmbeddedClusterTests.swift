import Glibc
import Logging
import PostgresStore
import TestSupport
import Testing

@Suite("The embedded cluster", .serialized, .timeLimit(.minutes(5)))
struct EmbeddedClusterTests {
  @Test("outlives a kill -9 of the server, is adopted with its data, and stops in order")
  func adoption() async throws {
    try await withDirectory { directory in
      let probe = try ClusterProbe(directory)
      let processID = try probe.waitUntilReady()
      let database = ClusterConnection(
        socketDirectory: directory + "/run", port: 5432, database: "hito")
      try run("CREATE TABLE kept AS SELECT 42 AS answer", database)
      probe.kill()

      let cluster = EmbeddedCluster(configuration(directory, isDurable: true), logger: .silent)
      let connection = try await cluster.start()
      #expect(cluster.startKind == .adopted)
      #expect(cluster.processID == processID)
      #expect(try run("SELECT answer::text FROM kept", connection) == [["42"]])
      try await cluster.stop()
      #expect(!isRunning(processID))
      #expect(throws: AdministratorSession.Failure.self) { try run("SELECT 1", connection) }

      // And once more from a stop in order.
      _ = try await cluster.start()
      #expect(cluster.startKind == .started)
      #expect(try run("SELECT answer::text FROM kept", connection) == [["42"]])
      try await cluster.stop()
    }
  }

  @Test("refuses a second server on the same data directory and names the first one")
  func secondServer() async throws {
    try await withDirectory { directory in
      let probe = try ClusterProbe(directory)
      _ = try probe.waitUntilReady()
      let second = EmbeddedCluster(configuration(directory), logger: .silent)
      let error = await #expect(throws: EmbeddedClusterError.self) { try await second.start() }
      #expect(error == .inUse(dataDirectory: directory, processID: probe.processID))
      #expect("\(error, default: "")".contains("--data-dir"))
      // The first one did not notice.
      let connection = ClusterConnection(
        socketDirectory: directory + "/run", port: 5432, database: "hito")
      #expect(try run("SELECT 'here'", connection) == [["here"]])
      #expect(probe.stop() == 0)
      #expect(second.connection == nil)
    }
  }

  @Test("restarts a running server when its settings have changed")
  func changedSettings() async throws {
    try await withDirectory { directory in
      let probe = try ClusterProbe(directory)
      let processID = try probe.waitUntilReady()
      probe.kill()
      var changed = configuration(directory, isDurable: true)
      changed.settings["work_mem"] = "32MB"
      changed.settings["log_line_prefix"] = "it's "
      let cluster = EmbeddedCluster(changed, logger: .silent)
      let connection = try await cluster.start()
      #expect(cluster.startKind == .restarted)
      #expect(cluster.processID != processID)
      #expect(try run("SHOW work_mem", connection) == [["32MB"]])
      #expect(try run("SHOW log_line_prefix", connection) == [["it's "]])
      try await cluster.stop()
    }
  }

  @Test("replaces what a crash in the middle of its creation left behind")
  func halfMade() async throws {
    try await withDirectory { directory in
      try makeFile(directory + "/postgres.new/base/1/junk", "half")
      try makeFile(directory + "/postgres.new/PG_VERSION", "18\n")
      #expect(mkdir(directory + "/postgres", 0o700) == 0)
      let cluster = EmbeddedCluster(configuration(directory), logger: .silent)
      let connection = try await cluster.start()
      #expect(cluster.startKind == .created)
      #expect(try run("SELECT 'whole'", connection) == [["whole"]])
      #expect(access(directory + "/postgres.new", F_OK) == -1)
      try await cluster.stop()
    }
  }

  @Test("starts again after a kill -9 of PostgreSQL, past stale lock files")
  func databaseCrash() async throws {
    try await withDirectory { directory in
      let cluster = EmbeddedCluster(configuration(directory, isDurable: true), logger: .silent)
      let connection = try await cluster.start()
      let first = try #require(cluster.processID)
      try run("CREATE TABLE kept AS SELECT 1 AS n", connection)
      // Supervision brings it back without anybody asking.
      try await withThrowingTaskGroup(of: Void.self) { group in
        let (restarts, restarted) = AsyncStream.makeStream(of: Void.self)
        group.addTask {
          await cluster.supervise(every: .milliseconds(20)) { _ in restarted.yield() }
        }
        #expect(kill(first, SIGKILL) == 0)
        for await _ in restarts { break }
        group.cancelAll()
        try await group.waitForAll()
      }
      #expect(try run("SELECT n::text FROM kept", connection) == [["1"]])
      let second = try #require(cluster.processID)
      #expect(second != first)

      // Lock files that name a living process which is not this server.
      #expect(kill(second, SIGKILL) == 0)
      while isRunning(second) { await Task.yield() }
      for file in ["/postgres/postmaster.pid", "/run/.s.PGSQL.5432.lock"] {
        try makeFile(directory + file, "\(getpid())\n\(directory)\n")
      }
      _ = try await cluster.start()
      #expect(cluster.startKind == .started)
      #expect(try run("SELECT n::text FROM kept", connection) == [["1"]])
      try await cluster.stop()
    }
  }

  @Test("notices over a network that a client of ours has gone")
  func keepalives() async throws {
    try await withDirectory { directory in
      // An address of this process alone: the port is the same for every cluster.
      let process = getpid()
      let address = "127.77.\(process >> 8 & 0xff).\(process & 0xff)"
      let access = directory + "/tcp_hba.conf"
      try makeFile(access, "local all all peer map=hito\nhost all hito 127.0.0.0/8 trust\n")
      #expect(chmod(access, 0o644) == 0)
      var listening = configuration(directory)
      listening.settings = ["listen_addresses": address, "hba_file": access]
      let cluster = EmbeddedCluster(listening, logger: .silent)
      _ = try await cluster.start()
      let session = try await ScriptSession(
        ConnectionSettings(
          conninfo: "host=\(address) port=5432 dbname=hito user=hito sslmode=disable"))
      let settings = try await session.run(
        """
        SELECT name, setting FROM pg_settings
        WHERE name LIKE 'tcp_keepalives_%' OR name = 'tcp_user_timeout' ORDER BY name
        """)
      #expect(
        settings == [
          ["tcp_keepalives_count", "3"], ["tcp_keepalives_idle", "15"],
          ["tcp_keepalives_interval", "5"], ["tcp_user_timeout", "30000"],
        ])
      try await cluster.stop()
    }
  }

  @Test("gives the application role nothing but what it is granted, and the owner the schema")
  func roles() async throws {
    let connection = try await TestCluster.shared().makeDatabase()
    try run("CREATE TABLE mine (n int)", connection, .owner)
    for statement in ["CREATE TABLE t (n int)", "SELECT n FROM mine", "DROP TABLE mine"] {
      #expect(throws: EmbeddedClusterError.self) {
        try run(statement, connection, .application)
      }
    }
    try run("GRANT SELECT ON mine TO hito_app", connection, .owner)
    #expect(try run("SELECT n FROM mine", connection, .application) == [])
    let powers = try run(
      """
      SELECT bool_or(rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls)::text
      FROM pg_roles WHERE rolname IN ('hito', 'hito_app')
      """, connection)
    #expect(powers == [["false"]])
  }

  @Test("has pgvector, checksums, a fixed collation and searches that find filtered rows")
  func contents() async throws {
    let connection = try await TestCluster.shared().makeDatabase()
    let distance = "SELECT ('[1,2]'::vector <-> '[1,4]')::text"
    #expect(try run(distance, connection, .application) == [["2"]])
    #expect(try run("SHOW data_checksums", connection) == [["on"]])
    #expect(try run("SHOW hnsw.iterative_scan", connection, .application) == [["strict_order"]])
    #expect(try run("SHOW listen_addresses", connection) == [[""]])
    #expect(try run("SHOW server_encoding", connection) == [["UTF8"]])
    #expect(try run("SELECT ('Z' < 'a')::text", connection) == [["true"]])
  }

  @Test("copies a template that is prepared once into a database for each")
  func templates() async throws {
    let cluster = try await TestCluster.shared()
    let template = TestCluster.Template("embedded_cluster_tests") { connection in
      try run("CREATE TABLE prepared (n int)", connection, .owner)
    }
    async let first = cluster.makeDatabase(from: template)
    async let second = cluster.makeDatabase(from: template)
    try await run("INSERT INTO prepared VALUES (1)", first, .owner)
    #expect(try await run("SELECT n FROM prepared", second, .owner) == [])
  }
}
