import TestSupport
import Testing

@testable import PostgresStore

@Suite struct EnrolmentMigrationTests {
  /// Who made an enrolment, and whether its learner was asked, is in the log.
  @Test func enrolmentsOfBeforeSayWhoMadeThem() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      let migrator = Migrator(MigrationTests.settings(connection))
      let version = Migration.placesInCourses.version
      _ = try await migrator.migrate(to: version - 1)
      let session = try await ScriptSession(MigrationTests.settings(connection))
      try await session.run(
        """
        CREATE FUNCTION pg_temp.id(i bigint) RETURNS uuid LANGUAGE sql AS
          $$ SELECT lpad(to_hex(i), 32, '0')::uuid $$;
        INSERT INTO users SELECT pg_temp.id(i), NULL, 'u', NULL, 'learner', 'es', 'UTC', true, 1,
          now(), now() FROM generate_series(1, 5) i;
        INSERT INTO courses VALUES (pg_temp.id(9), pg_temp.id(5), 't', '', 'es', '{}', 'active', 1,
          now(), now());
        -- Enrolled themselves; enrolled by the owner; left; nothing known.
        INSERT INTO enrolments SELECT pg_temp.id(10 + i), pg_temp.id(9), pg_temp.id(i), i <> 3, 2,
          now(), now() FROM generate_series(1, 4) i;
        INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload,
          metadata, schema_version, created_at)
          SELECT gen_random_uuid(), 'course.enrolled', 'enrolment', pg_temp.id(10 + i), v, pg_temp.id(i), '{}', jsonb_build_object('actor',
            jsonb_build_object('user_id', CASE WHEN v = 1 OR i <> 2 THEN i ELSE 5 END)), 1, now()
          FROM generate_series(1, 2) v, generate_series(1, 3) i;
        UPDATE events SET metadata = jsonb_build_object('actor', jsonb_build_object('user_id',
          pg_temp.id((metadata->'actor'->>'user_id')::bigint)))
        """)
      #expect(try await migrator.migrate(to: version) == [version])
      let rows = try await session.run(
        """
        SELECT state, right(changed_by::text, 1), is_direct FROM enrolments ORDER BY user_id
        """)
      #expect(
        rows == [
          ["active", "1", "f"], ["active", "5", "t"], ["left", "3", "f"], ["active", nil, "f"],
        ])
    }
  }
}
