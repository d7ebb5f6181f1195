import Domain
import PostgresStore
import Testing

/// What only PostgreSQL has of writes: locks.
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
        WITH key AS (
          INSERT INTO idempotency_keys (caller_id, method, key, request_hash) VALUES
            ('\(owner.id)', 'hito.v1.GoalService/CreateGoal', 'k', '\\x\(hash)')
          RETURNING reply_id, created_at)
        INSERT INTO idempotency_replies
          SELECT hito_reply_slot(created_at), reply_id, '\(owner.id)', '\\x07' FROM key
        """)
      let goal = try store.newGoal(owner: owner)
      let reply = KeyedReply(request: store.request("k", by: owner), reply: [8])
      let repeated = Task { try await store.save(goal, reply: reply) }
      try await store.untilAnotherSessionWaitsForALock()
      try await script.run(firstCommits ? "COMMIT" : "ROLLBACK")
      #expect(try await repeated.value == (firstCommits ? .replayed([7]) : .committed))
    }
  }
}
