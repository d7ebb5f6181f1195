import Testing

@testable import PostgresStore

/// What statements read where the platform is large: pages, counted by running them.
extension PlanTests {
  /// A statement, its arguments as SQL, and the most pages it may read.
  struct Cost {
    var statement: any StatementSource
    var arguments: String
    var pageMax: Int
    var role = ClusterRole.application.rawValue
  }

  /// The first second of which 1,000 rows have come since.
  private static let floor = "timestamptz '2026-01-01' + interval '99000 s'"
  private static let courseFloor = "timestamptz '2026-01-01' + interval '19000 s'"

  static let costs: [Cost] = [
    // Lists of everybody's, of which hardly any or no row is wanted.
    Cost(statement: GoalStatements.floor, arguments: "'-infinity', 'infinity', 1000", pageMax: 100),
    Cost(
      statement: GoalStatements.courseFloor,
      arguments: "'-infinity', 'infinity', 20, \(course)", pageMax: 100),
    Cost(
      statement: GoalStatements.statusFloor,
      arguments: "'-infinity', 'infinity', 500, 'archived'", pageMax: 100),
    Cost(
      statement: GoalStatements.listAll,
      arguments:
        "true, \(user), false, \(open), NULL, \(floor), 'infinity', 'no such title', \(end)",
      pageMax: 100),
    Cost(
      statement: GoalStatements.taskFloor, arguments: "'-infinity', 'infinity', 1000", pageMax: 100),
    Cost(
      statement: GoalStatements.tasksAll,
      arguments: "true, \(user), false, '{archived}', \(floor), \(end)", pageMax: 200),
    Cost(
      statement: CourseStatements.floor, arguments: "'-infinity', 'infinity', 1000", pageMax: 100),
    Cost(
      statement: CourseStatements.list,
      arguments: "true, \(user), '{active}', 'cobol', \(courseFloor), \(end)", pageMax: 100),
    Cost(
      statement: SnapshotStatements.floor, arguments: "'-infinity', 'infinity', 1000", pageMax: 100),
    Cost(
      statement: SnapshotStatements.listAll,
      arguments: "true, \(user), false, 'errored', \(floor), \(end)", pageMax: 100),
    Cost(statement: UserStatements.floor, arguments: "'-infinity', 'infinity', 1000", pageMax: 100),
    Cost(
      statement: UserStatements.list,
      arguments: "true, \(user), false, \(courseFloor), \(end)", pageMax: 100),
    Cost(statement: TokenStatements.list, arguments: "true, \(user), 100", pageMax: 150),
    // 120,000 numbers in use, a hole at the beginning.
    Cost(statement: EventStatements.newestUnsequenced, arguments: "", pageMax: 40),
    Cost(statement: EventStatements.end, arguments: "1000", pageMax: 400),
    Cost(statement: SequencerStatements.mark, arguments: "", pageMax: 10),
    Cost(
      statement: SequencerStatements.positioned, arguments: "119900, '{1}', '{5}'", pageMax: 20),
    Cost(
      statement: ReplyStatements.purgeKeys,
      arguments: "'2026-01-01', '2026-01-01 01:00', 100, NULL", pageMax: 500),
    // 100,000 passages, of which 10,000 wait because the provider has been away for long.
    Cost(statement: EmbeddingStatements.counts, arguments: "1000", pageMax: 20),
    Cost(statement: EmbeddingStatements.hasUntried, arguments: "", pageMax: 10),
    Cost(statement: EmbeddingStatements.problems, arguments: "100", pageMax: 250),
    Cost(
      statement: EmbeddingStatements.take, arguments: "64, '2025-01-01', '2025-01-02', false",
      pageMax: 10),
    // 50,000 passages of code have the word and a vector, 5 of them are the learner's, who is in the
    // courses of 144 graders.
    Cost(
      statement: SearchStatements.words(SearchStatements.code),
      arguments: "NULL, 'm', \(coder), '{}', NULL, false, 'comun', 40", pageMax: 12_000,
      role: ReaderRole.name),
    Cost(
      statement: SearchStatements.size(SearchStatements.code),
      arguments: "NULL, 'm', \(coder), '{}', NULL, false, 1000", pageMax: 1500,
      role: ReaderRole.name),
    Cost(
      statement: SearchStatements.exact(SearchStatements.code),
      arguments: "\(vector), 'use-multilingual-3-int8', \(coder), '{}', NULL, false, 40",
      pageMax: 1500,
      role: ReaderRole.name),
  ]

  private static let coder = "pg_temp.id(77)"
  private static let vector = "array_fill(0.5::real, ARRAY[512])"

  static let growthRows = """
    INSERT INTO code_snapshots SELECT pg_temp.id(1000000 + i), pg_temp.id(i / 5), NULL, NULL, 'f', 'c',
      'python', NULL, NULL, '', 1, '2025-12-01', '2025-12-01', sha256('c'), NULL, false, NULL, NULL, false
      FROM generate_series(1, 50000) i;
    INSERT INTO passages (entity_type, entity_id, chunk_number, user_id, title, content,
      content_hash, language, document_path, anchor, waits, created_at, updated_at)
      SELECT 'code_snapshot', pg_temp.id(1000000 + i), 0, pg_temp.id(i / 5), 'f', 'comun ' || i,
        sha256('x'), 'python', '', '', false, now(), now() FROM generate_series(1, 50000) i;
    -- Building these takes minutes, and nothing here is read through them.
    DROP INDEX embeddings_half, embeddings_embedding_idx;
    INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
      content_hash, created_at, updated_at)
      SELECT gen_random_uuid(), 'code_snapshot', pg_temp.id(1000000 + i), pg_temp.id(i / 5), 'c',
        array_fill(0.5::real, ARRAY[512])::vector, 'use-multilingual-3-int8', sha256('x'), now(), now()
      FROM generate_series(1, 50000) i;
    UPDATE passages SET waits = true, attempts = 5, last_error = 'the provider is away',
      next_attempt_at = '2026-06-01'
      WHERE entity_type = 'goal' AND content LIKE '%0';
    UPDATE passages SET waits = false WHERE attempts = 0;
    UPDATE event_low_mark SET low = 0, high = 119900, holes = '{[1,6)}';
    """

  @Test func aScopeOfMoreExamplesThanAreComparedIsKnownAsSuch() {
    #expect(SearchStatements.exampleMax == PostgresRetrievalStore.exactMax + 1)
  }

  @Test func whatGrowsIsNotRead() async throws {
    try await StoreFixture.run { store in
      var settings = ConnectionSettings(conninfo: store.connection.conninfo(role: .administrator))
      settings.limits.statement = .seconds(300)
      // The vacuum that the server starts by itself holds a table for longer than calls may wait.
      settings.limits.lock = .zero
      let session = try await ScriptSession(settings)
      try await session.run(Self.rows)
      try await session.run(Self.retrievalRows)
      try await session.run(Self.growthRows)
      try await session.run("VACUUM")
      try await session.run(
        "SET lock_timeout = 0; SET default_statistics_target = 1000; ANALYZE; SET hito.scope = 'system'"
      )
      for mode in ["force_custom_plan", "force_generic_plan"] {
        try await session.run("SET plan_cache_mode = \(mode)")
        for cost in Self.costs {
          try await session.run("RESET ROLE")
          let (pages, plan) = try await session.pages(
            of: cost.statement, cost.arguments, role: cost.role)
          #expect(
            pages <= cost.pageMax,
            "\(cost.statement.statement.name), \(mode): \(pages) pages\n\(plan)")
        }
      }
    }
  }
}

extension ScriptSession {
  /// How many pages a statement reads and writes, and its plan. What it writes is taken back.
  func pages(
    of source: any StatementSource, _ arguments: String, role: String? = nil
  ) async throws -> (count: Int, plan: String) {
    let statement = source.statement
    let types = statement.parameters.map(\.sqlName).joined(separator: ", ")
    try await run(
      """
      DEALLOCATE ALL;
      PREPARE measured \(types.isEmpty ? "" : "(\(types))") AS \(statement.text);
      BEGIN; \(role.map { "SET LOCAL ROLE \($0);" } ?? "")
      """)
    // Once before, which fills what the session keeps of the catalogue and sets hint bits.
    let execute = "EXECUTE measured" + (arguments.isEmpty ? "" : "(\(arguments))")
    let plan = try await run(
      """
      SAVEPOINT one; EXPLAIN (ANALYZE) \(execute); ROLLBACK TO one;
      EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, COSTS OFF) \(execute)
      """
    ).compactMap { $0[0] }
    try await run("ROLLBACK")
    // The first is the whole statement's.
    let execution = plan.prefix { !$0.hasPrefix("Planning:") }
    let buffers = execution.first { $0.contains("Buffers: shared") } ?? ""
    let count = buffers.matches(of: /(?:hit|read|dirtied|written)=([0-9]+)/).filter {
      !$0.0.hasPrefix("dirtied") && !$0.0.hasPrefix("written")
    }.compactMap { Int($0.1) }.reduce(0, +)
    return (count, plan.joined(separator: "\n"))
  }
}
