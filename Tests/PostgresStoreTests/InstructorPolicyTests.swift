import TestSupport
import Testing

@testable import PostgresStore

/// What the second wall does for an instructor's lists, where the rows are many.
@Suite struct InstructorPolicyTests {
  /// A function that is called for each row sets up its queries each time: lists were 10 to 100 times
  /// as dear.
  @Test func aStatementAsksOnceForAnInstructorsCoursesHoweverManyRowsItReads() async throws {
    try await StoreFixture.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let other = try await store.addUser("Eva", role: .instructor)
      let ada = try await store.addUser("Ada")
      let course = try await store.addCourse(owner: teacher)
      let gone = try await store.addCourse(owner: teacher)
      for place in [course, gone] { _ = try await store.enrol(ada, in: place) }
      let session = try await TestAdministrator.session(store.connection)
      try await session.run(
        """
        INSERT INTO goals (id, user_id, course_id, title, description, status, progress_percentage,
            validation_criteria, ai_feedback, version, revision, created_at, updated_at)
          SELECT gen_random_uuid(), '\(ada.id)', c.id, 'g', '', 'pending', 0, '{}', '', 1, 1, now(),
            now() FROM (VALUES ('\(course.id)'::uuid), ('\(gone.id)')) c (id), generate_series(1, 500);
        INSERT INTO tasks (id, goal_id, user_id, title, description, status, ordinal,
            validation_criteria, version, created_at, updated_at)
          SELECT gen_random_uuid(), id, user_id, 't', '', 'pending', 0, '{}', 1, now(), now()
          FROM goals;
        UPDATE courses SET status = 'deleted' WHERE id = '\(gone.id)';
        ANALYZE goals, tasks, courses, enrolments;
        SET track_functions = 'all'
        """)
      for (caller, rowCount, enrolmentCount) in [(teacher, 500, 2), (other, 0, 0)] {
        for (table, expected) in [
          ("goals", rowCount), ("tasks", rowCount), ("enrolments", enrolmentCount),
        ] {
          try await session.run("BEGIN")
          let before = try await Self.callCount(session)
          try await session.run(
            """
            SET LOCAL ROLE hito_app;
            SELECT set_config('hito.scope', 'courses', true),
              set_config('hito.caller', '\(caller.id)', true)
            """)
          #expect(try await session.run("SELECT count(*) FROM \(table)") == [["\(expected)"]])
          try await session.run("RESET ROLE")
          let calls = try await Self.callCount(session) - before
          // Of all tables that a policy looks at.
          #expect(calls <= 3, "\(calls) for \(table)")
          try await session.run("ROLLBACK")
        }
      }
    }
  }

  private static func callCount(_ session: ScriptSession) async throws -> Int {
    let rows = try await session.run(
      """
      SELECT coalesce(sum(calls), 0) FROM pg_stat_xact_user_functions
      WHERE funcname LIKE 'hito\\_%'
      """)
    return rows.first?[0].flatMap { Int($0) } ?? -1
  }
}
