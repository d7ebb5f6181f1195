import Domain
import PostgresStore
import TestSupport
import Testing

/// What a new goal is written with: plain inserts, nothing looked for.
@Suite struct NewGoalTests {
  /// Rows are listed up to eight, and read out of arrays beyond.
  @Test(arguments: [0, 1, 7, 8, 9, 20])
  func anyNumberOfTasksIsWrittenInOrder(_ taskCount: Int) async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let new = try store.newGoal(owner: ada, taskCount: taskCount)
      #expect(try await store.save(new) == .committed)
      let read = try await store.load(new.goal.id, as: ada)
      #expect(read.goal == new.goal && read.tasks == new.tasks)
      let session = try await store.script()
      let ids = try await session.run(
        "SELECT id FROM events WHERE entity_type IN ('goal', 'task') ORDER BY seq")
      #expect(ids.map { $0[0] } == new.events.map(\.id.description))
    }
  }

  /// With its vector a passage waits for none; without one, or with one of another model, it does.
  @Test(arguments: [RetrievalStoreTests.model, "another", nil])
  func itsPassageWaitsWhereItsVectorIsNotOfTheActiveModel(_ model: String?) async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let new = try store.newGoal(owner: ada)
      let passage = Passage(
        kind: .goal, entityID: new.goal.id, userID: ada.id, title: "Aprender",
        content: "Aprender APIs",
        language: "")
      let upsert = PassageUpsert(
        passage: passage, contentHash: [UInt8](repeating: 7, count: 32),
        embedding: model.map { PassageEmbedding(model: $0, vector: RetrievalStoreTests.vector(3)) })
      let update = PassageUpdate(
        kind: .goal, entityID: new.goal.id, upserts: [upsert], isOfNewEntity: true)
      let write = Write(
        changes: [.saveGoal(new), .savePassages(update)], events: new.events, reply: nil)
      #expect(try await store.writes.commit(write) == .committed)
      let isReady = model == RetrievalStoreTests.model
      let session = try await store.script()
      #expect(
        try await session.run(
          "SELECT waits, attempts, words @@ to_tsquery('english', 'api') FROM passages")
          == [[isReady ? "f" : "t", "0", "t"]])
      #expect(
        try await session.run(
          "SELECT content, model, encode(content_hash, 'hex'), metadata->>'title' FROM embeddings")
          == (isReady
            ? [["Aprender APIs", model, String(repeating: "07", count: 32), "Aprender"]] : []))
      // A row version each: nothing is written twice.
      #expect(
        try await session.run("SELECT DISTINCT ctid FROM passages") == [["(0,1)"]])
    }
  }
}
