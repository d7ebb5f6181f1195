extension Migration {
  /// Binary quantization: one bit per component of each vector, in the owner's index. A learner's
  /// many goals are ranked by them without a look at the rows, which lie all over the table (ADR
  /// 0009).
  static let binaryQuantization = Migration(
    version: 11, name: "signs of vectors",
    up: """
      -- A switch under way begins anew: its table has no signs.
      DROP TABLE IF EXISTS embeddings_next;
      DELETE FROM embedding_models WHERE state = 'next';

      -- As many bits as the active model's vectors have components.
      DO $$ BEGIN
        EXECUTE (
          SELECT format('ALTER TABLE embeddings ADD COLUMN signs bit(%s)
            GENERATED ALWAYS AS (binary_quantize(embedding)::bit(%s)) STORED,
            ALTER COLUMN signs SET STORAGE PLAIN', atttypmod, atttypmod)
          FROM pg_attribute
          WHERE attrelid = 'embeddings'::regclass AND attname = 'embedding');
      END $$;
      DROP INDEX embeddings_owner;
      CREATE INDEX embeddings_signs ON embeddings (user_id, entity_type)
        INCLUDE (is_copy, entity_id, chunk_number, signs);
      """,
    down: .sql(
      """
      DROP TABLE IF EXISTS embeddings_next;
      DELETE FROM embedding_models WHERE state = 'next';
      DROP INDEX embeddings_signs;
      ALTER TABLE embeddings DROP COLUMN signs;
      CREATE INDEX embeddings_owner ON embeddings (user_id, entity_type);
      """))
}
