import BenchmarkSupport
import Foundation
import HitoClient

/// Many learners with many goals each, put into the database directly: real rows with random vectors.
///
/// The index over all vectors is dropped before and not built again: building it over a million takes
/// the better part of an hour on two cores, and no search of one learner uses it. A learner's rows lie
/// between those of the others, as they would after years of use.
struct Corpus {
  let server: BenchServer
  let learners: [Learner]
  let rowsPerLearner: Int

  func fill() async throws {
    let database = server.database
    let total = learners.count * rowsPerLearner
    say("putting \(total) goals with vectors in place")
    let began = ContinuousClock.now
    let ids = learners.enumerated().map { "(\($0.offset), '\($0.element.id)'::uuid)" }
    try database.sql(
      """
      SET statement_timeout = 0;
      SET transaction_timeout = 0;
      SET synchronous_commit = off;
      SELECT setseed(0.25);
      DROP INDEX embeddings_embedding_idx;
      CREATE TEMP TABLE learner AS SELECT * FROM (VALUES \(ids.joined(separator: ", ")))
        AS l (number, id);
      CREATE TEMP TABLE pool AS SELECT n, (
          SELECT array_agg(random() - 0.5 + n * 0 ORDER BY j) FROM generate_series(1, 512) j
        )::vector(512) AS vector FROM generate_series(0, 4999) n;
      CREATE TEMP TABLE fresh AS SELECT gen_random_uuid() AS id, l.id AS user_id, i
        FROM generate_series(1, \(rowsPerLearner)) i, learner l;
      INSERT INTO goals (id, user_id, title, description, status, progress_percentage,
          validation_criteria, ai_feedback, version, revision, created_at, updated_at)
        SELECT id, user_id, 'meta ' || i, '', 'completed', 100, '{}', '', 1, 1, now(), now()
        FROM fresh ORDER BY i;
      INSERT INTO passages (entity_type, entity_id, chunk_number, user_id, title, content,
          content_hash, language, document_path, anchor, waits, created_at, updated_at)
        SELECT 'goal', id, 0, user_id, 'meta ' || i, 'meta ' || i, sha256(i::text::bytea), 'es', '',
          '', false, now(), now() FROM fresh ORDER BY i;
      INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
          content_hash, created_at, updated_at)
        SELECT gen_random_uuid(), 'goal', f.id, f.user_id, 'meta ' || i,
          p.vector, 'use-multilingual-3-int8', sha256(i::text::bytea), now(), now()
        FROM fresh f JOIN pool p ON p.n = (f.i * 7919) % 5000 ORDER BY f.i;
      """, as: .owner)
    try database.sql(
      "SET statement_timeout = 0; VACUUM (ANALYZE) embeddings; VACUUM (ANALYZE) goals; VACUUM (ANALYZE) passages; CHECKPOINT",
      as: .administrator)
    say("in place after \(number((ContinuousClock.now - began).inSeconds)) s")
  }
}
