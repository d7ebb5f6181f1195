"""Events leave the database for the lake after some days, and every reader finds them there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from pathlib import Path
from typing import Iterator, List, NamedTuple

import lake as lake_files
import pytest
from external_database import VERSIONS, Database
from history import Watcher, check, eventually, ids, read_all
from hito import v1
from hito_server import HitoServer, Login
from psql import Session, SessionLost

import hito

OLD = 12_000
"""Events that are older than the setting says, beside those that the server made itself."""
KILLS = 3
ARCHIVED = v1.ErrorReason.ERROR_REASON_EVENTS_ARCHIVED
AGED = "(left(hito_id_at(n.moment)::text, 19) || substr(gen_random_uuid()::text, 20))::uuid"


def events_of(user: str, count: int) -> str:
    """Makes what is there 61 days old, and adds tasks' events of fifty goals, up to 31 days old."""
    return f"""
        BEGIN;
        UPDATE events e SET id = {AGED}, created_at = n.moment
          FROM (SELECT seq, created_at - interval '61 days' AS moment FROM events) n
          WHERE e.seq = n.seq;
        UPDATE event_positions SET created_at = created_at - interval '61 days';
        INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload,
          metadata, schema_version, created_at)
        SELECT {AGED}, 'task.updated', 'task', gen_random_uuid(), 1, '{user}',
          jsonb_build_object('goal_id', md5('goal' || i % 50)::uuid, 'title', 'Añadir "ñ"', 'n', i),
          '{{}}', 1, n.moment
        FROM generate_series(1, {count}) i CROSS JOIN LATERAL (
          SELECT now() - interval '60 days' + i * interval '29 days' / {count} AS moment) n;
        COMMIT;
    """


class World(NamedTuple):
    server: HitoServer
    ana: Login
    log: List[str]
    """The ids of all old events in the order of the log."""
    floors: List[int]
    """Where the floor was after each kill."""


async def value(server: HitoServer, query: str) -> int:
    """-1 while the database does not answer."""
    with contextlib.suppress(SessionLost):
        session = await Session.open(server)
        try:
            return int((await session.run(f"SELECT {query};"))[0])
        finally:
            await session.close()
    return -1


async def floor(server: HitoServer) -> int:
    return await value(server, "position FROM event_floor")


async def aged(server: HitoServer) -> World:
    """A server of whose log all that is old has left, with a kill -9 now and then meanwhile."""
    ana = await asyncio.to_thread(server.join, "Ana")
    async with await server.connect(ana) as client:
        await client.goals.create_goal(v1.CreateGoalRequest(title="Antes"))
    server.kill()
    # PostgreSQL outlives it. The lake is written again: it has what is older now as of today.
    session = await Session.open(server)
    await session.run(events_of(ana.user_id, OLD), seconds=120)
    shutil.rmtree(server.data / "lake")
    await server.restart()

    counts = "SELECT (SELECT count(*) FROM events) - (SELECT count(*) FROM event_positions);"

    async def all_have_positions() -> bool:
        return (await session.run(counts))[0] == "0"

    await eventually("all to have a position", all_have_positions, 120)
    log = await session.run(
        "SELECT e.id FROM events e JOIN event_positions p USING (seq) ORDER BY p.position;"
    )
    await session.close()
    # The first look of a start is at once: what the lake had not got is left to the next one.
    async with await server.connect(server.admin()) as admin:
        await admin.server.flush_lake(v1.FlushLakeRequest(), timeout=120.0)
    floors: List[int] = []
    for _ in range(KILLS):
        server.kill()
        before = max(0, await floor(server))
        await server.restart()

        async def moved(before: int = before) -> bool:
            return await floor(server) > before or before == len(log)

        await eventually("more to leave", moved, 120)
        server.kill()
        floors.append(await floor(server))
        await server.restart()

    async def left() -> bool:
        return await floor(server) == len(log)

    await eventually("all that is old to leave", left, 180)
    return World(server, ana, log, floors)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    server = HitoServer(environment={"HITO_EVENT_DAYS": "30"})
    try:
        server.start()
        yield asyncio.run(aged(server))
    finally:
        server.remove()


async def test_killed_again_and_again_it_loses_and_doubles_nothing(world):
    server, ana = world.server, world.ana
    assert any(0 < place < len(world.log) for place in world.floors), world.floors
    assert await value(server, "count(*) FROM events e JOIN event_positions p USING (seq)"
                       f" WHERE p.position <= {len(world.log)}") == 0  # fmt: skip
    async with await server.connect(ana) as client, await server.connect(server.admin()) as admin:
        made = await client.goals.create_goal(v1.CreateGoalRequest(title="Sigo aquí"))
        everything = await read_all(admin, min_cursor=made.receipt.cursor)
        check(everything)
        assert ids(everything)[: len(world.log)] == world.log
        # A watcher from the beginning, of everything and of one learner.
        for watched in (admin, client):
            expected = [e for e in everything if watched is admin or e.user_id == ana.user_id]
            watcher = Watcher(watched)
            await watcher.has(len(expected))
            check(watcher.events)
            assert ids(watcher.events)[: len(expected)] == ids(expected)
            await watcher.close()
    # Anybody with pyarrow finds the same.
    rows = sorted(lake_files.rows(server.lake), key=lambda row: row["position"])
    assert [row["event_id"] for row in rows][: len(world.log)] == world.log


def goal_of(event: v1.Event) -> str:
    return json.loads(event.payload_json).get("goal_id", "")


async def test_a_part_of_what_has_left_is_found_by_any_cursor(world):
    async with await world.server.connect(world.ana) as client:
        everything = await read_all(client)
        goal = goal_of(next(e for e in everything if e.type == "task.updated"))
        of_goal = [e for e in everything if goal_of(e) == goal]
        assert len(of_goal) == OLD // 50
        found = await read_all(client, v1.EventFilter(goal_ids=[goal]))
        assert ids(found) == ids(of_goal)
        half = of_goal[len(of_goal) // 2]
        watcher = Watcher(client, v1.EventFilter(goal_ids=[goal]), half.cursor)
        await watcher.has(len(of_goal) // 2 - 1)
        assert ids(watcher.events) == ids(of_goal[len(of_goal) // 2 + 1 :])
        await watcher.close()
        report = await client.analytics.get_productivity(v1.GetProductivityRequest(days=90))
        assert report.total_events >= OLD
    status = world.server.command("log", "status", "--data-dir", str(world.server.data))
    assert f"floor {len(world.log)}" in status.stdout + status.stderr


async def refused(client: hito.Client) -> hito.HitoError:
    """How a read of what has left ends; what is after it is read all the same."""
    with pytest.raises(hito.FailedPrecondition) as caught:
        await read_all(client)
    assert caught.value.reason == ARCHIVED, caught.value
    with pytest.raises(hito.FailedPrecondition) as watched:
        async with client.progress.watch_resuming(v1.WatchRequest(from_beginning=True)) as watch:
            async for _ in watch:
                pass
    assert watched.value.reason == ARCHIVED
    made = await client.goals.create_goal(v1.CreateGoalRequest(title="Ahora"))
    request = v1.ReadEventsRequest(after_cursor=made.receipt.cursor)
    assert (await client.events.read_events(request)).at_end
    return caught.value


async def test_a_server_without_the_lake_says_so_and_begins_no_other(world):
    server = world.server
    aside = server.folder / "moved"
    assert server.stop() == 0
    shutil.move(server.data / "lake", aside)
    await server.restart()
    try:
        assert "have left the database for one: put its folder there" in server.log.read_text()
        async with await server.connect(world.ana) as client:
            error = await refused(client)
            assert "which this server does not have" in error.message
            with pytest.raises(hito.FailedPrecondition):
                await client.analytics.get_productivity(v1.GetProductivityRequest(days=90))
            report = await client.analytics.get_productivity(v1.GetProductivityRequest(days=20))
            assert report.total_events > 0
        doctor = server.command("doctor", "--data-dir", str(server.data))
        assert "there is no lake in" in doctor.stdout and doctor.returncode == 1, doctor.stdout
        assert not list((server.data / "lake").rglob("*")), "a lake was begun"
    finally:
        server.kill()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(server.data / "lake")
        shutil.move(aside, server.data / "lake")
        await server.restart()
    async with await server.connect(world.ana) as client:
        assert len(await read_all(client)) > OLD


def damage(file: Path) -> bytes:
    """Flips a bit of it; its bytes before."""
    content = file.read_bytes()
    file.write_bytes(content[:60] + bytes([content[60] ^ 0x10]) + content[61:])
    return content


async def test_a_damaged_file_is_kept_and_said_and_taken_back_when_it_is_whole(world):
    server = world.server
    assert server.stop() == 0
    file = max(server.lake.rglob("task_events*.parquet"), key=lambda file: file.stat().st_size)
    content = damage(file)
    await server.restart()
    quarantine = server.data / "lake" / "quarantine"
    async with await server.connect(world.ana) as client:
        error = await refused(client)
        assert "damaged" in error.message
        await eventually("the log to say it", lambda: said(server), 30)
    [aside] = quarantine.glob("*.parquet")
    server.kill()
    # As from a backup.
    aside.write_bytes(content)
    await server.restart()
    async with await server.connect(world.ana) as client:
        assert len(await read_all(client)) > OLD
    assert file.exists() and not list(quarantine.glob("*.parquet"))


async def said(server: HitoServer) -> bool:
    return "have events that have left the database" in server.log.read_text()


@pytest.fixture
def pair() -> Iterator[tuple[Database, HitoServer, HitoServer]]:
    """Two servers of one database of the oldest version, of which the first takes events out."""
    database = Database(VERSIONS[0])
    servers: List[HitoServer] = []
    try:
        database.create("shared")
        for environment in ({"HITO_EVENT_DAYS": "30"}, {}):
            url = database.url("shared")
            servers.append(HitoServer(environment={**environment, "HITO_DATABASE_URL": url}))
        servers[0].start()
        yield database, servers[0], servers[1]
    finally:
        for server in servers:
            server.remove()
        database.remove()


async def test_a_second_server_needs_a_copy_of_the_lake(pair):
    database, owner, other = pair
    ana = await asyncio.to_thread(owner.join, "Ana")
    owner.kill()
    await asyncio.to_thread(database.run, "shared", events_of(ana.user_id, 500))
    shutil.rmtree(owner.data / "lake")
    await owner.restart()
    async with await owner.connect(owner.admin()) as admin:
        await admin.server.flush_lake(v1.FlushLakeRequest(), timeout=60.0)
    assert owner.stop() == 0
    await owner.restart()

    async def left() -> bool:
        position = await asyncio.to_thread(
            database.run, "shared", "SELECT position FROM event_floor"
        )
        return int(position) > 500

    await eventually("all that is old to leave", left, 60)
    await other.restart()
    async with await owner.connect(ana) as first, await other.connect(ana) as second:
        expected = await read_all(first)
        assert len(expected) > 500
        error = await refused(second)
        assert "which this server does not have" in error.message
        expected = await read_all(first)
    assert other.stop() == 0
    shutil.copytree(owner.data / "lake", other.data / "lake", dirs_exist_ok=True)
    await other.restart()
    async with await other.connect(ana) as second:
        assert ids(await read_all(second)) == ids(expected)


@pytest.mark.parametrize("days", ["-1", "1.5", "40000"])
def test_a_time_that_is_none_is_refused(days):
    server = HitoServer()
    try:
        done = server.command("config", f"--event-days={days}")
        assert done.returncode == 64, done.stdout
        assert "whole number, 0 to 36500" in done.stderr, done.stderr
    finally:
        server.remove()
