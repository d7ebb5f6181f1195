/// Writes of passages and their vectors.
enum PassageStatements {
  /// Passages of one entity (`$1`, `$2`) of the owner `$3`; `$11` says which of them come with a
  /// vector of the model `$12` in the same unit. One whose text is stored already
  /// keeps its vector; that of another text goes, so that no question finds a text by what it said
  /// before.
  static let save = Statement(
    "passages.save",
    [
      .text, .uuid, .uuid, .int4Array, .textArray, .textArray, .byteaArray, .textArray, .textArray,
      .textArray, .int4Array, .text,
    ],
    """
    WITH saved AS (
    INSERT INTO passages AS p (entity_type, entity_id, chunk_number, user_id, title, content,
      content_hash, language, document_path, anchor, waits, created_at, updated_at)
    SELECT $1, $2, n.number, $3, n.title, n.content, n.hash, n.language, n.path, n.anchor,
      n.has_vector = 0 OR NOT EXISTS (
        SELECT 1 FROM embedding_models m WHERE m.name = $12 AND m.state = 'active'),
      now(), now()
    FROM unnest($4, $5, $6, $7, $8, $9, $10, $11) AS n (number, title, content, hash, language,
      path, anchor, has_vector)
    ON CONFLICT (entity_type, entity_id, chunk_number) DO UPDATE SET user_id = excluded.user_id,
      title = excluded.title, content = excluded.content, content_hash = excluded.content_hash,
      language = excluded.language, document_path = excluded.document_path,
      anchor = excluded.anchor,
      waits = excluded.waits AND (p.waits OR p.content_hash <> excluded.content_hash),
      attempts = 0, next_attempt_at = '-infinity', last_error = NULL,
      updated_at = excluded.updated_at
    RETURNING p.chunk_number, p.content_hash)
    DELETE FROM embeddings e USING saved s
    WHERE e.entity_type = $1 AND e.entity_id = $2 AND e.chunk_number = s.chunk_number
      AND e.content_hash <> s.content_hash
    """)

  /// Holds the passage by which those enrolled in a course find it until the end of the unit: storing
  /// its vector begins with this, enrolling and leaving with `shareCourse`, so that the later one sees
  /// what the other did.
  static let lockCourse = Statement(
    "passage.lock_course", [.uuid], "\(firstOfCourse) FOR UPDATE")

  /// As `lockCourse`, beside others who enrol.
  static let shareCourse = Statement(
    "passage.share_course", [.uuid], "\(firstOfCourse) FOR SHARE")

  private static let firstOfCourse = """
    SELECT 1 FROM passages WHERE entity_type = 'course' AND entity_id = $1 AND chunk_number = 0
    """

  /// The vector of one passage, where its text is still the one that was embedded and the model
  /// still the active one. With it go the copies for those who are enrolled in a course.
  static let embed = Statement(
    "passage.embed", [.text, .uuid, .int4, .bytea, .text, .float4Array],
    """
    WITH done AS (
      UPDATE passages p SET waits = false, attempts = 0, last_error = NULL
      WHERE p.entity_type = $1 AND p.entity_id = $2 AND p.chunk_number = $3
        AND p.content_hash = $4
        AND EXISTS (SELECT 1 FROM embedding_models m WHERE m.name = $5 AND m.state = 'active')
      RETURNING p.*)
    INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
      content_hash, chunk_number, metadata, is_copy, created_at, updated_at)
    SELECT gen_random_uuid(), d.entity_type, d.entity_id, o.user_id, d.content, $6::vector, $5,
      d.content_hash, d.chunk_number,
      jsonb_build_object('title', d.title, 'document_path', d.document_path, 'anchor', d.anchor,
        'language', d.language),
      o.is_copy, now(), now()
    FROM done d, LATERAL (
      SELECT d.user_id, false AS is_copy
      UNION ALL
      SELECT n.user_id, true FROM enrolments n
      WHERE d.entity_type = 'course' AND d.chunk_number = 0 AND n.course_id = d.entity_id
        AND n.is_active AND n.user_id <> d.user_id) o
    ON CONFLICT (entity_type, entity_id, chunk_number, user_id) DO UPDATE SET
      content = excluded.content, embedding = excluded.embedding, model = excluded.model,
      content_hash = excluded.content_hash, metadata = excluded.metadata,
      updated_at = excluded.updated_at
    """)

  // Passages go first, and their vectors by a statement of its own: it waits for a worker that holds
  // a passage, and then sees the vector that the worker stored.

  /// `$3` are the numbers of chunks that go.
  static let remove = Statement(
    "passages.remove", [.text, .uuid, .int4Array],
    "DELETE FROM passages WHERE entity_type = $1 AND entity_id = $2 AND chunk_number = ANY ($3)")

  static let removeVectors = Statement(
    "embeddings.remove", [.text, .uuid, .int4Array],
    "DELETE FROM embeddings WHERE entity_type = $1 AND entity_id = $2 AND chunk_number = ANY ($3)")

  static let removeAll = Statement(
    "passages.remove_all", [.text, .uuid],
    "DELETE FROM passages WHERE entity_type = $1 AND entity_id = $2")

  static let removeAllVectors = Statement(
    "embeddings.remove_all", [.text, .uuid],
    "DELETE FROM embeddings WHERE entity_type = $1 AND entity_id = $2")

  /// Lets the learner `$2` find the course `$1` by the notes' query.
  static let copyCourse = Statement(
    "embeddings.copy_course", [.uuid, .uuid],
    """
    INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
      content_hash, chunk_number, metadata, is_copy, created_at, updated_at)
    SELECT gen_random_uuid(), e.entity_type, e.entity_id, $2, e.content, e.embedding, e.model,
      e.content_hash, e.chunk_number, e.metadata, true, now(), now()
    FROM embeddings e
    WHERE e.entity_type = 'course' AND e.entity_id = $1 AND e.chunk_number = 0 AND NOT e.is_copy
      AND e.user_id <> $2
    ON CONFLICT (entity_type, entity_id, chunk_number, user_id) DO NOTHING
    """)

  static let removeCopy = Statement(
    "embeddings.remove_copy", [.uuid, .uuid],
    """
    DELETE FROM embeddings
    WHERE entity_type = 'course' AND entity_id = $1 AND user_id = $2 AND is_copy
    """)

  static let all = [
    save, lockCourse, shareCourse, embed, remove, removeVectors, removeAll, removeAllVectors,
    copyCourse, removeCopy,
  ]
}
