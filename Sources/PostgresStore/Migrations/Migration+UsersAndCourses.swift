extension Migration {
  static let usersAndCourses = Migration(
    version: 1, name: "users and courses",
    up: """
      CREATE TABLE users (
        id uuid PRIMARY KEY,
        external_id text CONSTRAINT users_external_id_key UNIQUE
          CHECK (char_length(external_id) BETWEEN 1 AND 200),
        display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 200),
        email text CHECK (char_length(email) BETWEEN 3 AND 320),
        role text NOT NULL CHECK (role IN ('learner', 'instructor', 'service', 'admin')),
        language text NOT NULL CHECK (language IN ('es', 'en')),
        time_zone text NOT NULL CHECK (char_length(time_zone) BETWEEN 1 AND 64),
        is_active boolean NOT NULL,
        version bigint NOT NULL CHECK (version > 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      );
      CREATE INDEX users_created ON users (created_at, id);
      CREATE INDEX users_role_created ON users (role, created_at, id);

      CREATE TABLE courses (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id),
        title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
        description text NOT NULL CHECK (char_length(description) <= 10000),
        language text NOT NULL CHECK (language IN ('es', 'en')),
        metadata jsonb NOT NULL CHECK (jsonb_typeof(metadata) = 'object'),
        status text NOT NULL CHECK (status IN ('active', 'archived', 'deleted')),
        version bigint NOT NULL CHECK (version > 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      );
      CREATE INDEX courses_created ON courses (created_at, id);
      CREATE INDEX courses_owner ON courses (user_id, created_at, id);

      CREATE TABLE enrolments (
        id uuid PRIMARY KEY,
        course_id uuid NOT NULL REFERENCES courses (id),
        user_id uuid NOT NULL REFERENCES users (id),
        is_active boolean NOT NULL,
        version bigint NOT NULL CHECK (version > 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT enrolments_course_user_key UNIQUE (course_id, user_id)
      );
      CREATE INDEX enrolments_course_created ON enrolments (course_id, created_at, id)
        WHERE is_active;
      CREATE INDEX enrolments_user ON enrolments (user_id, course_id) WHERE is_active;

      -- Fails the unit that calls it: a guarded row has moved on.
      CREATE FUNCTION hito_stale() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
          RAISE EXCEPTION 'the row has moved on' USING ERRCODE = 'HT001';
        END
      $$;
      """,
    down: .sql(
      """
      DROP FUNCTION hito_stale();
      DROP TABLE enrolments;
      DROP TABLE courses;
      DROP TABLE users;
      """))
}
