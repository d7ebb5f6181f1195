import Domain

/// Copies of the first passage of a course under the ids of those enrolled, by which the notes' query
/// finds it. A course can have any number of learners, so that what changes all of its copies only asks
/// for that (`request`); they follow in portions, each a unit of its own, which begins with
/// `PassageStatements.lockCourse` as everything does that changes whose copies there are.
enum CourseCopyStatements {
  /// Its copies are to be brought up to date, from the first learner on.
  static let request = Query<EntityID>(
    "course_copies.request",
    """
    INSERT INTO course_copies (course_id)
    SELECT c.id FROM courses c
    WHERE c.id = $1 AND EXISTS (SELECT 1 FROM enrolments n WHERE n.course_id = c.id)
    ON CONFLICT (course_id) DO UPDATE SET after_user_id = excluded.after_user_id
    """)

  static let next = Query<EntityID>(
    "course_copies.next",
    "SELECT course_id FROM course_copies WHERE course_id > $1 ORDER BY course_id LIMIT 1")

  /// The next `$2` learners of the course `$1`: those enrolled, and those who have a copy.
  static let copy = Query<EntityID, Int64>(
    "course_copies.copy",
    """
    WITH work AS MATERIALIZED (
      SELECT after_user_id FROM course_copies WHERE course_id = $1 FOR UPDATE),
    portion AS MATERIALIZED (
      SELECT l.user_id FROM (
        (SELECT n.user_id FROM enrolments n
          WHERE n.course_id = $1 AND n.user_id > (SELECT after_user_id FROM work)
          ORDER BY n.user_id LIMIT $2)
        UNION
        (SELECT e.user_id FROM embeddings e
          WHERE e.entity_type = 'course' AND e.entity_id = $1 AND e.chunk_number = 0 AND e.is_copy
            AND e.user_id > (SELECT after_user_id FROM work)
          ORDER BY e.user_id LIMIT $2)) l
      ORDER BY l.user_id LIMIT $2),
    wanted AS MATERIALIZED (
      SELECT p.user_id AS learner, e.* FROM portion p
      JOIN enrolments n ON n.course_id = $1 AND n.user_id = p.user_id AND n.is_active
      JOIN embeddings e ON e.entity_type = 'course' AND e.entity_id = $1 AND e.chunk_number = 0
        AND NOT e.is_copy AND e.user_id <> p.user_id),
    removed AS (
      DELETE FROM embeddings c USING portion p
      WHERE c.entity_type = 'course' AND c.entity_id = $1 AND c.chunk_number = 0 AND c.is_copy
        AND c.user_id = p.user_id AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.learner = c.user_id)),
    made AS (
      INSERT INTO embeddings AS c (id, entity_type, entity_id, user_id, content, embedding, model,
        content_hash, chunk_number, metadata, is_copy, created_at, updated_at)
      SELECT gen_random_uuid(), w.entity_type, w.entity_id, w.learner, w.content, w.embedding,
        w.model, w.content_hash, w.chunk_number, w.metadata, true, now(), now()
      FROM wanted w
      ON CONFLICT (entity_type, entity_id, chunk_number, user_id) DO UPDATE SET
        content = excluded.content, embedding = excluded.embedding, model = excluded.model,
        content_hash = excluded.content_hash, metadata = excluded.metadata,
        updated_at = excluded.updated_at
        WHERE c.is_copy AND (c.content_hash, c.model, c.metadata)
          IS DISTINCT FROM (excluded.content_hash, excluded.model, excluded.metadata)),
    moved AS (
      UPDATE course_copies
        SET after_user_id = (SELECT user_id FROM portion ORDER BY user_id DESC LIMIT 1)
      WHERE course_id = $1 AND (SELECT count(*) FROM portion) = $2),
    finished AS (
      DELETE FROM course_copies
      WHERE course_id = $1 AND (SELECT count(*) FROM portion) < $2)
    SELECT (SELECT count(*) FROM portion) = $2
    """)

  static let all: [any StatementSource] = [request, next, copy]
}
