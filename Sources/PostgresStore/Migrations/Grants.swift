/// What the application role may do: read and write rows, and nothing to the schema; and what its
/// reader's role may read.
enum Grants {
  static let applicationRole = "hito_app"

  /// Run after every migration; does nothing where the role does not exist (with an external
  /// database the role that logs in is used). Rows of the log are never deleted, and of an event
  /// only the position is ever written later.
  static let sql = """
    DO $$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hito_app') THEN
        RETURN;
      END IF;
      GRANT USAGE ON SCHEMA public TO hito_app;
      GRANT SELECT, INSERT, UPDATE ON
        users, courses, enrolments, goals, tasks, code_snapshots, tokens, sink_cursors,
        course_documents
        TO hito_app;
      GRANT SELECT, INSERT, UPDATE ON agent_runs, model_usage TO hito_app;
      GRANT SELECT, INSERT ON events TO hito_app;
      GRANT UPDATE (position) ON events TO hito_app;
      GRANT SELECT, UPDATE ON event_position TO hito_app;
      GRANT USAGE ON SEQUENCE events_seq_seq TO hito_app;
      GRANT SELECT, INSERT, UPDATE, DELETE ON embeddings, passages, idempotency_keys TO hito_app;
      GRANT SELECT, INSERT, UPDATE, DELETE ON course_copies TO hito_app;
      GRANT SELECT ON schema_migrations, embedding_models TO hito_app;
    END
    $$
    """

  /// The texts that retrieval hands out are read as this role, for one learner at a time
  /// (`hito_caller()`): row-level security withholds whatever that learner may not read, even where a
  /// query of ours asked for it. The application's own statements are not restricted by it, only by
  /// what they say.
  ///
  /// The owner of the tables passes all policies over, and an external server may not let us make
  /// the role: `hito doctor` tells.
  ///
  /// Does nothing where that is done: changing policies locks tables that everybody uses. A change
  /// of these policies gets another `mark`.
  static let reader = """
    DO $$
    DECLARE
      name text;
      mark constant text := 'policies of 2026-11-28';
    BEGIN
      IF EXISTS (
        SELECT 1 FROM pg_policy p WHERE p.polname = 'hito_reader' AND p.polrelid = 'passages'::regclass
          AND obj_description(p.oid, 'pg_policy') = mark)
        AND (NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hito_app') OR EXISTS (
          SELECT 1 FROM pg_policy p
          WHERE p.polname = 'hito_app' AND p.polrelid = 'passages'::regclass))
      THEN RETURN; END IF;
      IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hito_reader') THEN
        BEGIN
          CREATE ROLE hito_reader NOLOGIN;
          GRANT hito_reader TO CURRENT_USER;
        EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
          IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hito_reader') THEN RETURN; END IF;
        END;
      END IF;
      GRANT USAGE ON SCHEMA public TO hito_reader;
      GRANT SELECT ON passages, goals, courses, code_snapshots TO hito_reader;
      FOREACH name IN ARRAY ARRAY['goals', 'courses', 'code_snapshots', 'passages'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('DROP POLICY IF EXISTS hito_reader ON %I', name);
        EXECUTE format('DROP POLICY IF EXISTS hito_app ON %I', name);
        IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hito_app') THEN
          EXECUTE format(
            'CREATE POLICY hito_app ON %I TO hito_app USING (true) WITH CHECK (true)', name);
        END IF;
      END LOOP;
      CREATE POLICY hito_reader ON goals FOR SELECT TO hito_reader
        USING (user_id = (SELECT hito_caller()));
      CREATE POLICY hito_reader ON courses FOR SELECT TO hito_reader
        USING (id = ANY ((SELECT hito_readable_courses(hito_caller()))::uuid[]));
      CREATE POLICY hito_reader ON code_snapshots FOR SELECT TO hito_reader
        USING (user_id = (SELECT hito_caller()) OR shared AND verdict = 'passed'
          OR course_id = ANY ((SELECT hito_readable_courses(hito_caller()))::uuid[]));
      CREATE POLICY hito_reader ON passages FOR SELECT TO hito_reader
        USING (CASE entity_type
          WHEN 'goal' THEN user_id = (SELECT hito_caller())
          WHEN 'course' THEN
            entity_id = ANY ((SELECT hito_readable_courses(hito_caller()))::uuid[])
          -- The policy of the code decides.
          ELSE EXISTS (SELECT 1 FROM code_snapshots s WHERE s.id = entity_id) END);
      EXECUTE format('COMMENT ON POLICY hito_reader ON passages IS %L', mark);
    END
    $$
    """
}
