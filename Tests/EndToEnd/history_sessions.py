"""Writers beside the servers: transactions of every kind that insert events with plain SQL."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import random
import time
from typing import AsyncIterator, List

from history_rules import Transaction
from history_sight_rules import Attempt
from history_team import COLUMNS, Prepared, Team
from history_writers import uuid7
from psql import Session, SessionLost

FORBIDDEN = {
    "give an event its number": f"INSERT INTO events (seq, {COLUMNS}) SELECT -1, gen_random_uuid(),"
    " 'goal.created', 'goal', gen_random_uuid(), 1, NULL, '{}', '{}', 1, now()",
    "change an event": "UPDATE events SET version = version WHERE false",
    "delete an event": "DELETE FROM events WHERE false",
    "set the sequence": "PERFORM setval('events_seq_seq', 1)",
    "change a position": "UPDATE event_positions SET position = position WHERE false",
    "delete a position": "DELETE FROM event_positions WHERE false",
}


class SessionWriter:
    """One kind of transaction after the other, in a session that lasts until something breaks."""

    ACTS = {
        "single": 4, "several": 3, "held": 3, "late": 1.5, "savepoints": 2, "many_savepoints": 0.3,
        "prepared": 2, "copied": 1.5, "slow": 1, "batch": 0.3, "burnt": 1, "forbidden": 0.5,
    }  # fmt: skip
    CALM_ACTS = {"single": 3, "copied": 3, "slow": 3, "burnt": 0.5}

    def __init__(self, name: str, team: Team, chance: random.Random) -> None:
        self._name = name
        self._team = team
        self._chance = chance
        self._session: Session | None = None
        self._acts = {
            act: weight
            for act, weight in self.ACTS.items()
            if team.has_two_phases or act != "prepared"
        }

    async def run(self, until: asyncio.Event) -> None:
        try:
            while not until.is_set():
                try:
                    await self._step()
                except SessionLost:
                    await self._lose()
                    # The next try once something goes again, or soon.
                    await self._team.ticker.more(1, 0.2)
        finally:
            await self._lose()

    async def _lose(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _step(self) -> None:
        acts = self.CALM_ACTS if self._team.is_calm else self._acts
        act = self._chance.choices(list(acts), list(acts.values()))[0]
        if self._session is None:
            self._session = await self._team.open_session("app")
        await self._second_phase(self._session)
        await getattr(self, f"_{act}")(self._session)
        self._team.acts[act] += 1

    async def once(self, session: Session) -> None:
        """One event, for certain."""
        async with self._transaction(session, "single", rolls_back=0.0) as transaction:
            for goal in self._team.aggregates.goals:
                if await self._put(session, transaction, goal):
                    return
            raise AssertionError("every goal is claimed by somebody")

    @contextlib.asynccontextmanager
    async def _transaction(
        self, session: Session, act: str, rolls_back: float = 0.3, level: str = ""
    ) -> AsyncIterator[Transaction]:
        """What it did stays on record, whatever becomes of the session."""
        transaction = Transaction(act=act)
        self._team.transactions.append(transaction)
        try:
            await session.run(f"BEGIN {level};")
            yield transaction
            if transaction.outcome == "open" and self._chance.random() >= rolls_back:
                transaction.outcome = "unknown"
                await session.run("COMMIT;")
                self._committed(transaction)
            elif transaction.outcome == "open":
                await session.run("ROLLBACK;")
        finally:
            if transaction.outcome == "open":
                transaction.outcome = "rolled back"

    def _committed(self, transaction: Transaction) -> None:
        transaction.outcome = "committed"
        if transaction.begun:
            transaction.acked = time.monotonic()
        self._team.ticker.tick()

    def _goals(self, most: int) -> List[str]:
        return self._chance.sample(self._team.aggregates.goals, self._chance.randint(1, most))

    async def _claims(self, session: Session, goal: str) -> bool:
        return await session.run(self._team.aggregates.claim(goal)) == ["t"]

    async def _put(
        self, session: Session, transaction: Transaction, goal: str, count: int = 1,
        seconds: float = 0.0,
    ) -> bool:  # fmt: skip
        """Inserts so many events of the goal, unless another transaction has it."""
        if not await self._claims(session, goal):
            return False
        transaction.begun = transaction.begun or time.monotonic()
        ids = [uuid7(self._chance) for _ in range(count)]
        transaction.ids += ids
        await session.run(self._team.aggregates.insertion(goal, ids, self._chance, seconds))
        return True

    async def _single(self, session: Session) -> None:
        async with self._transaction(session, "single", 0.1) as transaction:
            await self._put(session, transaction, self._goals(1)[0])

    async def _several(self, session: Session) -> None:
        level = self._chance.choice(
            ["", "ISOLATION LEVEL REPEATABLE READ", "ISOLATION LEVEL SERIALIZABLE"]
        )
        async with self._transaction(session, "several", level=level) as transaction:
            for goal in self._goals(4):
                await self._put(session, transaction, goal, self._chance.randint(1, 3))

    async def _slow(self, session: Session) -> None:
        """Takes the number of its first event some time before it writes that."""
        async with self._transaction(session, "slow", 0.1) as transaction:
            seconds = self._chance.choice([0.004, 0.03, 0.1])
            await self._put(session, transaction, self._goals(1)[0], seconds=seconds)

    async def _held(self, session: Session) -> None:
        async with self._transaction(session, "held") as transaction:
            for goal in self._goals(2):
                await self._put(session, transaction, goal)
                await self._team.hold(self._chance.randrange(15), 3.0)

    async def _late(self, session: Session) -> None:
        """Has its id early and its numbers late."""
        async with self._transaction(session, "late") as transaction:
            await session.run("SELECT pg_current_xact_id();")
            await self._team.hold(self._chance.randrange(12), 2.0)
            await self._put(session, transaction, self._goals(1)[0])

    async def _savepoints(self, session: Session) -> None:
        async with self._transaction(session, "savepoints", 0.2) as transaction:
            for goal in self._goals(4):
                await session.run("SAVEPOINT a;")
                before = len(transaction.ids)
                await self._put(session, transaction, goal, self._chance.randint(1, 2))
                if self._chance.random() < 0.5:
                    await session.run("ROLLBACK TO a;")
                    transaction.undone += transaction.ids[before:]
                    del transaction.ids[before:]
                elif self._chance.random() < 0.5:
                    await session.run("RELEASE a;")

    async def _many_savepoints(self, session: Session) -> None:
        """More of them than a session announces to others (64)."""
        chance, goal = self._chance, self._goals(1)[0]
        async with self._transaction(session, "many_savepoints", 0.2) as transaction:
            if not await self._claims(session, goal):
                return
            transaction.begun = time.monotonic()
            script = ""
            for _ in range(80):
                event_id = uuid7(chance)
                script += "SAVEPOINT a;" + self._team.aggregates.insertion(goal, [event_id], chance)
                if chance.random() < 0.4:
                    script += "ROLLBACK TO a;"
                    transaction.undone.append(event_id)
                else:
                    transaction.ids.append(event_id)
            await session.run(script)

    async def _batch(self, session: Session) -> None:
        """More events than are given positions at a time."""
        count = self._chance.choice([150, 150, 1001])
        async with self._transaction(session, "batch") as transaction:
            await self._put(session, transaction, self._goals(1)[0], count)

    async def _copied(self, _: Session) -> None:
        """COPY by a slow client: many rows have their numbers before the first is written. Only
        who passes row-level security may."""
        session = await self._team.open_session("superuser")
        try:
            async with self._transaction(session, "copied", 0.2) as transaction:
                goal = self._goals(1)[0]
                if await self._claims(session, goal):
                    await self._copy(session, transaction, goal)
        finally:
            await session.close()

    async def _copy(self, session: Session, transaction: Transaction, goal: str) -> None:
        given = self._team.aggregates.fields(goal, self._chance)
        last = await session.run(
            f"SELECT coalesce(max(version), 0) FROM events WHERE entity_type = '{given['kind']}'"
            f" AND entity_id = '{given['entity']}';"
        )
        transaction.begun = time.monotonic()
        session.begin(f"COPY events ({COLUMNS}) FROM STDIN;")
        payload = json.dumps({**given["payload"], "text": "x" * 3000})
        for number in range(self._chance.randint(2, 12)):
            transaction.ids.append(uuid7(self._chance))
            now = datetime.datetime.now(datetime.timezone.utc).isoformat()
            session.begin(
                f"{transaction.ids[-1]}\t{given['type']}\t{given['kind']}\t{given['entity']}\t"
                f"{int(last[0]) + 1 + number}\t{given['owner']}\t{payload}\t{{}}\t1\t{now}"
            )
            await self._team.ticker.more(self._chance.randrange(4), 0.2)
        await session.run("\\.")

    async def _burnt(self, session: Session) -> None:
        """Takes numbers without an event."""
        count = self._chance.choice([1, 1, 3, 50])
        await session.run(f"SELECT nextval('events_seq_seq') FROM generate_series(1, {count});")

    async def _forbidden(self, session: Session) -> None:
        what = self._chance.choice(list(FORBIDDEN))
        answer = await session.run(
            f"""
            DO $$ BEGIN
              {FORBIDDEN[what]};
              RAISE EXCEPTION 'it could' USING ERRCODE = 'HT999';
            EXCEPTION
              WHEN insufficient_privilege THEN PERFORM set_config('history.was', 'refused', false);
              WHEN SQLSTATE 'HT999' THEN PERFORM set_config('history.was', 'done', false);
            END $$;
            SELECT current_setting('history.was');
            """
        )
        self._team.attempts.append(Attempt(what, answer == ["refused"]))

    async def _prepared(self, session: Session) -> None:
        team, chance = self._team, self._chance
        async with self._transaction(session, "prepared") as transaction:
            for goal in self._goals(2):
                await self._put(session, transaction, goal)
            if not transaction.ids:
                return
            name = f"{self._name} {chance.getrandbits(48):x}"
            due = team.ticker.count + chance.choice([0, 5, 20, 80, 200])
            item = Prepared(name, transaction, chance.random() < 0.7, due)
            transaction.outcome = "prepared"
            try:
                await session.run(f"PREPARE TRANSACTION '{name}';")
            except SessionLost:
                team.unsure.append(item)
                raise
            team.prepared.append(item)

    async def _second_phase(self, session: Session) -> None:
        team = self._team
        for _ in range(2):
            due = [item for item in team.prepared if team.is_calm or item.due <= team.ticker.count]
            if not due:
                break
            # Before anybody else has a turn.
            team.prepared.remove(due[0])
            await self._end(session, due[0])
        if team.is_calm and team.unsure:
            # One that is there is known to be prepared; of another one no more is known yet.
            item = team.unsure.pop(0)
            try:
                is_there = await item.is_there(session)
            except SessionLost:
                team.unsure.append(item)
                raise
            if is_there:
                await self._end(session, item)
            else:
                team.unsure.append(item)

    async def _end(self, session: Session, item: Prepared) -> None:
        item.was_tried = True
        try:
            await session.run(item.second_phase)
        except SessionLost:
            self._team.unsure.append(item)
            raise
        if item.commits:
            self._committed(item.transaction)
        else:
            item.transaction.outcome = "rolled back"
        self._team.acts["second phase"] += 1
