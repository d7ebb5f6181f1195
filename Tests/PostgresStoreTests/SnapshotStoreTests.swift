import Domain
import PostgresStore
import Testing

/// What only the table knows of snapshots.
@Suite struct SnapshotStoreTests {
  @Test func theMigrationKeepsOldSnapshotsBothWays() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      let migrator = Migrator(MigrationTests.settings(connection))
      _ = try await migrator.migrate(to: 5)
      let session = try await ScriptSession(MigrationTests.settings(connection))
      try await session.run(
        """
        INSERT INTO users VALUES (gen_random_uuid(), NULL, 'Ada', NULL, 'learner', 'es', 'UTC',
          true, 1, now(), now());
        INSERT INTO code_snapshots (id, user_id, file_path, code_content, language,
          validation_passed, validation_score, version, created_at, updated_at)
          SELECT gen_random_uuid(), id, 'a.py', 'ñ', 'python', true, 0.9, 1, now(), now() FROM users
        """)
      let old = try await session.run("SELECT * FROM code_snapshots")
      #expect(try await migrator.migrate(to: 6) == [6])
      #expect(
        try await session.run(
          """
          SELECT code_hash = sha256('\\xc3b1'), reference_solution, shared, verdict
          FROM code_snapshots
          """) == [["t", "f", "f", nil]])
      #expect(try await migrator.migrate(to: 5) == [6])
      #expect(try await session.run("SELECT * FROM code_snapshots") == old)
    }
  }

  /// What the notes' queries ask for.
  @Test func theOldColumnsFollowTheVerdict() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser()
      for (verdict, score) in [
        (nil, nil), (.passed, 0.9), (.failed, 0), (.inconclusive, nil), (.errored, nil),
      ] as [(Verdict?, Double?)] {
        let judgement = verdict.map { SnapshotSuite.judgement($0, score: score) }
        _ = try await SnapshotSuite.add(store, by: ada, judgement: judgement)
      }
      let session = try await store.script()
      let columns = try await session.run(
        """
        SELECT verdict, validation_passed, validation_score FROM code_snapshots ORDER BY id
        """)
      #expect(
        columns == [
          [nil, nil, nil], ["passed", "t", "0.9"], ["failed", "f", "0"],
          ["inconclusive", nil, nil], ["errored", nil, nil],
        ])
    }
  }

  @Test func theTableRefusesWhatContradictsItself() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser()
      _ = try await SnapshotSuite.add(store, by: ada, judgement: SnapshotSuite.judgement())
      let session = try await store.script()
      for change in [
        "validation_passed = false", "verdict = 'failed'", "provenance = NULL",
        "validation_score = 1.5", "reference_solution = true", "code_hash = 'x'",
        "verdict = 'maybe'",
      ] {
        let error = await #expect(throws: ServerError.self) {
          try await session.run("UPDATE code_snapshots SET \(change)")
        }
        #expect(error?.sqlState == "23514", "\(change)")
      }
    }
  }
}
