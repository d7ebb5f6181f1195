import Domain
import Testing

@testable import PostgresStore

/// What reads of a part of the log touch in a log of 300,000 events.
@Suite struct WindowPlanTests {
  private static let rare = "'00000000-0000-7000-8000-0000000f0000'"
  private static let owner = "'00000000-0000-7000-8000-0000000e0000'"
  private static let common = "'00000000-0000-7000-8000-000000000001'"
  private static let none = "'{}'"

  /// Five events, each with everything that is rare, and 299,995 others: a fifth of one user, of one
  /// course and of each of five types.
  private static let rows = """
    INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload,
      metadata, schema_version, created_at)
    SELECT gen_random_uuid(), 'goal.created', 'goal', gen_random_uuid(), 1,
      CASE WHEN i % 60000 = 31 THEN \(rare)::uuid END, '{}', '{}', 1,
      timestamptz '2026-01-01' + i * interval '1 second' FROM generate_series(1, 300000) i;
    INSERT INTO event_positions (
      position, seq, event_type, user_id, goal_id, task_id, course_id, created_at)
    SELECT e.seq, e.seq,
      CASE WHEN isRare THEN 'rare.seen' ELSE
        (ARRAY['goal.created', 'goal.updated', 'task.created', 'task.updated', 'code.submitted'])
          [e.seq % 5 + 1] END,
      CASE WHEN isRare THEN \(rare)::uuid ELSE pg_temp.id(CASE e.seq % 5 WHEN 0 THEN 1
        ELSE e.seq % 2000 END) END,
      CASE WHEN isRare THEN \(rare)::uuid ELSE pg_temp.id(e.seq / 50) END,
      CASE WHEN isRare THEN \(rare)::uuid WHEN e.seq % 2 = 0 THEN pg_temp.id(e.seq / 10) END,
      CASE WHEN isRare THEN \(rare)::uuid ELSE pg_temp.id(CASE e.seq % 5 WHEN 0 THEN 1
        ELSE e.seq % 300 END) END, created_at
    FROM (SELECT *, seq % 60000 = 31 AS isRare FROM events) e
    """

  /// The parameters of a window from the beginning, for at most 100 events.
  private static func arguments(
    users: String = none, goals: String = none, tasks: String = none, courses: String = none,
    types: String = none, overseer: String = "NULL"
  ) -> String {
    "0, 300000, 100, 100, 262144, \(users), \(goals), \(tasks), \(courses), \(types), \(overseer)"
  }

  private struct Case {
    var lead: EventInterest.Lead
    var arguments: String
    var count = 5
    /// One of them is where the log begins.
    var pageMax = 41
    /// Of whose rows the session sees.
    var scope = "all"
  }

  private static let rareKey = "ARRAY[\(rare)]::uuid[]"
  private static let commonKey = "ARRAY[\(common)]::uuid[]"
  private static let manyKeys =
    "ARRAY[\((200..<300).map { "pg_temp.id(\($0))" }.joined(separator: ", "))]::uuid[]"
  /// What 100 events that are looked at and found cost: a page of each table, and the way to it.
  private static let fullPageMax = 600

  private static let cases = [
    Case(lead: .users, arguments: arguments(users: rareKey)),
    Case(lead: .goals, arguments: arguments(goals: rareKey)),
    Case(lead: .tasks, arguments: arguments(tasks: rareKey)),
    Case(lead: .courses, arguments: arguments(courses: rareKey)),
    Case(lead: .types, arguments: arguments(types: "'{rare.seen}'")),
    Case(lead: .types, arguments: arguments(types: "'{rare.*,none.*}'")),
    Case(
      lead: .overseer, arguments: arguments(overseer: owner), pageMax: 45, scope: "system"),
    Case(lead: .users, arguments: arguments(users: rareKey), scope: "own"),
    // What leads is rare, what it is bound by as well is not, and the other way round.
    Case(lead: .users, arguments: arguments(users: rareKey, types: "'{rare.*,goal.*}'")),
    Case(
      lead: .tasks,
      arguments: arguments(users: rareKey, goals: rareKey, tasks: rareKey, courses: rareKey)),
    Case(lead: .goals, arguments: arguments(goals: rareKey, types: "'{goal.created}'"), count: 0),
    Case(lead: .courses, arguments: arguments(courses: rareKey, overseer: owner), scope: "system"),
    // What there is much of costs what is looked at, found or not.
    Case(
      lead: .users, arguments: arguments(users: commonKey), count: 100, pageMax: fullPageMax),
    Case(
      lead: .courses, arguments: arguments(courses: commonKey, types: "'{task.*}'"), count: 0,
      pageMax: fullPageMax),
    Case(lead: .types, arguments: arguments(types: "'{goal.*}'"), count: 99, pageMax: fullPageMax),
    Case(lead: .everything, arguments: arguments(), count: 100, pageMax: fullPageMax),
    // A hundred values with eight of each looked at.
    Case(lead: .goals, arguments: arguments(goals: manyKeys), count: 8, pageMax: 600),
  ]

  /// With plans for the values and for any values, with statistics from when the table was small and
  /// all alike, and with those of now.
  @Test func aReadCostsWhatItReturns() async throws {
    try await StoreFixture.run { store in
      var settings = ConnectionSettings(conninfo: store.connection.conninfo(role: .administrator))
      settings.limits.statement = .seconds(300)
      // The vacuum that the server starts by itself holds a table for longer than calls may wait.
      settings.limits.lock = .zero
      let session = try await ScriptSession(settings)
      try await session.run(
        """
        SET session_replication_role = replica;
        CREATE FUNCTION pg_temp.id(i bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
          $$ SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid $$;
        ALTER TABLE events SET (autovacuum_enabled = false);
        ALTER TABLE event_positions SET (autovacuum_enabled = false);
        INSERT INTO courses SELECT \(Self.rare), \(Self.owner), 't', 'd', 'es',
          '{"technologies": []}', 'active', 1, now(), now();
        INSERT INTO event_positions (position, seq, event_type, user_id, goal_id, task_id, course_id,
          created_at)
        SELECT 1000000 + i, 1000000 + i, 'goal.created', \(Self.common), \(Self.common),
          \(Self.common), \(Self.common), now() FROM generate_series(1, 100) i;
        SET lock_timeout = 0; ANALYZE; DELETE FROM event_positions; \(Self.rows);
        \(PostgresDatabase.inOrderOfIndexes)
        """)
      for lead in EventInterest.Lead.allCases where lead != .nothing {
        let statement = EventStatements.window(by: lead).statement
        let types = statement.parameters.map(\.sqlName).joined(separator: ", ")
        try await session.run("PREPARE \"\(statement.name)\" (\(types)) AS \(statement.text)")
      }
      for statistics in ["old", "new"] {
        for mode in ["force_generic_plan", "force_custom_plan"] {
          try await session.run("SET plan_cache_mode = \(mode)")
          for test in Self.cases {
            try await Self.run(test, in: session, "\(statistics) statistics, \(mode)")
          }
        }
        try await session.run("ANALYZE")
      }
    }
  }

  private static func run(
    _ test: Case, in session: ScriptSession, _ circumstances: String
  ) async throws {
    let name = EventStatements.window(by: test.lead).statement.name
    let call = "EXECUTE \"\(name)\" (\(test.arguments))"
    try await session.run(
      "SET ROLE \(ClusterRole.application.rawValue);"
        + "SET hito.scope = '\(test.scope)'; SET hito.caller = \(test.scope == "own" ? rare : "''")"
    )
    let rows = try await session.run(call).filter { $0[0] != nil }
    let plan = try await session.run("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) \(call)")
    let pages = ["Hit", "Read"].map { name in
      plan[0][0]?.firstMatch(of: try! Regex("\"Shared \(name) Blocks\": ([0-9]+)"))
        .flatMap { $0[1].substring }.flatMap { Int($0) } ?? 0
    }.reduce(0, +)
    try await session.run("RESET ROLE")
    #expect(rows.count == test.count, "\(name) (\(test.arguments)), \(circumstances)")
    #expect(
      pages <= test.pageMax,
      "\(name) (\(test.arguments)), \(circumstances): \(pages) pages\n\(plan[0][0] ?? "")")
  }
}
