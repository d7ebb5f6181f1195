extension Migration {
  /// Tokens remember the one that they were made with, so that they are revoked with it. Those made
  /// before have none.
  static let tokenFamilies = Migration(
    version: 12, name: "families of tokens",
    up: """
      ALTER TABLE tokens ADD COLUMN parent_id uuid REFERENCES tokens (id) ON DELETE CASCADE;
      CREATE INDEX tokens_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;
      """,
    down: .sql(
      """
      DROP INDEX tokens_parent;
      ALTER TABLE tokens DROP COLUMN parent_id;
      """))
}
