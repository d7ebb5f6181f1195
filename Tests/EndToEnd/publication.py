"""What a queue of the broker was given, beside what the log has."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Dict, List

import hito
from history import eventually, read_all
from hito import v1
from rabbitmq import Broker

Condition = v1.PipelineCondition


class Published:
    """Takes a queue's messages, as a consumer of somebody else's does: by the ids of events."""

    def __init__(self, broker: Broker, queue: str) -> None:
        self._broker = broker
        self._queue = queue
        self.bodies: List[Dict[str, Any]] = []
        """Each event once, in the order in which they came first."""
        self.repeated = 0
        self._seen: Dict[str, Dict[str, Any]] = {}

    def take(self) -> int:
        """Takes what is there; how many events are known after it."""
        self._broker.collect(self._queue, self._note)
        return len(self.bodies)

    def _note(self, method: Any, properties: Any, message: bytes) -> None:
        body = json.loads(message)
        assert method.routing_key == body["type"] == properties.type
        assert properties.message_id == body["id"]
        assert properties.delivery_mode == 2, "it is to survive the broker's restart"
        assert properties.content_type == "application/json"
        before = self._seen.setdefault(body["id"], body)
        if before is not body:
            self.repeated += 1
            assert before == body, "the same event in two ways"
            return
        self.bodies.append(body)

    def check(self) -> None:
        """Every position once, in order, without a gap."""
        positions = [body["position"] for body in self.bodies]
        assert positions == list(range(1, len(positions) + 1))

    async def has_all(self, client: hito.Client, seconds: float = 60.0) -> None:
        """Waits until the queue gave every event that the log has now; an admin's client."""
        wanted = [event.id for event in await read_all(client)]

        async def is_there() -> bool:
            return await asyncio.to_thread(self.take) >= len(wanted)

        await eventually(f"{len(wanted)} events in {self._queue}", is_there, seconds)
        assert [body["id"] for body in self.bodies[: len(wanted)]] == wanted
        self.check()


async def pipeline(client: hito.Client, name: str = "broker") -> v1.PipelineInfo:
    reply = await client.server.get_pipelines(v1.GetPipelinesRequest())
    [found] = [one for one in reply.pipelines if one.name == name]
    return found


async def becomes(client: hito.Client, condition: int, seconds: float = 40.0) -> v1.PipelineInfo:
    """Waits until the broker's connection is as said."""
    last: List[v1.PipelineInfo] = []

    async def is_so() -> bool:
        last[:] = [await pipeline(client)]
        return last[0].condition == condition

    try:
        await eventually(f"the broker to be {Condition.Name(condition)}", is_so, seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}: {last}") from None
    return last[0]


async def write(client: hito.Client, count: int, title: str = "Meta") -> List[str]:
    """Goals with a task each, one after the other; the ids of those that were acknowledged."""
    made: List[str] = []
    while len(made) < count:
        request = v1.CreateGoalRequest(
            title=f"{title} {len(made)}", tasks=[v1.NewTask(title="Tarea")]
        )
        try:
            made.append((await client.goals.create_goal(request)).goal.id)
        except (hito.Unavailable, hito.DeadlineExceeded):
            # Of a server that is being killed.
            await asyncio.sleep(0.05)
    return made
