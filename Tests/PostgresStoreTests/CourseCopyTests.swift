import Domain
import Logging
import PostgresStore
import Retrieval
import Testing

/// Copies of a course for those enrolled in it, of whom there can be very many.
@Suite struct CourseCopyTests {
  private static let learnerCount = 3000

  /// A course with its vector and thousands of learners, whose copies are asked for.
  private static func crowd(_ store: StoreFixture) async throws -> (Course, User) {
    let ines = try await store.addUser("Inés", role: .instructor)
    let course = try await store.addCourse(owner: ines)
    try await store.script().run(
      """
      INSERT INTO users (id, display_name, role, language, time_zone, is_active, version, created_at,
        updated_at)
      SELECT gen_random_uuid(), 'Ada ' || i, 'learner', 'es', 'UTC', true, 1, now(), now()
      FROM generate_series(1, \(learnerCount)) i;
      INSERT INTO enrolments (id, course_id, user_id, is_active, version, created_at, updated_at)
      SELECT gen_random_uuid(), '\(course.id)', id, true, 1, now(), now() FROM users
      WHERE role = 'learner'
      """)
    try await store.savePassage(
      .course, course.id, ines, "curso", RetrievalStoreTests.vector(1), hash: 1)
    return (course, ines)
  }

  private func copies(_ store: StoreFixture, of text: String) async throws -> Int {
    let rows = try await store.script().run(
      "SELECT count(*) FROM embeddings WHERE is_copy AND content = '\(text)'")
    return Int((rows.first?.first ?? nil) ?? "") ?? -1
  }

  /// Asked for as one statement, the copies of a large course never came: each attempt ended at the
  /// statement's time and was rolled back.
  @Test func aCourseOfThousandsIsCopiedWhateverTimeAStatementHas() async throws {
    try await StoreFixture.run { store in
      _ = try await Self.crowd(store)
      #expect(try await copies(store, of: "curso") == 0, "the write itself makes none")
      // The time for about a portion of a few hundred: all at once it cannot be done.
      let limit = Duration.milliseconds(100)
      try await StoreFixture.serve(store.connection, longStatementTimeout: limit) { database in
        let slow = PostgresCourseCopyStore(database)
        let course = try #require(try await slow.courseToCopy(after: nil))
        await #expect(throws: StoreError.timedOut(maybeCommitted: false)) {
          try await slow.copyCourse(course, limit: Self.learnerCount)
        }
        #expect(try await copies(store, of: "curso") == 0)
        var portion = CourseCopier.portionMax
        let copier = CourseCopier(store: slow, logger: Logger(label: "test"))
        var turnCount = 0
        while turnCount < 1000 {
          turnCount += 1
          let done = await copier.turn(&portion)
          // A machine so busy that the smallest portion took too long: it is tried again.
          if let failure = done.failure { #expect(failure == .timedOut(maybeCommitted: false)) }
          if try await slow.courseToCopy(after: nil) == nil { break }
        }
      }
      #expect(try await copies(store, of: "curso") == Self.learnerCount)
    }
  }

  @Test func whatIsLeftWhenAServerIsKilledIsCopiedByTheNext() async throws {
    try await StoreFixture.run { store in
      let (course, _) = try await Self.crowd(store)
      try await StoreFixture.serve(store.connection) { database in
        let first = PostgresCourseCopyStore(database)
        #expect(try await first.copyCourse(course.id, limit: 500))
        // Killed in the middle of the second portion: its transaction is rolled back.
        let holder = try await store.script()
        try await holder.run("BEGIN; SELECT 1 FROM passages FOR UPDATE")
        async let second = first.copyCourse(course.id, limit: 500)
        try await PassageRaceTests.waitForLock(try await store.script())
        try await TestAdministrator.terminateSessions(of: store.connection, named: "hito long")
        let outcome: Result<Bool, any Error>
        do { outcome = .success(try await second) } catch { outcome = .failure(error) }
        #expect(throws: StoreError.self) { try outcome.get() }
        try await holder.run("COMMIT")
      }
      #expect(try await copies(store, of: "curso") == 500)
      // Two servers come, at the same time; nothing is done twice.
      let stores = PostgresCourseCopyStore(store.database)
      try await StoreFixture.serve(store.connection) { database in
        let others = PostgresCourseCopyStore(database)
        let portions = try await withThrowingTaskGroup(of: Int.self) { group in
          for store in [stores, others] {
            group.addTask {
              var count = 0
              while try await store.copyCourse(course.id, limit: 250) { count += 1 }
              return count
            }
          }
          return try await group.reduce(0, +)
        }
        #expect(portions == (Self.learnerCount - 500) / 250)
      }
      #expect(try await copies(store, of: "curso") == Self.learnerCount)
      #expect(try await stores.courseToCopy(after: nil) == nil)
    }
  }

  @Test func anotherTextAndTheEndOfACourseReachAllCopies() async throws {
    try await StoreFixture.run { store in
      let ines = try await store.addUser("Inés", role: .instructor)
      let course = try await store.addCourse(owner: ines)
      try await store.savePassage(
        .course, course.id, ines, "uno", RetrievalStoreTests.vector(1), hash: 1)
      var learners: [User] = []
      for number in 0..<5 {
        let learner = try await store.addUser("Ada \(number)")
        _ = try await store.enrol(learner, in: course)
        learners.append(learner)
      }
      #expect(try await copies(store, of: "uno") == 5, "who enrols has a copy at once")
      // Another text, without its vector yet: the copies of the old one go.
      try await store.savePassage(.course, course.id, ines, "dos", nil, hash: 2)
      try await store.copyCourses(portion: 2)
      #expect(try await copies(store, of: "uno") == 0)
      // One leaves, and others come, before the copies of the new one are made.
      let made = MadeEmbedding(
        key: PassageKey(kind: .course, entityID: course.id, chunkNumber: 0),
        contentHash: [UInt8](repeating: 2, count: 32), vector: RetrievalStoreTests.vector(2))
      try await store.embeddings.store(
        [made], model: RetrievalStoreTests.model, at: StoreFixture.start)
      try await store.script().run(
        """
        UPDATE enrolments SET is_active = false, state = 'left'
        WHERE user_id = '\(learners[0].id)'
        """)
      let late = try await store.addUser("Zoe")
      _ = try await store.enrol(late, in: course)
      _ = try await store.enrol(ines, in: course)
      try await store.copyCourses(portion: 2)
      #expect(try await copies(store, of: "dos") == 5, "four who stayed, and Zoe")
      // The owner has the original.
      let originals = try await store.script().run(
        "SELECT user_id FROM embeddings WHERE NOT is_copy")
      #expect(originals == [["\(ines.id)"]])
      let outcome = try await store.writes.commit(
        Write(
          changes: [
            .savePassages(PassageUpdate(kind: .course, entityID: course.id, removesAll: true))
          ], events: [], reply: nil))
      #expect(outcome == .committed)
      try await store.copyCourses(portion: 2)
      #expect(try await store.script().run("SELECT count(*) FROM embeddings") == [["0"]])
    }
  }
}

extension StoreFixture {
  /// What the copier does until nothing is left.
  func copyCourses(portion: Int = 500) async throws {
    var portion = portion
    let copier = CourseCopier(
      store: PostgresCourseCopyStore(database), logger: Logger(label: "test"))
    var copiedCount: Int
    repeat {
      let done = await copier.turn(&portion)
      if let failure = done.failure { throw failure }
      copiedCount = done.copiedCount
    } while copiedCount > 0
  }
}
