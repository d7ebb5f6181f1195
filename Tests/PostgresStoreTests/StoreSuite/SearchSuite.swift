import Domain
import Testing

/// Passages: what a scope holds, what a learner may read, and what waits for its vector.
@Suite struct SearchSuite {
  private static func passage(
    _ kind: PassageKind, _ id: EntityID, _ owner: User, number: Int32 = 0
  ) -> Passage {
    Passage(
      kind: kind, entityID: id, userID: owner.id, chunkNumber: number, title: "Aprender",
      content: "FastAPI", language: "es")
  }

  /// The entities that a search finds, by meaning and by words alike.
  private static func found(
    _ scope: SearchScope, _ store: any TestedStore
  ) async throws -> Set<EntityID> {
    let query = CandidateQuery(
      scope: scope, vector: try await store.embedding(axis: 1), words: "FastAPI", limit: 10)
    guard case .found(let candidates) = try await store.retrieval.candidates(query) else {
      Issue.record("the model is not the active one")
      return []
    }
    let byMeaning = Set(candidates.byMeaning.map(\.key.entityID))
    #expect(byMeaning == Set(candidates.byWords.map(\.key.entityID)))
    return byMeaning
  }

  /// The entities of which the learner may read passages.
  private static func readable(
    _ passages: [Passage], by user: User, _ store: any TestedStore
  ) async throws -> Set<EntityID> {
    Set(
      try await store.retrieval.passages(passages.map(\.key), as: user.id).keys.map(\.entityID))
  }

  @Test(arguments: StoreKind.allCases)
  func goalsAreFoundAndReadByTheirLearnerAlone(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      var passages: [Passage] = []
      for user in [ada, bob] {
        let goal = try await store.addGoal(owner: user)
        passages.append(Self.passage(.goal, goal.goal.id, user))
        try await store.save(passages[passages.count - 1], axis: 1)
      }
      let own = passages[0].entityID
      func goals(_ statuses: [WorkStatus]) async throws -> Set<EntityID> {
        try await Self.found(.goals(learnerID: ada.id, statuses: statuses), store)
      }
      #expect(try await goals([.pending]) == [own])
      #expect(try await goals([.completed]).isEmpty)
      #expect(try await Self.readable(passages, by: ada, store) == [own])
    }
  }

  @Test(arguments: StoreKind.allCases)
  func coursesAreReadByTheirOwnerAndThoseEnrolled(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let ada = try await store.addUser("Ada")
      var course = try await store.addCourse(owner: teacher)
      let passage = Self.passage(.course, course.id, teacher, number: 1)
      try await store.save(passage, axis: 1)
      #expect(try await Self.found(.courses([course.id]), store) == [course.id])
      #expect(try await Self.found(.courses([]), store).isEmpty)
      func expect(_ users: [(User, Bool)]) async throws {
        for (user, reads) in users {
          let expected: [EntityID] = reads ? [course.id] : []
          #expect(try await store.retrieval.readableCourses(of: user.id) == expected)
          #expect(try await Self.readable([passage], by: user, store) == Set(expected))
        }
      }
      try await expect([(teacher, true), (ada, false)])
      var enrolment = try await store.enrol(ada, in: course)
      try await expect([(teacher, true), (ada, true)])
      enrolment.state = .left
      enrolment.version = 2
      _ = try await store.writes.commit(
        Write(changes: [.updateEnrolment(enrolment)], events: [], reply: nil))
      try await expect([(teacher, true), (ada, false)])
      _ = try course.apply(.delete, at: StoreFixture.start)
      _ = try await store.writes.commit(
        Write(changes: [.updateCourse(course)], events: [], reply: nil))
      try await expect([(teacher, false), (ada, false)])
    }
  }

  @Test(arguments: StoreKind.allCases)
  func codeOfOthersIsFoundWhereItIsAnExample(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      let course = try await store.addCourse(owner: teacher)
      let passed = SnapshotSuite.judgement()
      let own = try await SnapshotSuite.add(store, by: ada, judgement: passed)
      let shared = try await SnapshotSuite.add(store, by: bob, judgement: passed, isShared: true)
      let unshared = try await SnapshotSuite.add(store, by: bob, judgement: passed)
      let failed = try await SnapshotSuite.add(
        store, by: bob, judgement: SnapshotSuite.judgement(.failed), isShared: true)
      let solution = try await SnapshotSuite.add(
        store, by: teacher, reference: course, judgement: passed)
      let taught = try await SnapshotSuite.add(
        store, by: bob, judgement: SnapshotSuite.judgement(instructor: teacher), isShared: true)
      var passages: [Passage] = []
      for snapshot in [own, shared, unshared, failed, solution, taught] {
        passages.append(
          Passage(
            kind: .codeSnapshot, entityID: snapshot.id, userID: snapshot.userID, title: "main.py",
            content: "FastAPI", language: "python"))
        try await store.save(passages[passages.count - 1], axis: 1)
      }
      func code(_ courses: [EntityID], language: String? = "python") async throws -> Set<EntityID> {
        try await Self.found(
          .code(learnerID: ada.id, courses: courses, language: language, onlyValidated: true),
          store)
      }
      #expect(try await code([]) == [own.id, shared.id])
      #expect(try await code([course.id]) == [own.id, shared.id, solution.id])
      #expect(try await code([course.id], language: "swift").isEmpty)
      #expect(try await Self.readable(passages, by: ada, store) == [own.id, shared.id])
      _ = try await store.enrol(ada, in: course)
      #expect(
        try await Self.readable(passages, by: ada, store)
          == [own.id, shared.id, solution.id, taught.id])
      #expect(try await code([course.id]) == [own.id, shared.id, solution.id, taught.id])
      // What was said of code is its author's to read.
      let texts = try await store.retrieval.passages(passages.map(\.key), as: ada.id)
      for (key, text) in texts {
        let isOwn = key.entityID == own.id
        for name in ["validation_feedback", "validation_score"] {
          #expect((text.attributes[name] != nil) == isOwn, "\(name)")
        }
        #expect(text.attributes["verdict"] == "passed")
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aTextThatIsStoredAlreadyKeepsItsVector(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser()
      let goal = try await store.addGoal(owner: ada)
      let passage = Self.passage(.goal, goal.goal.id, ada)
      try await store.save(passage, axis: 1)
      try await store.save(passage, axis: nil)
      #expect(try await !store.embeddings.hasUntried())
      // Another text waits for its own.
      try await store.save(passage, axis: nil, hash: 2)
      #expect(try await store.embeddings.hasUntried())
      let now = StoreFixture.start
      func take(includingTaken: Bool = false) async throws -> [PassageKey] {
        try await store.embeddings.takeWaiting(
          limit: 10, at: now, until: now.advanced(by: .seconds(30)),
          includingTaken: includingTaken
        ).map(\.key)
      }
      #expect(try await take() == [passage.key])
      #expect(try await take() == [])
      let vector = try await store.embedding(axis: 2)
      func made(_ hash: UInt8) -> MadeEmbedding {
        MadeEmbedding(
          key: passage.key, contentHash: [UInt8](repeating: hash, count: 32),
          vector: vector.vector)
      }
      // Of the text before, or of another model: dropped.
      try await store.embeddings.store([made(1)], model: vector.model, at: now)
      try await store.embeddings.store([made(2)], model: "another", at: now)
      #expect(try await store.embeddings.counts().waitingCount == 1)
      try await store.embeddings.store([made(2)], model: vector.model, at: now)
      #expect(try await store.embeddings.counts().waitingCount == 0)
    }
  }
}
