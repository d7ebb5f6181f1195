import Domain

/// Writes of passages and their vectors.
enum PassageStatements {
  /// The kind, the entity and the number of a chunk.
  typealias Key = Parameters<PassageKind, EntityID, Int32>
  /// Keys as an array for each part.
  typealias Keys = Parameters<[PassageKind], [EntityID], [Int32]>

  static func keys(_ keys: [PassageKey]) -> Keys {
    Keys(keys.map(\.kind), keys.map(\.entityID), keys.map(\.chunkNumber))
  }

  /// The passage of an entity that is inserted in the same unit. Its vector follows.
  static let insert = Query<Inserted<PassageRow>>(
    "passage.insert",
    """
    INSERT INTO passages (\(PassageRow.names), waits, created_at, updated_at)
    VALUES (\(PassageRow.values), true, now(), now())
    """)

  /// Such a passage with its vector; the parameter after its own is the vector's model. Where that is
  /// not the active one any more, the passage waits.
  ///
  /// One statement, so that the model is looked up once. It locks the tables in the order in which
  /// they are named here, and then takes its snapshot: a move to another model has the passages first
  /// as well, and waits, or is waited for and seen.
  static let insertWithVector = Query<Inserted<PassageRow>, String, VectorParameter>(
    "passage.insert_with_vector",
    PassageRow.layout.resolve(
      """
      WITH model AS MATERIALIZED (
        SELECT m.name FROM embedding_models m WHERE m.name = $next AND m.state = 'active'),
      passage AS (
        INSERT INTO passages (\(PassageRow.names), waits, created_at, updated_at)
        VALUES (\(PassageRow.values), NOT EXISTS (SELECT FROM model), now(), now())),
      vector AS (
        INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
          content_hash, chunk_number, metadata, is_copy, created_at, updated_at)
        SELECT gen_random_uuid(), $entity_type, $entity_id, $user_id, $content,
          $\(PassageRow.next + 1)::vector, m.name, $content_hash, $chunk_number,
          jsonb_build_object('title', $title, 'document_path', $document_path, 'anchor', $anchor,
            'language', $language),
          false, now(), now()
        FROM model m)
      SELECT
      """, PassageRow.layout.inserted))

  /// Passages of one entity. The two parameters after theirs say which of them come with a vector in
  /// the same unit, and of which model. One whose text is stored already keeps its vector; that of
  /// another text goes, so that no question finds a text by what it said before.
  static let save = Query<Listed<PassageRow>, [Bool], String>(
    "passages.save",
    """
    WITH saved AS (
    INSERT INTO passages AS p (\(PassageRow.names), waits, created_at, updated_at)
    SELECT \(PassageRow.elements),
      NOT n.has_vector OR NOT EXISTS (
        SELECT 1 FROM embedding_models m
        WHERE m.name = $\(PassageRow.next + 1) AND m.state = 'active'),
      now(), now()
    FROM unnest(\(PassageRow.arrays), $\(PassageRow.next)) AS n (\(PassageRow.names), has_vector)
    ON CONFLICT (entity_type, entity_id, chunk_number) DO UPDATE SET \(PassageRow.overwriting),
      waits = excluded.waits AND (p.waits OR p.content_hash <> excluded.content_hash),
      attempts = 0, next_attempt_at = '-infinity', last_error = NULL,
      updated_at = excluded.updated_at
    RETURNING p.chunk_number, p.content_hash)
    DELETE FROM embeddings e USING saved s
    WHERE e.entity_type = ($1)[1] AND e.entity_id = ($2)[1] AND e.chunk_number = s.chunk_number
      AND e.content_hash <> s.content_hash AND NOT e.is_copy
    """)

  /// Holds the passage by which those enrolled in a course find it until the end of the unit: storing
  /// its vector begins with this, enrolling and leaving with `shareCourse`, so that the later one sees
  /// what the other did.
  static let lockCourse = Query<EntityID>(
    "passage.lock_course", "\(firstOfCourse) FOR UPDATE")

  /// As `lockCourse`, beside others who enrol.
  static let shareCourse = Query<EntityID>(
    "passage.share_course", "\(firstOfCourse) FOR SHARE")

  private static let firstOfCourse = """
    SELECT 1 FROM passages WHERE entity_type = 'course' AND entity_id = $1 AND chunk_number = 0
    """

  /// The vector of one passage, where its text is still the one that was embedded and the model
  /// still the active one.
  static let embed = Query<Key, Bytes, String, VectorParameter>(
    "passage.embed",
    """
    WITH done AS (
      UPDATE passages p SET waits = false, attempts = 0, last_error = NULL
      WHERE p.entity_type = $1 AND p.entity_id = $2 AND p.chunk_number = $3
        AND p.content_hash = $4
        AND EXISTS (SELECT 1 FROM embedding_models m WHERE m.name = $5 AND m.state = 'active')
      RETURNING p.*)
    INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
      content_hash, chunk_number, metadata, is_copy, created_at, updated_at)
    SELECT gen_random_uuid(), d.entity_type, d.entity_id, d.user_id, d.content, $6::vector, $5,
      d.content_hash, d.chunk_number,
      jsonb_build_object('title', d.title, 'document_path', d.document_path, 'anchor', d.anchor,
        'language', d.language),
      false, now(), now()
    FROM done d
    ON CONFLICT (entity_type, entity_id, chunk_number, user_id) DO UPDATE SET
      content = excluded.content, embedding = excluded.embedding, model = excluded.model,
      content_hash = excluded.content_hash, metadata = excluded.metadata,
      updated_at = excluded.updated_at
    """)

  // The copies of a course are not among these: they follow (`CourseCopyStatements`).
  // Passages go first, and their vectors by a statement of its own: it waits for a worker that holds
  // a passage, and then sees the vector that the worker stored.

  /// `$3` are the numbers of chunks that go.
  static let remove = Query<PassageKind, EntityID, [Int32]>(
    "passages.remove",
    "DELETE FROM passages WHERE entity_type = $1 AND entity_id = $2 AND chunk_number = ANY ($3)")

  static let removeVectors = Query<PassageKind, EntityID, [Int32]>(
    "embeddings.remove",
    """
    DELETE FROM embeddings
    WHERE entity_type = $1 AND entity_id = $2 AND chunk_number = ANY ($3) AND NOT is_copy
    """)

  static let removeAll = Query<PassageKind, EntityID>(
    "passages.remove_all",
    "DELETE FROM passages WHERE entity_type = $1 AND entity_id = $2")

  static let removeAllVectors = Query<PassageKind, EntityID>(
    "embeddings.remove_all",
    "DELETE FROM embeddings WHERE entity_type = $1 AND entity_id = $2 AND NOT is_copy")

  /// Lets the learner `$2` find the course `$1` by the notes' query.
  static let copyCourse = Query<EntityID, EntityID>(
    "embeddings.copy_course",
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

  static let removeCopy = Query<EntityID, EntityID>(
    "embeddings.remove_copy",
    """
    DELETE FROM embeddings
    WHERE entity_type = 'course' AND entity_id = $1 AND user_id = $2 AND is_copy
    """)

  static let all: [any StatementSource] = [
    insert, insertWithVector, save, lockCourse, shareCourse, embed, remove, removeVectors,
    removeAll,
    removeAllVectors,
    copyCourse, removeCopy,
  ]
}

extension PassageKey: ParameterGroup {
  var parameters: PassageStatements.Key { Parameters(kind, entityID, chunkNumber) }
}
