import BenchmarkSupport
import HitoClient

/// The sink's way, from the log in PostgreSQL to published Parquet files: many copies of real events
/// are put into the log at once, then the lake is flushed.
///
/// PostgreSQL's own COPY of the same rows into a file is what there is to compare with: it reads the
/// same, and writes text without columns, compression or flushes.
struct Sink {
  private static let sampleGoalCount = 100
  private static let flushLimit = Duration.seconds(180)

  let server: BenchServer
  let rowCount: Int

  func measure(_ report: inout Report) async throws {
    let learner = try await Learner.make(1, on: server)[0]
    let client = try await server.connect(token: learner.token)
    defer { client.close() }
    for _ in 0..<Self.sampleGoalCount { _ = try await client.goals.createGoal(.sample) }
    let admin = try await server.connect(token: try server.adminToken())
    defer { admin.close() }
    try await server.database.waitUntilSequenced()
    _ = try await admin.server.flushLake(FlushLakeRequest())

    try fillLog()
    let before = try server.usage()
    let start = ContinuousClock.now
    let flushed = try await admin.server.flushLake(
      FlushLakeRequest(), options: CallOptions(timeout: Self.flushLimit))
    let seconds = (ContinuousClock.now - start).inSeconds
    let used = try server.usage() - before
    guard flushed.rows > rowCount / 2 else {
      throw BenchmarkError("only \(flushed.rows) of \(rowCount) rows were left for the flush")
    }
    let rows = Double(flushed.rows)
    let copied = try copyRate()
    say(
      "\(flushed.rows) rows in \(number(seconds)) s, "
        + "\(number(used.server * 1e6 / rows)) µs of server CPU and "
        + "\(number(used.database * 1e6 / rows)) µs of PostgreSQL's each")
    report.figures += [
      Figure(
        "lake.sink_rows_per_second", rows / seconds, unit: "rows/s",
        peer: "PostgreSQL's COPY of the same rows to CSV", theirs: copied),
      Figure("lake.sink_server_cpu_us", used.server * 1e6 / rows, unit: "CPU µs/row"),
    ]
  }

  /// Copies of the events that there are, with positions as if they had been sequenced: what is
  /// measured is the sink alone.
  private func fillLog() throws {
    try server.database.sql(
      """
      BEGIN;
      WITH copies AS (
        INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload,
          metadata, schema_version, created_at)
        SELECT gen_random_uuid(), s.event_type, s.entity_type, gen_random_uuid(), 1, s.user_id,
          s.payload, s.metadata, s.schema_version, s.created_at
        FROM (SELECT *, count(*) OVER () AS count FROM events WHERE entity_type <> 'user') s
        CROSS JOIN generate_series(1, \(rowCount)) AS n
        WHERE n <= \(rowCount) / s.count + 1
        LIMIT \(rowCount)
        RETURNING *)
      INSERT INTO event_positions (position, seq, event_type, user_id, created_at)
      SELECT (SELECT coalesce(max(position), 0) FROM event_positions) + row_number() OVER (ORDER BY seq),
        seq, event_type, user_id, created_at
      FROM copies;
      COMMIT;
      """, as: .owner)
  }

  private func copyRate() throws -> Double {
    let start = ContinuousClock.now
    try server.database.sql(
      """
      \\copy (SELECT e.id, e.seq, p.position, e.event_type, e.entity_type, e.entity_id, e.version, \
      e.user_id, e.payload, e.metadata, e.schema_version, e.created_at \
      FROM event_positions p JOIN events e ON e.seq = p.seq ORDER BY p.position) TO '\(server.folder)/events.csv' CSV
      """, as: .owner)
    return Double(rowCount) / (ContinuousClock.now - start).inSeconds
  }
}
