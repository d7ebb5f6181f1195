"""Writers at random for the history checker: through the public API, and beside it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import random
import time
import uuid
from typing import Any, Dict, List, Set

from google.protobuf.field_mask_pb2 import FieldMask
from history_rules import Answer, Entity, State, Transaction, Write
from hito import v1
from hito_server import HitoServer, Login
from psql import Session, SessionLost

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
        self, client: hito.Client, garden: Garden, chance: random.Random, ticker: Ticker
    ) -> None:
        self._client = client
        self._garden = garden
        self._chance = chance
        self._ticker = ticker
        self._requests: Dict[str, Any] = {}
        self.writes: List[Write] = []

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
            self._garden.learn(reply)
            self._ticker.tick()

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


def uuid7(chance: random.Random) -> str:
    bits = int(time.time() * 1000) << 80 | 0x7 << 76 | chance.getrandbits(12) << 64
    return str(uuid.UUID(int=bits | 0b10 << 62 | chance.getrandbits(62)))


class Aggregates:
    """Goals with one task each that only sessions beside the server write; they have no rows."""

    def __init__(self, chance: random.Random, owners: List[Login], count: int) -> None:
        self.goals = [uuid7(chance) for _ in range(count)]
        self._tasks = {goal: uuid7(chance) for goal in self.goals}
        self._owners = {goal: chance.choice(owners).user_id for goal in self.goals}

    @property
    def entities(self) -> Set[Entity]:
        return {("goal", goal) for goal in self.goals} | {("task", t) for t in self._tasks.values()}

    def lock(self, goal: str) -> str:
        """What a row lock is for the server's own writes."""
        return f"SELECT pg_advisory_xact_lock({uuid.UUID(goal).int % (1 << 62)});"

    def insertion(self, goal: str, kind: str, event_id: str, chance: random.Random) -> str:
        entity = goal if kind == "goal" else self._tasks[goal]
        state: Dict[str, Any] = {"title": f"Aparte {event_id}", "status": "pending"}
        if kind == "task":
            state["goal_id"] = goal
        what = "created" if chance.random() < 0.2 else "updated"
        return f"""
            INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload,
                metadata, schema_version, created_at)
            SELECT '{event_id}', '{kind}.{what}', '{kind}', '{entity}',
                coalesce(max(version), 0) + 1, '{self._owners[goal]}', '{json.dumps(state)}',
                '{{}}', 1, clock_timestamp()
            FROM events WHERE entity_type = '{kind}' AND entity_id = '{entity}';
        """


class HeldWriter:
    """Inserts events in transactions that stay open while others commit, and then end by chance."""

    def __init__(
        self, server: HitoServer, aggregates: Aggregates, chance: random.Random, ticker: Ticker
    ) -> None:
        self._server = server
        self._aggregates = aggregates
        self._chance = chance
        self._ticker = ticker
        self.transactions: List[Transaction] = []

    async def run(self, until: asyncio.Event) -> None:
        session: Session | None = None
        try:
            while not until.is_set():
                try:
                    session = session or await Session.open(self._server)
                    await self.transact(session)
                except SessionLost:
                    if session is not None:
                        await session.close()
                        session = None
                    # The next try once something goes again, or soon.
                    await self._ticker.more(1, 0.2)
        finally:
            if session is not None:
                await session.close()

    async def transact(self, session: Session, commits: float = 0.65) -> None:
        """One transaction. What it did stays, whatever becomes of the session."""
        chance = self._chance
        transaction = Transaction()
        self.transactions.append(transaction)
        try:
            await session.run("BEGIN;")
            # In one order everywhere, so that two of us never wait for each other.
            for goal in sorted(chance.sample(self._aggregates.goals, chance.randrange(1, 3))):
                script = self._aggregates.lock(goal)
                for _ in range(chance.randrange(1, 4)):
                    event_id = uuid7(chance)
                    transaction.ids.append(event_id)
                    kind = chance.choice(["goal", "task"])
                    script += self._aggregates.insertion(goal, kind, event_id, chance)
                await session.run(script)
                await self._ticker.more(chance.randrange(12), 5.0)
            if chance.random() < commits:
                transaction.outcome = "unknown"
                await session.run("COMMIT;")
                transaction.outcome = "committed"
                self._ticker.tick()
            else:
                await session.run("ROLLBACK;")
        finally:
            if transaction.outcome == "open":
                transaction.outcome = "rolled back"
