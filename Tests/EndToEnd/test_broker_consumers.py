"""The lake and the embedder told by the broker, in the server and in workers of their own, and the example of
an external consumer."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

import lake
import pytest
from external_database import VERSIONS, Database
from history import check, eventually, read_all
from hito import v1
from hito_server import REPOSITORY, STOP_SECONDS, HitoServer, binary, waiting
from publication import Condition, Published, becomes, pipeline, write
from rabbitmq import Broker

EXAMPLE = REPOSITORY / "clients" / "python" / "examples" / "count_events.py"


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    running = Broker()
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="module")
def server(broker: Broker) -> Iterator[HitoServer]:
    running = HitoServer(environment={"HITO_BROKER_URL": broker.url})
    try:
        running.start()
        yield running
        assert running.stop() == 0, running.tail()
    finally:
        running.remove()


def lake_is_exact(folder: Path, events: List[v1.Event]) -> None:
    """Every event of the log once, and nothing else."""
    rows = lake.rows(folder)
    assert sorted(row["position"] for row in rows) == list(range(1, len(events) + 1))
    assert {row["event_id"] for row in rows} == {event.id for event in events}


async def lake_has(folder: Path, admin: Any, seconds: float = 40.0) -> None:
    """Waits until the lake is where the log is; then it has that exactly."""
    events: List[v1.Event] = []

    async def is_there() -> bool:
        rows = await asyncio.to_thread(lake.rows, folder)
        events[:] = await read_all(admin)
        return len(rows) == len(events)

    await eventually("the lake to have the log", is_there, seconds)
    await asyncio.to_thread(lake_is_exact, folder, events)


async def queue_is_empty(broker: Broker, queue: str) -> None:
    """Nothing waits, and nothing is left unacknowledged."""

    async def is_empty() -> bool:
        text = await asyncio.to_thread(
            broker.control, "list_queues", "name", "messages", "--formatter", "json"
        )
        return {"name": queue, "messages": 0} in json.loads(text)

    await eventually(f"{queue} to be acknowledged", is_empty, 40)


async def test_the_lake_and_the_embedder_are_told_by_the_broker(server, broker, connect):
    admin = await connect(server, server.admin())
    ana = await connect(server, server.join("Ana"))
    await write(ana, 20)
    await lake_has(server.lake, admin)
    for queue in ("hito.lake", "hito.embedder"):
        await queue_is_empty(broker, queue)
    for name in ("lake", "embeddings"):

        async def is_settled(name: str = name) -> bool:
            # Acknowledged a moment after what the messages told of is done.
            return (await pipeline(admin, name)).unsettled_messages == 0

        await eventually(f"{name} to acknowledge what it was told", is_settled, 20)
        state = await pipeline(admin, name)
        assert state.condition == Condition.PIPELINE_CONDITION_CONNECTED
        assert state.last_error == ""


async def test_messages_that_are_lost_or_come_twice_change_nothing_in_the_lake(
    server, broker, connect
):
    admin = await connect(server, server.admin())
    ana = await connect(server, server.join("Berta"))
    broker.declare("copies")
    await write(ana, 10)
    with broker.channel() as channel:
        channel.queue_purge("hito.lake")
    await write(ana, 5)
    # A second time, and in another order.
    copies = Published(broker, "copies")
    await eventually("the copies", lambda: asyncio.to_thread(lambda: copies.take() >= 15))
    with broker.channel() as channel:
        for body in reversed(copies.bodies):
            channel.basic_publish("", "hito.lake", json.dumps(body).encode())
        channel.queue_unbind("hito.lake", "hito.events", "#")
        # What is not ours is refused, and holds up nothing.
        channel.basic_publish("", "hito.lake", b"\x00\xff no message of ours")
        other = {**copies.bodies[0], "log": "01a20954-7142-7188-ae36-581c536e81ae"}
        channel.basic_publish("", "hito.lake", json.dumps(other).encode())
    await write(ana, 5)
    await lake_has(server.lake, admin)
    with broker.channel() as channel:
        channel.queue_delete("hito.lake")
    await write(ana, 5)
    await lake_has(server.lake, admin)

    async def is_back() -> bool:
        state = await pipeline(admin, "lake")
        return state.condition == Condition.PIPELINE_CONDITION_CONNECTED

    await eventually("the queue to be made again", is_back)
    await write(ana, 5)
    await lake_has(server.lake, admin)
    await queue_is_empty(broker, "hito.lake")


async def test_goals_are_found_by_meaning_with_the_embedder_behind_the_broker(
    server, broker, connect
):
    admin = await connect(server, server.admin())
    ana = await connect(server, server.join("Carla"))
    await write(ana, 3, "Aprender a cocinar paella")

    async def is_embedded() -> bool:
        state = await pipeline(admin, "embeddings")
        return state.lag_events == 0 and state.unsettled_messages == 0

    await eventually("everything to be embedded", is_embedded, 60)
    await queue_is_empty(broker, "hito.embedder")


class Worker:
    """A process of `hito work`."""

    def __init__(self, folder: Path, database: str, broker: Broker, roles: str) -> None:
        self.roles = roles
        self.data = folder / roles.replace(",", "-")
        self.log = folder / f"{self.data.name}.log"
        self._environment = {
            **os.environ, "HITO_DATABASE_URL": database, "HITO_BROKER_URL": broker.url,
            "HITO_BROKER_EXCHANGE": "apart.events", "HITO_DATA_DIR": str(self.data),
        }  # fmt: skip
        self._process: Optional[subprocess.Popen[bytes]] = None

    @property
    def lake(self) -> Path:
        return self.data / "lake" / "events"

    @property
    def name(self) -> str:
        """As `GetPipelines` has it."""
        assert self._process is not None
        return f"{socket.gethostname()}:{self._process.pid}"

    def start(self) -> None:
        before = self._said()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [binary(), "work", "--roles", self.roles], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self._environment,
            )  # fmt: skip
        for _ in waiting(60, f"the worker to start\n{self.log}"):
            assert self._process.poll() is None, self.log.read_text(errors="replace")
            if self._said() > before:
                return

    def _said(self) -> int:
        return self.log.read_text(errors="replace").count("working") if self.log.exists() else 0

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        if self._process is None or self._process.poll() is not None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)


async def pipelines(admin: Any) -> Tuple[List[v1.PipelineInfo], List[v1.PipelineInfo]]:
    """Those of the server, and those of other processes."""
    found = (await admin.server.get_pipelines(v1.GetPipelinesRequest())).pipelines
    return [p for p in found if "@" not in p.name], [p for p in found if "@" in p.name]


async def test_relay_lake_and_embedder_run_apart_from_the_servers(broker, connect, tmp_path):
    database = Database(VERSIONS[-1])
    database.create("apart")
    url = database.url("apart")
    apart = {
        "HITO_DATABASE_URL": url, "HITO_BROKER_URL": broker.url,
        "HITO_BROKER_EXCHANGE": "apart.events", "HITO_RELAY_HERE": "no", "HITO_LAKE_HERE": "no",
        "HITO_EMBED_HERE": "no",
    }  # fmt: skip
    servers = [HitoServer(environment=apart) for _ in range(2)]
    workers = [Worker(tmp_path, url, broker, roles) for roles in ("relay", "lake,embedder")]
    spare = Worker(tmp_path, url, broker, "relay,lake,embedder")
    broker.declare("apart", exchange="apart.events")
    published = Published(broker, "apart")
    try:
        for server in servers:
            await server.restart()
        for worker in workers:
            await asyncio.to_thread(worker.start)
        first, second = servers
        admin = await connect(first, first.admin())
        login = first.join("Ana")
        clients = [await connect(server, login) for server in servers]
        await asyncio.gather(*(write(client, 15) for client in clients))
        await published.has_all(admin)
        await lake_has(workers[1].lake, admin)
        # Any server tells of all of them, whoever does it.
        own = {state.name for state in (await pipelines(admin))[0]}
        assert not {"lake", "embeddings"} & own and "broker" in own

        async def all_are_told() -> bool:
            others = {state.name: state for state in (await pipelines(admin))[1]}
            wanted = {f"relay@{workers[0].name}", f"lake@{workers[1].name}"}
            wanted |= {f"embeddings@{workers[1].name}"}
            return wanted <= set(others) and not any(s.last_error for s in others.values())

        await eventually("every process to tell of its pipelines", all_are_told, 40)
        # The worker's lake can be rebuilt from, too: it has what events only name.
        code = (await clients[0].code_validation.create_snapshot(v1.CreateSnapshotRequest(
            file_path="a.py", code_content="print(1)" * 400, language="python"))).snapshot  # fmt: skip
        digest = hashlib.sha256(code.code_content.encode()).hexdigest()
        blob = workers[1].lake.parent / "blobs" / login.user_id / digest

        async def has_content() -> bool:
            return blob.exists()

        await eventually("the worker's lake to have the content", has_content, 40)
        await becomes(admin, Condition.PIPELINE_CONDITION_CONNECTED)
        # The only relay dies in the middle: writes are taken, and events wait.
        writing = asyncio.gather(*(write(client, 20, "Durante") for client in clients))
        await write(clients[0], 3)
        workers[0].kill()
        workers[1].kill()
        await writing

        async def is_missed() -> bool:
            others = {state.name: state for state in (await pipelines(admin))[1]}
            return "has said nothing" in others[f"lake@{workers[1].name}"].last_error

        await eventually("the killed worker to be missed", is_missed, 60)
        await asyncio.to_thread(spare.start)
        await published.has_all(admin)
        await asyncio.to_thread(workers[1].start)
        await lake_has(workers[1].lake, admin)
        check(await read_all(admin))
        report = await clients[1].analytics.get_productivity(v1.GetProductivityRequest())
        assert report.goals_created == 73
        waiting_texts = "SELECT count(*) FROM passages WHERE waits"

        async def is_embedded() -> bool:
            return await asyncio.to_thread(database.run, "apart", waiting_texts) == "0"

        await eventually("every goal to be embedded", is_embedded, 60)
        for worker in (*workers, spare):
            assert worker.stop() == 0, worker.log.read_text(errors="replace")[-3000:]
        for server in servers:
            assert server.stop() == 0, server.tail()
    finally:
        for worker in (*workers, spare):
            worker.stop()
        for server in servers:
            server.remove()
        database.remove()


async def test_the_example_counts_every_event_once_also_when_it_is_killed(
    server, broker, connect, tmp_path
):
    ana = await connect(server, server.join("Dora"))
    admin = await connect(server, server.admin())
    counts = tmp_path / "counts.db"
    command = [
        sys.executable, str(EXAMPLE), "--url", broker.url, "--counts", str(counts),
        "--queue", "example.counts",
    ]  # fmt: skip
    async def is_published() -> bool:
        return (await pipeline(admin)).lag_events == 0

    await eventually("what was before to be published", is_published)
    # The queue has to be there before the events.
    subprocess.run([*command, "--declare-only"], check=True, timeout=30)
    running = subprocess.Popen(command)
    try:
        await write(ana, 20)
        running.kill()
        running.wait()
        await write(ana, 20)
        running = subprocess.Popen(command)
        await write(ana, 5)
        expected = {"goal.created": 45, "task.created": 45}.items()

        async def is_counted() -> bool:
            shown = subprocess.run(
                [*command, "--show"], capture_output=True, text=True, timeout=30, check=True
            )
            return json.loads(shown.stdout).items() >= expected

        await eventually("the example to count", is_counted, 40)
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
    finally:
        if running.poll() is None:
            running.kill()
