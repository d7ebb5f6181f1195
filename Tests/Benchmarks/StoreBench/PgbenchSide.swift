import BenchmarkSupport
import Foundation
import HitoClient

/// pgbench with the statements of CreateGoal, on the server's own database.
final class PgbenchSide {
  private let server: BenchServer
  private let script: String
  /// What the server wrote for the sample goal, so that pgbench writes the same bytes.
  private let texts: [(String, String)]

  init(server: BenchServer, script: String, learner: Learner) async throws {
    self.server = server
    let client = try await server.connect(token: learner.token)
    defer { client.close() }
    let made = try await client.goals.createGoal(.sample)
    guard let goal = made.goal, let task = made.tasks.first else {
      throw BenchmarkError("no goal in the reply")
    }
    let database = server.database
    func text(_ query: String) throws -> String {
      let text = try database.sql(query)
      guard !text.isEmpty else { throw BenchmarkError("nothing found by: \(query)") }
      return text
    }
    let goalEvent = "FROM events WHERE entity_id = '\(goal.id)'"
    let reply = "FROM idempotency_replies ORDER BY id DESC LIMIT 1"
    let sample = CreateGoalRequest.sample
    texts = [
      ("hash", "\\x" + String(repeating: "01", count: 32)),
      ("reply", try text("SELECT reply \(reply)")),
      ("title", sample.title),
      ("description", sample.description),
      ("criteria", Self.arrayLiteral(sample.validationCriteria)),
      ("task_titles", Self.arrayLiteral(sample.tasks.map(\.title))),
      ("task_descriptions", Self.arrayLiteral(sample.tasks.map(\.description))),
      ("goal_payload", try text("SELECT payload \(goalEvent)")),
      ("task_payload", try text("SELECT payload FROM events WHERE entity_id = '\(task.id)'")),
      ("metadata", try text("SELECT metadata \(goalEvent)")),
      ("content", try text("SELECT content FROM passages WHERE entity_id = '\(goal.id)'")),
      ("vector", try text("SELECT embedding FROM embeddings WHERE entity_id = '\(goal.id)'")),
    ]
    self.script = try Self.prepared(script, server)
    try database.sql(
      """
      INSERT INTO users (id, display_name, role, language, time_zone, is_active, version,
        created_at, updated_at)
      SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'pgbench ' || n,
        'learner', 'es', 'UTC', true, 1, now(), now()
      FROM generate_series(0, 63) AS n
      """)
  }

  /// The script for this server: before version 18 PostgreSQL makes no UUIDs of version 7.
  private static func prepared(_ script: String, _ server: BenchServer) throws -> String {
    let version = Int(try server.database.sql("SHOW server_version_num")) ?? 0
    guard version < 180_000 else { return script }
    let text = try String(contentsOfFile: script, encoding: .utf8)
      .replacingOccurrences(of: "uuidv7()", with: "gen_random_uuid()")
    let path = server.folder + "/create_goal.sql"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  private static func arrayLiteral(_ elements: [String]) -> String {
    let quoted = elements.map { element in
      "\""
        + element.replacingOccurrences(of: "\\", with: "\\\\")
        .replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }
    return "{" + quoted.joined(separator: ",") + "}"
  }

  func run(clientCount: Int, seconds: Int) throws -> CreateGoal.Run {
    let before = try count()
    let usage = try server.usage()
    let rate = try server.database.pgbench(
      script: script, clientCount: clientCount, seconds: seconds,
      variables: texts + [("run", Self.idPrefix()), ("i", "0")])
    let used = try server.usage() - usage
    let made = Double(try count() - before)
    guard made > 0 else { throw BenchmarkError("pgbench made no goals") }
    return CreateGoal.Run(
      rate: rate, serverCost: used.server * 1e6 / made, databaseCost: used.database * 1e6 / made)
  }

  private func count() throws -> Int {
    Int(try server.database.sql("SELECT count(*) FROM goals")) ?? 0
  }

  /// The beginning of the ids of one run: the time, as in UUIDs of version 7.
  private static func idPrefix() -> String {
    let digits = String(UInt64(Date().timeIntervalSince1970 * 1000), radix: 16)
    let time = String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    return "\(time.prefix(8))-\(time.dropFirst(8).prefix(4))-7000-8000-"
  }
}
