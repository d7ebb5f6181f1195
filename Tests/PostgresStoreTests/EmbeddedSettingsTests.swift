import PostgresStore
import Testing

@Suite("The embedded cluster's settings")
struct EmbeddedSettingsTests {
  private func settings(
    _ change: (inout ClusterSettings) -> Void = { _ in }
  ) -> ClusterSettings {
    var settings = ClusterSettings(
      socketDirectory: "/data/run", hbaPath: "/data/pg_hba.conf",
      identPath: "/data/pg_ident.conf", logDirectory: "/data/log", systemUsers: ["root", "hito"],
      resources: .init(memoryMiB: 4096, sharedMemoryMiB: 4096), majorVersion: 18,
      vectorVersion: [0, 8, 6], hasStatementStatistics: true, durability: .full,
      connectionCountMax: 50, overrides: [:])
    change(&settings)
    return settings
  }

  @Test("acknowledge only what is on the disk")
  func durable() {
    let text = settings().main
    for line in ["fsync = 'on'", "full_page_writes = 'on'", "synchronous_commit = 'on'"] {
      #expect(text.contains(line))
    }
  }

  @Test("are sized by the memory, within bounds")
  func memory() {
    #expect(settings().main.contains("shared_buffers = '1024MB'"))
    let small = settings { $0.resources.memoryMiB = 300 }.main
    #expect(small.contains("shared_buffers = '128MB'"))
    #expect(small.contains("maintenance_work_mem = '64MB'"))
  }

  @Test("build vector indexes in parallel only where that is safe")
  func parallelBuilds() {
    let parallel = "max_parallel_maintenance_workers = '1'"
    #expect(settings().main.contains(parallel))
    #expect(!settings { $0.resources.sharedMemoryMiB = 64 }.main.contains(parallel))
    #expect(!settings { $0.vectorVersion = [0, 8, 0] }.main.contains(parallel))
    #expect(settings { $0.vectorVersion = [0, 10] }.main.contains(parallel))
  }

  @Test("hold only what the server's version knows")
  func versions() {
    #expect(settings().main.contains("transaction_timeout"))
    #expect(!settings { $0.majorVersion = 15 }.main.contains("transaction_timeout"))
    #expect(!settings { $0.hasStatementStatistics = false }.main.contains("pg_stat_statements"))
  }

  @Test("quote values, and the caller's come last and win")
  func overrides() {
    let text = settings { $0.overrides = ["port": "1", "search_path": "a'b"] }.main
    #expect(text.hasSuffix("port = '1'\nsearch_path = 'a''b'\n"))
    #expect(settings { $0.socketDirectory = "/it's" }.main.contains("= '/it''s'"))
  }

  @Test("let in only the system users that they name, as any role, once each")
  func identities() {
    let text = settings { $0.systemUsers = ["ana \"x\"", "ana \"x\""] }.ident
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(
      lines == [
        "hito \"ana \"\"x\"\"\" postgres", "hito \"ana \"\"x\"\"\" hito",
        "hito \"ana \"\"x\"\"\" hito_app",
      ])
    let rules = settings().hba.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(
      rules == ["local all all peer map=hito", "local replication postgres peer map=hito"])
  }

  @Test("take total memory from /proc/meminfo, in MiB")
  func meminfo() {
    let text = "MemTotal:       24684156 kB\nMemFree:        100 kB\n"
    #expect(MachineResources.totalMemoryMiB(meminfo: text) == 24105)
    #expect(MachineResources.totalMemoryMiB(meminfo: "nothing") == nil)
  }

  @Test("are for the version that the programs tell")
  func programVersions() {
    #expect(PostgresPrograms.version(in: "postgres (PostgreSQL) 18.6\n") == "18.6")
    #expect(
      PostgresPrograms.version(in: "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n")
        == "15.20")
    #expect(PostgresPrograms.version(in: "") == nil)
    #expect(
      PostgresPrograms.defaultVersion(control: "comment = 'x'\ndefault_version = '0.8.6'\n")
        == [0, 8, 6])
  }

  @Test("a process id file that PostgreSQL did not write is not a process")
  func processIDFile() {
    #expect(PostmasterFile(text: "4711\n/data\n")?.processID == 4711)
    for text in ["", "\n", "x\n", "-1\n", "0\n", "1\n", "99999999999999999999\n"] {
      #expect(PostmasterFile(text: text) == nil)
    }
  }

  @Test("quote what stands in a connection string")
  func conninfo() {
    let connection = ClusterConnection(
      socketDirectory: "/a b/it's\\", port: 5432, database: "hito")
    #expect(
      connection.conninfo(role: .owner)
        == "host='/a b/it\\'s\\\\' port='5432' dbname='hito' user='hito'")
    #expect(connection.with(database: "other").conninfo().hasSuffix("'other' user='hito_app'"))
  }

  @Test("the data directory of who names none is the user's own")
  func dataDirectory() {
    func standard(_ dataHome: String?, _ home: String?, isRoot: Bool = false) -> String? {
      DataDirectory.standard(dataHome: dataHome, home: home, isRoot: isRoot)
    }
    #expect(standard("/x", "/y", isRoot: true) == "/var/lib/hito")
    #expect(standard(nil, "/home/ana") == "/home/ana/.local/share/hito")
    #expect(standard("/x", "/y") == "/x/hito")
    #expect(standard(nil, nil) == nil)
  }

  @Test("a folder that can never be made, or is none, is an error")
  func impossibleFolders() {
    for path in ["/proc/hito-test/data", "/proc/version"] {
      #expect(throws: EmbeddedClusterError.self) { try ClusterDirectory.prepare(path) }
    }
  }

  @Test("a socket's path fits what the kernel has room for")
  func socketPaths() {
    let directory = ClusterDirectory(root: "/" + String(repeating: "a", count: 100))
    let candidates = directory.socketDirectories(runtimeDirectories: ["/run", "/tmp"])
    #expect(candidates.count == 2)
    #expect(candidates.allSatisfy { $0.utf8.count + "/.s.PGSQL.5432".utf8.count <= 107 })
    let short = ClusterDirectory(root: "/var/lib/hito").socketDirectories(runtimeDirectories: [])
    #expect(short == ["/var/lib/hito/run"])
  }
}
