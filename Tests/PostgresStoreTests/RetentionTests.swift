import Domain
import InMemoryStore
import Testing

@testable import PostgresStore

/// What was kept long enough goes, in batches, and nothing else does.
@Suite struct RetentionTests {
  private static let now = WallClock().now()
  private static let old = now.advanced(by: .seconds(-100 * 86_400))

  private static func count(_ query: String, _ script: ScriptSession) async throws -> Int? {
    try await script.run(query).first?.first.flatMap { $0 }.flatMap { Int($0) }
  }

  @Test func whatEndedLongAgoIsRemovedInBatchesAndTheRestStays() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let script = try await store.script()
      try await script.run(
        """
        INSERT INTO tokens (id, user_id, role, hash, label, scopes, created_at, expires_at, revoked_at)
          SELECT md5(i::text)::uuid, '\(ada.id)', 'learner', sha256(i::text::bytea), '', '{}',
            now() - interval '1000 days',
            CASE i % 4 WHEN 0 THEN now() - interval '200 days' WHEN 1 THEN now() + interval '1 day'
              WHEN 2 THEN now() + interval '1 day' ELSE now() - interval '50 days' END,
            CASE WHEN i % 4 = 1 THEN now() - interval '300 days' END
          FROM generate_series(1, 4000) i;
        INSERT INTO agent_runs (id, kind, user_id, caller_id, request, status, version, owner,
          lease_until, created_at, updated_at)
          SELECT gen_random_uuid(), 'goal', '\(ada.id)', '\(ada.id)', '{}',
            (ARRAY['running', 'awaiting_approval', 'completed', 'failed', 'cancelled', 'rejected'])
              [i % 6 + 1], 1, 'one', now(), now() - interval '900 days',
            now() - CASE WHEN i <= 600 THEN 200 ELSE 1 END * interval '1 day'
          FROM generate_series(1, 1200) i;
        INSERT INTO model_usage (user_id, hour, call_count, prompt_tokens, completion_tokens,
          cost_micros)
          SELECT '\(ada.id)', date_trunc('hour', now()) - i * interval '1 day', 1, 1, 1, 1
          FROM generate_series(0, 299) i
        """)
      let retention = PostgresRetention(store.database)
      let expected: [(PostgresRetention.Kind, removed: Int, left: String, leftCount: Int)] = [
        (.tokens, 2000, "tokens", 2000), (.runs, 400, "agent_runs", 800),
        (.usage, 200, "model_usage", 100),
      ]
      for (kind, removed, table, left) in expected {
        var batches: [Int] = []
        repeat {
          batches.append(try await retention.purge(kind, before: Self.old, limit: 150))
        } while batches.last != 0
        #expect(batches.reduce(0, +) == removed, "\(kind)")
        #expect(batches.max() == 150, "\(kind)")
        #expect(try await Self.count("SELECT count(*) FROM \(table)", script) == left, "\(kind)")
      }
      #expect(
        try await Self.count(
          "SELECT count(*) FROM agent_runs WHERE status IN ('running', 'awaiting_approval')", script
        )
          == 400)
      // Whatever a server's clock says, nothing of the last day goes.
      let future = Self.now.advanced(by: .seconds(100_000 * 86_400))
      while try await retention.purge(.usage, before: future, limit: 1000) > 0 {}
      #expect(
        try await Self.count(
          "SELECT count(*) FROM model_usage WHERE hour > now() - interval '23 hours'", script) == 1)
      while try await retention.purge(.tokens, before: future, limit: 1000) > 0 {}
      #expect(try await Self.count("SELECT count(*) FROM tokens", script) == 1000)
    }
  }

  @Test func aTokenGoesAfterThoseThatWereMadeWithIt() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let script = try await store.script()
      func add(_ id: Int, parent: Int?, expires: String) async throws {
        try await script.run(
          """
          INSERT INTO tokens (id, user_id, role, hash, label, scopes, created_at, expires_at, parent_id)
            VALUES (md5('\(id)')::uuid, '\(ada.id)', 'learner', sha256('\(id)'), '', '{}', now(),
              \(expires), \(parent.map { "md5('\($0)')::uuid" } ?? "NULL"))
          """)
      }
      let (past, future) = ("now() - interval '200 days'", "now() + interval '1 day'")
      try await add(1, parent: nil, expires: past)
      try await add(2, parent: 1, expires: past)
      try await add(3, parent: 2, expires: future)
      try await add(4, parent: nil, expires: past)
      try await add(5, parent: 4, expires: past)
      let retention = PostgresRetention(store.database)
      var batches: [Int] = []
      repeat {
        batches.append(try await retention.purge(.tokens, before: Self.old, limit: 10))
      } while batches.last != 0
      #expect(batches == [1, 1, 0])
      // The one that works keeps its family, which is revoked through it.
      #expect(
        try await Self.count(
          """
          SELECT count(*) FROM tokens WHERE id IN (md5('1')::uuid, md5('2')::uuid, md5('3')::uuid)
          """, script) == 3)
    }
  }

  /// The application's role may end nothing early, nor remove by itself.
  @Test func theServersRoleRemovesNothingElse() async throws {
    try await StoreFixture.run { store in
      for table in ["tokens", "agent_runs", "model_usage"] {
        let delete = Statement("test.delete_\(table)", "DELETE FROM \(table)")
        await #expect(throws: StoreError.self) {
          _ = try await store.database.write(delete(), for: .housekeeping)
        }
      }
    }
  }
}
