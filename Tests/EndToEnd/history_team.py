"""What writers beside the servers share: their entities, and transactions in two phases."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
import time
import uuid
from collections import Counter
from typing import Any, Awaitable, Callable, Dict, List, Set

from history_rules import Entity, Transaction
from history_sight_rules import Attempt
from history_writers import Ticker, uuid7
from hito_server import Login
from psql import Session, SessionLost

Open = Callable[[str], Awaitable[Session]]
"""Such as `Place.open_session`."""
MOOD = 40
"""What happens until the mood may change."""
COLUMNS = (
    "id, event_type, entity_type, entity_id, version, user_id, payload, metadata, schema_version,"
    " created_at"
)


class Aggregates:
    """Goals with one task each that only sessions beside the servers write; they have no rows."""

    def __init__(self, chance: random.Random, owners: List[Login], count: int) -> None:
        self.goals = [uuid7(chance) for _ in range(count)]
        self._tasks = {goal: uuid7(chance) for goal in self.goals}
        self._owners = {goal: chance.choice(owners).user_id for goal in self.goals}

    @property
    def entities(self) -> Set[Entity]:
        return {("goal", goal) for goal in self.goals} | {("task", t) for t in self._tasks.values()}

    def claim(self, goal: str) -> str:
        """What a row lock is for the servers' own writes; nobody waits for it."""
        return f"SELECT pg_try_advisory_xact_lock({uuid.UUID(goal).int % (1 << 62)});"

    def fields(self, goal: str, chance: random.Random) -> Dict[str, Any]:
        kind = chance.choice(["goal", "task"])
        state: Dict[str, Any] = {"title": f"Aparte {chance.getrandbits(32):x}", "status": "pending"}
        if kind == "task":
            state["goal_id"] = goal
        return {
            "kind": kind, "entity": goal if kind == "goal" else self._tasks[goal],
            "owner": self._owners[goal], "payload": state,
            "type": f"{kind}.{'created' if chance.random() < 0.2 else 'updated'}",
        }  # fmt: skip

    def insertion(
        self, goal: str, ids: List[str], chance: random.Random, seconds: float = 0.0
    ) -> str:
        """Events with the next versions of one entity; each takes so long after its number."""
        given = self.fields(goal, chance)
        payload = f"'{json.dumps(given['payload'])}'::jsonb"
        if seconds:
            payload += f" || jsonb_build_object('late', pg_sleep({seconds:.3f})::text)"
        array = ",".join(f"'{event_id}'" for event_id in ids)
        return f"""
            INSERT INTO events ({COLUMNS})
            SELECT u.id, '{given["type"]}', '{given["kind"]}', '{given["entity"]}', last.v + u.n,
              '{given["owner"]}', {payload}, '{{}}', 1, clock_timestamp()
            FROM unnest(ARRAY[{array}]::uuid[]) WITH ORDINALITY u (id, n),
              (SELECT coalesce(max(version), 0) AS v FROM events
               WHERE entity_type = '{given["kind"]}' AND entity_id = '{given["entity"]}') last
            ORDER BY u.n;
        """


@dataclasses.dataclass
class Prepared:
    """A transaction in two phases that waits for its second."""

    name: str
    transaction: Transaction
    commits: bool
    due: int
    """When so much has happened."""
    was_tried: bool = False

    @property
    def second_phase(self) -> str:
        return f"{'COMMIT' if self.commits else 'ROLLBACK'} PREPARED '{self.name}';"

    async def is_there(self, session: Session) -> bool:
        look = f"SELECT count(*) FROM pg_prepared_xacts WHERE gid = '{self.name}';"
        return await session.run(look) == ["1"]


class Team:
    """What the writers of a history share."""

    def __init__(
        self, open_session: Open, aggregates: Aggregates, ticker: Ticker, has_two_phases: bool,
        chance: random.Random,
    ) -> None:  # fmt: skip
        self.open_session = open_session
        self.has_two_phases = has_two_phases
        self.aggregates = aggregates
        self.ticker = ticker
        self.transactions: List[Transaction] = []
        self.attempts: List[Attempt] = []
        self.prepared: List[Prepared] = []
        self.unsure: List[Prepared] = []
        """Of which a phase had no answer: looked at when all is over."""
        self.acts: Counter[str] = Counter()
        """What was done to its end, by kind."""
        self._moods = f"{chance.random()} mood"

    @property
    def is_calm(self) -> bool:
        """Whether nobody is to hold a transaction open. A number that is taken too early is only
        passed over while no older transaction is under way."""
        return random.Random(f"{self._moods} {self.ticker.count // MOOD}").random() < 0.5

    async def hold(self, count: int, seconds: float) -> None:
        """Waits for so much to happen, or until nobody is to hold anything open."""
        end = time.monotonic() + seconds
        last = self.ticker.count + count
        while not self.is_calm and self.ticker.count < last and time.monotonic() < end:
            await self.ticker.more(1, 0.2)

    async def settle(self) -> None:
        """Ends the second phases. To be called when nobody else has a session any more."""
        session = await self.open_session("superuser")
        try:
            for item in [*self.prepared, *self.unsure]:
                await self._settle(session, item)
        finally:
            await session.close()

    async def _settle(self, session: Session, item: Prepared) -> None:
        if await item.is_there(session):
            item.was_tried = True
            await session.run(item.second_phase)
        done = item.was_tried and item.commits
        item.transaction.outcome = "committed" if done else "rolled back"


class Bystander:
    """Keeps a transaction open that inserts nothing: it holds back what others may know."""

    def __init__(self, where: str, team: Team, chance: random.Random) -> None:
        self._where = where
        self._team = team
        self._chance = chance

    async def run(self, until: asyncio.Event) -> None:
        ways = ["SELECT pg_current_xact_id();", "SELECT count(*) FROM pg_class;"]
        while not until.is_set():
            session: Session | None = None
            if self._team.is_calm:
                await self._team.ticker.more(1, 0.2)
                continue
            try:
                session = await self._team.open_session(self._where)
                await session.run(
                    f"BEGIN ISOLATION LEVEL REPEATABLE READ; {self._chance.choice(ways)}"
                )
                await self._team.hold(self._chance.randrange(5, 80), 3.0)
                await session.run(self._chance.choice(["COMMIT;", "ROLLBACK;"]))
                self._team.acts[f"bystander of {self._where}"] += 1
            except SessionLost:
                pass
            finally:
                if session is not None:
                    await session.close()
            await self._team.ticker.more(self._chance.randrange(1, 30), 1.0)
