import Domain

/// Documents of courses. In the scoped reads `$1` and `$2` are the scope.
enum DocumentStatements {
  /// `$3` the course, `$4` the path.
  static let byPath = Query<AccessScope, EntityID, String>(
    "document.by_path",
    """
    SELECT \(DocumentRow.columns) FROM course_documents d JOIN courses c ON c.id = d.course_id
    WHERE d.course_id = $3 AND d.path = $4 AND \(Visibility.isMaterialVisible)
    """)

  /// Those of the course `$3` after the document `$4`, whose row and path stay for ever; from the beginning where it is NULL.
  /// A section can be found by meaning once none of its chunks waits for its vector.
  static let list = Query<AccessScope, EntityID, EntityID?, Int64>(
    "documents.list",
    """
    SELECT \(DocumentRow.columns), (
        SELECT count(*) FROM (
          SELECT 1 FROM passages p WHERE p.entity_type = 'course' AND p.entity_id = d.course_id
            AND p.chunk_number >= d.ordinal * 8192 AND p.chunk_number < (d.ordinal + 1) * 8192
          GROUP BY p.anchor HAVING bool_and(NOT p.waits)) AS s)::int4
    FROM course_documents d JOIN courses c ON c.id = d.course_id
    WHERE d.course_id = $3 AND NOT d.is_deleted AND \(Visibility.isMaterialVisible)
      AND ($4 IS NULL OR d.path > (
        SELECT a.path FROM course_documents a WHERE a.id = $4 AND a.course_id = $3))
    ORDER BY d.path LIMIT $5
    """)

  static let chunks = Query<EntityID, Int32, Int32>(
    "document.chunks",
    """
    SELECT p.chunk_number, p.content_hash, p.anchor, p.language FROM passages p
    WHERE p.entity_type = 'course' AND p.entity_id = $1
      AND p.chunk_number >= $2 AND p.chunk_number < $3
    ORDER BY p.chunk_number
    """)

  static let lastOrdinal = Query<EntityID>(
    "documents.last_ordinal",
    "SELECT COALESCE(max(d.ordinal), 0) FROM course_documents d WHERE d.course_id = $1")

  static let insert = Query<Inserted<DocumentRow>>("document.insert", DocumentRow.insert)

  static let update = Query<Updated<DocumentRow>>(
    "document.update", DocumentRow.update(where: "version = $version - 1"))

  /// Fails the unit where the course `$1` was deleted, and keeps it from being deleted meanwhile.
  static let courseIsThere = Query<EntityID>(
    "document.course_is_there",
    """
    SELECT CASE WHEN count(*) = 1 THEN 1 ELSE hito_stale() END
    FROM (SELECT 1 FROM courses WHERE id = $1 AND status <> 'deleted' FOR SHARE) c
    """)

  static let all: [any StatementSource] = [
    byPath, list, chunks, lastOrdinal, insert, update, courseIsThere,
  ]
}
