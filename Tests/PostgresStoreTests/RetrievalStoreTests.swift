import Domain
import PostgresStore
import Testing

/// Searching real rows: who finds what, how, and in which order.
@Suite struct RetrievalStoreTests {
  static let model = "use-multilingual-3-int8"

  /// A vector near the axis `axis`: the larger `off`, the further from it.
  static func vector(_ axis: Int, off: Float = 0, dimensionCount: Int = 512) -> [Float] {
    var vector = [Float](repeating: 0, count: dimensionCount)
    vector[axis % dimensionCount] = 1
    vector[(axis + 1) % dimensionCount] = off
    let length = (1 + off * off).squareRoot()
    return vector.map { $0 / length }
  }

  static func query(
    _ scope: SearchScope, axis: Int, words: String? = nil, limit: Int = 10
  ) -> CandidateQuery {
    CandidateQuery(
      scope: scope, vector: PassageEmbedding(model: model, vector: vector(axis)), words: words,
      limit: limit)
  }

  @Test func goalsAreFoundByMeaningOrWordsAndOnlyByTheirLearner() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let bob = try await store.addUser("Bob")
      var keys: [[PassageKey]] = []
      for user in [ada, bob] {
        var own: [PassageKey] = []
        for index in 0..<3 {
          let goal = try await store.addGoal(owner: user, title: "Aprender FastAPI \(index)")
          try await store.savePassage(
            .goal, goal.goal.id, user, "Aprender programación con FastAPI \(index)",
            Self.vector(1, off: Float(index)))
          own.append(PassageKey(kind: .goal, entityID: goal.goal.id, chunkNumber: 0))
        }
        keys.append(own)
      }
      let scope = SearchScope.goals(learnerID: ada.id, statuses: [.pending])
      let found = try await store.found(Self.query(scope, axis: 1, words: "programar FastAPI"))
      #expect(found.method == .exact)
      #expect(found.byMeaning.map(\.key) == keys[0])
      #expect(Set(found.byWords.map(\.key)) == Set(keys[0]))
      #expect(abs((found.byMeaning[0].similarity ?? 0) - 1) < 1e-6)
      #expect(found.byWords.allSatisfy { $0.similarity != nil })
      let completed = SearchScope.goals(learnerID: ada.id, statuses: [.completed])
      #expect(try await store.found(Self.query(completed, axis: 1)).byMeaning.isEmpty)
      // Also where our own code asks for it, the database gives Ada nothing of Bob's.
      let texts = try await store.retrieval.passages(keys[0] + keys[1], as: ada.id)
      #expect(Set(texts.keys) == Set(keys[0]))
      #expect(texts[keys[0][0]]?.attributes["status"] == "pending")
    }
  }

  @Test func coursesAreFoundByThoseEnrolledAndTheirOwner() async throws {
    try await StoreFixture.run { store in
      let ines = try await store.addUser("Inés", role: .instructor)
      let ada = try await store.addUser("Ada")
      let course = try await store.addCourse(owner: ines)
      try await store.savePassage(
        .course, course.id, ines, "Parámetros de ruta", Self.vector(3), number: 1)
      try await store.savePassage(.course, course.id, ines, "FastAPI", Self.vector(4), number: 0)
      let key = PassageKey(kind: .course, entityID: course.id, chunkNumber: 1)
      #expect(try await store.retrieval.readableCourses(of: ines.id) == [course.id])
      #expect(try await store.retrieval.readableCourses(of: ada.id).isEmpty)
      #expect(try await store.retrieval.passages([key], as: ada.id).isEmpty)
      _ = try await store.enrol(ada, in: course)
      #expect(try await store.retrieval.readableCourses(of: ada.id) == [course.id])
      let texts = try await store.retrieval.passages([key], as: ada.id)
      #expect(texts[key]?.passage.content == "Parámetros de ruta")
      #expect(texts[key]?.attributes["technologies"] == "python")
      let found = try await store.found(Self.query(.courses([course.id]), axis: 3))
      #expect(found.byMeaning.map(\.key.chunkNumber) == [1, 0], "no copy of the enrolled comes up")
      // The notes' own query finds the course for her.
      let session = try await store.script()
      let copies = try await session.run(
        "SELECT content FROM embeddings WHERE user_id = '\(ada.id)' AND entity_type = 'course'")
      #expect(copies == [["FastAPI"]])
    }
  }

  @Test func codeOfOthersIsFoundOnlyWhereItIsAnExample() async throws {
    try await StoreFixture.run { store in
      let ines = try await store.addUser("Inés", role: .instructor)
      let ada = try await store.addUser("Ada")
      let bob = try await store.addUser("Bob")
      let course = try await store.addCourse(owner: ines)
      let shared = try await store.addSnapshot(bob, passed: true, isShared: true)
      let unshared = try await store.addSnapshot(bob, passed: true)
      let failed = try await store.addSnapshot(bob, passed: false, isShared: true)
      let reference = try await store.addSnapshot(ines, passed: true, course: course)
      let own = try await store.addSnapshot(ada, passed: true)
      for (index, snapshot) in [shared, unshared, failed, reference, own].enumerated() {
        try await store.savePassage(
          .codeSnapshot, snapshot.id, ada, "def get_user(): pass",
          Self.vector(5, off: Float(index)))
      }
      func visible(_ courses: [EntityID]) async throws -> Set<EntityID> {
        let scope = SearchScope.code(
          learnerID: ada.id, courses: courses, language: "python", onlyValidated: true)
        let found = try await store.found(Self.query(scope, axis: 5, words: "get user"))
        #expect(Set(found.byMeaning.map(\.key)) == Set(found.byWords.map(\.key)))
        return Set(found.byMeaning.map(\.key.entityID))
      }
      #expect(try await visible([]) == [shared.id, own.id])
      _ = try await store.enrol(ada, in: course)
      #expect(try await visible([course.id]) == [shared.id, own.id, reference.id])
      let keys = [shared, unshared, failed, reference, own].map {
        PassageKey(kind: .codeSnapshot, entityID: $0.id, chunkNumber: 0)
      }
      let texts = try await store.retrieval.passages(keys, as: ada.id)
      #expect(Set(texts.keys.map(\.entityID)) == [shared.id, own.id, reference.id])
    }
  }

  @Test(arguments: [0.01, 0.001]) func aFilteredSearchOfALargeScopeFindsWhatExists(
    share: Double
  ) async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let total = 3000
      let wanted = Int(Double(total) * share)
      let session = try await store.script()
      // The wanted ones are the furthest from the query: the worst that a filter can be.
      try await session.run(
        """
        SET statement_timeout = 0;
        SELECT setseed(0.5);
        DROP INDEX embeddings_embedding_idx;
        INSERT INTO code_snapshots (id, user_id, file_path, code_content, language, version,
          created_at, updated_at, code_hash)
        SELECT md5(i::text)::uuid, '\(ada.id)', 'f', 'x', 'python', 1, now(), now(),
          sha256('x') FROM generate_series(1, \(total)) i;
        INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
          content_hash, created_at, updated_at)
        SELECT gen_random_uuid(), 'code_snapshot', md5(i::text)::uuid, '\(ada.id)', 'x',
          (SELECT array_agg(random() - 0.5 + i * 0 ORDER BY j)
            FROM generate_series(1, 512) j)::vector, '\(Self.model)',
          sha256('x'), now(), now() FROM generate_series(1, \(total)) i;
        UPDATE code_snapshots SET language = 'rust' WHERE id IN (
          SELECT entity_id FROM embeddings
          ORDER BY embedding <=> '\(Self.vector(0))'::vector DESC LIMIT \(wanted));
        ANALYZE embeddings;
        ANALYZE code_snapshots;
        """)
      let small = PostgresRetrievalStore(store.database, exactMax: 100)
      for (language, expected) in [("rust", SearchMethod.exact), (nil, .hnsw)] {
        let scope = SearchScope.code(
          learnerID: ada.id, courses: [], language: language, onlyValidated: false)
        let limit = language == nil ? 50 : wanted
        guard
          case .found(let found) = try await small.candidates(
            Self.query(scope, axis: 0, limit: limit))
        else { throw FixtureError(.stale) }
        #expect(found.byMeaning.count == limit, "\(language ?? "any")")
        if language == nil { #expect(found.method == expected) }
        let similarities = found.byMeaning.compactMap(\.similarity)
        #expect(similarities == similarities.sorted(by: >))
      }
    }
  }

  @Test func manyGoalsOfALearnerAreFoundByBinaryQuantizationAsTheyAreByTheirVectors() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let bob = try await store.addUser("Bob")
      try await store.addTopics(of: [ada, bob], goalCount: 3000)
      let few = PostgresRetrievalStore(store.database, goalMax: 2999)
      let many = PostgresRetrievalStore(store.database, goalMax: 3000)
      let some: [WorkStatus] = [.completed, .archived]
      let all: [WorkStatus] = [.pending, .inProgress, .completed, .archived]
      for (limit, statuses) in zip(
        [1, 10, 50, 3000, 1, 10, 50], [some, some, some, some, all, all, all])
      {
        let query = CandidateQuery(
          scope: .goals(learnerID: ada.id, statuses: statuses),
          vector: try await store.vector(near: limit), words: nil, limit: limit)
        guard case .found(let quick) = try await few.candidates(query),
          case .found(let exact) = try await many.candidates(query)
        else { throw FixtureError(.stale) }
        #expect(quick.method == .quantized && exact.method == .exact)
        #expect(quick.byMeaning.count == limit)
        let missed = Set(exact.byMeaning.map(\.key)).subtracting(quick.byMeaning.map(\.key))
        #expect(missed.count * 100 <= limit, "\(missed.count) of the nearest \(limit)")
        let similarities = quick.byMeaning.compactMap(\.similarity)
        #expect(similarities.count == limit && similarities == similarities.sorted(by: >))
      }
    }
  }

  /// One goal in a hundred passes; fewer than are wanted, and all of them are found.
  @Test func aFilterOverManyGoalsLeavesNoneOut() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      try await store.addTopics(of: [ada], goalCount: 3000)
      let rare = SearchScope.goals(learnerID: ada.id, statuses: [.archived])
      let query = CandidateQuery(
        scope: rare, vector: try await store.vector(near: 3), words: nil, limit: 50)
      let found = try await store.found(query)
      #expect(found.method == .quantized)
      #expect(found.byMeaning.count == 30)
      var whole = query
      whole.mustBeExact = true
      #expect(try await store.found(whole).byMeaning == found.byMeaning)
      // Of a vector that is mostly zeros the binary code says nothing.
      #expect(try await store.found(Self.query(rare, axis: 3)).method == .exact)
    }
  }

  @Test func aVectorOfAnotherModelIsRefusedAndWordsStillFind() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let query = CandidateQuery(
        scope: .goals(learnerID: ada.id, statuses: [.pending]),
        vector: PassageEmbedding(model: "other", vector: Self.vector(1)), words: "x", limit: 3)
      #expect(try await store.retrieval.candidates(query) == .otherModel)
      // Nor is one of another size under the same name compared, whichever way.
      let goal = try await store.addGoal(owner: ada)
      try await store.savePassage(.goal, goal.goal.id, ada, "uno", Self.vector(1))
      let snapshot = try await store.addSnapshot(ada, passed: true)
      try await store.savePassage(.codeSnapshot, snapshot.id, ada, "dos", Self.vector(1))
      let short = PassageEmbedding(model: Self.model, vector: [1, 2, 3])
      let indexed = PostgresRetrievalStore(store.database, exactMax: 0, goalMax: 0)
      for scope in [
        SearchScope.goals(learnerID: ada.id, statuses: [.pending]),
        .code(learnerID: ada.id, courses: [], language: nil, onlyValidated: false),
      ] {
        let query = CandidateQuery(scope: scope, vector: short, words: nil, limit: 3)
        for retrieval in [store.retrieval, indexed] {
          #expect(try await retrieval.candidates(query) == .otherModel)
        }
      }
      var wordsOnly = query
      wordsOnly.vector = nil
      #expect(try await store.found(wordsOnly).method == .text)
    }
  }

  @Test func hostileQueriesAreOnlyWords() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      for words in [
        "", "& | ! ( ) : * <->", "'; DROP TABLE passages; --", "a\\", "\u{202E}x", "''''",
        String(repeating: "palabra ", count: 500), String(repeating: "x", count: 4000),
        "http://a.b/c?d&e|f=g%20", "<b>&amp;</b>", "ñandú 日本語 😀",
      ] {
        let query = CandidateQuery(
          scope: .goals(learnerID: ada.id, statuses: [.pending]), vector: nil, words: words,
          limit: 3)
        #expect(try await store.found(query).byWords.isEmpty)
      }
    }
  }
}

// MARK: What these tests write

extension StoreFixture {
  func found(_ query: CandidateQuery) async throws -> Candidates {
    guard case .found(let found) = try await retrieval.candidates(query) else {
      throw FixtureError(.stale)
    }
    return found
  }

  func savePassage(
    _ kind: PassageKind, _ id: EntityID, _ owner: User, _ content: String, _ vector: [Float]?,
    number: Int32 = 0, hash: UInt8? = nil
  ) async throws {
    let passage = Passage(
      kind: kind, entityID: id, userID: owner.id, chunkNumber: number, title: "título",
      content: content, language: "es")
    let upsert = PassageUpsert(
      passage: passage,
      contentHash: [UInt8](
        repeating: hash ?? UInt8(truncatingIfNeeded: content.hashValue), count: 32),
      embedding: vector.map { PassageEmbedding(model: RetrievalStoreTests.model, vector: $0) })
    let outcome = try await writes.commit(
      Write(
        changes: [.savePassages(PassageUpdate(kind: kind, entityID: id, upserts: [upsert]))],
        events: [], reply: nil))
    guard outcome == .committed else { throw FixtureError(outcome) }
  }

  /// Completed goals of each user, one in a hundred archived, with vectors that lie as those of texts
  /// do: about 60 topics, all around.
  func addTopics(of owners: [User], goalCount: Int) async throws {
    let session = try await script()
    for owner in owners {
      try await session.run(
        """
        SET statement_timeout = 0;
        SELECT setseed(0.5);
        DROP INDEX IF EXISTS embeddings_embedding_idx;
        CREATE TEMP TABLE topic AS SELECT t, j, random() - 0.5 AS value
          FROM generate_series(0, 59) t, generate_series(1, 512) j;
        CREATE TEMP TABLE fresh AS
          SELECT gen_random_uuid() AS id, i FROM generate_series(1, \(goalCount)) i;
        INSERT INTO goals (id, user_id, title, description, status, progress_percentage,
            validation_criteria, ai_feedback, version, revision, created_at, updated_at)
          SELECT id, '\(owner.id)', 'meta', '',
            CASE WHEN i % 100 = 0 THEN 'archived' ELSE 'completed' END, 100, '{}', '', 1, 1, now(),
            now() FROM fresh;
        INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
            content_hash, created_at, updated_at)
          SELECT gen_random_uuid(), 'goal', id, '\(owner.id)', 'meta', (
            SELECT array_agg(value + 0.8 * (random() - 0.5) + i * 0 ORDER BY j) FROM topic
            WHERE t = i % 60)::vector, '\(RetrievalStoreTests.model)', sha256('x'), now(), now()
          FROM fresh;
        DROP TABLE topic;
        DROP TABLE fresh;
        """)
    }
    try await session.run("VACUUM (ANALYZE) embeddings")
    try await session.run("VACUUM (ANALYZE) goals")
  }

  /// The vector of one of those goals.
  func vector(near number: Int) async throws -> PassageEmbedding {
    let session = try await script()
    let rows = try await session.run(
      "SELECT embedding FROM embeddings ORDER BY entity_id OFFSET \(number) LIMIT 1")
    let text = try #require(rows.first?[0])
    return PassageEmbedding(
      model: RetrievalStoreTests.model,
      vector: text.dropFirst().dropLast().split(separator: ",").compactMap { Float($0) })
  }

  func addSnapshot(
    _ author: User, passed: Bool, isShared: Bool = false, course: Course? = nil
  ) async throws -> CodeSnapshot {
    let now = StoreFixture.start
    let snapshot = CodeSnapshot(
      id: ids.next(at: now), userID: author.id, referenceCourseID: course?.id,
      filePath: "main.py", language: "python", content: "def get_user(): pass",
      contentHash: [UInt8](repeating: 7, count: 32),
      judgement: Judgement(
        verdict: passed ? .passed : .failed, score: passed ? 0.9 : 0.1, feedback: "bien",
        provenance: Provenance(source: "grader", actorID: author.id)),
      isShared: isShared, createdAt: now, updatedAt: now)
    let outcome = try await writes.commit(
      Write(changes: [.insertSnapshot(snapshot)], events: [], reply: nil))
    guard outcome == .committed else { throw FixtureError(outcome) }
    return snapshot
  }
}
