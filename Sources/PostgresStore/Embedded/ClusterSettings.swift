/// The three settings files of the embedded cluster, as text. A pure value: the same inputs give
/// the same text, so that comparing texts tells whether a running server must be restarted.
package struct ClusterSettings: Equatable, Sendable {
  /// How much a crash of the machine may cost.
  package enum Durability: Equatable, Sendable {
    /// What was acknowledged stays, whatever happens.
    case full
    /// Nothing is flushed: for tests that never lose power and throw the cluster away.
    case none
  }

  package var socketDirectory: String
  package var hbaPath: String
  package var identPath: String
  package var logDirectory: String
  package var systemUsers: [String]
  package var resources: MachineResources
  package var majorVersion: Int
  package var vectorVersion: [Int]
  package var hasStatementStatistics: Bool
  package var durability: Durability
  package var connectionCountMax: Int
  /// Settings of the caller; they win over ours.
  package var overrides: [String: String]
  /// The group by which a server of another user gets to its files; it has it from its start on.
  package var readingGroup: UInt32?

  package init(
    socketDirectory: String, hbaPath: String, identPath: String, logDirectory: String,
    systemUsers: [String], resources: MachineResources, majorVersion: Int, vectorVersion: [Int],
    hasStatementStatistics: Bool, durability: Durability, connectionCountMax: Int,
    overrides: [String: String]
  ) {
    self.socketDirectory = socketDirectory
    self.hbaPath = hbaPath
    self.identPath = identPath
    self.logDirectory = logDirectory
    self.systemUsers = systemUsers
    self.resources = resources
    self.majorVersion = majorVersion
    self.vectorVersion = vectorVersion
    self.hasStatementStatistics = hasStatementStatistics
    self.durability = durability
    self.connectionCountMax = connectionCountMax
    self.overrides = overrides
  }

  private static let warning = """
    # Written by Hito at every start: edits are overwritten. Settings of your own: ALTER SYSTEM.

    """

  /// postgresql.conf, each value with its reason.
  package var main: String {
    var lines = entries.map { entry in
      "\(entry.name) = \(Self.quoted(entry.value))" + (entry.why.isEmpty ? "" : "  # \(entry.why)")
    }
    if let readingGroup { lines.append("# Runs with the group \(readingGroup).") }
    lines += overrides.sorted { $0.key < $1.key }.map { "\($0.key) = \(Self.quoted($0.value))" }
    return Self.warning + lines.joined(separator: "\n") + "\n"
  }

  /// pg_hba.conf: only the socket, and only who the system says you are.
  /// "all" says nothing of copies of the whole cluster: those are asked for apart.
  package var hba: String {
    Self.warning + "local all all peer map=hito\nlocal replication postgres peer map=hito\n"
  }

  /// pg_ident.conf: the system users that may be any of the cluster's roles.
  package var ident: String {
    var seen: Set<String> = []
    let lines = systemUsers.filter { seen.insert($0).inserted }.flatMap { user in
      ClusterRole.allCases.map { "hito \(Self.identQuoted(user)) \($0.rawValue)" }
    }
    return Self.warning + lines.joined(separator: "\n") + "\n"
  }

  private struct Entry {
    let name: String
    let value: String
    let why: String

    init(_ name: String, _ value: String, _ why: String = "") {
      self.name = name
      self.value = value
      self.why = why
    }
  }

  private var entries: [Entry] {
    access + memory + writeAheadLog + maintenance + logging + vectors
  }

  private var access: [Entry] {
    var entries = [
      Entry("listen_addresses", "", "only the socket: no network surface at all"),
      Entry("port", "5432", "names the socket file"),
      Entry("unix_socket_directories", socketDirectory, "mode 0700, of the database's user"),
      Entry("unix_socket_permissions", "0700"),
      Entry("hba_file", hbaPath),
      Entry("ident_file", identPath),
      Entry("max_connections", "\(connectionCountMax)", "pools are small; more only adds switches"),
      Entry("lock_timeout", "10s", "a waiting call fails with a clear error instead of hanging"),
      Entry("idle_in_transaction_session_timeout", "30s", "an idle writer holds back everybody"),
    ]
    if majorVersion >= 17 {
      entries.append(Entry("transaction_timeout", "5min", "bulk work raises it for itself"))
    }
    return entries
  }

  private var memory: [Entry] {
    func mebibytes(_ value: Int, _ range: ClosedRange<Int>) -> String {
      "\(min(max(value, range.lowerBound), range.upperBound))MB"
    }
    let total = resources.memoryMiB
    return [
      Entry("shared_buffers", mebibytes(total / 4, 128...1024), "should hold the vector index"),
      Entry("effective_cache_size", mebibytes(total / 2, 256...65536), "for the planner only"),
      Entry("work_mem", "16MB", "also the budget of an iterative vector scan"),
      Entry("maintenance_work_mem", mebibytes(total / 8, 64...1024), "vector indexes build in it"),
      Entry(
        "max_parallel_maintenance_workers", buildsIndexesInParallel ? "1" : "0",
        "a parallel build needs much of /dev/shm"),
      Entry("max_parallel_workers_per_gather", "0", "short statements, few cores: steady latency"),
      Entry("jit", "off", "costs more than our statements take"),
    ]
  }

  /// Containers often have 64 MB of shared memory, and pgvector before 0.8.2 builds wrongly in
  /// parallel (CVE-2026-3172).
  private var buildsIndexesInParallel: Bool {
    resources.sharedMemoryMiB >= 2048 && !vectorVersion.lexicographicallyPrecedes([0, 8, 2])
  }

  private var writeAheadLog: [Entry] {
    let flushes = durability == .full
    return [
      Entry("fsync", flushes ? "on" : "off"),
      Entry("full_page_writes", flushes ? "on" : "off"),
      Entry("synchronous_commit", flushes ? "on" : "off", "an acknowledged write is on the disk"),
      Entry("commit_delay", "0", "commits group by themselves; waiting halves the throughput"),
      Entry("wal_level", "replica", "base backups work"),
      Entry("wal_compression", "on", "full pages are a fifth smaller at no cost in throughput"),
      Entry("max_wal_size", flushes ? "2GB" : "512MB", "checkpoints by time: fewer full pages"),
      Entry("min_wal_size", "128MB"),
      Entry("checkpoint_timeout", "15min"),
      Entry("max_wal_senders", "4"),
      Entry("max_replication_slots", "4"),
      Entry("max_slot_wal_keep_size", "4GB", "a forgotten slot must not fill the disk"),
      Entry("random_page_cost", "1.1", "solid state, mostly cached"),
    ]
  }

  private var maintenance: [Entry] {
    [
      Entry("autovacuum_naptime", "15s", "events and goals churn: vacuum little and often"),
      Entry("autovacuum_vacuum_cost_limit", "1000"),
      Entry("shared_preload_libraries", hasStatementStatistics ? "pg_stat_statements" : ""),
      Entry("track_io_timing", "on"),
      Entry("track_wal_io_timing", "on"),
      Entry("timezone", "UTC"),
      Entry("log_timezone", "UTC"),
    ]
  }

  private var logging: [Entry] {
    var entries = [
      Entry("log_min_duration_statement", "500"),
      // Learners' texts are parameters, and rows that break a rule.
      Entry("log_parameter_max_length", "0", "no values in the log"),
      Entry("log_parameter_max_length_on_error", "0"),
      Entry("log_error_verbosity", "terse", "no DETAIL, which quotes rows"),
      Entry("log_lock_waits", "on"),
      Entry("log_line_prefix", "%m [%p] %q%a/%x "),
    ]
    // A collector of its own, so that logs rotate and continue when the server has crashed. A
    // throw-away cluster writes to one file.
    guard durability == .full else { return entries }
    entries += [
      Entry("logging_collector", "on"),
      Entry("log_directory", logDirectory),
      Entry("log_filename", "postgresql-%a.log", "one file a weekday: a week is kept"),
      Entry("log_rotation_age", "1d"),
      Entry("log_rotation_size", "0"),
      Entry("log_truncate_on_rotation", "on"),
      Entry("log_checkpoints", "on"),
      Entry("log_autovacuum_min_duration", "5s"),
    ]
    return entries
  }

  private var vectors: [Entry] {
    [
      Entry("hnsw.ef_search", "100", "recall 0.98 instead of 0.93"),
      Entry("hnsw.iterative_scan", "strict_order", "a filtered search finds its rows, in order"),
      Entry("hnsw.max_scan_tuples", "20000"),
    ]
  }

  private static func quoted(_ value: String) -> String {
    let parts = value.split(separator: "'", omittingEmptySubsequences: false)
    return "'" + parts.joined(separator: "''") + "'"
  }

  private static func identQuoted(_ name: String) -> String {
    let parts = name.split(separator: "\"", omittingEmptySubsequences: false)
    return "\"" + parts.joined(separator: "\"\"") + "\""
  }
}
