import ArgumentParser
import BenchmarkSupport
import HitoClient

/// `make bench-store`: CreateGoal beside pgbench on the same database, how soon subscribers hear of a
/// commit, and what subscribers and the log cost.
@main
struct StoreBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store",
    abstract: "Measures CreateGoal against pgbench, and commit to subscriber.")

  @OptionGroup var options: ServerOptions

  @Option(help: "Seconds of each measurement.")
  var seconds = 5

  @Option(help: "How often each is measured; medians are reported.")
  var rounds = 3

  @Option(help: "Commits whose way to the subscribers is timed.")
  var commits = 500

  @Option(help: "The script for pgbench.")
  var script = "Tests/Benchmarks/pgbench/create_goal.sql"

  @Option(help: "Only this part: progress, goals, memory or log. May be repeated; all without it.")
  var only: [Part] = []

  /// What can be measured by itself.
  enum Part: String, CaseIterable, ExpressibleByArgument {
    /// How soon subscribers have what was committed.
    case progress
    /// CreateGoal beside pgbench.
    case goals
    /// What a subscriber takes.
    case memory
    /// What a position and a read of the log cost.
    case log
  }

  func validate() throws {
    guard (1...60).contains(seconds), (1...20).contains(rounds) else {
      throw ValidationError("--seconds must be 1 to 60, --rounds 1 to 20")
    }
    guard (1...10_000).contains(commits) else {
      throw ValidationError("--commits must be 1 to 10000")
    }
  }

  func run() async throws {
    var report = Report()
    let parts = Set(only.isEmpty ? Part.allCases : only)
    if parts.contains(.progress) || parts.contains(.goals) {
      try await measureGoals(parts, &report)
    }
    if parts.contains(.memory) || parts.contains(.log) { try await measureLog(parts, &report) }
    try report.finish()
  }

  private func measureGoals(_ parts: Set<Part>, _ report: inout Report) async throws {
    try await BenchServer.run(program: options.program) { server in
      // pgbench needs a connection for each of its clients.
      try server.database.sql("ALTER SYSTEM SET max_connections = 150", as: .administrator)
      try await server.restart()
      let learners = try await Learner.make(CreateGoal.levels.max() ?? 1, on: server)
      if parts.contains(.progress) {
        try await Subscribers(server: server, learner: learners[0], commitCount: commits)
          .measure(&report)
      }
      guard parts.contains(.goals) else { return }
      let pgbench = try await PgbenchSide(server: server, script: script, learner: learners[0])
      try await CreateGoal(
        server: server, learners: learners, pgbench: pgbench, seconds: seconds, rounds: rounds
      ).measure(&report)
    }
  }

  /// Whatever fills the log comes last, on a server of its own.
  private func measureLog(_ parts: Set<Part>, _ report: inout Report) async throws {
    try await BenchServer.run(program: options.program, options: ["--streams-per-user", "100000"]) {
      server in
      try server.database.sql(
        "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'", as: .administrator)
      try await server.restart()
      let learners = try await Learner.make(50, on: server)
      if parts.contains(.memory) {
        try await SubscriberMemory(server: server, learners: learners).measure(&report)
      }
      if parts.contains(.log) {
        try await LogCost(server: server, learner: learners[0]).measure(&report)
      }
    }
  }
}
