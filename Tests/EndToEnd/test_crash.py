"""kill -9 and a restarted PostgreSQL under load: what was acknowledged is there, once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from typing import List

import lake as lake_files
import pytest
from history import Watcher, check, eventually, ids, pages, read_all
from load import Learner, acknowledgements
from rebuilding import is_clean, replay
from hito import v1

import hito

TIMEOUT_SECONDS = 120.0
KILLS = 3


async def learners(mortal, connect, count: int, seed: int, timeout: float) -> List[Learner]:
    result = []
    for number in range(count):
        name = f"Aprendiz-{seed}-{number}"
        login = await asyncio.to_thread(mortal.join, name, "learner", name.lower())
        client = await connect(mortal, login)
        result.append(Learner(client, name, seed * 100 + number, timeout))
    return result


async def everything_is_there_once(mortal, admin_client: hito.Client, writers, watcher) -> None:
    """The tables, the log, the stream and the lake agree with what was acknowledged, and the tables are what
    the events of the log, and those of the lake, say."""
    for writer in writers:
        # Every acknowledged write has its place in the log from here on.
        await admin_client.events.read_events(v1.ReadEventsRequest(min_cursor=writer.last_cursor))
    log = await read_all(admin_client)
    check(log)
    created = Counter(e.entity_id for e in log if e.type == "goal.created")
    completed = Counter(e.entity_id for e in log if e.type == "task.completed")
    for writer in writers:
        listed = [
            goal async for goal in pages(writer._client.goals.list_goals, all_goals(), "goals")
        ]
        titles = Counter(goal.title for goal in listed)
        assert set(titles) <= writer.attempted
        assert not [t for t, n in titles.items() if n > 1], "a write has happened twice"
        stored = {goal.id: goal.title for goal in listed}
        for goal_id, title in writer.titles.items():
            assert stored.get(goal_id) == title, f"{title} was acknowledged and is gone"
            assert created[goal_id] == 1
        tasks = [
            task async for task in pages(writer._client.tasks.list_tasks, all_tasks(), "tasks")
        ]
        done = {t.id for t in tasks if t.status == v1.WorkStatus.WORK_STATUS_COMPLETED}
        assert writer.completed <= done
        assert all(completed[task] == 1 for task in writer.completed)

    await watcher.has(len(log))
    check(watcher.events)
    assert ids(watcher.events)[: len(log)] == ids(log)

    await admin_client.server.flush_lake(v1.FlushLakeRequest())
    rows = await asyncio.to_thread(lake_files.rows, mortal.lake)
    in_lake = Counter(row["event_id"] for row in rows)
    assert not [event_id for event_id, n in in_lake.items() if n > 1]
    # A write that nobody waited for any more may have been committed since the log was read.
    later = set(ids(await read_all(admin_client)))
    assert set(ids(log)) <= set(in_lake) <= later
    assert lake_files.opens_as_one_dataset(mortal.lake) >= len(log)
    is_clean(await replay(mortal))
    is_clean(await replay(mortal, "--from", "lake"))


def all_goals() -> v1.ListGoalsRequest:
    return v1.ListGoalsRequest(page=v1.PageRequest(page_size=200))


def all_tasks() -> v1.ListTasksRequest:
    return v1.ListTasksRequest(page=v1.PageRequest(page_size=200))


async def test_after_kill_9_under_load_every_acknowledged_write_is_there_once(
    mortal, mortal_admin, connect
):
    seed = int(os.environ.get("HITO_E2E_SEED", random.randrange(1000)))
    print(f"HITO_E2E_SEED={seed}")
    chance = random.Random(seed)
    writers = await learners(mortal, connect, 6, seed, TIMEOUT_SECONDS)
    admin = await connect(mortal, mortal_admin, timeout=TIMEOUT_SECONDS)
    watcher = Watcher(admin)
    enough = asyncio.Event()
    try:
        # No failure is tolerated: within its time each call waits for the server to be back.
        async with asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(writer.run(enough, tolerated=()))
            try:
                for _ in range(KILLS):
                    await acknowledgements(writers, chance.randrange(20, 60))
                    mortal.kill()
                    await mortal.restart()
                await acknowledgements(writers, 30)
            finally:
                enough.set()
        await everything_is_there_once(mortal, admin, writers, watcher)
    finally:
        await watcher.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["restarted", "killed"])
async def test_when_postgresql_goes_away_under_load_everything_heals(
    mortal, mortal_admin, connect, how
):
    writers = await learners(mortal, connect, 4, 2000 + how, 5.0)
    admin = await connect(mortal, mortal_admin, timeout=TIMEOUT_SECONDS)
    watcher = Watcher(admin)
    enough = asyncio.Event()
    tolerated = (hito.Unavailable, hito.DeadlineExceeded)
    try:
        async with asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(writer.run(enough, tolerated))
            try:
                await acknowledgements(writers, 20)
                before = mortal.postmaster()
                os.kill(before, how)
                await acknowledgements(writers, 40, seconds=90.0)
            finally:
                enough.set()
        assert mortal.is_running, "Hito itself was not restarted"
        assert mortal.postmaster() != before
        await everything_is_there_once(mortal, admin, writers, watcher)

        async def is_well() -> bool:
            health = await admin.health.check(v1.HealthCheckRequest())
            return health.status == v1.HealthStatus.HEALTH_STATUS_SERVING

        await eventually("the server to say that it is well", is_well)
    finally:
        await watcher.close()


async def test_a_failed_write_may_be_repeated_by_its_key_after_the_outage(
    mortal, mortal_ana, connect
):
    client = await connect(mortal, mortal_ana)
    key = "a-key-of-my-own"
    request = v1.CreateGoalRequest(title="Una sola vez")
    mortal.kill()
    with pytest.raises((hito.Unavailable, hito.DeadlineExceeded)):
        await client.goals.create_goal(request, idempotency_key=key, timeout=0.5)
    await mortal.restart()
    made = await client.goals.create_goal(request, idempotency_key=key, timeout=60.0)
    again = await client.goals.create_goal(request, idempotency_key=key, timeout=60.0)
    assert again.goal.id == made.goal.id and again.receipt.replayed
