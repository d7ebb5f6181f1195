package import Foundation

/// The PostgreSQL of a server, reached as other programs reach it: psql and pgbench of its own
/// folder, over its socket.
package struct BenchDatabase: Sendable {
  /// As whom to connect: superuser, owner of the tables, or what the server is.
  package enum Role: String, Sendable {
    case administrator = "postgres"
    case owner = "hito"
    case application = "hito_app"
  }

  let socketFolder: String

  private static var programFolder: String {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["HOME"] ?? "/nonexistent"
    let places =
      [environment["HITO_POSTGRES"]].compactMap { $0 }
      + [home + "/.local/lib/hito/postgres", "/usr/local/lib/hito/postgres"]
    return
      (places.first { FileManager.default.isExecutableFile(atPath: $0 + "/bin/pgbench") }
      ?? places[places.count - 1]) + "/bin"
  }

  private func connection(_ role: Role) -> String {
    // As the server's own work: row-level security shows nothing to who does not say.
    let options = role == .application ? " options='-c hito.scope=system'" : ""
    return "host=\(socketFolder) port=5432 dbname=hito user=\(role.rawValue)\(options)"
  }

  /// Runs SQL and returns what it gives: fields by `|`, rows by line.
  @discardableResult
  package func sql(_ text: String, as role: Role = .application) throws -> String {
    try Programs.run(
      [
        Self.programFolder + "/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
        connection(role),
      ], input: text
    ).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Transactions a second that pgbench reaches with a script.
  package func pgbench(
    script: String, clientCount: Int, seconds: Int, variables: [(String, String)]
  ) throws -> Double {
    let output = try Programs.run(
      pgbench(script, clientCount, seconds, variables, .application))
    // Until its backends have ended, what they used is missing from the sum.
    while try isPgbenchRunning() {}
    let line = output.split(separator: "\n").first { $0.hasPrefix("tps = ") }
    guard let rate = line?.split(separator: " ").dropFirst(2).first.flatMap({ Double($0) }) else {
      throw BenchmarkError("pgbench gave no rate:\n\(output)")
    }
    return rate
  }

  /// Starts pgbench with a script, for so many seconds at most, for who looks at it while it runs.
  package func startPgbench(
    script: String, clientCount: Int, seconds: Int, variables: [(String, String)], as role: Role
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = pgbench(script, clientCount, seconds, variables, role)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.startWithSignals()
    return process
  }

  package func isPgbenchRunning() throws -> Bool {
    try sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'") != "0"
  }

  private func pgbench(
    _ script: String, _ clientCount: Int, _ seconds: Int, _ variables: [(String, String)],
    _ role: Role
  ) -> [String] {
    [
      "timeout", "\(seconds + 60)", Self.programFolder + "/pgbench",
      "-n", "-M", "prepared", "-c", "\(clientCount)", "-j", "\(min(clientCount, 2))",
      "-T", "\(seconds)", "-f", script,
    ] + variables.flatMap { ["-D", "\($0.0)=\($0.1)"] } + [connection(role)]
  }

  /// Waits until every event has its position, so that one measurement leaves nothing for the next.
  ///
  /// - Returns: how many a second got one meanwhile; nil where too few waited to tell.
  @discardableResult
  package func waitUntilSequenced(limit: Duration = .seconds(60)) async throws -> Double? {
    let start = ContinuousClock.now
    let counts = "(SELECT count(*) FROM events), (SELECT count(*) FROM event_positions)"
    let waiting = Double(try sql("SELECT a - b FROM (SELECT \(counts)) c (a, b)")) ?? 0
    while ContinuousClock.now < start + limit {
      if try sql("SELECT a = b FROM (SELECT \(counts)) c (a, b)") == "t" {
        return waiting < 5000 ? nil : waiting / (ContinuousClock.now - start).inSeconds
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw BenchmarkError("events were left without a position after \(limit)")
  }
}
