@testable import PostgresStore

/// The calls of retrieval and of agents' runs. (Which index searches by words and by meaning take
/// depends on the scope; `RetrievalStoreTests` holds what they find, whatever they take.)
extension PlanTests {
  static let retrievalCases: [Case] = [
    Case(
      statement: EmbeddingStatements.take, arguments: "64, now(), now() + interval '30 s', false",
      index: "passages_waiting", maySort: true),
    Case(
      statement: EmbeddingStatements.isEmbedded, arguments: "gen_random_uuid()",
      index: "events_pkey"),
    Case(
      statement: EmbeddingStatements.isEmbedded, arguments: "gen_random_uuid()",
      index: "passages_waiting_entity"),
    Case(
      statement: DocumentStatements.list, arguments: "true, \(user), \(course), NULL, 51",
      index: "Index Cond: ((entity_type = 'course'::text) AND (entity_id = d.course_id) AND "
        + "(chunk_number >=", maySort: true),
    Case(
      statement: SearchStatements.exact(SearchStatements.goals),
      arguments: "NULL, 'm', \(user), \(open), 40", index: "embeddings_signs", maySort: true,
      withoutSeqScan: true, role: ReaderRole.name),
    Case(statement: words, arguments: "'tensores'", index: "passages_words", role: ReaderRole.name),
    Case(
      statement: SearchStatements.quantizedAllGoals,
      arguments: "NULL, 'm', \(user), \(open), 40, 400, 1000", index: "embeddings_signs",
      maySort: true, withoutSeqScan: true, role: ReaderRole.name),
    Case(
      statement: SearchStatements.quantizedGoals,
      arguments: "NULL, 'm', \(user), \(open), 40, 400, 1000", index: "embeddings_signs",
      maySort: true, withoutSeqScan: true, role: ReaderRole.name),
    Case(
      statement: SearchStatements.texts,
      arguments: "'{goal}', ARRAY[gen_random_uuid()], '{0}', \(user)", index: "passages_pkey",
      maySort: true),
    Case(
      statement: AgentRunStatements.byID, arguments: "false, \(user), gen_random_uuid()",
      index: "agent_runs_pkey"),
    Case(
      statement: AgentRunStatements.events, arguments: "false, \(user), gen_random_uuid(), 0, 100",
      index: "events_entity", maySort: true),
    Case(
      statement: AgentRunStatements.abandoned, arguments: "'one', false, 100",
      index: "agent_runs_running", maySort: true, onlyCustom: true),
    Case(
      statement: AgentRunStatements.usage, arguments: "\(user), '2026-01-01'",
      index: "model_usage_pkey", maySort: true),
  ]

  static let words = Statement(
    "plan.words", [.text],
    "SELECT content FROM passages WHERE words @@ (SELECT t.term FROM hito_terms($1) t LIMIT 1)")

  static let retrievalRows = """
    INSERT INTO passages (entity_type, entity_id, chunk_number, user_id, title, content,
      content_hash, language, document_path, anchor, waits, next_attempt_at, created_at, updated_at)
      SELECT 'goal', gen_random_uuid(), 0, pg_temp.id(i % 2000 + 1), 't', 'aprender ' || i,
        sha256('x'), 'es', '', '', i % 1000 = 0, timestamptz '2026-01-01' + i * interval '1 second',
        now(), now() FROM generate_series(1, 100000) i;
    INSERT INTO agent_runs (id, kind, user_id, caller_id, request, status, version, owner,
      lease_until, created_at, updated_at)
      SELECT gen_random_uuid(), 'goal', pg_temp.id(i % 2000 + 1), pg_temp.id(i % 2000 + 1), '{}',
        CASE WHEN i % 1000 = 0 THEN 'running' ELSE 'completed' END, 1, 'one',
        timestamptz '2026-01-01' + i * interval '1 second', now(), now()
      FROM generate_series(1, 20000) i;
    INSERT INTO model_usage (user_id, hour, call_count, prompt_tokens, completion_tokens, cost_micros)
      SELECT pg_temp.id(i % 200 + 1), timestamptz '2026-01-01' + (i / 200) * interval '1 hour', 1, 1,
        1, 1 FROM generate_series(0, 19999) i;
    """
}
