"""Events of types that only a later build writes: every reader hands them on, and none stops at them or
loses one."""

from __future__ import annotations

import asyncio
import json
from typing import Iterator

import groups
import lake as lake_files
import pytest
from conftest import _running
from history import Watcher, eventually, read_all
from hito import v1
from hito_server import HitoServer
from psql import Session
from rebuilding import is_clean, replay

import hito

# As a later build would: the whole goal after the change, under a type of its own.
SUNG = """
WITH last AS (
  SELECT e.* FROM events e WHERE e.entity_id = '{goal}' ORDER BY e.version DESC LIMIT 1),
changed AS (
  UPDATE goals g SET version = l.version + 1, revision = g.revision + 1, ai_feedback = 'Cantada'
  FROM last l WHERE g.id = l.entity_id RETURNING g.revision)
INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload, metadata,
  schema_version, created_at)
SELECT '{id}', '{type}', l.entity_type, l.entity_id, l.version + 1, l.user_id,
  l.payload || jsonb_build_object('ai_feedback', 'Cantada', 'revision', c.revision, 'melody', 'la'),
  l.metadata, l.schema_version, now()
FROM last l, changed c;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[HitoServer]:
    yield from _running({})


async def written(server: HitoServer, goal: str, event_type: str) -> str:
    """Writes such an event past the server, and returns its id."""
    session = await Session.open(server)
    try:
        (made,) = await session.run("SELECT uuidv7();")
        await session.run(SUNG.format(goal=goal, id=made, type=event_type))
        return made
    finally:
        await session.close()


async def test_every_reader_hands_on_what_it_does_not_know(server, connect):
    ana, login = await joined(server, connect)
    root = await connect(server, server.admin())
    service = await connect(server, await asyncio.to_thread(server.join, "Servicio", "service"))
    goal = (await ana.goals.create_goal(v1.CreateGoalRequest(title="Antes"))).goal.id
    own = v1.EventFilter(user_ids=[login.user_id])
    name = await groups.make(service, own)
    worker = groups.Worker(service, name)
    watchers = [
        Watcher(ana, v1.EventFilter(types=types)) for types in ([], ["goal.sung"], ["goal.*"])
    ]
    for watcher in watchers:
        await watcher.caught_up()
    ids = [await written(server, goal, "goal.sung")]
    # What is written afterwards, and what it is rendered by, goes on as ever.
    title = v1.UpdateGoalRequest(goal_id=goal, goal=v1.Goal(title="Después"))
    title.update_mask.paths.append("title")
    later = await ana.goals.update_goal(title)
    ids.append(await written(server, goal, "goal.sung"))

    for watcher in watchers:
        async def has_all(watcher: Watcher = watcher) -> bool:
            return set(ids) <= {event.id for event in watcher.events}

        await eventually("the watcher to have them", has_all)
        await watcher.close()
    for types in ([], ["goal.sung"], ["goal.*"]):
        log = await read_all(ana, v1.EventFilter(types=types), later.receipt.cursor)
        assert [e.id for e in log if e.type == "goal.sung"] == ids
        assert all(json.loads(e.payload_json)["melody"] == "la" for e in log if e.id in ids)
    assert ids[0] in {event.id for event in await read_all(root)}

    async def settled() -> bool:
        return set(ids) <= {item.event_id for item in worker.done if item.is_settled}

    await eventually("the group to have settled them", settled)
    await worker.close()
    assert worker.failure is None

    await root.server.flush_lake(v1.FlushLakeRequest())
    rows = await asyncio.to_thread(lake_files.rows, server.lake)
    assert [row["event_type"] for row in rows if row["event_id"] in set(ids)] == ["goal.sung"] * 2
    report = await ana.analytics.get_productivity(v1.GetProductivityRequest(days=3))
    counts = {item.type: item.count for item in report.events_by_type}
    assert counts["goal.sung"] == 2

    verified = await asyncio.to_thread(
        server.command, "audit", "verify", "--data-dir", str(server.data)
    )
    assert verified.returncode == 0, verified.stderr
    shown = await asyncio.to_thread(
        server.command, "replay", "--entity", f"goal/{goal}", "--data-dir", str(server.data)
    )
    assert shown.returncode == 0 and json.loads(shown.stdout)["ai_feedback"] == "Cantada"


async def joined(server: HitoServer, connect) -> "tuple[hito.Client, object]":
    login = await asyncio.to_thread(server.join, "Ana")
    return await connect(server, login), login


async def test_a_rebuild_folds_what_is_whole_and_names_what_it_cannot(server, connect):
    ana, _ = await joined(server, connect)
    root = await connect(server, server.admin())
    goal = (await ana.goals.create_goal(v1.CreateGoalRequest(title="Antes"))).goal.id
    made = await written(server, goal, "goal.whistled")
    await eventually_read(root, made)
    session = await Session.open(server)
    try:
        is_clean(await replay(server))
        await root.server.flush_lake(v1.FlushLakeRequest())
        is_clean(await replay(server, "--from", "lake"))
        # One that says less than a row of this build needs.
        await session.run(
            f"UPDATE events SET payload = payload - 'title' WHERE id = '{made}';"
        )
        result = await replay(server)
        assert result.returncode == 1, result.stdout
        assert f"event {made} (goal.whistled)" in result.stderr
        assert "1 event needs a newer build" in result.stderr
        # All tables were compared all the same, and nothing is put in place or kept without it.
        assert "code_snapshots" in result.stdout
        swapped = await replay(server, "--swap", "--differences", "100")
        assert swapped.returncode == 1 and "put in place" not in swapped.stderr
        kept = await replay(server, "--keep", "--into", "green")
        assert kept.returncode == 1 and "nothing was kept" in kept.stderr
        assert await session.run("SELECT count(*) FROM pg_namespace WHERE nspname = 'green';") == ["0"]
    finally:
        await session.close()


async def eventually_read(client: hito.Client, event_id: str) -> None:
    async def is_there() -> bool:
        return event_id in {event.id for event in await read_all(client)}

    await eventually("the event to have a position", is_there)
