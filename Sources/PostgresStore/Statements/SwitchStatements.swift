import Domain

/// Moving to another embedding model. `embeddings_next` is there only while that is under way, so
/// that these are not among the statements that always can be prepared.
enum SwitchStatements {
  /// Passages after the key `$1`, `$2`, `$3` whose text has no vector of the next model.
  static let missing = Query<String, EntityID, Int32, Int64>(
    "next.missing",
    """
    SELECT p.entity_type, p.entity_id, p.chunk_number, p.content, p.content_hash, 0
    FROM passages p
    WHERE (p.entity_type, p.entity_id, p.chunk_number) > ($1, $2, $3) AND NOT EXISTS (
      SELECT 1 FROM embeddings_next e
      WHERE e.entity_type = p.entity_type AND e.entity_id = p.entity_id
        AND e.chunk_number = p.chunk_number AND e.user_id = p.user_id
        AND e.content_hash = p.content_hash)
    ORDER BY p.entity_type, p.entity_id, p.chunk_number LIMIT $4
    """)

  /// `$6` is the model of the vector: where another server began a switch to another one, nothing is
  /// stored, and the vectors of two models are never mixed.
  static let store = Query<PassageStatements.Key, Bytes, VectorParameter, String>(
    "next.store",
    """
    INSERT INTO embeddings_next (id, entity_type, entity_id, user_id, content, embedding, model,
      content_hash, chunk_number, metadata, created_at, updated_at)
    SELECT gen_random_uuid(), p.entity_type, p.entity_id, p.user_id, p.content, $5::vector, m.name,
      p.content_hash, p.chunk_number,
      jsonb_build_object('title', p.title, 'document_path', p.document_path, 'anchor', p.anchor,
        'language', p.language), now(), now()
    FROM passages p, embedding_models m
    WHERE p.entity_type = $1 AND p.entity_id = $2 AND p.chunk_number = $3
      AND p.content_hash = $4 AND m.state = 'next' AND m.name = $6
    -- Whoever changes the text meanwhile waits, and is noted after this.
    FOR SHARE OF p
    ON CONFLICT (entity_type, entity_id, chunk_number, user_id) DO UPDATE SET
      content = excluded.content, embedding = excluded.embedding, model = excluded.model,
      content_hash = excluded.content_hash, metadata = excluded.metadata,
      updated_at = excluded.updated_at
    """)

  static let count = Statement(
    "next.count", "SELECT hito_next_count()")
}

/// The scripts of a switch, run as the owner of the tables. Names of models are letters, digits and
/// `._:/-` only (`PostgresEmbeddingSwitch` sees to it).
enum SwitchScripts {
  static func begin(model: String, dimensionCount: Int) -> String {
    """
    BEGIN;
    SET LOCAL lock_timeout = '\(lockTimeout)';
    DROP TABLE IF EXISTS embeddings_next;
    \(endNoting);
    TRUNCATE embedding_changes;
    DELETE FROM embedding_models WHERE state = 'next';
    INSERT INTO embedding_models (name, dimensions, state)
      VALUES ('\(model)', \(dimensionCount), 'next');
    CREATE TABLE embeddings_next (
      LIKE embeddings INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE);
    ALTER TABLE embeddings_next
      ALTER COLUMN embedding TYPE vector(\(dimensionCount)),
      ALTER COLUMN embedding SET STORAGE \(dimensionCount <= inlineMax ? "PLAIN" : "EXTERNAL"),
      ADD CONSTRAINT embeddings_next_pkey PRIMARY KEY (id),
      ADD CONSTRAINT embeddings_next_entity_chunk_key
        UNIQUE (entity_type, entity_id, chunk_number, user_id),
      DROP COLUMN signs;
    ALTER TABLE embeddings_next
      ADD COLUMN signs bit(\(dimensionCount))
        GENERATED ALWAYS AS (binary_quantize(embedding)::bit(\(dimensionCount))) STORED,
      ALTER COLUMN signs SET STORAGE PLAIN;
    \(grants("embeddings_next"))
    DO $$ BEGIN \(RowSecurity.secure(rule)) END $$;
    CREATE TRIGGER hito_switch
      AFTER INSERT OR DELETE OR UPDATE OF content_hash, user_id, waits ON passages
      FOR EACH ROW EXECUTE FUNCTION hito_note_passage();
    CREATE TRIGGER hito_switch AFTER INSERT OR UPDATE OF is_active ON enrolments
      FOR EACH ROW EXECUTE FUNCTION hito_note_enrolment();
    COMMIT
    """
  }

  /// How long everybody else may have to wait behind a switch that waits for a table.
  static let lockTimeout = "200ms"

  static let endNoting = """
    DROP TRIGGER IF EXISTS hito_switch ON passages;
    DROP TRIGGER IF EXISTS hito_switch ON enrolments
    """

  /// It has the rule of the table whose place it takes.
  private static var rule: RowSecurity.Rule {
    var rule = RowSecurity.embeddings
    rule.table = "embeddings_next"
    return rule
  }

  /// A row must fit a page of 8 KiB with its vector in it.
  private static let inlineMax = 1_800

  /// Begins with the copies of courses for those who are enrolled: a popular course has very many. Those
  /// of who comes and goes meanwhile follow with the other changes (`SwitchCompletion`).
  static func buildIndexes(dimensionCount: Int) -> String {
    """
    \(copies);
    CREATE INDEX IF NOT EXISTS embeddings_next_signs ON embeddings_next (user_id, entity_type)
      INCLUDE (is_copy, entity_id, chunk_number, signs);
    CREATE INDEX IF NOT EXISTS embeddings_next_half ON embeddings_next
      USING hnsw ((embedding::halfvec(\(dimensionCount))) halfvec_cosine_ops)
      WHERE entity_type <> 'goal' AND NOT is_copy;
    CREATE INDEX IF NOT EXISTS embeddings_next_embedding_idx ON embeddings_next
      USING hnsw (embedding vector_cosine_ops) WHERE entity_type <> 'goal'
    """
  }

  /// The copies that are not there yet.
  static let copies = """
    INSERT INTO embeddings_next (id, entity_type, entity_id, user_id, content, embedding, model,
        content_hash, chunk_number, metadata, is_copy, created_at, updated_at)
      SELECT gen_random_uuid(), e.entity_type, e.entity_id, n.user_id, e.content, e.embedding,
        e.model, e.content_hash, e.chunk_number, e.metadata, true, now(), now()
      FROM embeddings_next e JOIN enrolments n ON n.course_id = e.entity_id AND n.is_active
      WHERE e.entity_type = 'course' AND e.chunk_number = 0 AND NOT e.is_copy
        AND n.user_id <> e.user_id AND NOT EXISTS (
          SELECT 1 FROM embeddings_next c WHERE c.is_copy AND c.entity_type = 'course'
            AND c.entity_id = e.entity_id AND c.chunk_number = 0 AND c.user_id = n.user_id)
      ON CONFLICT (entity_type, entity_id, chunk_number, user_id) DO NOTHING
    """

  private static func grants(_ table: String) -> String {
    """
    DO $$ BEGIN
      IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hito_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON \(table) TO hito_app;
      END IF;
    END $$;
    """
  }
}
