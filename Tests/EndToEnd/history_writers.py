"""Writers at random for the history checker, through the public API."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import time
import uuid
from typing import Any, Dict, List, Sequence

from google.protobuf.field_mask_pb2 import FieldMask
from history_rules import Answer, State, Write
from history_sight_rules import Look
from hito import v1

import hito

REFUSALS = (hito.FailedPrecondition, hito.NotFound, hito.Aborted, hito.InvalidArgument)
UNCERTAIN = (hito.Unavailable, hito.DeadlineExceeded, hito.CancelledCall)


class Ticker:
    """Counts what happened; others wait until so much more has, instead of for a time."""

    def __init__(self) -> None:
        self.count = 0
        self._is_released = False
        self._waiters: List[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def tick(self) -> None:
        self.count += 1
        self._wake()

    def release(self) -> None:
        """Nobody waits any more, now or later."""
        self._is_released = True
        self._wake()

    def _wake(self) -> None:
        while self._waiters and (self._is_released or self._waiters[0][0] <= self.count):
            waiter = heapq.heappop(self._waiters)[2]
            if not waiter.done():
                waiter.set_result(None)

    async def more(self, count: int, seconds: float) -> bool:
        """Whether so much more happened in that time."""
        if self._is_released:
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (self.count + count, next(self._numbers), waiter))
        try:
            async with asyncio.timeout(seconds):
                await waiter
        except TimeoutError:
            return False
        return True


class Garden:
    """The goals of a user as far as the writers know; what they know may be out of date."""

    def __init__(self) -> None:
        self.goals: Dict[str, List[str]] = {}

    def learn(self, reply: Any) -> None:
        fields = {field.name: value for field, value in reply.ListFields()}
        if "goal" in fields:
            self.goals.setdefault(reply.goal.id, [])
        for task in [*fields.get("tasks", []), *([reply.task] if "task" in fields else [])]:
            tasks = self.goals.setdefault(task.goal_id, [])
            if task.id not in tasks:
                tasks.append(task.id)

    def forget(self, request: Any) -> None:
        """A goal or task turned out to be deleted."""
        if task := getattr(request, "task_id", ""):
            for tasks in self.goals.values():
                if task in tasks:
                    tasks.remove(task)
        else:
            self.goals.pop(getattr(request, "goal_id", ""), None)


def answer(reply: Any) -> Answer:
    plain = type(reply)()
    plain.CopyFrom(reply)
    plain.receipt.replayed = False
    states: List[State] = []
    for field, value in reply.ListFields():
        kind = {"goal": "goal", "task": "task", "tasks": "task"}.get(field.name)
        for item in value if field.name == "tasks" else [value]:
            if kind is not None and item.id:
                status = v1.WorkStatus.Name(item.status).removeprefix("WORK_STATUS_").lower()
                states.append(State((kind, item.id), item.version, item.title, status))
    return Answer(
        plain.SerializeToString(deterministic=True), reply.receipt.replayed,
        bool(reply.receipt.cursor), states,
    )  # fmt: skip


METHODS = {
    "CreateGoal": 5, "UpdateGoal": 1, "StartGoal": 1, "CompleteGoal": 1, "ReopenGoal": 1,
    "ArchiveGoal": 0.5, "DeleteGoal": 0.3, "CreateTask": 3, "UpdateTask": 1, "StartTask": 2,
    "CompleteTask": 6, "ReopenTask": 2, "ArchiveTask": 1, "DeleteTask": 1, "ReorderTasks": 2,
}  # fmt: skip


class Writer:
    """Writes as one user; several of them share the user's goals."""

    def __init__(
        self, client: hito.Client, garden: Garden, chance: random.Random, ticker: Ticker,
        others: Sequence[hito.Client],
    ) -> None:  # fmt: skip
        """`others`: the same user's, each of one server, for reads of what was written."""
        self._client = client
        self._others = others
        self._garden = garden
        self._chance = chance
        self._ticker = ticker
        self._requests: Dict[str, Any] = {}
        self.writes: List[Write] = []
        self.looks: List[Look] = []

    async def run(self, until: asyncio.Event) -> None:
        while not until.is_set():
            await self._step()

    async def _step(self) -> None:
        write, request = self._choose()
        self.writes.append(write)
        self._requests[write.key] = request
        way = self._chance.random()
        if way < 0.10:
            await asyncio.gather(*(self._send(write, 20.0) for _ in range(3)))
        elif way < 0.18:
            await self._send(write, self._chance.uniform(0.001, 0.05))
        elif way < 0.26:
            call = asyncio.create_task(self._send(write, 20.0))
            await asyncio.wait({call}, timeout=self._chance.uniform(0.0, 0.05))
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        else:
            await self._send(write, 20.0)
        if self._chance.random() < 0.15:
            # Again: this one, or one of long ago.
            old = self._chance.choice([write, self._chance.choice(self.writes)])
            await self._send(old, 20.0)

    async def settle(self, again: float) -> None:
        """Learns the fate of every write, and asks some again whose fate is known."""
        for write in self.writes:
            if not write.is_settled or self._chance.random() < again:
                await self._send(write, 30.0)

    async def _send(self, write: Write, timeout: float) -> None:
        request = self._requests[write.key]
        service = self._client.goals if "Goal" in write.method else self._client.tasks
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in write.method).lstrip("_")
        was_answered = bool(write.effective)
        write.begun = write.begun or time.monotonic()
        try:
            call = getattr(service, snake)
            reply = await call(request, idempotency_key=write.key, timeout=timeout)
        except REFUSALS as error:
            write.refusals.append(str(error))
            if was_answered:
                write.forgotten = str(error)
            if isinstance(error, hito.InvalidArgument) and write.method != "ReorderTasks":
                raise
            if isinstance(error, hito.NotFound):
                self._garden.forget(request)
        except UNCERTAIN:
            pass
        else:
            write.answers.append(answer(reply))
            if write.effective and not write.acked:
                write.acked = time.monotonic()
            self._garden.learn(reply)
            self._ticker.tick()
            if reply.receipt.cursor and self._chance.random() < 0.25:
                await self._look(write.answers[-1].states, reply.receipt.cursor)

    async def _look(self, states: List[State], receipt: str) -> None:
        """Reads back what was acknowledged, from any server."""
        if not states:
            return
        state, chance = self._chance.choice(states), self._chance
        place = chance.randrange(len(self._others))
        client, way = self._others[place], chance.choice(["get", "list", "log"])
        try:
            seen = await _LOOKS[way](client, state, receipt)
        except UNCERTAIN:
            return
        self.looks.append(Look(state.entity, state.version, seen, f"{way} on server {place + 1}"))

    def _choose(self) -> tuple[Write, Any]:
        chance, goals = self._chance, self._garden.goals
        key = f"key-{chance.getrandbits(64):016x}"
        method = chance.choices(list(METHODS), list(METHODS.values()))[0]
        goal = chance.choice(list(goals)) if goals else ""
        tasks = goals.get(goal, [])
        needs_task = method.endswith("Task") and method != "CreateTask"
        if method == "CreateGoal" or not goal or (needs_task and not tasks):
            steps = [v1.NewTask(title=f"Paso {n} de {key}") for n in range(chance.randrange(4))]
            return Write(key, "CreateGoal"), v1.CreateGoalRequest(title=f"Meta {key}", tasks=steps)
        make = getattr(v1, f"{method}Request")
        if method == "CreateTask":
            return Write(key, method), make(goal_id=goal, task=v1.NewTask(title=f"Paso {key}"))
        if method == "ReorderTasks":
            order = chance.sample(tasks, len(tasks))
            return Write(key, method), make(goal_id=goal, task_ids=order)
        request = make(task_id=chance.choice(tasks)) if needs_task else make(goal_id=goal)
        if chance.random() < 0.1:
            request.expected_version = chance.randrange(1, 6)
        if method.startswith("Update"):
            request.update_mask.CopyFrom(FieldMask(paths=["title"]))
            (request.task if needs_task else request.goal).title = f"Otro título {key}"
        return Write(key, method), request


async def _get(client: hito.Client, state: State, receipt: str) -> int:
    kind, key = state.entity
    try:
        if kind == "goal":
            goal = v1.GetGoalRequest(goal_id=key, min_cursor=receipt)
            return (await client.goals.get_goal(goal, timeout=20.0)).goal.version
        task = v1.GetTaskRequest(task_id=key, min_cursor=receipt)
        return (await client.tasks.get_task(task, timeout=20.0)).task.version
    except hito.NotFound:
        return 0


async def _list(client: hito.Client, state: State, receipt: str) -> int:
    """Newest first; what the page does not have is looked up."""
    kind, key = state.entity
    if kind == "goal":
        goals = v1.ListGoalsRequest(min_cursor=receipt)
        items = (await client.goals.list_goals(goals, timeout=20.0)).goals
    else:
        tasks = v1.ListTasksRequest(min_cursor=receipt)
        items = (await client.tasks.list_tasks(tasks, timeout=20.0)).tasks
    found = [item.version for item in items if item.id == key]
    return found[0] if found else await _get(client, state, receipt)


async def _log(client: hito.Client, state: State, receipt: str) -> int:
    kind, key = state.entity
    chosen = {"goal_ids": [key]} if kind == "goal" else {"task_ids": [key]}
    request = v1.ReadEventsRequest(
        filter=v1.EventFilter(**chosen), min_cursor=receipt, page_size=200
    )
    newest = 0
    while True:
        page = await client.events.read_events(request, timeout=20.0)
        versions = [event.version for event in page.events if event.entity_id == key]
        newest = max([newest, *versions])
        if page.at_end:
            return newest
        request.after_cursor = page.next_cursor


_LOOKS = {"get": _get, "list": _list, "log": _log}


def uuid7(chance: random.Random) -> str:
    bits = int(time.time() * 1000) << 80 | 0x7 << 76 | chance.getrandbits(12) << 64
    return str(uuid.UUID(int=bits | 0b10 << 62 | chance.getrandbits(62)))
