"""Two servers of one database: one of them publishes, and the other one when that is gone or stands still."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import Iterator, List

import pytest
from external_database import VERSIONS, Database
from history import eventually
from hito_server import HitoServer
from publication import Condition, Published, becomes, write
from rabbitmq import Broker

NAME = "shared"


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    running = Broker()
    try:
        running.start()
        running.declare("all")
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    running = Database(VERSIONS[-1])
    try:
        running.create(NAME)
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="module")
def servers(broker: Broker, database: Database) -> Iterator[List[HitoServer]]:
    environment = {
        "HITO_DATABASE_URL": database.url(NAME), "HITO_BROKER_URL": broker.url,
        "HITO_DATABASE_CONNECTIONS": "4",
    }  # fmt: skip
    running = [HitoServer(environment=environment) for _ in range(2)]
    try:
        for server in running:
            server.start()
        yield running
        assert [server.stop() for server in running] == [0, 0]
    finally:
        for server in running:
            server.remove()


def generation(database: Database) -> int:
    """How many leases there were."""
    return int(database.run(NAME, "SELECT max(generation) FROM event_publications") or 0)


async def publishers(broker: Broker) -> int:
    """Connections to publish."""
    text = await asyncio.to_thread(
        broker.control, "list_connections", "client_properties", "--formatter", "json"
    )
    return json.dumps(json.loads(text)).count("hito publisher")


async def test_one_publishes_and_another_takes_over(servers, broker, database, connect):
    published = Published(broker, "all")
    admin = await connect(servers[0], servers[0].admin(), timeout=60.0)
    login = servers[0].join("Ana")
    clients = [await connect(server, login, timeout=60.0) for server in servers]

    async def is_one() -> bool:
        return await publishers(broker) == 1

    await eventually("one publisher", is_one)
    await asyncio.gather(*(write(client, 10) for client in clients))
    await published.has_all(admin)
    # Each of them in turn: one of both is the one that publishes.
    before = generation(database)
    for killed, other in ((servers[0], clients[1]), (servers[1], clients[0])):
        await write(other, 5, "Antes")
        killed.kill()
        await write(other, 15, "Durante")
        await killed.restart()
        admin = await connect(servers[0], servers[0].admin(), timeout=60.0)
        await published.has_all(admin)
    assert generation(database) > before
    await eventually("one publisher", is_one)


async def test_one_that_is_told_to_end_hands_over_without_a_pause_or_a_repetition(
    servers, broker, database, connect
):
    broker.declare("handed")
    published = Published(broker, "handed")
    login = servers[0].join("Eva")
    clients = [await connect(server, login, timeout=60.0) for server in servers]
    made: List[str] = []
    for stopped, other in ((servers[0], clients[1]), (servers[1], clients[0])):
        made += await write(other, 3)
        await goals_are_in(published, made)
        assert await asyncio.to_thread(stopped.stop) == 0, stopped.tail()
        made += await write(other, 3)
        # Far less than a lease lasts.
        await goals_are_in(published, made, seconds=8)
        await stopped.restart()
    assert published.repeated == 0


async def goals_are_in(published: Published, goals: List[str], seconds: float = 30) -> None:
    async def is_there() -> bool:
        await asyncio.to_thread(published.take)
        return {body["entity_id"] for body in published.bodies} >= set(goals)

    await eventually("the goals in the queue", is_there, seconds)


async def test_one_that_stood_still_can_move_nothing_afterwards(
    servers, broker, database, connect
):
    published = Published(broker, "all")
    login = servers[0].join("Flora")
    clients = [await connect(server, login, timeout=60.0) for server in servers]
    made = await write(clients[0], 3)
    for stopped, other in ((servers[0], clients[1]), (servers[1], clients[0])):
        stopped.signal(signal.SIGSTOP)
        try:
            made += await write(other, 10, "Parado")
            await goals_are_in(published, made, 60)
        finally:
            stopped.signal(signal.SIGCONT)
        made += await write(other, 5, "Después")
        await goals_are_in(published, made, 60)
    positions = [body["position"] for body in published.bodies]
    assert positions == list(range(positions[0], positions[0] + len(positions)))
    admin = await connect(servers[0], servers[0].admin(), timeout=60.0)
    state = await becomes(admin, Condition.PIPELINE_CONDITION_CONNECTED)
    assert state.last_error == ""
    cursor = "SELECT position = (SELECT max(position) FROM event_positions) FROM event_publications"

    async def is_complete() -> bool:
        return await asyncio.to_thread(database.run, NAME, cursor) == "t"

    await eventually("the cursor at the end of the log", is_complete)
