extension Migration {
  /// Submissions of several files, tests of tasks, and validations: jobs that workers take.
  static let validations = Migration(
    version: 22, name: "tests of tasks and validations of code",
    preparation: [
      // The newest judged snapshot of a task. One that was interrupted is there and invalid.
      .once("DROP INDEX IF EXISTS code_snapshots_judged"),
      .once(
        """
        CREATE INDEX CONCURRENTLY code_snapshots_judged ON code_snapshots (task_id, created_at, id)
          WHERE validation_passed IS NOT NULL
        """),
    ],
    up: """
      ALTER TABLE events DROP CONSTRAINT events_entity_type_check;
      ALTER TABLE events ADD CONSTRAINT events_entity_type_check CHECK (entity_type IN (
        'user', 'course', 'enrolment', 'goal', 'task', 'code_snapshot', 'document', 'agent_run',
        'validation', 'task_tests')) NOT VALID;

      -- The files of a submission beside the main one, which is code_snapshots.code_content.
      CREATE TABLE snapshot_files (
        snapshot_id uuid NOT NULL REFERENCES code_snapshots (id),
        path text NOT NULL CHECK (octet_length(path) BETWEEN 1 AND 240),
        user_id uuid NOT NULL REFERENCES users (id),
        content text NOT NULL CHECK (octet_length(content) <= 262144),
        PRIMARY KEY (snapshot_id, path)
      );

      -- Never changed: an old verdict can be made again.
      CREATE TABLE test_suites (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id),
        hash bytea NOT NULL CHECK (octet_length(hash) = 32),
        content jsonb NOT NULL CHECK (jsonb_typeof(content) = 'object'),
        created_at timestamptz NOT NULL,
        CONSTRAINT test_suites_author_hash_key UNIQUE (user_id, hash)
      );

      -- What tests a task has had: the row of the highest version holds.
      CREATE TABLE task_tests (
        task_id uuid NOT NULL REFERENCES tasks (id),
        version bigint NOT NULL CHECK (version > 0),
        user_id uuid NOT NULL REFERENCES users (id),
        goal_id uuid NOT NULL REFERENCES goals (id),
        suite_id uuid REFERENCES test_suites (id),
        set_by uuid NOT NULL REFERENCES users (id),
        set_as text NOT NULL CHECK (set_as IN ('learner', 'instructor', 'service', 'admin')),
        set_at timestamptz NOT NULL,
        PRIMARY KEY (task_id, version)
      );
      CREATE INDEX task_tests_suite ON task_tests (suite_id, task_id, version);

      CREATE TABLE validations (
        id uuid PRIMARY KEY,
        snapshot_id uuid NOT NULL REFERENCES code_snapshots (id),
        user_id uuid NOT NULL REFERENCES users (id),
        caller_id uuid NOT NULL REFERENCES users (id),
        goal_id uuid REFERENCES goals (id),
        course_id uuid REFERENCES courses (id),
        task_id uuid REFERENCES tasks (id),
        suite_id uuid REFERENCES test_suites (id),
        queue_key uuid NOT NULL,
        -- Whose turn it is: the lowest first. Each queue key has one of each turn.
        turn bigint NOT NULL,
        group_id uuid,
        is_preview boolean NOT NULL,
        run_count integer NOT NULL CHECK (run_count BETWEEN 1 AND 5),
        seed bigint NOT NULL CHECK (seed BETWEEN 0 AND 4294967295),
        status text NOT NULL CHECK (status IN ('queued', 'running', 'completed', 'cancelled')),
        version bigint NOT NULL CHECK (version > 0),
        owner text NOT NULL CHECK (char_length(owner) <= 100),
        lease_until timestamptz NOT NULL,
        attempt integer NOT NULL CHECK (attempt >= 0),
        verdict text CHECK (verdict IN ('passed', 'failed', 'inconclusive', 'errored')),
        score double precision CHECK (score BETWEEN 0 AND 1),
        report jsonb CHECK (jsonb_typeof(report) = 'object'),
        created_at timestamptz NOT NULL,
        started_at timestamptz,
        finished_at timestamptz,
        updated_at timestamptz NOT NULL,
        CHECK ((status = 'completed') = (verdict IS NOT NULL))
      ) WITH (fillfactor = 70);
      CREATE INDEX validations_queue ON validations (turn, id) WHERE status = 'queued';
      CREATE INDEX validations_queued_of ON validations (queue_key, turn) WHERE status = 'queued';
      CREATE INDEX validations_running ON validations (lease_until) WHERE status = 'running';
      CREATE INDEX validations_snapshot ON validations (snapshot_id, created_at, id);
      CREATE INDEX validations_task ON validations (task_id, created_at, id)
        WHERE task_id IS NOT NULL;
      CREATE INDEX validations_owner ON validations (user_id, created_at, id);
      CREATE INDEX validations_group ON validations (group_id, created_at, id)
        WHERE group_id IS NOT NULL;
      CREATE INDEX validations_ended ON validations (updated_at)
        WHERE status IN ('completed', 'cancelled');

      -- Whole reports, where tests are hidden from the author of the code.
      CREATE TABLE validation_reports (
        validation_id uuid PRIMARY KEY REFERENCES validations (id) ON DELETE CASCADE,
        user_id uuid NOT NULL REFERENCES users (id),
        goal_id uuid REFERENCES goals (id),
        suite_author_id uuid NOT NULL REFERENCES users (id),
        report jsonb NOT NULL CHECK (jsonb_typeof(report) = 'object')
      );

      CREATE FUNCTION hito_purge_validations(moment timestamptz, row_max integer) RETURNS bigint
        LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        WITH gone AS (
          DELETE FROM validations WHERE ctid = ANY (ARRAY(
            SELECT t.ctid FROM validations t
            WHERE t.updated_at < least(moment, now() - interval '1 day')
              AND t.status IN ('completed', 'cancelled')
            ORDER BY t.updated_at LIMIT row_max))
          RETURNING 1)
        SELECT count(*) FROM gone
      $$;
      REVOKE EXECUTE ON FUNCTION hito_purge_validations(timestamptz, integer) FROM PUBLIC;
      """,
    // Refused where such events are in the log: it is never edited.
    down: .sql(
      """
      DROP FUNCTION hito_purge_validations(timestamptz, integer);
      DROP INDEX code_snapshots_judged;
      DROP TABLE validation_reports;
      DROP TABLE validations;
      DROP TABLE task_tests;
      DROP TABLE test_suites;
      DROP TABLE snapshot_files;
      ALTER TABLE events DROP CONSTRAINT events_entity_type_check;
      ALTER TABLE events ADD CONSTRAINT events_entity_type_check CHECK (entity_type IN (
        'user', 'course', 'enrolment', 'goal', 'task', 'code_snapshot', 'document', 'agent_run'));
      """))
}
