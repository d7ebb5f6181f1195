"""Histories whose servers publish to a broker, which breaks as they do."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import AsyncExitStack
from typing import Awaitable, Callable, Dict, List

from history import eventually
from history_faults import LAST_SECONDS, Nemesis
from history_plan import FAULTS, Kind
from history_rules import Broken, Committed, canonical
from history_scenario import History
from history_world import Cluster, Deployment
from history_writers import Ticker
from network_link import Link
from publication import Published
from rabbitmq import Broker

BROKER_FAULTS: Dict[str, Kind] = {
    "kill the broker": Kind(1, 2),
    "fill the broker": Kind(0, 1),
    "cut the broker off": Kind(0, 2),
    "hold the broker's packets back": Kind(0, 1),
    **{
        fault: FAULTS[fault]
        for fault in (
            "kill the leader", "kill both servers", "kill PostgreSQL and the leader", "fail over",
            "pause the leader until another leads", "stop the leader in order",
        )
    },
}  # fmt: skip


class PublishingDeployment(Deployment):
    """Two servers, one link from both to a broker."""

    def __init__(self, cluster: Cluster, database: str, broker: Broker) -> None:
        super().__init__(cluster, database)
        self.broker = broker
        self.queue = database

    async def start(self) -> None:
        exchange = f"{self.database}.events"
        await asyncio.to_thread(self.broker.declare, self.queue, "#", exchange)
        self.broker_link = await Link(self.broker.port).open()
        self.environment = {
            "HITO_BROKER_URL": f"amqp://guest:guest@127.0.0.1:{self.broker_link.port}",
            "HITO_BROKER_EXCHANGE": exchange,
        }
        await super().start()

    async def remove(self) -> None:
        self.broker_link.heal()
        await super().remove()
        await self.broker_link.close()


class BrokerNemesis(Nemesis):
    """Breaks the broker, too."""

    def __init__(
        self, place: PublishingDeployment, ticker: Ticker, chance: random.Random
    ) -> None:
        super().__init__(place, ticker, chance)
        self._broker, self._link = place.broker, place.broker_link
        self._own: Dict[str, Callable[[int], Awaitable[None]]] = {
            "kill the broker": self._kill_broker,
            "fill the broker": self._fill_broker,
            "cut the broker off": self._cut_broker,
            "hold the broker's packets back": self._hold_broker,
        }
        assert set(self._own) == set(BROKER_FAULTS) - set(FAULTS)

    async def strike(self, fault: str, during: int) -> None:
        if fault in self._own:
            await self._own[fault](during)
        else:
            await super().strike(fault, during)

    async def _continues(self, during: int) -> None:
        """Nobody waits for the broker: as much is written as otherwise."""
        if not await self._ticker.more(during, LAST_SECONDS * 5):
            raise Broken(f"no {during} writes while the broker was away")

    async def _kill_broker(self, during: int) -> None:
        self._broker.kill()
        await self._continues(during)
        await asyncio.to_thread(self._broker.start)

    async def _fill_broker(self, during: int) -> None:
        await asyncio.to_thread(self._broker.fill_memory)
        try:
            await self._continues(during)
        finally:
            await asyncio.to_thread(self._broker.free_memory)

    async def _cut_broker(self, during: int) -> None:
        self._link.cut()
        await self._continues(during)
        self._link.heal()

    async def _hold_broker(self, during: int) -> None:
        self._link.hold()
        await self._continues(during)
        self._link.release()


class PublishedHistory(History):
    """A history, and what a queue was given of it."""

    def __init__(self, place: PublishingDeployment, seed: int, stack: AsyncExitStack) -> None:
        super().__init__(place, seed, stack)
        self.published = Published(place.broker, place.queue)

    @property
    def _nemesis(self) -> BrokerNemesis:
        assert isinstance(self.place, PublishingDeployment)
        return BrokerNemesis(self.place, self._ticker, self._chance("faults"))

    async def settle(self) -> None:
        await super().settle()
        table = self._in_order()

        async def is_there() -> bool:
            return await asyncio.to_thread(self.published.take) >= len(table)

        await eventually("the queue to have the log", is_there, 90.0)
        check_publication(table, self.published.bodies)


def check_publication(table: List[Committed], bodies: List[dict]) -> None:
    """A queue has every event of the log, the first times in its order, as readers are shown it.

    `bodies`: each event once, in the order in which they came first.
    """
    for row, body in zip(table, bodies):
        entry = row.entry.shown
        if body["id"] != entry.id or body["position"] != row.position:
            raise Broken(f"{entry} at {row.position} is event {body['id']} in the queue")
        for name, wanted in (("payload", entry.payload), ("metadata", entry.metadata)):
            if canonical(json.dumps(body[name])) != canonical(wanted):
                raise Broken(f"the {name} of {entry} is another one in the queue")
        if (body["type"], body["entity_id"], body["version"]) != (
            entry.type, entry.entity_id, entry.version,
        ):  # fmt: skip
            raise Broken(f"{entry} is another one in the queue")
    if len(table) != len(bodies):
        raise Broken(f"the queue had {len(bodies)} of {len(table)} events")
