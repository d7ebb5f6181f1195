/// Reads and writes of documents of courses. In the scoped reads `$1` sees everybody and `$2` is the
/// caller.
enum DocumentStatements {
  private static let columns = """
    d.id, d.course_id, c.user_id, d.path, d.title, d.language, d.format, d.content_hash,
    d.byte_count, d.ordinal, d.section_count, d.chunk_count, d.is_deleted, d.version,
    d.created_at, d.updated_at
    """

  private static let isVisible = """
    c.status <> 'deleted' AND ($1 OR c.user_id = $2 OR EXISTS (SELECT 1 FROM enrolments n
      WHERE n.user_id = $2 AND n.course_id = c.id AND n.is_active))
    """

  static let byPath = Statement(
    "document.by_path", [.bool, .uuid, .uuid, .text],
    """
    SELECT \(columns) FROM course_documents d JOIN courses c ON c.id = d.course_id
    WHERE d.course_id = $3 AND d.path = $4 AND \(isVisible)
    """)

  /// Behind the document `$4`, whose row and path stay for ever; from the beginning where it is NULL.
  /// A section can be found by meaning once none of its chunks waits for its vector.
  static let list = Statement(
    "documents.list", [.bool, .uuid, .uuid, .uuid, .int8],
    """
    SELECT \(columns), (
        SELECT count(*) FROM (
          SELECT 1 FROM passages p WHERE p.entity_type = 'course' AND p.entity_id = d.course_id
            AND p.chunk_number >= d.ordinal * 8192 AND p.chunk_number < (d.ordinal + 1) * 8192
          GROUP BY p.anchor HAVING bool_and(NOT p.waits)) AS s)::int4
    FROM course_documents d JOIN courses c ON c.id = d.course_id
    WHERE d.course_id = $3 AND NOT d.is_deleted AND \(isVisible)
      AND ($4 IS NULL OR d.path > (
        SELECT a.path FROM course_documents a WHERE a.id = $4 AND a.course_id = $3))
    ORDER BY d.path LIMIT $5
    """)

  static let chunks = Statement(
    "document.chunks", [.uuid, .int4, .int4],
    """
    SELECT p.chunk_number, p.content_hash, p.anchor, p.language FROM passages p
    WHERE p.entity_type = 'course' AND p.entity_id = $1
      AND p.chunk_number >= $2 AND p.chunk_number < $3
    ORDER BY p.chunk_number
    """)

  static let lastOrdinal = Statement(
    "documents.last_ordinal", [.uuid],
    "SELECT COALESCE(max(d.ordinal), 0) FROM course_documents d WHERE d.course_id = $1")

  static let insert = Statement(
    "document.insert",
    [
      .uuid, .text, .text, .text, .text, .bytea, .int4, .int4, .int4, .bool, .int8, .timestamptz,
      .uuid, .text, .int4, .timestamptz,
    ],
    """
    INSERT INTO course_documents (id, title, language, format, content, content_hash, byte_count,
      section_count, chunk_count, is_deleted, version, updated_at, course_id, path, ordinal,
      created_at)
    VALUES ($1, $2, $3, $4, COALESCE($5, ''), $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    """)

  static let update = Statement(
    "document.update",
    [
      .uuid, .text, .text, .text, .text, .bytea, .int4, .int4, .int4, .bool, .int8, .timestamptz,
    ],
    """
    WITH updated AS (
      UPDATE course_documents SET title = $2, language = $3, format = $4,
        content = COALESCE($5, content), content_hash = $6, byte_count = $7, section_count = $8,
        chunk_count = $9, is_deleted = $10, version = $11, updated_at = $12
      WHERE id = $1 AND version = $11 - 1 RETURNING 1)
    SELECT CASE WHEN count(*) = 1 THEN 1 ELSE hito_stale() END FROM updated
    """)

  /// Fails the unit where the course `$1` was deleted, and keeps it from being deleted meanwhile.
  static let courseIsThere = Statement(
    "document.course_is_there", [.uuid],
    """
    SELECT CASE WHEN count(*) = 1 THEN 1 ELSE hito_stale() END
    FROM (SELECT 1 FROM courses WHERE id = $1 AND status <> 'deleted' FOR SHARE) c
    """)

  static let all = [byPath, list, chunks, lastOrdinal, insert, update, courseIsThere]
}
