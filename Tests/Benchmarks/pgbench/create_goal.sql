-- CreateGoal as the server commits it, for pgbench: the reply of the request, the goal, its three
-- tasks, its passage and vector (which the server makes, and this is given), and their four events, in
-- one pipeline: one implicit transaction, one round trip.
--
-- `make bench-store` gives the variables: texts that the server itself wrote (reply, payloads,
-- metadata), so that both sides write the same bytes, and numbers that no other run had. Each
-- client writes for a learner of its own. Ids are of version 7, as the server's are, so that the
-- indexes grow at the same places; only the goal's must be known before it is written.
\set i :i + 1
\startpipeline
WITH key AS (
  INSERT INTO idempotency_keys (caller_id, method, key, request_hash)
  VALUES (('00000000-0000-7000-8000-' || lpad(to_hex(:client_id::int), 12, '0'))::uuid,
    'hito.v1.GoalService/CreateGoal', :run::text || '-' || :client_id::text || '-' || :i::text,
    :hash::text::bytea) RETURNING reply_id, caller_id, created_at),
charged AS (
  INSERT INTO stored_bytes AS s (day, user_id, shard, byte_count)
  SELECT date_trunc('day', now(), 'UTC'),
    ('00000000-0000-7000-8000-' || lpad(to_hex(:client_id::int), 12, '0'))::uuid,
    pg_backend_pid() % 16, 9000
  ON CONFLICT (day, user_id, shard) DO UPDATE SET byte_count = s.byte_count + excluded.byte_count)
INSERT INTO idempotency_replies (slot, id, caller_id, reply)
SELECT hito_reply_slot(created_at), reply_id, caller_id, :reply::text::bytea FROM key;
INSERT INTO goals (id, user_id, course_id, title, description, status, progress_percentage,
  validation_criteria, ai_feedback, target_date, started_at, completed_at, version, revision,
  created_at, updated_at)
VALUES ((:run::text || lpad(to_hex(:i::bigint * 256 + :client_id::int), 12, '0'))::uuid,
  ('00000000-0000-7000-8000-' || lpad(to_hex(:client_id::int), 12, '0'))::uuid, NULL,
  :title::text, :description::text, 'pending', 0, :criteria::text[], '', NULL, NULL, NULL, 1, 1,
  now(), now());
WITH saved AS (
  INSERT INTO tasks AS t (id, goal_id, user_id, title, description, status, ordinal,
    validation_criteria, started_at, completed_at, version, created_at, updated_at)
  SELECT n.id,
    (:run::text || lpad(to_hex(:i::bigint * 256 + :client_id::int), 12, '0'))::uuid,
    ('00000000-0000-7000-8000-' || lpad(to_hex(:client_id::int), 12, '0'))::uuid, n.title,
    n.description, n.status, n.ordinal, n.criteria::text[], n.started_at, n.completed_at,
    n.version, n.created_at, n.updated_at
  FROM unnest(ARRAY[uuidv7(), uuidv7(), uuidv7()], :task_titles::text[],
    :task_descriptions::text[], ARRAY['pending', 'pending', 'pending'], ARRAY[0, 1, 2],
    ARRAY['{}', '{}', '{}'], ARRAY[NULL, NULL, NULL]::timestamptz[],
    ARRAY[NULL, NULL, NULL]::timestamptz[], ARRAY[1, 1, 1]::bigint[],
    ARRAY[now(), now(), now()], ARRAY[now(), now(), now()])
    AS n (id, title, description, status, ordinal, criteria, started_at, completed_at, version,
      created_at, updated_at)
  ON CONFLICT (id) DO UPDATE SET title = excluded.title, description = excluded.description,
    status = excluded.status, ordinal = excluded.ordinal,
    validation_criteria = excluded.validation_criteria, started_at = excluded.started_at,
    completed_at = excluded.completed_at, version = excluded.version,
    updated_at = excluded.updated_at
  WHERE t.goal_id = excluded.goal_id AND t.user_id = excluded.user_id
  RETURNING 1)
SELECT CASE WHEN count(*) = 3 THEN 1 ELSE hito_stale() END FROM saved;
WITH saved AS (
  INSERT INTO passages AS p (entity_type, entity_id, chunk_number, user_id, title, content,
    content_hash, language, document_path, anchor, waits, created_at, updated_at)
  SELECT 'goal', (:run::text || lpad(to_hex(:i::bigint * 256 + :client_id::int), 12, '0'))::uuid,
    n.number, ('00000000-0000-7000-8000-' || lpad(to_hex(:client_id::int), 12, '0'))::uuid, n.title,
    n.content, n.hash, n.language, n.path, n.anchor,
    n.has_vector = 0 OR NOT EXISTS (
      SELECT 1 FROM embedding_models m WHERE m.name = 'use-multilingual-3' AND m.state = 'active'),
    now(), now()
  FROM unnest(ARRAY[0], ARRAY[:title::text], ARRAY[:content::text], ARRAY[sha256(:content::text::bytea)],
    ARRAY[''], ARRAY[''], ARRAY[''], ARRAY[1])
    AS n (number, title, content, hash, language, path, anchor, has_vector)
  ON CONFLICT (entity_type, entity_id, chunk_number) DO UPDATE SET user_id = excluded.user_id,
    title = excluded.title, content = excluded.content, content_hash = excluded.content_hash,
    language = excluded.language, document_path = excluded.document_path,
    anchor = excluded.anchor,
    waits = excluded.waits AND (p.waits OR p.content_hash <> excluded.content_hash),
    attempts = 0, next_attempt_at = '-infinity', last_error = NULL,
    updated_at = excluded.updated_at
  RETURNING p.chunk_number, p.content_hash)
DELETE FROM embeddings e USING saved s
WHERE e.entity_type = 'goal'
  AND e.entity_id = (:run::text || lpad(to_hex(:i::bigint * 256 + :client_id::int), 12, '0'))::uuid
  AND e.chunk_number = s.chunk_number AND e.content_hash <> s.content_hash;
WITH done AS (
  UPDATE passages p SET waits = false, attempts = 0, last_error = NULL
  WHERE p.entity_type = 'goal'
    AND p.entity_id = (:run::text || lpad(to_hex(:i::bigint * 256 + :client_id::int), 12, '0'))::uuid
    AND p.chunk_number = 0 AND p.content_hash = sha256(:content::text::bytea)
    AND EXISTS (
      SELECT 1 FROM embedding_models m WHERE m.name = 'use-multilingual-3' AND m.state = 'active')
  RETURNING p.*)
INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
  content_hash, chunk_number, metadata, is_copy, created_at, updated_at)
SELECT gen_random_uuid(), d.entity_type, d.entity_id, d.user_id, d.content, :vector::text::vector,
  'use-multilingual-3', d.content_hash, d.chunk_number,
  jsonb_build_object('title', d.title, 'document_path', d.document_path, 'anchor', d.anchor,
    'language', d.language), false, now(), now()
FROM done d
ON CONFLICT (entity_type, entity_id, chunk_number, user_id) DO UPDATE SET
  content = excluded.content, embedding = excluded.embedding, model = excluded.model,
  content_hash = excluded.content_hash, metadata = excluded.metadata,
  updated_at = excluded.updated_at;
INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload, metadata,
  created_at, schema_version)
SELECT n.id, n.event_type, n.entity_type, n.entity_id, n.version, n.user_id, n.payload,
  n.metadata, n.created_at, 1
FROM unnest(ARRAY[uuidv7(), uuidv7(), uuidv7(), uuidv7()],
  ARRAY['goal.created', 'task.created', 'task.created', 'task.created'],
  ARRAY['goal', 'task', 'task', 'task'], ARRAY[uuidv7(), uuidv7(), uuidv7(), uuidv7()],
  ARRAY[1, 1, 1, 1]::bigint[],
  array_fill(('00000000-0000-7000-8000-' || lpad(to_hex(:client_id::int), 12, '0'))::uuid, ARRAY[4]),
  ARRAY[:goal_payload::jsonb, :task_payload::jsonb, :task_payload::jsonb, :task_payload::jsonb],
  ARRAY[:metadata::jsonb, :metadata::jsonb, :metadata::jsonb, :metadata::jsonb],
  ARRAY[now(), now(), now(), now()]) WITH ORDINALITY AS n (id, event_type, entity_type, entity_id,
    version, user_id, payload, metadata, created_at, place)
ORDER BY n.place;
\endpipeline
