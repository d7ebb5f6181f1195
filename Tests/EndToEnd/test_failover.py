"""A database that loses its last commits: what comes after is seen by everybody, and what was lost is
said to be."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple

import lake
import pytest
from hito import v1
from hito_server import HitoServer
from standby import Postgres, url

import hito

FORKED = v1.ErrorReason.ERROR_REASON_LOG_FORKED
SOME_SECONDS = 60


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since sockets are in it, and open to the account of PostgreSQL."""
    made = Path(tempfile.mkdtemp(prefix="hito-pg-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


class Pair(NamedTuple):
    primary: Postgres
    standby: Postgres
    servers: List[HitoServer]


@pytest.fixture
def pair(folder: Path) -> Iterator[Pair]:
    """Two servers of ours on a primary that has a standby."""
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(Postgres.create(folder / "a"))
        standby = stack.enter_context(primary.standby(folder / "b"))
        environment = {"HITO_DATABASE_URL": url(primary, standby)}
        servers = [HitoServer(environment=environment) for _ in range(2)]
        for server in servers:
            server.options = ["--database-connections", "4"]
            stack.callback(server.remove)
            server.start()
        yield Pair(primary, standby, servers)


async def made(client: hito.Client, count: int) -> List[Any]:
    """So many goals, whatever has to be tried again."""
    replies = []
    async with asyncio.timeout(SOME_SECONDS):
        while len(replies) < count:
            with contextlib.suppress(hito.Unavailable, hito.DeadlineExceeded):
                request = v1.CreateGoalRequest(title=f"Meta {len(replies)}")
                replies.append(await client.goals.create_goal(request))
    return replies


class Seen:
    """A subscription that is left to itself, and the new goals that it saw until it ended."""

    def __init__(self, client: hito.Client, request: v1.WatchRequest) -> None:
        self.events: List[v1.Event] = []
        self.error: hito.HitoError | None = None
        self._watch = client.progress.watch_resuming(request)
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            async for response in self._watch:
                if response.event.type == "goal.created":
                    self.events.append(response.event)
        except hito.HitoError as error:
            self.error = error

    async def until(self, count: int) -> List[v1.Event]:
        async with asyncio.timeout(SOME_SECONDS):
            while len(self.events) < count and not self._task.done():
                await asyncio.sleep(0.01)
        assert len(self.events) == count, self.error
        return self.events

    async def ended(self) -> hito.HitoError:
        await asyncio.wait_for(self._task, SOME_SECONDS)
        assert self.error is not None
        return self.error

    async def close(self) -> None:
        await self._watch.aclose()
        await self._task


async def flushed(admin: hito.Client) -> None:
    async with asyncio.timeout(SOME_SECONDS):
        while True:
            try:
                await admin.server.flush_lake(v1.FlushLakeRequest())
                return
            except hito.HitoError:
                await asyncio.sleep(0.1)


def logged(database: Postgres) -> List[str]:
    text = database.sql(
        "SELECT p.position || ' ' || e.id FROM event_positions p JOIN events e ON e.seq = p.seq "
        "ORDER BY p.position", "hito")  # fmt: skip
    return text.splitlines()


def kept(server: HitoServer) -> List[str]:
    """The rows of a server's lake, as anybody reads them."""
    rows = sorted(lake.rows(server.lake), key=lambda row: (row["position"], row["event_id"]))
    return [f"{row['position']} {row['event_id']}" for row in rows]


async def refused(client: hito.Client, **fields: str) -> str:
    """The resume cursor of the error that a read gets."""
    with pytest.raises(hito.OutOfRange) as caught:
        await client.events.read_events(v1.ReadEventsRequest(**fields))
    assert caught.value.reason == FORKED, caught.value
    assert caught.value.resume_cursor
    return caught.value.resume_cursor


async def test_a_failover_that_loses_commits_hides_nothing_that_comes_after(pair, connect):
    first, second = pair.servers
    admins = [await connect(server, first.admin()) for server in pair.servers]
    ana = first.join("Ana")
    client, other = await connect(first, ana), await connect(second, ana)
    before = await made(client, 5)
    watches = [
        Seen(where, v1.WatchRequest(from_beginning=True)) for where in (client, other)
    ]
    for watch in watches:
        await watch.until(5)
    pair.primary.wait_for(pair.standby)

    pair.standby.pause()
    lost = await made(client, 4)
    for watch in watches:
        await watch.until(9)
    for admin in admins:
        await flushed(admin)
    for server in pair.servers:
        assert kept(server) == logged(pair.primary)
    seen = list(watches[0].events)
    pair.primary.kill()
    pair.standby.promote()
    new = await made(client, 6)
    wanted = [reply.goal.id for reply in new]

    # Whoever has seen what is lost is told, and where to read on.
    for watch, where in zip(watches, (client, other)):
        error = await watch.ended()
        assert isinstance(error, hito.OutOfRange) and error.reason == FORKED, error
        resumed = Seen(where, v1.WatchRequest(after_cursor=error.resume_cursor))
        assert [event.entity_id for event in await resumed.until(6)] == wanted
        await resumed.close()
    for where in (client, other):
        for event in seen[:5]:
            reply = await where.events.read_events(
                v1.ReadEventsRequest(after_cursor=event.cursor)
            )
            assert [e.entity_id for e in reply.events][-6:] == wanted
        for event in seen[5:]:
            resume = await refused(where, after_cursor=event.cursor)
            reply = await where.events.read_events(v1.ReadEventsRequest(after_cursor=resume))
            assert [e.entity_id for e in reply.events] == wanted
        await refused(where, min_cursor=lost[-1].receipt.cursor)
        await where.events.read_events(
            v1.ReadEventsRequest(min_cursor=before[-1].receipt.cursor)
        )

    for server, admin in zip(pair.servers, admins):
        await flushed(admin)
        assert kept(server) == logged(pair.standby)
        pipelines = (await admin.server.get_pipelines(v1.GetPipelinesRequest())).pipelines
        assert {pipe.name: pipe.last_error for pipe in pipelines}["lake"] == ""
    epochs = pair.standby.sql("SELECT reason FROM log_epochs ORDER BY number", "hito")
    assert epochs.splitlines()[0] == "created" and len(epochs.splitlines()) == 2
    shown = first.command("log", "--database-url", url(pair.standby))
    assert shown.returncode == 0 and "EPOCH" in shown.stdout and "log " in shown.stderr


async def test_a_failover_that_loses_nothing_is_not_noticed(pair, connect):
    first, second = pair.servers
    ana = first.join("Ana")
    client, other = await connect(first, ana), await connect(second, ana)
    await made(client, 3)
    watches = [
        Seen(where, v1.WatchRequest(from_beginning=True)) for where in (client, other)
    ]
    for watch in watches:
        await watch.until(3)
    pair.primary.wait_for(pair.standby)
    pair.primary.kill()
    pair.standby.promote()
    new = await made(client, 3)
    for watch in watches:
        events = await watch.until(6)
        assert [event.entity_id for event in events[3:]] == [reply.goal.id for reply in new]
        await watch.close()
    assert pair.standby.sql("SELECT count(*) FROM log_epochs", "hito") == "2"


async def stopped(server: HitoServer, *clients: hito.Client) -> None:
    """Without its clients it need not wait for them."""
    for client in clients:
        await client.close()
    assert server.stop() == 0


def cluster(server: HitoServer) -> Path:
    """The data directory of its PostgreSQL."""
    [found] = [file.parent for file in server.data.rglob("PG_VERSION") if
               (file.parent / "global" / "pg_control").exists()]  # fmt: skip
    return found


@pytest.mark.parametrize("lake_is_restored", [False, True])
async def test_a_backup_that_is_restored_in_silence_is_found_out(
    lake_is_restored, folder, connect
):
    server = HitoServer()
    try:
        server.start()
        ana = server.join("Ana")
        admin, client = await connect(server, server.admin()), await connect(server, ana)
        await made(client, 5)
        await flushed(admin)
        await stopped(server, admin, client)
        copies = {cluster(server): folder / "cluster"}
        if lake_is_restored:
            copies[server.lake.parent] = folder / "lake"
        for place, copy in copies.items():
            subprocess.run(["cp", "-a", str(place), str(copy)], check=True)
        server.start()
        admin, client = await connect(server, server.admin()), await connect(server, ana)
        await made(client, 4)
        await flushed(admin)
        watch = Seen(client, v1.WatchRequest(from_beginning=True))
        seen = list(await watch.until(9))
        await watch.close()
        await stopped(server, admin, client)

        # The same timeline of the same cluster, as after a crash.
        for place, copy in copies.items():
            shutil.rmtree(place)
            subprocess.run(["cp", "-a", str(copy), str(place)], check=True)
        server.start()
        admin, client = await connect(server, server.admin()), await connect(server, ana)
        # The lake is the witness, and where it was restored too, the client itself.
        await flushed(admin)
        for event in reversed(seen[5:]):
            resume = await refused(client, after_cursor=event.cursor)
        watch = Seen(client, v1.WatchRequest(after_cursor=resume))
        new = await made(client, 6)
        events = await watch.until(6)
        assert [event.entity_id for event in events] == [reply.goal.id for reply in new]
        await watch.close()
        whole = await client.events.read_events(v1.ReadEventsRequest(after_cursor=seen[4].cursor))
        assert [event.entity_id for event in whole.events] == [reply.goal.id for reply in new]
        await flushed(admin)
        rows = kept(server)
        assert [row.split()[0] for row in rows] == [str(n + 1) for n in range(len(rows))]
        ids = {row.split()[1] for row in rows}
        assert {event.id for event in events} <= ids
        assert not ids & {event.id for event in seen[5:]}
    finally:
        server.remove()
