import Domain
import PostgresStore
import Testing

/// What waits for a vector, and moving to another model.
@Suite struct EmbeddingStoreTests {
  static let start = StoreFixture.start

  private func take(_ store: StoreFixture, at now: Timestamp = start) async throws
    -> [WaitingPassage]
  {
    try await store.embeddings.takeWaiting(
      limit: 10, at: now, until: now.advanced(by: .seconds(60)), includingTaken: false)
  }

  @Test func aPassageWaitsUntilItsTextIsEmbedded() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let goal = try await store.addGoal(owner: ada)
      try await store.savePassage(.goal, goal.goal.id, ada, "uno", nil, hash: 1)
      #expect(try await store.embeddings.hasUntried())
      let taken = try await take(store)
      #expect(taken.map(\.content) == ["uno"])
      #expect(try await take(store).isEmpty, "another worker has it")
      // The text changes before the vector comes: that one is dropped.
      try await store.savePassage(.goal, goal.goal.id, ada, "dos", nil, hash: 2)
      let made = taken.map {
        MadeEmbedding(
          key: $0.key, contentHash: $0.contentHash, vector: RetrievalStoreTests.vector(1))
      }
      try await store.embeddings.store(made, model: RetrievalStoreTests.model, at: Self.start)
      #expect(try await store.embeddings.counts().storedCount == 0)
      let again = try await take(store)
      #expect(again.map(\.content) == ["dos"])
      let right = again.map {
        MadeEmbedding(
          key: $0.key, contentHash: $0.contentHash, vector: RetrievalStoreTests.vector(1))
      }
      try await store.embeddings.store(right, model: "other", at: Self.start)
      #expect(try await store.embeddings.counts().storedCount == 0, "not the active model")
      try await store.embeddings.store(right, model: RetrievalStoreTests.model, at: Self.start)
      var counts = try await store.embeddings.counts()
      #expect(counts.storedCount == 1 && counts.waitingCount == 0)
      // The same text again is not embedded twice; a new one is.
      try await store.savePassage(.goal, goal.goal.id, ada, "dos", nil, hash: 2)
      #expect(try await store.embeddings.counts().waitingCount == 0)
      try await store.savePassage(.goal, goal.goal.id, ada, "tres", nil, hash: 3)
      counts = try await store.embeddings.counts()
      // The vector of what it said before is gone: no question finds it by that any more.
      #expect(counts.storedCount == 0 && counts.waitingCount == 1)
    }
  }

  @Test func failuresAreTriedAgainLaterAndSeen() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let goal = try await store.addGoal(owner: ada)
      try await store.savePassage(.goal, goal.goal.id, ada, "uno", nil)
      let keys = try await take(store).map(\.key)
      let later = Self.start.advanced(by: .seconds(5))
      try await store.embeddings.fail(keys, error: "the provider is away", nextAttemptAt: later)
      #expect(try await take(store).isEmpty)
      #expect(try await store.embeddings.hasUntried() == false)
      let problems = try await store.embeddings.counts().problems
      #expect(
        problems == [
          EmbeddingProblem(
            key: keys[0], error: "the provider is away", attemptCount: 1, nextAttemptAt: later)
        ])
      #expect(try await take(store, at: later).map(\.attemptCount) == [1])
    }
  }

  @Test func anEventIsEmbeddedOnceItsPassagesAre() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let goal = try await store.addGoal(owner: ada, taskCount: 1)
      let events = try await store.sequenceAll().filter { $0.entityType != "user" }
      #expect(events.count == 2)
      for event in events {
        #expect(try await store.embeddings.isEmbedded(event: event.id))
      }
      try await store.savePassage(.goal, goal.goal.id, ada, "uno", nil)
      for event in events {
        #expect(try await store.embeddings.isEmbedded(event: event.id) == false, "\(event.type)")
      }
      #expect(try await store.embeddings.isEmbedded(event: EntityID(high: 1, low: 1)) == false)
    }
  }

  @Test func anotherModelIsFilledBesideAndTakesThePlaceAtOnce() async throws {
    try await StoreFixture.run { store in
      let ines = try await store.addUser("Inés", role: .instructor)
      let ada = try await store.addUser("Ada")
      let course = try await store.addCourse(owner: ines)
      _ = try await store.enrol(ada, in: course)
      try await store.savePassage(
        .course, course.id, ines, "FastAPI", RetrievalStoreTests.vector(1), hash: 1)
      let goal = try await store.addGoal(owner: ada)
      try await store.savePassage(
        .goal, goal.goal.id, ada, "meta", RetrievalStoreTests.vector(2), hash: 2)
      let change = PostgresEmbeddingSwitch(
        store.database,
        owner: ConnectionSettings(conninfo: store.connection.conninfo(role: .owner)))
      let next = StoredModel(name: "text-embedding-3-small", dimensionCount: 1536)
      try await change.begin(next)
      #expect(try await store.embeddings.models().next == next)
      try await change.begin(next)
      let missing = try await change.missing(after: nil, limit: 10)
      #expect(missing.map(\.content) == ["FastAPI", "meta"])
      #expect(try await change.missing(after: missing[0].key, limit: 10).count == 1)
      // One of them only: the other is written while the switch completes, so to say.
      try await change.storeNext(
        [
          MadeEmbedding(
            key: missing[0].key, contentHash: missing[0].contentHash,
            vector: RetrievalStoreTests.vector(1, dimensionCount: 1536))
        ], model: next.name, at: Self.start)
      // Another server's vectors of another model are not mixed in, and it can not complete this.
      try await change.storeNext(
        [
          MadeEmbedding(
            key: missing[1].key, contentHash: missing[1].contentHash,
            vector: RetrievalStoreTests.vector(1, dimensionCount: 1536))
        ], model: "other", at: Self.start)
      #expect(try await store.embeddings.counts().nextCount == 1)
      try await change.buildIndex()
      await #expect(throws: StoreError.self) {
        try await change.complete(StoredModel(name: "other", dimensionCount: 1536))
      }
      try await change.complete(next)
      let counts = try await store.embeddings.counts()
      #expect(counts.models == StoredModels(active: next, next: nil))
      #expect(counts.storedCount == 1 && counts.waitingCount == 1)
      #expect(try await take(store).map(\.content) == ["meta"])
      // The old model's vectors are refused, the new one's find; the copy of the enrolled is there.
      let scope = SearchScope.courses([course.id])
      let old = RetrievalStoreTests.query(scope, axis: 1)
      #expect(try await store.retrieval.candidates(old) == .otherModel)
      let query = CandidateQuery(
        scope: scope,
        vector: PassageEmbedding(
          model: next.name, vector: RetrievalStoreTests.vector(1, dimensionCount: 1536)),
        words: nil, limit: 3)
      #expect(try await store.found(query).byMeaning.count == 1)
      let session = try await store.script()
      let copies = try await session.run(
        "SELECT count(*) FROM embeddings WHERE user_id = '\(ada.id)' AND is_copy")
      #expect(copies == [["1"]])
      // A write of the old model's vector that was under way: it waits for the new one.
      try await store.savePassage(
        .goal, goal.goal.id, ada, "otra", RetrievalStoreTests.vector(3), hash: 3)
      #expect(try await store.embeddings.counts().waitingCount == 1)
    }
  }

  /// An index of millions of vectors takes longer to build than any call may take.
  @Test func aSwitchOutlivesTheLimitsOfOrdinarySessions() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let goal = try await store.addGoal(owner: ada)
      try await store.savePassage(.goal, goal.goal.id, ada, "meta", nil)
      try await TestAdministrator.limitSessions(of: store.connection)
      try await TestAdministrator.slowDown("CREATE INDEX", seconds: 0.6, in: store.connection)
      try await TestAdministrator.slowDown("DROP TABLE", seconds: 1.2, in: store.connection)
      let change = PostgresEmbeddingSwitch(
        store.database,
        owner: ConnectionSettings(conninfo: store.connection.conninfo(role: .owner)))
      let next = StoredModel(name: "next", dimensionCount: 3)
      try await change.begin(next)
      try await change.buildIndex()
      try await change.complete(next)
      #expect(try await store.embeddings.models() == StoredModels(active: next, next: nil))
    }
  }

  /// The copies are made before the switch is completed; what changes in between counts.
  @Test func thoseWhoEnrolOrLeaveDuringASwitchAreNotPassedOver() async throws {
    try await StoreFixture.run { store in
      let ines = try await store.addUser("Inés", role: .instructor)
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      var courses: [Course] = []
      for number in 0..<2 {
        let course = try await store.addCourse(owner: ines)
        try await store.savePassage(
          .course, course.id, ines, "curso \(number)", RetrievalStoreTests.vector(number), hash: 1)
        _ = try await store.enrol(ada, in: course)
        courses.append(course)
      }
      let change = PostgresEmbeddingSwitch(
        store.database,
        owner: ConnectionSettings(conninfo: store.connection.conninfo(role: .owner)))
      let next = StoredModel(name: "next", dimensionCount: 3)
      try await change.begin(next)
      let missing = try await change.missing(after: nil, limit: 10)
      try await change.storeNext(
        missing.map {
          MadeEmbedding(key: $0.key, contentHash: $0.contentHash, vector: [1, 2, 3])
        }, model: next.name, at: Self.start)
      try await change.buildIndex()
      let session = try await store.script()
      let made = try await session.run("SELECT count(*) FROM embeddings_next WHERE is_copy")
      #expect(made == [["2"]])
      // Bob comes, Ada leaves one course, and the other one's text changes.
      for course in courses { _ = try await store.enrol(bob, in: course) }
      try await session.run(
        "UPDATE enrolments SET is_active = false, state = 'left' WHERE user_id = '\(ada.id)' "
          + "AND course_id = '\(courses[0].id)'")
      try await store.savePassage(
        .course, courses[1].id, ines, "otro texto", RetrievalStoreTests.vector(3), hash: 2)
      try await change.complete(next)
      let copies = try await session.run(
        "SELECT user_id, entity_id, content FROM embeddings WHERE is_copy")
      #expect(copies == [["\(bob.id)", "\(courses[0].id)", "curso 0"]])
      // The changed one waits for its vector, which brings the copies of both.
      let waiting = try await take(store)
      #expect(waiting.map(\.content) == ["otro texto"])
      try await store.embeddings.store(
        waiting.map {
          MadeEmbedding(key: $0.key, contentHash: $0.contentHash, vector: [1, 2, 3])
        }, model: next.name, at: Self.start)
      try await store.copyCourses()
      let later = try await session.run(
        "SELECT user_id FROM embeddings WHERE is_copy AND content = 'otro texto'")
      #expect(Set(later.map { $0[0] }) == ["\(ada.id)", "\(bob.id)"])
    }
  }

  @Test func aModelWhoseNameNoScriptCanHoldIsRefused() async throws {
    try await StoreFixture.run { store in
      let change = PostgresEmbeddingSwitch(
        store.database,
        owner: ConnectionSettings(conninfo: store.connection.conninfo(role: .owner)))
      for name in ["", "x'; DROP TABLE users; --", "a b", String(repeating: "x", count: 201)] {
        await #expect(throws: StoreError.self) {
          try await change.begin(StoredModel(name: name, dimensionCount: 3))
        }
      }
      await #expect(throws: StoreError.self) {
        try await change.begin(StoredModel(name: "big", dimensionCount: 2001))
      }
      let models = try await store.embeddings.models()
      #expect(models.next == nil)
    }
  }

  @Test func countsAreToldWhileTheTablesChangeNames() async throws {
    try await StoreFixture.run { store in
      let change = PostgresEmbeddingSwitch(
        store.database,
        owner: ConnectionSettings(conninfo: store.connection.conninfo(role: .owner)))
      try await change.begin(StoredModel(name: "next", dimensionCount: 3))
      #expect(try await store.embeddings.counts().nextCount == 0)
      // What a status sees that read the models before the switch was completed.
      let session = try await store.script()
      try await session.run("ALTER TABLE embeddings_next RENAME TO gone")
      #expect(try await store.embeddings.counts().nextCount == 0)
    }
  }
}
