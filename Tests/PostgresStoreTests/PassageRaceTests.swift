import Domain
import PostgresStore
import Testing

/// What happens to passages while another session is at them, and how much a question may cost.
@Suite struct PassageRaceTests {
  @Test func aDeletionWaitsForTheWorkerAndLeavesNoVector() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let goal = try await store.addGoal(owner: ada)
      try await store.savePassage(.goal, goal.goal.id, ada, "uno", nil, hash: 1)
      let worker = try await Self.workerStoring(goal.goal.id, store)
      async let deletion = store.writes.commit(
        Write(
          changes: [
            .savePassages(
              PassageUpdate(kind: .goal, entityID: goal.goal.id, removesAll: true))
          ], events: [], reply: nil))
      let watcher = try await store.script()
      try await Self.waitForLock(watcher)
      try await worker.run("COMMIT")
      #expect(try await deletion == .committed)
      #expect(try await watcher.run("SELECT count(*) FROM embeddings") == [["0"]])
      #expect(try await watcher.run("SELECT count(*) FROM passages") == [["0"]])
    }
  }

  /// A worker that has stored the vector of an entity's passage, and is to commit.
  private static func workerStoring(
    _ id: EntityID, _ store: StoreFixture
  ) async throws -> ScriptSession {
    let worker = try await store.script()
    try await worker.run("BEGIN")
    try await worker.run("UPDATE passages SET waits = false WHERE entity_id = '\(id)'")
    try await worker.run(
      """
      INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
        content_hash, created_at, updated_at)
      SELECT gen_random_uuid(), entity_type, entity_id, user_id, content,
        array_fill(0.5, ARRAY[512])::vector, 'use-multilingual-3-int8', content_hash, now(), now()
      FROM passages WHERE entity_id = '\(id)'
      """)
    return worker
  }

  /// Returns when another session waits for a lock.
  static func waitForLock(_ session: ScriptSession) async throws {
    let waiting = """
      SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'
      """
    let end = ContinuousClock.now + .seconds(30)
    while try await session.run(waiting) == [["0"]] {
      // Otherwise a lock that is not taken any more would be a test that never ends.
      guard .now < end else {
        Issue.record("no session waits for a lock")
        return
      }
      await Task.yield()
    }
  }

  /// The one who enrols (or leaves) is not done yet when the course's vector comes.
  @Test(arguments: [true, false]) func whoeverEnrolsOrLeavesMeanwhileIsNotPassedOver(
    enrols: Bool
  ) async throws {
    try await StoreFixture.run { store in
      let teacher = try await store.addUser("Inés", role: .instructor)
      let ada = try await store.addUser("Ada")
      let course = try await store.addCourse(owner: teacher)
      if !enrols { _ = try await store.enrol(ada, in: course) }
      try await store.savePassage(.course, course.id, teacher, "curso", nil, hash: 1)
      let enrolling = try await store.script()
      try await enrolling.run("BEGIN")
      try await enrolling.run(
        enrols
          ? """
          INSERT INTO enrolments (id, course_id, user_id, is_active, version, created_at, updated_at)
          VALUES (gen_random_uuid(), '\(course.id)', '\(ada.id)', true, 1, now(), now())
          """ : "UPDATE enrolments SET is_active = false, state = 'left'")
      // As a unit of ours begins.
      try await enrolling.run(
        "SELECT 1 FROM passages WHERE entity_id = '\(course.id)' AND chunk_number = 0 FOR SHARE")
      let made = MadeEmbedding(
        key: PassageKey(kind: .course, entityID: course.id, chunkNumber: 0),
        contentHash: [UInt8](repeating: 1, count: 32), vector: RetrievalStoreTests.vector(1))
      async let stored: Void = store.embeddings.store(
        [made], model: RetrievalStoreTests.model, at: StoreFixture.start)
      let watcher = try await store.script()
      try await Self.waitForLock(watcher)
      try await enrolling.run("COMMIT")
      try await stored
      try await store.copyCourses()
      let copies = try await watcher.run("SELECT user_id FROM embeddings WHERE is_copy")
      #expect(copies == (enrols ? [["\(ada.id)"]] : []))
    }
  }

  /// The vector is not stored yet when a learner enrols.
  @Test func whoeverEnrolsWhileTheVectorIsStoredGetsTheCopy() async throws {
    try await StoreFixture.run { store in
      let teacher = try await store.addUser("Inés", role: .instructor)
      let ada = try await store.addUser("Ada")
      let course = try await store.addCourse(owner: teacher)
      try await store.savePassage(.course, course.id, teacher, "curso", nil, hash: 1)
      let worker = try await Self.workerStoring(course.id, store)
      async let enrolment = store.enrol(ada, in: course)
      let watcher = try await store.script()
      try await Self.waitForLock(watcher)
      try await worker.run("COMMIT")
      _ = try await enrolment
      try await store.copyCourses()
      let copies = try await watcher.run("SELECT user_id FROM embeddings WHERE is_copy")
      #expect(copies == [["\(ada.id)"]])
    }
  }

  @Test func aDocumentOfADeletedCourseIsNotStored() async throws {
    try await StoreFixture.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let course = try await store.addCourse(owner: teacher)
      let session = try await store.script()
      try await session.run("UPDATE courses SET status = 'deleted'")
      let document = CourseDocument(
        id: store.ids.next(at: StoreFixture.start), courseID: course.id, userID: teacher.id,
        path: "uno.md", title: "Uno", language: "es", format: .markdown, content: "# Uno",
        contentHash: [UInt8](repeating: 1, count: 32), byteCount: 5, ordinal: 1, sectionCount: 1,
        chunkCount: 1, createdAt: StoreFixture.start, updatedAt: StoreFixture.start)
      let outcome = try await store.writes.commit(
        Write(
          changes: [.saveDocument(document)],
          events: [document.event(.courseDocumentAdded, context: store.context())], reply: nil))
      #expect(outcome == .stale)
      #expect(try await session.run("SELECT count(*) FROM course_documents") == [["0"]])
    }
  }

  @Test(arguments: [
    ("rutas de la API", ["api", "rutas"]), ("¿Cómo va?", ["va"]), ("de la", ["de", "la"]),
  ]) func smallWordsAreNotSearchedForUnlessThereIsNothingElse(
    question: String, expected: [String]
  ) async throws {
    try await StoreFixture.run { store in
      let session = try await store.script()
      let words = try await session.run(
        """
        SELECT trim(term::text, '''') FROM hito_terms('\(question)')
        WHERE kind = 'word' AND weight = 1 ORDER BY 1
        """)
      #expect(words.map { $0[0] } == expected)
    }
  }

  @Test func aQuestionHasABoundedNumberOfWords() async throws {
    try await StoreFixture.run { store in
      let session = try await store.script()
      let nodes = try await session.run(
        """
        SELECT count(DISTINCT word), count(*) < 200, max(length(term::text)) < 210 FROM hito_terms((
          SELECT string_agg('palabra' || i || ' uno.dos' || i || 'Tres' || repeat('x', i / 2), ' ')
          FROM generate_series(1, 4000) i))
        """)
      #expect(nodes == [["49", "t", "t"]])
    }
  }
}
