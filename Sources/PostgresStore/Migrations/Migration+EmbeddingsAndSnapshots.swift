extension Migration {
  static let embeddingsAndSnapshots = Migration(
    version: 4, name: "embeddings and code snapshots",
    up: """
      CREATE EXTENSION IF NOT EXISTS vector;

      CREATE TABLE embeddings (
        id uuid PRIMARY KEY,
        entity_type text NOT NULL CHECK (entity_type IN ('goal', 'course', 'code_snapshot')),
        entity_id uuid NOT NULL,
        user_id uuid,
        content text NOT NULL,
        embedding vector(512) NOT NULL,
        model text NOT NULL CHECK (char_length(model) BETWEEN 1 AND 200),
        content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
        chunk_number integer NOT NULL DEFAULT 0 CHECK (chunk_number >= 0),
        metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT embeddings_entity_chunk_key UNIQUE (entity_type, entity_id, chunk_number)
      );
      CREATE INDEX ON embeddings USING hnsw (embedding vector_cosine_ops);
      CREATE INDEX embeddings_owner ON embeddings (user_id, entity_type);

      CREATE TABLE code_snapshots (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id),
        goal_id uuid REFERENCES goals (id),
        task_id uuid REFERENCES tasks (id),
        file_path text NOT NULL CHECK (char_length(file_path) BETWEEN 1 AND 1000),
        code_content text NOT NULL CHECK (octet_length(code_content) <= 1048576),
        language text NOT NULL CHECK (char_length(language) BETWEEN 1 AND 32),
        validation_passed boolean,
        validation_score double precision CHECK (validation_score BETWEEN 0 AND 1),
        validation_feedback text,
        version bigint NOT NULL CHECK (version > 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      );
      CREATE INDEX idx_code_snapshots_validated ON code_snapshots(validation_passed, created_at);
      CREATE INDEX code_snapshots_owner ON code_snapshots (user_id, created_at, id);
      """,
    // The extension stays: another schema of the same database may use it.
    down: .sql(
      """
      DROP TABLE code_snapshots;
      DROP TABLE embeddings;
      """))
}
