"""Consumer groups of a history: consumers that die, and what must hold of what they were given."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import random
import time
from collections import defaultdict
from typing import Awaitable, Callable, Dict, List, Sequence

from history_rules import Broken, Entity, Entry
from history_sight_rules import Selection
from history_writers import UNCERTAIN, Ticker
from hito import v1

import hito

ACK_SECONDS = 2.0
Connect = Callable[[int], Awaitable[hito.Client]]


@dataclasses.dataclass(frozen=True)
class Handling:
    """One time that a consumer had an event in its hands, in seconds of one clock."""

    consumer: str
    event_id: str
    entity: Entity
    version: int
    attempt: int
    begun: float
    ended: float
    """It worked on it no longer: it was done, its time was over, or it had died."""
    settled: float | None
    """When it heard that this is on disk; None where it heard nothing, or that it is not."""
    is_sent: bool
    """Whether it said that it was done, heard or not."""


@dataclasses.dataclass
class GroupStory:
    """All that the consumers of a group were given."""

    name: str
    selection: Selection
    is_pinned: bool
    handlings: List[Handling] = dataclasses.field(default_factory=list)


def check_group(entries: Sequence[Entry], story: GroupStory) -> None:
    """Nothing skipped; nothing again that was acknowledged; in order per entity, and with one
    consumer at a time, where that is promised."""
    wanted = {entry.id: entry for entry in entries if story.selection.matches(entry)}
    by_event: Dict[str, List[Handling]] = defaultdict(list)
    for handling in story.handlings:
        if handling.event_id not in wanted:
            raise Broken(f"{story.name}: event {handling.event_id} is not one that it wants")
        by_event[handling.event_id].append(handling)
    for event_id, entry in wanted.items():
        if not any(handling.is_sent for handling in by_event[event_id]):
            raise Broken(f"{story.name}: nobody was done with {entry}")
    for event_id, handlings in by_event.items():
        settled = [handling for handling in handlings if handling.settled is not None]
        if len(settled) > 1:
            raise Broken(f"{story.name}: {wanted[event_id]} was settled twice")
        for handling in handlings:
            if settled and handling.begun > (settled[0].settled or 0.0):
                raise Broken(f"{story.name}: {wanted[event_id]} came after it was settled")
    if story.is_pinned:
        _check_pins(story)


def _check_pins(story: GroupStory) -> None:
    by_entity: Dict[Entity, List[Handling]] = defaultdict(list)
    for handling in story.handlings:
        by_entity[handling.entity].append(handling)
    for entity, handlings in by_entity.items():
        handlings.sort(key=lambda handling: handling.begun)
        for before, after in zip(handlings, handlings[1:]):
            if after.begun < before.ended and after.consumer != before.consumer:
                raise Broken(
                    f"{story.name}: {entity} was with {before.consumer} (version {before.version})"
                    f" and {after.consumer} (version {after.version}) at once"
                )
            if after.version < before.version:
                raise Broken(
                    f"{story.name}: version {after.version} of {entity} came after"
                    f" {before.version}"
                )


class GroupTeam:
    """The consumers of a group, some of which die now and then."""

    def __init__(
        self, story: GroupStory, connect: Connect, ticker: Ticker, chance: random.Random,
        count: int = 3,
    ) -> None:  # fmt: skip
        self.story = story
        self._connect = connect
        self._ticker = ticker
        self._chance = chance
        self._count = count
        self.deaths = 0
        self._generations = itertools.count(1)

    async def make(self, client: hito.Client) -> None:
        selection = self.story.selection
        group = v1.ConsumerGroup(
            name=self.story.name, strategy="GROUP_STRATEGY_PINNED" if self.story.is_pinned else 0,
            filter=v1.EventFilter(
                user_ids=selection.users, goal_ids=selection.goals,
                types=[f"{kind}.*" for kind in selection.kinds],
            ),
            max_attempts=1000, ack_timeout_us=int(ACK_SECONDS * 1_000_000), retry_delay_us=1000,
        )  # fmt: skip
        await client.events.create_consumer_group(v1.CreateConsumerGroupRequest(group=group))

    async def run(self, until: asyncio.Event) -> None:
        await self._work_together(until, may_die=True)

    async def _work_together(self, until: asyncio.Event, may_die: bool) -> None:
        places = range(self._count)
        await asyncio.gather(*(self._consume(number, until, may_die) for number in places))

    async def _consume(self, number: int, until: asyncio.Event, may_die: bool) -> None:
        """One place, with one consumer after the other."""
        while not until.is_set():
            name = f"c{number}-{next(self._generations)}"
            client = await self._connect(number)
            consumer = client.events.consume_resuming(
                self.story.name, consumer=name, buffer_size=5, auto_extend=False
            )
            working = asyncio.create_task(self._work(consumer, name))
            endings = [working, asyncio.create_task(until.wait())]
            if may_die:
                life = self._ticker.more(self._chance.randrange(20, 150), 8.0)
                endings.append(asyncio.create_task(life))
            await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
            for task in endings[1:]:
                task.cancel()
            is_over = until.is_set()
            # Death: its work stops where it is, its connection is cut, and nobody is told.
            self.deaths += not is_over
            working.cancel()
            outcome = (await asyncio.gather(working, return_exceptions=True))[0]
            if is_over:
                await consumer.aclose()
            await client.close()
            if isinstance(outcome, hito.HitoError) and not isinstance(outcome, UNCERTAIN):
                raise outcome

    async def _work(self, consumer: hito.Consumer, name: str) -> None:
        async for delivery in consumer:
            await self._handle(delivery, name)

    async def _handle(self, delivery: hito.Delivery, name: str) -> None:
        begun = time.time()
        until = delivery.settle_by.ToNanoseconds() / 1e9
        if begun >= until or not delivery.is_held:
            # It was under way for too long.
            return
        event = delivery.event
        settled, is_sent, ended = None, False, until
        try:
            await asyncio.sleep(self._chance.random() * 0.01)
            # What is said of it lets the next one go.
            ended = time.time()
            if ended < until and delivery.is_held:
                is_sent = True
                if self._chance.random() < 0.1:
                    is_sent = False
                    await delivery.retry(reason="by chance")
                elif await delivery.ack():
                    settled = time.time()
        except asyncio.CancelledError:
            ended = min(ended, time.time())
            raise
        finally:
            self.story.handlings.append(
                Handling(
                    name, event.id, (event.entity_type, event.entity_id), event.version,
                    delivery.attempt, begun, min(ended, until), settled, is_sent,
                )  # fmt: skip
            )

    @property
    def _settled(self) -> int:
        return sum(handling.settled is not None for handling in self.story.handlings)

    async def finish(self, client: hito.Client, seconds: float = 45.0) -> None:
        """Until the group has nothing left; as long as it settles something within `seconds`: what a
        history has left for its groups takes a slow machine minutes."""
        until = asyncio.Event()
        # Nobody dies any more: lives are counted in writes, and there are none.
        working = asyncio.create_task(self._work_together(until, may_die=False))
        request = v1.GetConsumerGroupRequest(name=self.story.name)
        settled, end = self._settled, time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                group = (await client.events.get_consumer_group(request)).group
                if group.state == v1.GroupState.GROUP_STATE_CAUGHT_UP:
                    return
                if self._settled > settled:
                    settled, end = self._settled, time.monotonic() + seconds
                await asyncio.sleep(0.1)
            raise AssertionError(f"the group settled nothing in {seconds:g} s: {group}")
        finally:
            until.set()
            await working
