/// What the application role may do: read and write rows, and nothing to the schema. Which rows it sees
/// is said by `RowSecurity`.
enum Grants {
  static let applicationRole = "hito_app"

  /// Run after every migration; does nothing where the role does not exist (with an external
  /// database the role that logs in is used). Rows of the log are never changed or deleted, and
  /// nobody chooses a number of it.
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
      GRANT SELECT, INSERT, UPDATE ON agent_runs, model_usage, quotas TO hito_app;
      GRANT SELECT, INSERT, UPDATE ON validations, event_publications TO hito_app;
      GRANT SELECT, INSERT ON snapshot_files, test_suites, task_tests, validation_reports TO hito_app;
      GRANT SELECT, INSERT ON event_blobs TO hito_app;
      GRANT SELECT, INSERT ON idempotency_replies TO hito_app;
      GRANT SELECT, INSERT ON audit_entries, log_seals TO hito_app;
      GRANT EXECUTE ON FUNCTION hito_empty_replies(bigint, bigint, timestamptz) TO hito_app;
      GRANT EXECUTE ON FUNCTION hito_purge_tokens(timestamptz, integer),
        hito_purge_runs(timestamptz, integer), hito_purge_usage(timestamptz, integer),
        hito_purge_validations(timestamptz, integer), hito_purge_audit(timestamptz, integer)
        TO hito_app;
      -- Earlier ones were granted the whole table.
      REVOKE ALL ON events FROM hito_app;
      GRANT SELECT ON events TO hito_app;
      GRANT INSERT (\(EventRow.names)) ON events TO hito_app;
      GRANT SELECT, INSERT ON event_positions TO hito_app;
      GRANT SELECT, UPDATE ON event_low_mark TO hito_app;
      GRANT SELECT ON log_identity, event_floor TO hito_app;
      GRANT EXECUTE ON FUNCTION
        hito_remove_events(uuid, bigint, bigint, uuid[], timestamptz) TO hito_app;
      GRANT SELECT, INSERT ON log_epochs TO hito_app;
      GRANT USAGE ON SEQUENCE events_seq_seq TO hito_app;
      GRANT SELECT, INSERT, UPDATE, DELETE ON
        embeddings, passages, idempotency_keys, stored_bytes, course_copies,
        consumer_groups, group_entries, group_consumers, process_reports
        TO hito_app;
      GRANT SELECT, INSERT ON external_events TO hito_app;
      GRANT SELECT, INSERT, UPDATE ON external_subjects TO hito_app;
      GRANT SELECT ON schema_migrations, embedding_models TO hito_app;
      GRANT SELECT ON installation TO hito_app;
    END
    $$
    """
}
