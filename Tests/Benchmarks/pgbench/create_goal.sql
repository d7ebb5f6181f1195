-- A goal with three tasks, for pgbench: the leanest correct script for what CreateGoal leaves behind, as
-- one would write it by hand for these tables. The key of the request with its reply, the goal, its
-- tasks, its words (a generated column) and its vector, and their four events; one pipeline, so one
-- transaction and one round trip. Nothing here can conflict: a repeated key fails at the first
-- statement.
--
-- It does less than the server: it trusts its input, knows every id, has its vector ready, does not ask
-- which model's vectors are in use, counts nobody's bytes, and no policy applies to who runs it.
--
-- `make bench-store` gives the variables: texts that the server itself wrote (reply, payloads,
-- metadata), so that both sides write the same bytes, and the beginnings of ids that no other run had.
-- Ids are of version 7, as the server's are, so that the indexes grow at the same places: twelve
-- decimal digits end them. Each client writes for a learner of its own.
\set i :i + 1
\set n 100000000000 + :i * 256 + :client_id
\set learner 100000000000 + :client_id
\startpipeline
WITH key AS (
  INSERT INTO idempotency_keys (caller_id, method, key, request_hash)
  VALUES ((:learners::text || :learner::text)::uuid, 'hito.v1.GoalService/CreateGoal',
    :goals::text || :n::text, :hash::bytea)
  RETURNING reply_id, caller_id, created_at)
INSERT INTO idempotency_replies (slot, id, caller_id, reply)
SELECT hito_reply_slot(created_at), reply_id, caller_id, :reply::bytea FROM key;
INSERT INTO goals (id, user_id, title, description, status, progress_percentage,
  validation_criteria, ai_feedback, version, revision, created_at, updated_at)
VALUES ((:goals::text || :n::text)::uuid, (:learners::text || :learner::text)::uuid, :title::text,
  :description::text, 'pending', 0, :criteria::text[], '', 1, 1, now(), now());
INSERT INTO tasks (id, goal_id, user_id, title, description, status, ordinal,
  validation_criteria, version, created_at, updated_at)
VALUES
  ((:tasks_0::text || :n::text)::uuid, (:goals::text || :n::text)::uuid,
    (:learners::text || :learner::text)::uuid, :task_title_0::text, :task_description_0::text,
    'pending', 0, '{}', 1, now(), now()),
  ((:tasks_1::text || :n::text)::uuid, (:goals::text || :n::text)::uuid,
    (:learners::text || :learner::text)::uuid, :task_title_1::text, :task_description_1::text,
    'pending', 1, '{}', 1, now(), now()),
  ((:tasks_2::text || :n::text)::uuid, (:goals::text || :n::text)::uuid,
    (:learners::text || :learner::text)::uuid, :task_title_2::text, :task_description_2::text,
    'pending', 2, '{}', 1, now(), now());
INSERT INTO passages (entity_type, entity_id, chunk_number, user_id, title, content,
  content_hash, language, document_path, anchor, waits, created_at, updated_at)
VALUES ('goal', (:goals::text || :n::text)::uuid, 0, (:learners::text || :learner::text)::uuid,
  :title::text, :content::text, :content_hash::bytea, '', '', '', false, now(), now());
INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
  content_hash, created_at, updated_at)
VALUES (gen_random_uuid(), 'goal', (:goals::text || :n::text)::uuid,
  (:learners::text || :learner::text)::uuid, :content::text, :vector::vector, 'use-multilingual-3-int8',
  :content_hash::bytea, now(), now());
INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload, metadata,
  schema_version, created_at)
VALUES
  (uuidv7(), 'goal.created', 'goal', (:goals::text || :n::text)::uuid, 1,
    (:learners::text || :learner::text)::uuid, :goal_payload::jsonb, :metadata::jsonb, 1, now()),
  (uuidv7(), 'task.created', 'task', (:tasks_0::text || :n::text)::uuid, 1,
    (:learners::text || :learner::text)::uuid, :task_payload::jsonb, :metadata::jsonb, 1, now()),
  (uuidv7(), 'task.created', 'task', (:tasks_1::text || :n::text)::uuid, 1,
    (:learners::text || :learner::text)::uuid, :task_payload::jsonb, :metadata::jsonb, 1, now()),
  (uuidv7(), 'task.created', 'task', (:tasks_2::text || :n::text)::uuid, 1,
    (:learners::text || :learner::text)::uuid, :task_payload::jsonb, :metadata::jsonb, 1, now());
\endpipeline
