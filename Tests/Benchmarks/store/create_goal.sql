-- CreateGoal as the server commits it, for pgbench: the same statements (the reply of the request,
-- the goal, its three tasks, their four events) in one pipeline, which is one implicit transaction
-- and one round trip.
--
--   pgbench -n -M prepared -c 16 -j 2 -T 10 -D user=<id of a user> -D run=$(date +%s) \
--     -D i=0 -f create_goal.sql "<connection string>"
--
-- Ids are made of the run, the client and a counter. As with UUIDs of version 7, later ones sort
-- later, so that the indexes grow at the same places as with the server.
\set i :i + 1
\startpipeline
INSERT INTO idempotency_keys (caller_id, method, key, request_hash, reply)
VALUES (:user::text::uuid, 'hito.v1.GoalService/CreateGoal',
  :run::bigint::text || '-' || :client_id::bigint::text || '-' || :i::bigint::text,
  '\x0101010101010101010101010101010101010101010101010101010101010101'::bytea,
  repeat('reply of some four hundred bytes', 12)::bytea);
INSERT INTO goals (id, user_id, course_id, title, description, status, progress_percentage,
  validation_criteria, ai_feedback, target_date, started_at, completed_at, version, revision,
  created_at, updated_at)
VALUES (
  (to_hex(:run::bigint) || '-0000-7' || lpad(to_hex(:client_id::bigint), 3, '0') || '-8001-' || lpad(to_hex(:i::bigint), 12, '0'))::uuid,
  :user::text::uuid, NULL, 'Aprender FastAPI', 'Crear una API REST completa', 'pending', 0,
  '{"hay pruebas"}', '', NULL, NULL, NULL, 1, 1, now(), now());
WITH saved AS (
  INSERT INTO tasks AS t (id, goal_id, user_id, title, description, status, ordinal,
    validation_criteria, started_at, completed_at, version, created_at, updated_at)
  SELECT n.id,
    (to_hex(:run::bigint) || '-0000-7' || lpad(to_hex(:client_id::bigint), 3, '0') || '-8001-' || lpad(to_hex(:i::bigint), 12, '0'))::uuid,
    :user::text::uuid, n.title, n.description, n.status, n.ordinal, n.criteria::text[],
    n.started_at, n.completed_at, n.version, n.created_at, n.updated_at
  FROM unnest(
    ARRAY[
      (to_hex(:run::bigint) || '-0000-7' || lpad(to_hex(:client_id::bigint), 3, '0') || '-8002-' || lpad(to_hex(:i::bigint), 12, '0'))::uuid,
      (to_hex(:run::bigint) || '-0000-7' || lpad(to_hex(:client_id::bigint), 3, '0') || '-8003-' || lpad(to_hex(:i::bigint), 12, '0'))::uuid,
      (to_hex(:run::bigint) || '-0000-7' || lpad(to_hex(:client_id::bigint), 3, '0') || '-8004-' || lpad(to_hex(:i::bigint), 12, '0'))::uuid],
    ARRAY['Instalar', 'Primera ruta', 'Pruebas'], ARRAY['a', 'b', 'c'],
    ARRAY['pending', 'pending', 'pending'], ARRAY[0, 1, 2], ARRAY['{}', '{}', '{}'],
    ARRAY[NULL, NULL, NULL]::timestamptz[], ARRAY[NULL, NULL, NULL]::timestamptz[],
    ARRAY[1, 1, 1]::bigint[], ARRAY[now(), now(), now()], ARRAY[now(), now(), now()])
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
INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload, metadata,
  created_at, schema_version)
SELECT n.id, n.event_type, n.entity_type, n.id, 1, :user::text::uuid,
  '{"user_id": "01900000-0000-7000-8000-000000000001", "course_id": null, "title": "Aprender FastAPI", "description": "Crear una API REST completa", "status": "pending", "progress_percentage": 0, "validation_criteria": ["hay pruebas"], "ai_feedback": "", "target_date": null, "started_at": null, "completed_at": null, "created_at": "2026-01-31T09:05:00.000001Z", "updated_at": "2026-01-31T09:05:00.000001Z"}'::jsonb,
  '{"actor": "01900000-0000-7000-8000-000000000001", "key": "k"}'::jsonb, now(), 1
FROM unnest(
  ARRAY[
    (to_hex(:run::bigint) || '-0000-7' || lpad(to_hex(:client_id::bigint), 3, '0') || '-8001-' || lpad(to_hex(:i::bigint), 12, '0'))::uuid,
    (to_hex(:run::bigint) || '-0000-7' || lpad(to_hex(:client_id::bigint), 3, '0') || '-8002-' || lpad(to_hex(:i::bigint), 12, '0'))::uuid,
    (to_hex(:run::bigint) || '-0000-7' || lpad(to_hex(:client_id::bigint), 3, '0') || '-8003-' || lpad(to_hex(:i::bigint), 12, '0'))::uuid,
    (to_hex(:run::bigint) || '-0000-7' || lpad(to_hex(:client_id::bigint), 3, '0') || '-8004-' || lpad(to_hex(:i::bigint), 12, '0'))::uuid],
  ARRAY['goal.created', 'task.created', 'task.created', 'task.created'],
  ARRAY['goal', 'task', 'task', 'task']) WITH ORDINALITY AS n (id, event_type, entity_type, place)
ORDER BY n.place;
\endpipeline
