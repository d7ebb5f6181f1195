import Domain
import FoundationEssentials
import PostgresStore
import Testing

/// The SQL of docs/design-notes.md runs as it stands.
@Suite struct DesignNotesTests {
  /// The statements of the document's SQL blocks, without comments.
  static func statements() throws -> [String] {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let text = try String(contentsOfFile: "/\(root)/docs/design-notes.md", encoding: .utf8)
    var blocks: [String] = []
    var block: String?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line == "```sql" {
        block = ""
      } else if line == "```", let finished = block {
        blocks.append(finished)
        block = nil
      } else if block != nil {
        block? += line.firstRange(of: "--").map { line[..<$0.lowerBound] } ?? line
        block? += "\n"
      }
    }
    return blocks.flatMap { $0.split(separator: ";") }
      .map { String($0.drop(while: \.isWhitespace)) }
      .filter { !$0.isEmpty }
  }

  @Test func theDocumentHasTheBlocksWeThinkItHas() throws {
    let statements = try Self.statements()
    #expect(statements.count { $0.hasPrefix("SELECT") } == 3)
    #expect(statements.count { $0.hasPrefix("CREATE INDEX") } == 6)
    #expect(statements.count == 9)
  }

  @Test func itsQueriesFindWhatIsThere() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada", role: .instructor)
      let course = try await store.addCourse(owner: ada, technologies: ["python", "fastapi"])
      var goal = try await store.addGoal(owner: ada, taskCount: 0)
      try goal.apply(.complete, expectedVersion: nil, context: store.context())
      _ = try await store.save(goal)
      let session = try await store.script()
      let snapshot = store.ids.next(at: StoreFixture.start)
      try await session.run(
        """
        INSERT INTO code_snapshots (id, user_id, file_path, code_content, language,
          validation_passed, validation_score, validation_feedback, version, created_at, updated_at,
          code_hash)
        VALUES ('\(snapshot)', '\(ada.id)', 'main.py', 'print()', 'python', true, 0.9, 'bien', 1,
          now(), now(), sha256('print()'))
        """)
      for (kind, entity) in [
        ("goal", goal.goal.id), ("course", course.id), ("code_snapshot", snapshot),
      ] {
        try await session.run(
          """
          INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
            content_hash, created_at, updated_at)
          VALUES (gen_random_uuid(), '\(kind)', '\(entity)', '\(ada.id)', 'contenido',
            array_fill(0.5, ARRAY[512])::vector, 'test', sha256('x'), now(), now())
          """)
      }
      var found: [[String?]] = []
      let queries = try Self.statements().filter { $0.hasPrefix("SELECT") }
      for (index, query) in queries.enumerated() {
        let bound = query.replacing(":query_embedding", with: "$1")
          .replacing(":user_id", with: "$2").replacing(":language", with: "$3")
        try await session.run("PREPARE notes_\(index) (vector, uuid, text) AS \(bound)")
        found += try await session.run(
          """
          EXECUTE notes_\(index) (array_fill(0.25, ARRAY[512])::vector, '\(ada.id)', 'python')
          """)
      }
      #expect(found.map { $0[0] } == [goal.goal.id, course.id, snapshot].map(\.description))
      #expect(found[1][3] == #"["python", "fastapi"]"#)
      for row in found { #expect(row.last??.hasPrefix("1") == true, "similarity of \(row)") }
    }
  }

  @Test func itsIndexesAreOurs() async throws {
    try await StoreFixture.run { store in
      let session = try await store.script()
      let sql = """
        SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        ORDER BY 1, 2
        """
      let ours = Set(try await session.run(sql))
      try await session.run(
        """
        DO $$
        DECLARE name text;
        BEGIN
          FOR name IN SELECT indexrelid::regclass::text FROM pg_index i
            WHERE indrelid::regclass::text IN ('embeddings', 'events', 'code_snapshots', 'goals')
              AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)
          LOOP
            EXECUTE 'DROP INDEX ' || name;
          END LOOP;
        END
        $$
        """)
      let before = Set(try await session.run(sql))
      for statement in try Self.statements() where statement.hasPrefix("CREATE INDEX") {
        try await session.run(statement)
      }
      let made = Set(try await session.run(sql)).subtracting(before)
      #expect(made.count == 6)
      // Same names, same definitions, but that goals are left out of the index over vectors.
      let vectors = "USING hnsw (embedding vector_cosine_ops)"
      let whole = Set(
        ours.map { row in
          row.map { $0?.replacing("\(vectors) WHERE (entity_type <> 'goal'::text)", with: vectors) }
        })
      #expect(whole != ours)
      #expect(made.isSubset(of: whole), "not ours: \(made.subtracting(whole))")
    }
  }
}
