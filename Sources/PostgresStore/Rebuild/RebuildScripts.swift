import Domain

/// The scripts of a rebuild. The name of the schema is checked before one is made.
struct RebuildScripts: Sendable {
  let schema: String

  /// The tables of a rebuilt schema that the live ones have too.
  static let likeLive =
    RebuiltTable.allCases.map(\.rawValue) + ["snapshot_files", "passages", "embeddings"]

  /// What the key of each of them is.
  static func key(of table: String) -> [String] {
    switch table {
    case "snapshot_files": ["snapshot_id", "path"]
    case "passages": ["entity_type", "entity_id", "chunk_number"]
    case "embeddings": ["entity_type", "entity_id", "chunk_number", "user_id"]
    default: ["id"]
    }
  }

  static let session = """
    SET standard_conforming_strings = on;
    SET client_min_messages = error;
    SET jit = off
    """

  /// A schema of this name that was not made by a rebuild is left alone.
  var create: String {
    let tables = Self.likeLive.map { table in
      // Indexes beyond the key, and what is computed of other columns, would cost more than the rows.
      """
      CREATE TABLE \(schema).\(table) (LIKE public.\(table) INCLUDING DEFAULTS INCLUDING STORAGE);
      ALTER TABLE \(schema).\(table) ADD PRIMARY KEY (\(Self.key(of: table).joined(separator: ", ")));
      """
    }
    return """
      DO $$ BEGIN
        IF to_regnamespace('\(schema)') IS NOT NULL
          AND to_regclass('\(schema).replay_state') IS NULL THEN
          RAISE EXCEPTION 'the schema \(schema) is there, and no replay made it';
        END IF;
      END $$;
      \(drop);
      CREATE SCHEMA \(schema);
      \(tables.joined(separator: "\n"))
      ALTER TABLE \(schema).goals ALTER revision SET DEFAULT 1;
      CREATE TABLE \(schema).events (LIKE public.events);
      ALTER TABLE \(schema).events
        ALTER seq DROP NOT NULL, ADD COLUMN position bigint, ADD PRIMARY KEY (id);
      -- Up to where everything is applied, and of which log.
      CREATE TABLE \(schema).replay_state (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        position bigint NOT NULL, log_id uuid NOT NULL, with_events boolean NOT NULL);
      CREATE TABLE \(schema).replay_revisions (goal_id uuid PRIMARY KEY, revision bigint);
      -- Snapshots whose first event does not say which other files there were.
      CREATE TABLE \(schema).replay_unknown_files (snapshot_id uuid PRIMARY KEY);
      CREATE TABLE \(schema).replay_work (kind text, entity_id uuid, PRIMARY KEY (kind, entity_id));
      CREATE TABLE \(schema).replay_documents (
        document_id uuid, version bigint, course_id uuid NOT NULL, user_id uuid NOT NULL,
        ordinal integer NOT NULL, path text NOT NULL, language text NOT NULL, format text NOT NULL,
        content_hash bytea NOT NULL, is_deleted boolean NOT NULL, is_old boolean NOT NULL,
        event_id uuid NOT NULL, event_type text NOT NULL, position bigint NOT NULL,
        is_done boolean NOT NULL DEFAULT false, PRIMARY KEY (document_id, version));
      CREATE INDEX ON \(schema).replay_documents (document_id, version) WHERE NOT is_done
      """
  }

  var drop: String { "DROP SCHEMA IF EXISTS \(schema) CASCADE" }

  func begin(withEvents: Bool) -> String {
    """
    INSERT INTO \(schema).replay_state (position, log_id, with_events)
      SELECT 0, id, \(withEvents) FROM log_identity
    """
  }

  /// Where a schema is that is to be continued; none where it is of another log, or with other tables.
  func state(withEvents: Bool) -> String {
    """
    SELECT s.position FROM \(schema).replay_state s JOIN log_identity i ON i.id = s.log_id
    WHERE s.with_events = \(withEvents)
    """
  }

  /// A text as a literal. It holds no NUL: neither JSON from PostgreSQL nor ids do.
  static func literal(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "'")) else { return "'\(text)'" }
    return "'"
      + text.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "''") + "'"
  }

  /// Rows of a table as a list of JSON objects: what is higher than what is there wins.
  func upsert(_ table: RebuiltTable, columns: [String], rows: String) -> String {
    let names = columns.joined(separator: ", ")
    let changes = columns.filter { $0 != "id" }.map { "\($0) = excluded.\($0)" }
    return """
      INSERT INTO \(schema).\(table.rawValue) AS t (\(names))
      SELECT \(names) FROM json_populate_recordset(NULL::\(schema).\(table.rawValue), \(rows)::json)
      ON CONFLICT (id) DO UPDATE SET \(changes.joined(separator: ", "))
        WHERE excluded.version > t.version;
      """
  }

  func insert(_ table: String, columns: [String], rows: String, conflict: String) -> String {
    let names = columns.joined(separator: ", ")
    return """
      INSERT INTO \(schema).\(table) AS t (\(names))
      SELECT \(names) FROM json_populate_recordset(NULL::\(schema).\(table), \(rows)::json)
      ON CONFLICT \(conflict);
      """
  }

  func work(_ kind: PassageKind, ids: String) -> String {
    """
    INSERT INTO \(schema).replay_work (kind, entity_id)
      SELECT '\(kind.rawValue)', unnest('{\(ids)}'::uuid[]) ON CONFLICT DO NOTHING;
    """
  }

  func reached(_ position: Int64) -> String {
    "UPDATE \(schema).replay_state SET position = greatest(position, \(position));"
  }
}

extension RebuildScripts {
  func documentWork(limit: Int) -> String {
    """
    SELECT d.document_id, d.version, d.course_id, d.user_id, encode(d.content_hash, 'hex'), d.ordinal,
      d.path, d.language, d.format, d.is_deleted, coalesce(c.status <> 'deleted', false), d.is_old,
      d.event_id, d.event_type, d.position
    FROM \(schema).replay_documents d LEFT JOIN \(schema).courses c ON c.id = d.course_id
    WHERE NOT d.is_done ORDER BY d.document_id, d.version LIMIT \(limit)
    """
  }

  /// Courses, goals and snapshots, as their passages need them.
  func entityWork(limit: Int) -> String {
    """
    WITH next AS MATERIALIZED (
      SELECT kind, entity_id FROM \(schema).replay_work ORDER BY kind, entity_id LIMIT \(limit))
    SELECT n.kind, g.id, g.user_id, g.title, g.description, g.status, '',
        array_to_json(g.validation_criteria)::text
      FROM next n JOIN \(schema).goals g ON n.kind = 'goal' AND g.id = n.entity_id
    UNION ALL
    SELECT n.kind, c.id, c.user_id, c.title, c.description, c.status, c.language,
        coalesce((c.metadata->'technologies')::text, '[]')
      FROM next n JOIN \(schema).courses c ON n.kind = 'course' AND c.id = n.entity_id
    UNION ALL
    -- No more of the code than a passage has.
    SELECT n.kind, s.id, s.user_id, s.file_path, left(s.code_content, 20000), '', s.language, '[]'
      FROM next n JOIN \(schema).code_snapshots s ON n.kind = 'code_snapshot' AND s.id = n.entity_id
    """
  }

  func chunks(ofCourse course: EntityID, _ numbers: Range<Int32>) -> String {
    """
    SELECT chunk_number, encode(content_hash, 'hex'), anchor, language FROM \(schema).passages
    WHERE entity_type = 'course' AND entity_id = '\(course)'
      AND chunk_number >= \(numbers.lowerBound) AND chunk_number < \(numbers.upperBound)
    ORDER BY chunk_number
    """
  }

  func removePassages(_ update: PassageUpdate) -> String {
    let numbers =
      update.removesAll
      ? ""
      : " AND chunk_number = ANY ('{\(update.removedChunkNumbers.map(String.init).joined(separator: ","))}')"
    return """
      DELETE FROM \(schema).passages
        WHERE entity_type = '\(update.kind.rawValue)' AND entity_id = '\(update.entityID)'\(numbers);
      """
  }

  static let passageColumns = [
    "entity_type", "entity_id", "chunk_number", "user_id", "title", "content", "content_hash",
    "language", "document_path", "anchor",
  ]

  func savePassages(rows: String) -> String {
    let names = Self.passageColumns.joined(separator: ", ")
    let changes = Self.passageColumns.dropFirst(3).map { "\($0) = excluded.\($0)" }
    return """
      INSERT INTO \(schema).passages (\(names), waits, created_at, updated_at)
      SELECT \(names), true, now(), now()
      FROM json_populate_recordset(NULL::\(schema).passages, \(rows)::json)
      ON CONFLICT (entity_type, entity_id, chunk_number)
        DO UPDATE SET \(changes.joined(separator: ", "));
      """
  }

  /// A vector is made of a text by a model and nothing else.
  var takeOverVectors: String {
    let columns = """
      id, entity_type, entity_id, user_id, content, embedding, model, content_hash, chunk_number,
      metadata, is_copy, created_at, updated_at
      """
    return """
      TRUNCATE \(schema).embeddings;
      INSERT INTO \(schema).embeddings (\(columns))
      SELECT gen_random_uuid(), p.entity_type, p.entity_id, p.user_id, p.content, v.embedding, v.model,
        p.content_hash, p.chunk_number,
        jsonb_build_object('title', p.title, 'document_path', p.document_path, 'anchor', p.anchor,
          'language', p.language), false, now(), now()
      FROM \(schema).passages p JOIN (
        SELECT DISTINCT ON (e.content_hash) e.content_hash, e.embedding, e.model
        FROM public.embeddings e JOIN embedding_models m ON m.name = e.model AND m.state = 'active'
        ORDER BY e.content_hash) v USING (content_hash);
      UPDATE \(schema).passages p SET waits = false FROM \(schema).embeddings e
        WHERE (e.entity_type, e.entity_id, e.chunk_number)
          = (p.entity_type, p.entity_id, p.chunk_number);
      INSERT INTO \(schema).embeddings (\(columns))
      SELECT gen_random_uuid(), e.entity_type, e.entity_id, n.user_id, e.content, e.embedding, e.model,
        e.content_hash, e.chunk_number, e.metadata, true, now(), now()
      FROM \(schema).embeddings e JOIN \(schema).enrolments n ON n.course_id = e.entity_id
      WHERE e.entity_type = 'course' AND e.chunk_number = 0 AND n.is_active AND n.user_id <> e.user_id
      """
  }
}
