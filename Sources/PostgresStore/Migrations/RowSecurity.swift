import Digits

/// The second wall: which rows of each table a session sees by what it said of whom it works for
/// (`Viewer`), whatever its statements ask for. The first one is what they ask for (`Visibility`).
///
/// Three policies on each table, of which one has to hold:
///
/// - `hito_viewer`: callers read what is theirs, instructors what is done in their courses too, services
///   and admins everything. Callers write nothing.
/// - `hito_system`: the server's own work.
/// - `hito_owner`: the owner of the tables in a session that said nothing, as those of scripts and
///   people are. A session of the server says "none" when it begins (`ConnectionSettings.isServing`),
///   so that it sees nothing where a unit does not say more, also where it logs in as the owner.
///
/// The conditions of reads ask for a setting once per statement (`SELECT`), and are booleans where they
/// can be: of those the planner does not believe that hardly any row passes. Those of writes ask for each
/// row: a statement that asks once has a plan of its own for that, which is set up and taken down at each
/// execution and costs as much as ten rows.
///
/// Courses have none: who made one is no secret, and what is in it is in documents and passages.
package enum RowSecurity {
  /// Which rows of a table a caller reads.
  struct Rule {
    var table: String
    var isVisible: String
    /// Whether searches rank all of its rows (`ReaderRole`).
    var isRanked = false
    /// Whether statements touch few rows of it, and nearly every write does: then reads too ask for each
    /// row.
    var isOfEveryWrite = false
    /// What has to hold for a row that is written, whoever writes it.
    var check = "true"
  }

  private static let caller = "(SELECT hito_caller())"
  private static let isOwn = "user_id = \(caller)"
  private static func scopeIs(_ scope: String) -> String {
    "(SELECT current_setting('hito.scope', true) = '\(scope)')"
  }
  /// Asked for each row. A CASE and no comparison: of that the planner believes that hardly any row
  /// passes.
  private static func rowScopeIs(_ scope: String) -> String {
    "CASE COALESCE(current_setting('hito.scope', true), '') WHEN '\(scope)' THEN true ELSE false END"
  }
  /// The course is the caller's own, or one that they are enrolled in.
  private static func isReadable(_ course: String) -> String {
    "\(course) = ANY ((SELECT hito_readable_courses(\(caller)))::uuid[])"
  }

  /// The course is one that the caller runs. Asked once per statement, and only where a row needs it.
  private static func isRun(_ course: String, evenDeleted: Bool) -> String {
    "\(course) = ANY ((SELECT hito_run_courses(\(evenDeleted)))::uuid[])"
  }
  /// The row of `table` belongs to a goal of the same learner that the caller sees.
  ///
  /// A query of the policy's own and no function: that set up a query for each row, and within it one
  /// for each enrolment, so that an instructor's lists cost 10 to 100 times what they cost without the
  /// second wall. A statement that reads tasks begins 25 µs later for it.
  private static func isOfVisibleGoal(_ table: String) -> String {
    """
    EXISTS (SELECT 1 FROM goals g WHERE g.id = \(table).goal_id AND g.user_id = \(table).user_id
      AND g.status <> 'deleted')
    """
  }

  static let rules = [
    Rule(table: "users", isVisible: "id = \(caller)"),
    Rule(
      table: "enrolments",
      isVisible: """
        \(isOwn) OR \(scopeIs("courses")) AND \(isRun("course_id", evenDeleted: true))
        """),
    Rule(
      table: "goals",
      isVisible: """
        \(isOwn) OR \(scopeIs("courses")) AND \(isRun("course_id", evenDeleted: false))
          AND EXISTS (SELECT 1 FROM enrolments n WHERE n.course_id = goals.course_id
            AND n.user_id = goals.user_id AND n.is_active)
        """, isRanked: true),
    Rule(
      table: "tasks",
      isVisible: "\(isOwn) OR \(scopeIs("courses")) AND \(isOfVisibleGoal("tasks"))"),
    Rule(
      table: "code_snapshots",
      isVisible: """
        \(isOwn) OR \(scopeIs("courses")) AND \(isOfVisibleGoal("code_snapshots"))
          OR \(scopeIs("examples"))
            AND (\(Visibility.isSharedExample("code_snapshots", reader: caller))
              OR \(isReadable("course_id")))
        """, isRanked: true),
    Rule(
      table: "snapshot_files",
      isVisible: """
        \(isOwn) OR \(scopeIs("courses")) AND EXISTS (
          SELECT 1 FROM code_snapshots s WHERE s.id = snapshot_files.snapshot_id)
        """),
    // Hidden tests are in it: others are shown a part by the server.
    Rule(table: "test_suites", isVisible: isOwn),
    Rule(
      table: "task_tests",
      isVisible: "\(isOwn) OR \(scopeIs("courses")) AND \(isOfVisibleGoal("task_tests"))"),
    Rule(
      table: "validations",
      isVisible: "\(isOwn) OR \(scopeIs("courses")) AND \(isOfVisibleGoal("validations"))"),
    // What is hidden from the author of the code.
    Rule(
      table: "validation_reports",
      isVisible: """
        suite_author_id = \(caller) OR \(scopeIs("courses")) AND user_id <> \(caller)
          AND \(isOfVisibleGoal("validation_reports"))
        """),
    Rule(table: "course_documents", isVisible: isReadable("course_id")),
    Rule(
      table: "passages",
      isVisible: """
        CASE entity_type WHEN 'goal' THEN \(isOwn) WHEN 'course' THEN \(isReadable("entity_id"))
          ELSE EXISTS (SELECT 1 FROM code_snapshots s WHERE s.id = passages.entity_id) END
        """, isRanked: true),
    embeddings,
    // Those that have left the table keep their ids: see Migration.eventFloor.
    Rule(
      table: "events", isVisible: isOwn,
      check: "id > (SELECT f.highest_id FROM event_floor f)"),
    Rule(table: "event_positions", isVisible: isOwn),
    // Callers read code and documents where the rules of those say so.
    Rule(table: "event_blobs", isVisible: "false"),
    Rule(table: "agent_runs", isVisible: isOwn),
    Rule(table: "model_usage", isVisible: isOwn),
    Rule(table: "tokens", isVisible: isOwn),
    Rule(
      table: "idempotency_keys", isVisible: "caller_id = hito_caller()", isOfEveryWrite: true),
    Rule(
      table: "idempotency_replies", isVisible: "caller_id = hito_caller()", isOfEveryWrite: true),
    Rule(table: "quotas", isVisible: isOwn),
    Rule(
      table: "audit_entries", isVisible: "subject_id = \(caller) OR actor_id = \(caller)"),
    Rule(table: "stored_bytes", isVisible: "user_id = hito_caller()", isOfEveryWrite: true),
    Rule(table: "consumer_groups", isVisible: isOwn),
    Rule(table: "group_consumers", isVisible: isOwn),
    Rule(table: "course_copies", isVisible: "false"),
    Rule(table: "embedding_changes", isVisible: "false"),
  ]

  /// The courses that the caller runs. A dump asks for rows without a search path.
  private static let functions = """
    CREATE OR REPLACE FUNCTION hito_run_courses(also_deleted boolean) RETURNS uuid[]
      LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = public, pg_temp AS $f$
      BEGIN
        RETURN ARRAY(SELECT c.id FROM courses c
          WHERE c.user_id = hito_caller() AND (also_deleted OR c.status <> 'deleted'));
      END $f$;
    """

  static let embeddings = Rule(table: "embeddings", isVisible: isOwn, isRanked: true)

  /// The role that ranks is there, and the owner does not inherit from it: its policies would be the
  /// owner's too.
  private static let hasReader = """
    EXISTS (SELECT 1 FROM pg_roles r
      WHERE r.rolname = 'hito_reader' AND NOT pg_has_role(CURRENT_USER, r.oid, 'USAGE'))
    """

  /// Puts a table under its rule, as the table's owner.
  static func secure(_ rule: Rule) -> String {
    let isRead = rule.isOfEveryWrite ? rowScopeIs : scopeIs
    let ownerReads =
      rule.isOfEveryWrite
      ? rowScopeIs("") : "(SELECT COALESCE(current_setting('hito.scope', true), '') = '')"
    var script = """
      ALTER TABLE \(rule.table) ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY hito_system ON \(rule.table)
        USING (\(isRead("system"))) WITH CHECK (\(rowScopeIs("system")) AND \(rule.check));
      CREATE POLICY hito_viewer ON \(rule.table) FOR SELECT
        USING (\(isRead("all")) OR \(rule.isVisible));
      CREATE POLICY hito_owner ON \(rule.table) TO CURRENT_USER
        USING (\(ownerReads)) WITH CHECK (\(rowScopeIs("")) AND \(rule.check));
      """
    if rule.isRanked {
      script += """

        IF \(hasReader) THEN
          CREATE POLICY hito_reader ON \(rule.table) FOR SELECT TO hito_reader USING (true);
          GRANT SELECT ON \(rule.table) TO hito_reader;
        END IF;
        """
    }
    return script
  }

  /// Run after every migration. Does nothing where the rules are those of this build: changing them
  /// locks tables that everybody uses.
  static let sql = """
    DO $$ BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hito_reader') THEN
        BEGIN
          CREATE ROLE hito_reader NOLOGIN;
          IF current_setting('server_version_num')::integer >= 160000 THEN
            EXECUTE 'GRANT hito_reader TO CURRENT_USER WITH INHERIT FALSE, SET TRUE';
          ELSE
            GRANT hito_reader TO CURRENT_USER;
          END IF;
        EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
          -- Without it searches by words are slow; `hito doctor` tells.
          NULL;
        END;
      END IF;
      -- A build before granted the role so that its rights are inherited.
      IF current_setting('server_version_num')::integer >= 160000 AND EXISTS (
        SELECT 1 FROM pg_roles r, pg_roles c
        WHERE r.rolname = 'hito_reader' AND c.rolname = CURRENT_USER AND NOT c.rolsuper
          AND pg_has_role(c.oid, r.oid, 'USAGE'))
      THEN
        BEGIN
          EXECUTE 'GRANT hito_reader TO CURRENT_USER WITH INHERIT FALSE, SET TRUE';
        EXCEPTION WHEN insufficient_privilege THEN NULL;
        END;
      END IF;
      IF EXISTS (
        SELECT 1 FROM pg_policy p JOIN pg_roles o ON o.oid = ANY (p.polroles)
        WHERE p.polrelid = 'users'::regclass AND p.polname = 'hito_owner'
          AND o.rolname = CURRENT_USER AND obj_description(p.oid, 'pg_policy') = '\(mark)'
            || (\(hasReader)))
      THEN RETURN; END IF;
      \(remove)
      \(functions)
      \(rules.map(secure).joined(separator: "\n"))
      IF \(hasReader) THEN
        GRANT USAGE ON SCHEMA public TO hito_reader;
        GRANT SELECT ON embedding_models TO hito_reader;
      END IF;
      EXECUTE format('COMMENT ON POLICY hito_owner ON users IS %L', '\(mark)'
        || (\(hasReader)));
    END $$
    """

  /// Before a migration is taken back, which may drop what the rules look at.
  static let removal = "DO $$ BEGIN \(remove) END $$"

  private static let remove = """
    DECLARE found record;
    BEGIN
      FOR found IN
        SELECT p.polname AS policy, p.polrelid::regclass AS name FROM pg_policy p
        JOIN pg_class c ON c.oid = p.polrelid
        WHERE p.polname LIKE 'hito\\_%' AND c.relnamespace = 'public'::regnamespace
      LOOP
        EXECUTE format('DROP POLICY %I ON %s', found.policy, found.name);
        EXECUTE format(
          'ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', found.name);
      END LOOP;
      DROP FUNCTION IF EXISTS hito_run_courses(boolean);
      -- Of builds before.
      DROP FUNCTION IF EXISTS hito_oversees_goal(uuid, uuid);
      DROP FUNCTION IF EXISTS hito_oversees(uuid, uuid);
      DROP FUNCTION IF EXISTS hito_runs_course(uuid);
    END;
    """

  /// Tells rules of one build from those of another.
  private static let mark = Digits.hexadecimal(
    FNV1a(functions + rules.map(secure).joined(separator: "\n")).value)
}
