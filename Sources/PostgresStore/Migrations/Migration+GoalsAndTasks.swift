extension Migration {
  static let goalsAndTasks = Migration(
    version: 2, name: "goals and tasks",
    up: """
      CREATE TABLE goals (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id),
        course_id uuid REFERENCES courses (id),
        title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
        description text NOT NULL CHECK (char_length(description) <= 10000),
        status text NOT NULL
          CHECK (status IN ('pending', 'in_progress', 'completed', 'archived', 'deleted')),
        progress_percentage double precision NOT NULL
          CHECK (progress_percentage BETWEEN 0 AND 100),
        validation_criteria text[] NOT NULL CHECK (cardinality(validation_criteria) <= 20),
        ai_feedback text NOT NULL CHECK (char_length(ai_feedback) <= 10000),
        target_date timestamptz,
        started_at timestamptz,
        completed_at timestamptz,
        version bigint NOT NULL CHECK (version > 0),
        -- Goes up with every write of the goal or its tasks; guards the aggregate.
        revision bigint NOT NULL CHECK (revision > 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      );
      CREATE INDEX ON goals(status, created_at);
      CREATE INDEX goals_owner ON goals (user_id, created_at, id);
      CREATE INDEX goals_created ON goals (created_at, id);
      CREATE INDEX goals_course ON goals (course_id, created_at, id) WHERE course_id IS NOT NULL;

      CREATE TABLE tasks (
        id uuid PRIMARY KEY,
        goal_id uuid NOT NULL REFERENCES goals (id),
        user_id uuid NOT NULL,
        title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
        description text NOT NULL CHECK (char_length(description) <= 10000),
        status text NOT NULL
          CHECK (status IN ('pending', 'in_progress', 'completed', 'archived', 'deleted')),
        ordinal integer NOT NULL CHECK (ordinal >= 0),
        validation_criteria text[] NOT NULL CHECK (cardinality(validation_criteria) <= 20),
        started_at timestamptz,
        completed_at timestamptz,
        version bigint NOT NULL CHECK (version > 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      );
      CREATE INDEX tasks_goal ON tasks (goal_id, ordinal, id);
      CREATE INDEX tasks_owner ON tasks (user_id, created_at, id);
      CREATE INDEX tasks_created ON tasks (created_at, id);
      """,
    down: .sql(
      """
      DROP TABLE tasks;
      DROP TABLE goals;
      """))
}
