extension Migration {
  /// What a learner's place in a course is, and who made it so. Of those that are there already the
  /// last event tells; whom another user enrolled was never asked. And by whose word code of others is
  /// an example, and the secret that seals what clients are given to come back with.
  static let placesInCourses = Migration(
    version: 14, name: "invitations to courses, trusted graders, seals",
    up: """
      ALTER TABLE enrolments
        ADD COLUMN state text NOT NULL DEFAULT 'active'
          CHECK (state IN ('invited', 'active', 'left', 'declined', 'withdrawn')),
        ADD COLUMN changed_by uuid REFERENCES users (id),
        ADD COLUMN is_direct boolean NOT NULL DEFAULT false;
      UPDATE enrolments n SET state = CASE WHEN n.is_active THEN 'active' ELSE 'left' END,
        changed_by = u.id, is_direct = n.is_active AND COALESCE(u.id <> n.user_id, false)
      FROM enrolments o
      LEFT JOIN events e
        ON e.entity_type = 'enrolment' AND e.entity_id = o.id AND e.version = o.version
      LEFT JOIN users u ON u.id = (e.metadata->'actor'->>'user_id')::uuid
      WHERE o.id = n.id;
      ALTER TABLE enrolments
        ADD CONSTRAINT enrolments_state_active CHECK (is_active = (state = 'active'));
      -- Of all states now.
      DROP INDEX enrolments_course_created;
      CREATE INDEX enrolments_course_created ON enrolments (course_id, created_at, id);
      CREATE INDEX enrolments_learner ON enrolments (user_id, created_at, id);

      -- The instructors whose verdicts a reader takes: those who run a course that the reader is in,
      -- and the reader. Asked by policies too.
      CREATE FUNCTION hito_trusted_graders(reader uuid) RETURNS uuid[]
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT COALESCE(array_agg(DISTINCT c.user_id), '{}') FROM courses c
        WHERE c.id = ANY (hito_readable_courses(reader))
      $$;

      -- One row. 366 random bits of the system's source.
      CREATE TABLE installation (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        secret bytea NOT NULL CHECK (octet_length(secret) = 32)
      );
      INSERT INTO installation (secret) VALUES (sha256(
        uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
      """,
    down: .sql(
      """
      DROP TABLE installation;
      DROP FUNCTION hito_trusted_graders(uuid);
      DROP INDEX enrolments_learner;
      DROP INDEX enrolments_course_created;
      ALTER TABLE enrolments DROP COLUMN is_direct, DROP COLUMN changed_by, DROP COLUMN state;
      CREATE INDEX enrolments_course_created ON enrolments (course_id, created_at, id)
        WHERE is_active;
      """))
}
