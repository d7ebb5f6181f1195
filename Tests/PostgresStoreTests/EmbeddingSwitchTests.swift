import Domain
import Testing

@testable import PostgresStore

/// The end of a switch to another model: what it costs others, and what it leaves.
@Suite struct EmbeddingSwitchTests {
  private static let next = StoredModel(name: "next", dimensionCount: 3)

  private static func change(_ store: StoreFixture) -> PostgresEmbeddingSwitch {
    PostgresEmbeddingSwitch(
      store.database,
      owner: ConnectionSettings(conninfo: store.connection.conninfo(role: .owner)))
  }

  /// Passages of one learner, each with its vector of the next model but those after `vectorCount`.
  private static func fill(
    _ count: Int, vectorCount: Int, _ owner: User, _ script: ScriptSession
  ) async throws {
    try await script.run(
      """
      INSERT INTO passages (entity_type, entity_id, chunk_number, user_id, title, content,
        content_hash, language, document_path, anchor, waits, created_at, updated_at)
        SELECT 'goal', md5(i::text)::uuid, 0, '\(owner.id)', 't', 'texto ' || i, sha256('x'), 'es',
          '', '', false, now(), now() FROM generate_series(1, \(count)) i;
      INSERT INTO embeddings_next (id, entity_type, entity_id, user_id, content, embedding, model,
        content_hash, chunk_number, metadata, created_at, updated_at)
        SELECT gen_random_uuid(), 'goal', md5(i::text)::uuid, '\(owner.id)', 'c', '[1,2,3]', 'next',
          sha256('x'), 0, '{}', now(), now() FROM generate_series(1, \(vectorCount)) i;
      """)
  }

  private static func number(_ query: String, _ script: ScriptSession) async throws -> Int? {
    try await script.run(query).first?.first.flatMap { $0 }.flatMap { Int($0) }
  }

  @Test func whatIsDoneWhileOthersWaitDependsOnTheChanges() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let (change, script) = (Self.change(store), try await store.script())
      try await change.begin(Self.next)
      try await Self.fill(30_000, vectorCount: 30_000, ada, script)
      try await script.run("TRUNCATE embedding_changes")
      try await change.buildIndex()
      try await script.run("ANALYZE passages, embeddings_next; \(SwitchCompletion.list)")
      try await script.run(
        """
        UPDATE passages SET content_hash = sha256('y')
          WHERE entity_id IN (SELECT md5(i::text)::uuid FROM generate_series(1, 20) i)
        """)
      // What the session did before is not counted.
      try await script.run("SELECT pg_stat_force_next_flush()")
      try await script.run("BEGIN; \(SwitchCompletion.swapBody(model: Self.next.name))")
      let looked = try await Self.number(
        """
        SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables
        WHERE relname IN ('passages', 'embeddings', 'embeddings_old')
        """, script)
      let count = try #require(looked)
      #expect(count < 1000)
      #expect(
        try await script.run("SELECT count(*) FROM passages WHERE waits") == [["20"]])
      try await script.run("ROLLBACK")
      // More than that is not looked at then.
      try await script.run(
        "UPDATE passages SET content_hash = sha256('z') WHERE entity_id < '40000000-0000-0000-0000-000000000000'"
      )
      await #expect {
        try await script.run("BEGIN; \(SwitchCompletion.swapBody(model: Self.next.name))")
      } throws: {
        ($0 as? ServerError)?.sqlState == SwitchCompletion.tooMany
      }
      try await script.run("ROLLBACK")
      let changed = try await Self.number(
        "SELECT count(*) FROM passages WHERE content_hash <> sha256('x')", script)
      try await change.complete(Self.next)
      #expect(try await store.embeddings.models().active == Self.next)
      #expect(try await Self.number("SELECT count(*) FROM passages WHERE waits", script) == changed)
      let stale = """
        SELECT count(*) FROM embeddings e JOIN passages p USING (entity_type, entity_id, chunk_number)
        WHERE e.content_hash <> p.content_hash
        """
      #expect(try await Self.number(stale, script) == 0)
    }
  }

  @Test func writersAndReadersGoOnWhileASwitchWaitsForItsTurn() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let (change, script) = (Self.change(store), try await store.script())
      try await change.begin(Self.next)
      try await Self.fill(100, vectorCount: 100, ada, script)
      try await change.buildIndex()
      // A dump, or a long search.
      let holder = try await store.script()
      try await holder.run("BEGIN; SELECT count(*) FROM embeddings")
      let completing = Task { try await change.complete(Self.next) }
      try await store.untilAnotherSessionWaitsForALock()
      // Far longer than the switch may let them wait, and shorter than the dump.
      try await script.run("SET lock_timeout = '5s'")
      for number in 1...20 {
        try await script.run(
          """
          UPDATE passages SET content_hash = sha256('\(number)')
            WHERE entity_id = md5('\(number)')::uuid;
          SELECT count(*) FROM embeddings
          """)
      }
      #expect(try await store.embeddings.models().next == Self.next)
      try await holder.run("COMMIT")
      try await completing.value
      #expect(try await store.embeddings.models().active == Self.next)
      #expect(try await Self.number("SELECT count(*) FROM passages WHERE waits", script) == 20)
      #expect(try await Self.number("SELECT count(*) FROM embeddings", script) == 80)
    }
  }

  @Test func aSwitchWhoseServerDiedAfterTheSwapIsFinished() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let (change, script) = (Self.change(store), try await store.script())
      let old = try await store.embeddings.models().active
      let (first, second) = (
        try await store.addGoal(owner: ada), try await store.addGoal(owner: ada)
      )
      try await store.savePassage(.goal, first.goal.id, ada, "uno", nil)
      try await store.savePassage(.goal, second.goal.id, ada, "dos", nil)
      try await change.begin(Self.next)
      try await Self.fill(2600, vectorCount: 100, ada, script)
      try await change.buildIndex()
      try await script.run(SwitchCompletion.list)
      // The old model's worker goes on meanwhile.
      let waiting = try await store.embeddings.takeWaiting(
        limit: 1, at: StoreFixture.start, until: StoreFixture.start, includingTaken: false)
      try await store.embeddings.store(
        waiting.map {
          MadeEmbedding(
            key: $0.key, contentHash: $0.contentHash, vector: RetrievalStoreTests.vector(1))
        }, model: old.name, at: StoreFixture.start)
      while try await script.run(SwitchCompletion.catchUp) != [["0"]] {}
      try await script.run(SwitchCompletion.swap(model: Self.next.name))
      #expect(try await script.run(SwitchCompletion.isUnfinished) == [["t"]])
      try await change.finish()
      // All that has no vector waits for one, also what the old model's was just made for.
      #expect(try await Self.number("SELECT count(*) FROM passages WHERE waits", script) == 2502)
      #expect(try await Self.number("SELECT count(*) FROM passages WHERE NOT waits", script) == 100)
      #expect(try await script.run(SwitchCompletion.isUnfinished) == [["f"]])
      let triggers = "SELECT count(*) FROM pg_trigger WHERE tgname = 'hito_switch'"
      #expect(try await Self.number(triggers, script) == 0)
      // And the names are free for the next switch.
      let third = StoredModel(name: "third", dimensionCount: 4)
      try await change.begin(third)
      try await change.buildIndex()
      try await change.complete(third)
      #expect(try await store.embeddings.models() == StoredModels(active: third, next: nil))
      #expect(try await Self.number("SELECT count(*) FROM passages WHERE waits", script) == 2602)
    }
  }
}
