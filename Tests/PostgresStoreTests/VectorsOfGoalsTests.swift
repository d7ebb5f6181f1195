import Testing

@testable import PostgresStore

/// Goals are not in the index over vectors (`Migration.vectorsOfGoals`).
@Suite struct VectorsOfGoalsTests {
  private static let definition =
    "USING hnsw (embedding vector_cosine_ops) WHERE (entity_type <> 'goal'::text)"

  /// What an attempt leaves that ended while its index was built, and a move to another model that is
  /// under way, which had its indexes already.
  @Test func anInterruptedMigrationAndAMoveToAnotherModelComeToTheSame() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      let settings = ConnectionSettings(conninfo: connection.conninfo(role: .owner))
      let migrator = Migrator(settings)
      let version = Migration.vectorsOfGoals.version
      _ = try await migrator.migrate(to: version - 1)
      let session = try await ScriptSession(settings)
      let texts =
        "('Aprender FastAPI', 'Las pruebas, con APIs and the tests of it'), ('', ''), ('x', 'x')"
      let words = "SELECT hito_words(t, c)::text FROM (VALUES \(texts)) v (t, c)"
      let before = try await session.run(words)
      try await session.run(
        """
        INSERT INTO embeddings (id, entity_type, entity_id, content, embedding, model, content_hash,
          created_at, updated_at)
        SELECT gen_random_uuid(), (ARRAY['goal', 'course', 'code_snapshot'])[i % 3 + 1],
          gen_random_uuid(), '', array_fill(i, ARRAY[512])::vector, 'm', sha256(''), now(), now()
        FROM generate_series(1, 30) i;
        CREATE TABLE embeddings_next (LIKE embeddings INCLUDING ALL);
        CREATE INDEX embeddings_embedding_fresh ON embeddings (id)
        """)
      _ = try await migrator.migrate(to: version)
      let indexes = try await session.run(
        """
        SELECT c.relname, pg_get_indexdef(i.indexrelid), i.indisvalid FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relname LIKE 'embeddings%' AND pg_get_indexdef(i.indexrelid) LIKE '%vector_cosine_ops%'
          AND pg_get_indexdef(i.indexrelid) NOT LIKE '%halfvec%'
        """)
      #expect(indexes.map { $0[0] } == ["embeddings_embedding_idx"])
      #expect(indexes.first?[1]?.hasSuffix(Self.definition) == true)
      #expect(indexes.first?[2] == "t")
      #expect(try await session.run(words) == before)
    }
  }

  /// Of each of the three queries of the notes, the plan where nothing but an index may be read.
  @Test func theNotesFindGoalsByTheirOwnerAndCodeByItsVector() async throws {
    try await StoreFixture.run { store in
      let session = try await store.script()
      try await session.run("SET enable_seqscan = off; SET enable_sort = off")
      let queries = try DesignNotesTests.statements().filter { $0.hasPrefix("SELECT") }
      var plans: [String] = []
      for query in queries {
        let bound = query.replacing(
          ":query_embedding", with: "array_fill(0.25, ARRAY[512])::vector"
        ).replacing(":user_id", with: "gen_random_uuid()").replacing(":language", with: "'python'")
        plans.append(
          try await session.run("EXPLAIN \(bound)").compactMap { $0[0] }.joined(separator: "\n"))
      }
      let usesVectors = plans.map { $0.contains("embeddings_embedding_idx") }
      #expect(usesVectors.first == false && usesVectors.last == true, "\(plans)")
    }
  }
}
