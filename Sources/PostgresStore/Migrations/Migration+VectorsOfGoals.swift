extension Migration {
  /// Goals leave the index over vectors. No search reads it for them: a learner's goals are found by
  /// their owner and all compared, also by the notes' query, which is exact that way. And putting one
  /// in was most of what a new goal cost (2.1 of 3.4 ms of CPU).
  static let vectorsOfGoals = Migration(
    version: 17, name: "vectors of goals without an index",
    preparation: [
      // Not usable where building it was interrupted.
      .once("DROP INDEX IF EXISTS embeddings_embedding_fresh"),
      .once("CREATE INDEX CONCURRENTLY embeddings_embedding_fresh ON embeddings \(vectorIndex)"),
    ],
    up: """
      -- At once, and not step by step past writers who wait for one step and hold up the next.
      LOCK TABLE embeddings IN ACCESS EXCLUSIVE MODE;
      -- Only where a move to another model has put another table here meanwhile.
      CREATE INDEX IF NOT EXISTS embeddings_embedding_fresh ON embeddings \(vectorIndex);
      -- A move under way makes its own anew.
      DROP INDEX IF EXISTS embeddings_embedding_idx, embeddings_next_embedding_idx;
      ALTER INDEX embeddings_embedding_fresh RENAME TO embeddings_embedding_idx;

      -- The same words. PostgreSQL reads the text of a function in SQL anew for every statement that
      -- writes a passage, that of this one once a session (141 µs an insert, now 117).
      CREATE OR REPLACE FUNCTION hito_words(title text, content text) RETURNS tsvector
        LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
        BEGIN
          RETURN setweight(to_tsvector('spanish', title), 'A')
            || setweight(to_tsvector('english', title), 'A')
            || to_tsvector('spanish', content) || to_tsvector('english', content);
        END
      $$;
      """,
    down: .sql(
      """
      DROP INDEX IF EXISTS embeddings_embedding_idx, embeddings_next_embedding_idx;
      CREATE INDEX embeddings_embedding_idx ON embeddings USING hnsw (embedding vector_cosine_ops);
      CREATE OR REPLACE FUNCTION hito_words(title text, content text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT setweight(to_tsvector('spanish', title), 'A')
          || setweight(to_tsvector('english', title), 'A')
          || to_tsvector('spanish', content) || to_tsvector('english', content)
      $$;
      """))

  private static let vectorIndex =
    "USING hnsw (embedding vector_cosine_ops) WHERE entity_type <> 'goal'"
}
