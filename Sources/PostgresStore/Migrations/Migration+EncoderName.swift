extension Migration {
  /// The embedded encoder's vectors changed, and with them its name. Where there are vectors already the
  /// servers make them anew beside those in use, as for any other model; where there are none there is
  /// nothing to wait for.
  static let encoderName = Migration(
    version: 31, name: "the embedded encoder with quantized weights",
    up: """
      UPDATE embedding_models SET name = 'use-multilingual-3-int8'
      WHERE name = 'use-multilingual-3' AND state = 'active'
        AND NOT EXISTS (SELECT FROM embeddings)
        AND NOT EXISTS (SELECT FROM embedding_models n WHERE n.name = 'use-multilingual-3-int8');
      """,
    down: .sql(
      """
      UPDATE embedding_models SET name = 'use-multilingual-3'
      WHERE name = 'use-multilingual-3-int8' AND state = 'active'
        AND NOT EXISTS (SELECT FROM embeddings)
        AND NOT EXISTS (SELECT FROM embedding_models n WHERE n.name = 'use-multilingual-3');
      """))
}
