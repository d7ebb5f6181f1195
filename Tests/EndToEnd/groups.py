"""Consumer groups as tests use them."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from typing import Dict, List, NamedTuple, Optional, Tuple

from hito import v1

import hito

_numbers = itertools.count(1)
PINNED = v1.GroupStrategy.GROUP_STRATEGY_PINNED
ROUND_ROBIN = v1.GroupStrategy.GROUP_STRATEGY_ROUND_ROBIN


async def make(
    client: hito.Client, event_filter: Optional[v1.EventFilter] = None, **fields: object
) -> str:
    """A new group; the fields are those of `ConsumerGroup`, and where it begins."""
    name = f"group-{next(_numbers)}"
    start = {key: fields.pop(key) for key in ("after_cursor", "from_now", "from_time_us") if key in fields}
    group = v1.ConsumerGroup(name=name, filter=event_filter, **fields)  # type: ignore[arg-type]
    request = v1.CreateConsumerGroupRequest(group=group, **start)  # type: ignore[arg-type]
    await client.events.create_consumer_group(request)
    return name


async def status(client: hito.Client, name: str) -> v1.ConsumerGroup:
    request = v1.GetConsumerGroupRequest(name=name)
    return (await client.events.get_consumer_group(request)).group


async def parked(client: hito.Client, name: str) -> List[v1.ParkedEvent]:
    found: List[v1.ParkedEvent] = []
    request = v1.ListParkedEventsRequest(group=name, page_size=200)
    while True:
        page = await client.events.list_parked_events(request)
        found.extend(page.events)
        if not page.next_cursor:
            return found
        request.after_cursor = page.next_cursor


class Work(NamedTuple):
    """One time that a consumer had an event in its hands."""

    consumer: str
    event_id: str
    entity: Tuple[str, str]
    version: int
    attempt: int
    begun: float
    ended: float
    is_settled: bool


class Worker:
    """A consumer that works in the background, and keeps what it did."""

    def __init__(
        self, client: hito.Client, group: str, name: str = "", delay: float = 0.0,
        buffer_size: int = 10, **options: object,
    ) -> None:  # fmt: skip
        self.done: List[Work] = []
        self._delay = delay
        self._consumer = client.events.consume_resuming(
            group, consumer=name, buffer_size=buffer_size, **options  # type: ignore[arg-type]
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for delivery in self._consumer:
            task = asyncio.create_task(self._work(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self, delivery: hito.Delivery) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        if self._delay:
            await asyncio.sleep(self._delay)
        ended = loop.time()
        # Work that is another's by now ended when that was heard.
        is_settled = await delivery.ack()
        event = delivery.event
        self.done.append(
            Work(
                self._consumer.name, event.id, (event.entity_type, event.entity_id),
                event.version, delivery.attempt, begun, ended, is_settled,
            )  # fmt: skip
        )

    @property
    def interruptions(self) -> int:
        return self._consumer.interruptions

    @property
    def failure(self) -> Optional[BaseException]:
        return self._task.exception() if self._task.done() and not self._task.cancelled() else None

    async def close(self) -> None:
        await self._consumer.aclose()
        self._task.cancel()
        await asyncio.gather(self._task, *self._tasks, return_exceptions=True)


def settled_once(work: List[Work], events: List[v1.Event]) -> None:
    """Each event was settled once, and none that is not among `events`."""
    counts: Dict[str, int] = defaultdict(int)
    for item in work:
        if item.is_settled:
            counts[item.event_id] += 1
    wanted = {event.id for event in events}
    assert not set(counts) - wanted, "an event came that the group does not want"
    assert not wanted - set(counts), f"{len(wanted - set(counts))} events were skipped"
    doubled = [event_id for event_id, count in counts.items() if count > 1]
    assert not doubled, f"settled twice: {doubled}"


def in_order_per_entity(work: List[Work]) -> None:
    """Of each entity, an event was begun only when the one before it was settled, and no two
    consumers had one at once."""
    by_entity: Dict[Tuple[str, str], List[Work]] = defaultdict(list)
    for item in work:
        if item.is_settled:
            by_entity[item.entity].append(item)
    for entity, items in by_entity.items():
        items.sort(key=lambda item: item.begun)
        versions = [item.version for item in items]
        assert versions == sorted(versions), f"{entity}: {versions}"
        for before, after in zip(items, items[1:]):
            assert before.ended <= after.begun, f"{entity} was with two consumers at once"
