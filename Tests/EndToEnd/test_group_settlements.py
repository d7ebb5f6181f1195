"""What becomes of a delivery is decided once, by who holds it; and nothing parked is lost on the way."""

from __future__ import annotations

import asyncio
from typing import List

import groups
from history import eventually
from hito import v1
from test_consumer_groups import goals, join, own, raw, service  # noqa: F401


async def test_what_is_settled_or_another_s_cannot_be_settled_again(server, connect, ana, service):
    name = await groups.make(service, own(ana))
    client = await connect(server, ana)
    await goals(client, 1)

    async def consumer(label: str):
        requests: asyncio.Queue[v1.ConsumeRequest] = asyncio.Queue()
        await requests.put(join(name, consumer=label, instance=label, buffer_size=1))

        async def outgoing():
            while True:
                yield await requests.get()

        return requests, service.events.consume(outgoing())

    async def settled(requests, stream, event_id: str) -> "v1.Settled":
        action = v1.SettleAction.SETTLE_ACTION_ACK
        await requests.put(
            v1.ConsumeRequest(settle=v1.Settle(event_ids=[event_id], action=action))
        )
        while True:
            response = await asyncio.wait_for(anext(stream), 20)
            if response.HasField("settled"):
                return response.settled

    mine, holder = await consumer("holder")
    assert (await anext(holder)).joined.consumer == "holder"
    event = (await asyncio.wait_for(anext(holder), 20)).event.id
    theirs, other = await consumer("other")
    assert (await anext(other)).joined.consumer == "other"
    # Who was not sent it takes it from nobody.
    answer = await settled(theirs, other, event)
    assert list(answer.not_held) == [event] and not answer.event_ids
    assert (await groups.status(service, name)).held_count == 1
    answer = await settled(mine, holder, event)
    assert list(answer.event_ids) == [event] and not answer.not_held
    for requests, stream in ((mine, holder), (theirs, other)):
        answer = await settled(requests, stream, event)
        assert list(answer.not_held) == [event] and not answer.event_ids
    await holder.aclose()
    await other.aclose()


async def test_replayed_while_consumers_die_nothing_parked_is_lost(server, connect, ana, service):
    name = await groups.make(service, own(ana), ack_timeout_us=1_000_000, max_attempts=1000)
    client = await connect(server, ana)
    made = set(await goals(client, 12))
    done: set[str] = set()

    async def one(park: bool) -> None:
        """A consumer that settles three events and leaves a fourth in its hands, without goodbye."""
        stream = await raw(service, join(name, buffer_size=4))
        taken: List[v1.Event] = []
        try:
            async with asyncio.timeout(2):
                async for response in stream:
                    if response.HasField("event"):
                        taken.append(response.event)
                    if len(taken) == 4:
                        break
        except TimeoutError:
            pass
        await stream.aclose()
        for event in taken[:3]:
            async with service.events.consume_resuming(name, buffer_size=1) as consumer:
                try:
                    delivery = await asyncio.wait_for(anext(consumer), 5)
                except TimeoutError:
                    return
                if park:
                    await delivery.park("no")
                elif await delivery.ack():
                    done.add(delivery.event.entity_id)

    await asyncio.gather(*(one(park=True) for _ in range(3)))
    assert await groups.parked(service, name)

    async def finished() -> bool:
        await service.events.replay_parked(v1.ReplayParkedRequest(group=name))
        await one(park=False)
        group = await groups.status(service, name)
        return group.parked_count == 0 and group.waiting_count == 0 and group.held_count == 0

    await eventually("all of it to be done", finished, 90)
    assert done == made
