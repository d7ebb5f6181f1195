import BenchmarkSupport
import Foundation
import HitoClient

/// pgbench with the leanest script for what CreateGoal leaves behind, on the server's own database, as a
/// superuser: nobody's rights and no policies are looked at.
final class PgbenchSide {
  private let server: BenchServer
  private let script: String
  /// What the server wrote for the sample goal, so that pgbench writes the same bytes.
  private var texts: [(String, String)]

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
      ("hash", Self.bytes), ("content_hash", Self.bytes),
      ("learners", Self.learnerPrefix),
      ("reply", try text("SELECT reply \(reply)")),
      ("title", sample.title),
      ("description", sample.description),
      ("criteria", Self.arrayLiteral(sample.validationCriteria)),
      ("goal_payload", try text("SELECT payload \(goalEvent)")),
      ("task_payload", try text("SELECT payload FROM events WHERE entity_id = '\(task.id)'")),
      ("metadata", try text("SELECT metadata \(goalEvent)")),
      ("content", try text("SELECT content FROM passages WHERE entity_id = '\(goal.id)'")),
      ("vector", try text("SELECT embedding FROM embeddings WHERE entity_id = '\(goal.id)'")),
    ]
    for (index, task) in sample.tasks.enumerated() {
      texts += [
        ("task_title_\(index)", task.title), ("task_description_\(index)", task.description),
      ]
    }
    self.script = try Self.prepared(script, server)
    try database.sql(
      """
      INSERT INTO users (id, display_name, role, language, time_zone, is_active, version,
        created_at, updated_at)
      SELECT ('\(Self.learnerPrefix)' || 100000000000 + n)::uuid, 'pgbench ' || n, 'learner',
        'es', 'UTC', true, 1, now(), now()
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

  private static let learnerPrefix = "00000000-0000-7000-8000-"
  private static let bytes = "\\x" + String(repeating: "01", count: 32)

  /// How many transactions each client makes before it is measured, about: connecting and planning the
  /// statements, five times each, takes 64 clients a second of CPU.
  private static let warmUpCount = 12
  private static let warmUpLimit = 20

  func run(clientCount: Int, seconds: Int) async throws -> CreateGoal.Run {
    let ids = (0...3).map { number in
      (number == 0 ? "goals" : "tasks_\(number - 1)", Self.idPrefix(number))
    }
    let begin = try count()
    let limit = ContinuousClock.now + .seconds(Self.warmUpLimit)
    let pgbench = try server.database.startPgbench(
      script: script, clientCount: clientCount, seconds: seconds + Self.warmUpLimit,
      variables: texts + ids + [("i", "0")], as: .administrator)
    defer { pgbench.terminate() }
    while try count() < begin + Self.warmUpCount * clientCount {
      guard pgbench.isRunning, ContinuousClock.now < limit else {
        throw BenchmarkError("pgbench does not run")
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    // What counting costs is outside of what is measured.
    let before = try count()
    let (usage, start) = (try server.usage(), ContinuousClock.now)
    try await Task.sleep(for: .seconds(seconds))
    let (used, end) = (try server.usage() - usage, ContinuousClock.now)
    let made = Double(try count() - before)
    guard pgbench.isRunning else { throw BenchmarkError("pgbench ended early") }
    pgbench.terminate()
    while try server.database.isPgbenchRunning() {
      try await Task.sleep(for: .milliseconds(20))
    }
    return CreateGoal.Run(
      rate: made / (end - start).inSeconds, serverCost: used.server * 1e6 / made,
      databaseCost: used.database * 1e6 / made)
  }

  /// Of keys so far: one for each goal, and read at no cost.
  private func count() throws -> Int {
    let text = try server.database.sql(
      "SELECT last_value FROM idempotency_keys_reply_id_seq", as: .administrator)
    guard let count = Int(text) else { throw BenchmarkError("no count: \(text)") }
    return count
  }

  /// The beginning of the ids of one run, of goals or of one of their tasks: the time, as in UUIDs of
  /// version 7.
  private static func idPrefix(_ number: Int) -> String {
    let digits = String(UInt64(Date().timeIntervalSince1970 * 1000), radix: 16)
    let time = String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    return "\(time.prefix(8))-\(time.dropFirst(8).prefix(4))-7000-800\(number)-"
  }
}
