"""The log in a RabbitMQ: every event in order, and what happens to it when the broker, the network or the
server goes."""

from __future__ import annotations

import asyncio
from typing import Any, Iterator

import pytest
from history import eventually, read_all
from hito_server import HitoServer
from network_link import Link
from publication import Condition, Published, becomes, pipeline, write
from rabbitmq import Broker

OWN = ("all", "killed", "full", "crashed", "refused")
QUEUES = (*OWN, "hito.lake", "hito.embedder")


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    running = Broker(tls=True)
    try:
        running.start()
        # Long before the broker is killed: RabbitMQ 3.10 finds no leader of a queue that was killed young.
        for queue in OWN:
            running.declare(queue)
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


@pytest.fixture(scope="module")
def published(broker: Broker) -> Published:
    return Published(broker, "all")


async def people(server: HitoServer, connect: Any) -> tuple:
    admin = await connect(server, server.admin())
    return admin, await connect(server, server.join("Ana"))


async def test_every_event_is_published_in_order_and_says_what_it_is(server, published, connect):
    admin, ana = await people(server, connect)
    [goal, *_] = await write(ana, 20)
    await published.has_all(admin)
    assert published.repeated == 0
    [created] = [b for b in published.bodies if b["entity_id"] == goal and b["version"] == 1]
    [event] = [e for e in await read_all(admin) if e.id == created["id"]]
    assert created["type"] == event.type == "goal.created"
    assert created["entity_type"] == "goal" and created["user_id"] == event.user_id
    assert created["payload"]["title"] == "Meta 0" and created["schema_version"] == 2
    assert created["created_at"].endswith("Z") and created["log"] and "epoch" in created
    for body in published.bodies:
        assert "idempotency_key" not in body["metadata"]
        assert "token_id" not in body["metadata"].get("actor", {})
        assert "seq" not in body
    state = await becomes(admin, Condition.PIPELINE_CONDITION_CONNECTED)
    assert state.last_error == "" and state.condition_since.seconds > 0

    async def is_settled() -> bool:
        now = await pipeline(admin)
        return now.lag_events == 0 and now.unsettled_messages == 0

    await eventually("everything to be confirmed", is_settled)


async def test_what_no_queue_takes_is_kept_to_be_seen(server, broker, connect):
    admin, ana = await people(server, connect)
    before = broker.depth("hito.unrouted")
    with broker.channel() as channel:
        for queue in QUEUES:
            channel.queue_unbind(queue, "hito.events", "#")
    try:
        await write(ana, 3)

        async def is_there() -> bool:
            return await asyncio.to_thread(broker.depth, "hito.unrouted") >= before + 6

        await eventually("the events nobody takes", is_there)
        assert (await pipeline(admin)).last_error == ""
    finally:
        with broker.channel() as channel:
            for queue in QUEUES:
                channel.queue_bind(queue, "hito.events", "#")


async def test_a_broker_that_is_killed_blocks_nobody_and_catches_up(server, broker, connect):
    admin, ana = await people(server, connect)
    first = await write(ana, 5)
    broker.kill()
    during = await asyncio.wait_for(write(ana, 30, "Sin broker"), 30)
    state = await becomes(admin, Condition.PIPELINE_CONDITION_AWAY)
    assert state.lag_events > 0 and "broker" in state.last_error
    await asyncio.to_thread(broker.start)
    await becomes(admin, Condition.PIPELINE_CONDITION_CONNECTED)
    after = await write(ana, 5)
    await ends_with(broker, "killed", admin, [*first, *during, *after])


async def test_a_full_broker_is_left_alone_and_gets_everything_afterwards(
    server, broker, connect
):
    admin, ana = await people(server, connect)
    first = await write(ana, 3)
    await asyncio.to_thread(broker.fill_memory)
    try:
        during = await asyncio.wait_for(write(ana, 30, "Lleno"), 30)
        state = await becomes(admin, Condition.PIPELINE_CONDITION_BLOCKED)
        assert state.lag_events > 0 and "memory" in state.last_error
        # Who reads the log waits for nothing either.
        assert len(await asyncio.wait_for(read_all(ana), 20)) >= 66
    finally:
        await asyncio.to_thread(broker.free_memory)
    state = await becomes(admin, Condition.PIPELINE_CONDITION_CONNECTED)
    await ends_with(broker, "full", admin, [*first, *during])


async def test_what_the_broker_refuses_is_sent_again(server, broker, connect):
    admin, ana = await people(server, connect)
    with broker.channel() as channel:
        channel.queue_declare(
            "tight", durable=True,
            arguments={
                "x-queue-type": "quorum", "x-max-length": 1, "x-overflow": "reject-publish",
            },
        )  # fmt: skip
        channel.queue_bind("tight", "hito.events", "task.created")
    made = await asyncio.wait_for(write(ana, 10), 30)

    async def is_said() -> bool:
        state = await pipeline(admin)
        return "could not store event" in state.last_error and state.lag_events > 0

    await eventually("the refusal to be said", is_said, 40)
    with broker.channel() as channel:
        channel.queue_delete("tight")

    async def is_well() -> bool:
        state = await pipeline(admin)
        return state.last_error == "" and state.lag_events == 0

    await eventually("everything to be published", is_well, 60)
    await ends_with(broker, "refused", admin, made)


async def test_a_server_that_is_killed_continues_where_it_was(server, broker, connect):
    admin, ana = await people(server, connect)
    made = await write(ana, 5)
    writing = asyncio.create_task(write(ana, 40, "Antes"))
    await asyncio.sleep(0)
    made += await write(ana, 10)
    server.kill()
    await server.restart()
    made += await writing
    made += await write(ana, 3)
    await ends_with(broker, "crashed", admin, made)


async def ends_with(broker: Broker, queue: str, admin: Any, goals: list) -> None:
    """The queue has every event: each at least once, the first times in order."""
    published = Published(broker, queue)
    log = {event.id: index for index, event in enumerate(await read_all(admin))}
    wanted = {goal for goal in goals}

    async def is_there() -> bool:
        await asyncio.to_thread(published.take)
        return {b["entity_id"] for b in published.bodies if b["type"] == "goal.created"} >= wanted

    await eventually(f"all goals in {queue}", is_there, 60)
    places = [log[body["id"]] for body in published.bodies if body["id"] in log]
    assert places == sorted(places)


async def test_a_cut_network_costs_time_and_no_event(broker, connect):
    link = await Link(broker.port).open()
    cut = HitoServer(
        environment={
            "HITO_BROKER_URL": f"amqp://guest:guest@127.0.0.1:{link.port}",
            "HITO_BROKER_EXCHANGE": "cut.events",
        }
    )
    try:
        broker.declare("cut", exchange="cut.events")
        published = Published(broker, "cut")
        await cut.restart()
        admin, ana = await people(cut, connect)
        await write(ana, 5)
        link.cut()
        await write(ana, 10)
        await becomes(admin, Condition.PIPELINE_CONDITION_AWAY)
        link.heal()
        await becomes(admin, Condition.PIPELINE_CONDITION_CONNECTED)
        # Nothing passes, and nobody is told: the silence is what tells.
        link.hold()
        await asyncio.wait_for(write(ana, 10), 30)
        state = await becomes(admin, Condition.PIPELINE_CONDITION_AWAY, 60)
        assert state.lag_events > 0
        link.release()
        await becomes(admin, Condition.PIPELINE_CONDITION_CONNECTED, 60)
        await published.has_all(admin)
        assert cut.stop() == 0, cut.tail()
    finally:
        cut.remove()
        await link.close()


async def test_tls_is_used_and_checked(broker, connect, tmp_path):
    assert broker.authority is not None
    secure = HitoServer(
        environment={
            "HITO_BROKER_URL": f"amqps://guest:guest@localhost:{broker.tls_port}",
            "HITO_BROKER_CA": broker.authority.files.certificate,
            "HITO_BROKER_EXCHANGE": "secure.events",
        }
    )
    try:
        broker.declare("secure", exchange="secure.events")
        await secure.restart()
        admin, ana = await people(secure, connect)
        await write(ana, 5)
        await Published(broker, "secure").has_all(admin)
        # The same broker, for whom its authority is none.
        assert secure.stop() == 0
        del secure.environment["HITO_BROKER_CA"]
        await secure.restart()
        state = await becomes(admin, Condition.PIPELINE_CONDITION_AWAY)
        assert "TLS" in state.last_error
        await write(ana, 2)
    finally:
        secure.remove()
