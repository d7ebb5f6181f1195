"""Several servers on one external PostgreSQL, of the oldest and the newest version: they start together, are
one to their callers, and take over from each other."""

from __future__ import annotations

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator, List

import hito
import pytest
from conftest import language_model
from external_database import VERSIONS, Database
from history import Watcher, check, eventually, ids, read_all
from hito import v1
from hito_server import HitoServer, Login
from learning import Person, Run
from model_steps import GOOD, hangs, says

NAME = "shared"
SEQUENCER = 0x6869_746F_0002
"""`AdvisoryLockKey.sequencer`."""


class Servers:
    """Three of them, which started at the same moment on an empty database."""

    def __init__(self, database: Database, environment: dict) -> None:
        self.database = database
        database.create(NAME)
        self.all: List[HitoServer] = []
        for number in range(3):
            url = database.url(NAME, application_name=f"server{number}")
            server = HitoServer(environment={**environment, "HITO_DATABASE_URL": url})
            server.options = ["--database-connections", "4"]
            self.all.append(server)

    def start(self) -> None:
        with ThreadPoolExecutor(len(self.all)) as threads:
            for started in [threads.submit(server.start) for server in self.all]:
                started.result()

    def join(self, name: str, role: str = "learner") -> Login:
        """By the server that made the first admin: its token is known to all."""
        [first] = [server for server in self.all if (server.data / "admin.token").exists()]
        return first.join(name, role)

    def leaders(self) -> List[HitoServer]:
        """Those whose sessions hold the lock of who orders the events."""
        names = self.database.run(
            NAME,
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            f"WHERE l.locktype = 'advisory' AND l.granted "
            f"AND (l.classid::bigint << 32 | l.objid::bigint) = {SEQUENCER}",
        ).split()
        return [self.all[int(name[-1])] for name in names]

    async def leader(self) -> HitoServer:
        found: List[HitoServer] = []

        async def is_there() -> bool:
            found[:] = await asyncio.to_thread(self.leaders)
            return len(found) == 1 and found[0].is_running

        await eventually("a server to order the events", is_there, 60)
        return found[0]

    def remove(self) -> None:
        for server in self.all:
            server.remove()


@pytest.fixture(scope="module", params=VERSIONS)
def servers(request: pytest.FixtureRequest, provider: Any) -> Iterator[Servers]:
    database = Database(request.param)
    running = None
    try:
        running = Servers(database, language_model(provider))
        running.start()
        yield running
        assert [server.stop() for server in running.all if server.is_running] == [0, 0, 0]
    finally:
        if running:
            running.remove()
        database.remove()


async def everywhere(servers: Servers, connect: Any, login: Login) -> List[hito.Client]:
    return [await connect(server, login) for server in servers.all]


async def complete(client: hito.Client, title: str) -> v1.CompleteTaskResponse:
    made = await client.goals.create_goal(
        v1.CreateGoalRequest(title=title, tasks=[v1.NewTask(title="Uno"), v1.NewTask(title="Dos")])
    )
    return await client.tasks.complete_task(v1.CompleteTaskRequest(task_id=made.tasks[0].id))


def test_they_started_together_as_one(servers):
    counted = "SELECT (SELECT count(*) FROM users), (SELECT count(DISTINCT version) = count(*)"
    assert servers.database.run(NAME, f"{counted} FROM schema_migrations)") == "1|t"
    files = [server.data / "admin.token" for server in servers.all]
    assert [file.exists() for file in files].count(True) == 1


async def test_what_one_has_written_every_other_has(servers, connect):
    clients = await everywhere(servers, connect, servers.join("Ana"))
    watchers = [Watcher(client) for client in clients]
    try:
        for turn, client in zip(range(12), itertools.cycle(clients)):
            done = await complete(client, f"Meta {turn}")
            cursor, goal = done.receipt.cursor, done.goal
            for other in clients:
                read = await other.goals.get_goal(
                    v1.GetGoalRequest(goal_id=goal.id, min_cursor=cursor)
                )
                assert read.goal == goal
                log = await read_all(other, v1.EventFilter(goal_ids=[goal.id]), min_cursor=cursor)
                assert [e.type for e in log].count("task.completed") == 1 and len(log) == 5
        logs = [await read_all(client, min_cursor=cursor) for client in clients]
        check(logs[0])
        for log, watcher in zip(logs, watchers):
            await watcher.has(len(logs[0]))
            assert [e.cursor for e in log] == [e.cursor for e in logs[0]]
            assert [e.cursor for e in watcher.events] == [e.cursor for e in log]
    finally:
        for watcher in watchers:
            await watcher.close()


async def test_a_key_is_known_to_all(servers, connect):
    clients = await everywhere(servers, connect, servers.join("Berta"))

    def create(client: hito.Client, key: str, title: str = "Una vez") -> Any:
        return client.goals.create_goal(v1.CreateGoalRequest(title=title), idempotency_key=key)

    first, *others = [await create(client, "uno") for client in clients]
    assert [other.goal.id for other in others] == [first.goal.id] * 2
    assert [other.receipt.cursor for other in others] == [first.receipt.cursor] * 2
    together = await asyncio.gather(*(create(client, "dos") for client in clients * 4))
    assert len({reply.goal.id for reply in together}) == 1
    with pytest.raises(hito.HitoError) as refusal:
        await create(clients[2], "uno", "Otra cosa")
    assert refusal.value.reason == v1.ErrorReason.ERROR_REASON_KEY_CONFLICT
    page = await clients[1].goals.list_goals(v1.ListGoalsRequest())
    assert len(page.goals) == 2


async def test_a_quota_holds_at_all(servers, connect):
    admin = await connect(servers.all[0], servers.join("Root", "admin"))
    login = servers.join("Carla")
    clients = await everywhere(servers, connect, login)
    await complete(clients[0], "Antes")
    quota = v1.Quota(user_id=login.user_id, bytes_per_day=1)
    await admin.server.set_quota(v1.SetQuotaRequest(quota=quota))
    for client in clients:

        async def is_refused() -> bool:
            try:
                await client.goals.create_goal(v1.CreateGoalRequest(title="Después"))
            except hito.ResourceExhausted:
                return True
            return False

        await eventually("the quota to be known", is_refused)


class Writers:
    """One for each server: completes goals until told to stop, and knows what was acknowledged."""

    def __init__(self, clients: List[hito.Client]) -> None:
        self.acknowledged: List[str] = []
        self.cursor = ""
        self._stopping = False
        self._tasks = [asyncio.create_task(self._write(client)) for client in clients]

    async def _write(self, client: hito.Client) -> None:
        for number in itertools.count():
            if self._stopping:
                return
            try:
                done = await complete(client, f"Meta {number}")
            except (hito.Unavailable, hito.DeadlineExceeded):
                await asyncio.sleep(0.05)
            else:
                self.acknowledged.append(done.task.id)
                self.cursor = done.receipt.cursor

    async def have(self, more: int) -> None:
        wanted = len(self.acknowledged) + more

        async def enough() -> bool:
            return len(self.acknowledged) >= wanted

        await eventually(f"{more} more writes", enough, 60)

    async def stop(self) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)


async def test_one_takes_over_from_another_and_nothing_is_lost_or_doubled(servers, connect):
    login = servers.join("Dora")
    clients = await everywhere(servers, connect, login)
    watchers = [Watcher(client) for client in clients]
    writers = Writers(clients)
    try:
        await writers.have(10)
        killed = await servers.leader()
        killed.kill()
        # Another orders the events, and those who are left serve on.
        assert await servers.leader() is not killed
        await writers.have(10)
        await killed.restart()
        await writers.have(10)
        # One that is told to stop hands over.
        stopped = await servers.leader()
        assert await asyncio.to_thread(stopped.stop) == 0, stopped.tail()
        assert await servers.leader() is not stopped
        await writers.have(10)
        await stopped.restart()
        await writers.have(10)
        await writers.stop()

        log = await read_all(clients[0], min_cursor=writers.cursor)
        check(log)
        completed = [event.entity_id for event in log if event.type == "task.completed"]
        assert len(completed) == len(set(completed))
        assert set(writers.acknowledged) <= set(completed)
        for client, watcher in zip(clients, watchers):
            assert ids(await read_all(client, min_cursor=writers.cursor)) == ids(log)
            await watcher.has(len(log))
            assert [e.cursor for e in watcher.events] == [e.cursor for e in log]
        positions = "SELECT count(*) = max(position) AND count(*) = (SELECT count(*) FROM events)"
        assert servers.database.run(NAME, f"{positions} FROM event_positions") == "t"
    finally:
        await writers.stop()
        for watcher in watchers:
            await watcher.close()


async def test_a_run_is_taken_over_by_another_server(servers, connect, model):
    if servers.database.version != VERSIONS[-1]:
        pytest.skip("waits for a lease of half a minute: with the newest version only")
    login = servers.join("Eva")
    first, second, _ = servers.all
    eva = Person(login, await connect(second, login))
    model.script(hangs(GOOD[:60]), says(GOOD))
    client = await connect(first, login)
    run = Run(client.goals.generate_goal(v1.GenerateGoalRequest(prompt="Aprender FastAPI")))
    await run.follow(until="token")
    first.kill()
    try:
        runs = v1.EventFilter(types=["ai.*"])
        types: List[str] = []

        async def is_completed() -> bool:
            types[:] = [event.type for event in await read_all(eva.client, runs)]
            return "ai.run_completed" in types

        await eventually("another server to continue the run", is_completed, 60)
        assert types.count("ai.run_started") == 1 and types.count("ai.context_retrieved") == 1
        assert len((await eva.client.goals.list_goals(v1.ListGoalsRequest())).goals) == 1
    finally:
        await first.restart()
