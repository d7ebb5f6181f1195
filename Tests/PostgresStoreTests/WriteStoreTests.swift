import Domain
import PostgresStore
import Testing

/// What only PostgreSQL has of writes: locks, and replies to purge.
@Suite struct WriteStoreTests {
  @Test(arguments: [true, false])
  func aConcurrentRepeatWaitsForTheFirst(firstCommits: Bool) async throws {
    try await StoreFixture.run { store in
      let owner = try await store.addUser()
      let script = try await store.script()
      let hash = String(repeating: "01", count: 32)
      try await script.run(
        """
        BEGIN;
        INSERT INTO idempotency_keys (caller_id, method, key, request_hash, reply) VALUES
          ('\(owner.id)', 'hito.v1.GoalService/CreateGoal', 'k', '\\x\(hash)', '\\x07')
        """)
      let goal = try store.newGoal(owner: owner)
      let reply = KeyedReply(request: store.request("k", by: owner), reply: [8])
      let repeated = Task { try await store.save(goal, reply: reply) }
      try await store.untilAnotherSessionWaitsForALock()
      try await script.run(firstCommits ? "COMMIT" : "ROLLBACK")
      #expect(try await repeated.value == (firstCommits ? .replayed([7]) : .committed))
    }
  }

  @Test func oldRepliesArePurgedInPortions() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      try await script.run(
        """
        INSERT INTO idempotency_keys (caller_id, method, key, request_hash, reply, created_at)
        SELECT gen_random_uuid(), 'm', 'k', sha256('x'), 'r',
          timestamptz '2026-01-01' + i * interval '1 minute'
        FROM generate_series(1, 30) i
        """)
      let rows = try await script.run(
        "SELECT (extract(epoch FROM timestamptz '2026-01-01 00:20:30') * 1000000)::bigint")
      let micros = try #require(rows[0][0].flatMap { Int64($0) })
      let before = Timestamp(microsecondsSinceEpoch: micros)
      #expect(try await store.writes.purgeReplies(before: before, limit: 15) == 15)
      #expect(try await store.writes.purgeReplies(before: before, limit: 15) == 5)
      #expect(try await script.run("SELECT count(*) FROM idempotency_keys") == [["10"]])
    }
  }
}
