import BenchmarkSupport
import HitoClient

/// What the log costs: a position for each event, with little and with much that waits for one, and
/// a read of few events among many.
///
/// The events are inserted beside the server, in one transaction, so that all of them wait at once. What
/// a position costs is the CPU of the session that gives it.
struct LogCost {
  private static let few = 1000
  private static let fewRounds = 30
  private static let many = 200_000
  private static let limit = Duration.seconds(120)
  static let targetRatio = 2.0

  let server: BenchServer
  let learner: Learner

  func measure(_ report: inout Report) async throws {
    let client = try await server.connect(token: learner.token)
    defer { client.close() }
    // Five events of a goal, with others before, between and after.
    let made = try await client.goals.createGoal(.small)
    guard var goal = made.goal else { throw BenchmarkError("no goal in the reply") }
    let first = try await place(Self.few)
    var withFew = 0.0
    for round in 0..<Self.fewRounds {
      withFew += try await place(Self.few).cpu
      guard round % 7 == 0, round < 28 else { continue }
      goal.title = "Aprender FastAPI, \(round)"
      let request = UpdateGoalRequest(
        goalId: goal.id, goal: goal, updateMask: FieldMask(paths: ["title"]),
        expectedVersion: goal.version)
      goal = try await client.goals.updateGoal(request).goal ?? goal
    }
    withFew /= Double(Self.few * Self.fewRounds)
    let much = try await place(Self.many)
    let withMany = much.cpu / Double(Self.many)
    _ = try await place(Self.many / 3)
    let pages = try await pagesOfRead(of: goal.id, client)
    say(
      "a position: \(number(withFew * 1e6)) us of CPU with \(Self.few) waiting (the first batch "
        + "\(number(first.cpu * 1e6 / Double(Self.few)))), \(number(withMany * 1e6)) with \(Self.many); "
        + "five events of \(try server.database.sql("SELECT count(*) FROM events")): \(number(pages)) pages"
    )
    let ratio = withMany / withFew
    report.figures += [
      Figure("log.stamp_events_per_second", Double(Self.many) / much.seconds, unit: "events/s"),
      Figure("log.stamp_cpu_us", withFew * 1e6, unit: "CPU µs/event, 1,000 waiting"),
      Figure("log.stamp_backlog_ratio", ratio, unit: "of that with 200,000 waiting, allowed are 2"),
      Figure("log.filtered_read_pages", pages, unit: "pages for 5 events of 300,000"),
    ]
    report.promises.append(
      Promise(
        "a position costs at most twice as much with 200,000 events waiting as with 1,000",
        holds: ratio <= Self.targetRatio, isBinding: true))
  }

  /// Inserts so many events at once, and waits until they have positions.
  private func place(_ count: Int) async throws -> (cpu: Double, seconds: Double) {
    let database = server.database
    let end = try await settledEnd() + count
    let process = try sequencer()
    let before = try ProcessUsage.cpuSeconds(of: process)
    try database.sql(
      """
      INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload, metadata,
        schema_version, created_at)
      SELECT gen_random_uuid(), 'goal.created', 'goal', gen_random_uuid(), 1, e.user_id, e.payload,
        e.metadata, 1, now()
      FROM (SELECT * FROM events WHERE event_type = 'goal.created' ORDER BY seq LIMIT 1) e,
        generate_series(1, \(count))
      """, as: .administrator)
    let committed = ContinuousClock.now
    while try last() < end {
      guard ContinuousClock.now < committed + Self.limit else {
        throw BenchmarkError("events were left without a position after \(Self.limit)")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    let seconds = (ContinuousClock.now - committed).inSeconds
    guard try sequencer() == process else { throw BenchmarkError("another session leads now") }
    return (try ProcessUsage.cpuSeconds(of: process) - before, seconds)
  }

  private func settledEnd() async throws -> Int {
    try await server.database.waitUntilSequenced()
    return try last()
  }

  private func last() throws -> Int {
    Int(try server.database.sql("SELECT coalesce(max(position), 0) FROM event_positions")) ?? 0
  }

  private func sequencer() throws -> Int32 {
    let text = try server.database.sql(
      "SELECT pid FROM pg_stat_activity WHERE application_name LIKE '%sequencer'",
      as: .administrator)
    guard let process = Int32(text) else { throw BenchmarkError("no session leads: \(text)") }
    return process
  }

  /// Pages that the one statement of ReadEvents touches, as `pg_stat_statements` counts them.
  private func pagesOfRead(of goal: String, _ client: HitoClient) async throws -> Double {
    let database = server.database
    try database.sql("ANALYZE events, event_positions", as: .administrator)
    try database.sql(
      "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset()",
      as: .administrator)
    let read = try await client.events.readEvents(
      ReadEventsRequest(filter: EventFilter(goalIds: [goal]), pageSize: 100))
    guard read.events.count == 5, read.atEnd else {
      throw BenchmarkError("\(read.events.count) events of the goal were read")
    }
    let text = try database.sql(
      """
      SELECT sum(shared_blks_hit + shared_blks_read) FROM pg_stat_statements
      WHERE query LIKE '%looked AS MATERIALIZED%'
      """, as: .administrator)
    guard let pages = Double(text) else {
      throw BenchmarkError("the read was not counted: \(text)")
    }
    return pages
  }
}
