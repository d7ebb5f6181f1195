"""The history checker: writers at random, held and rolled back transactions, faults, and readers.

Whatever happens, the events table, every page of the log, every stream and the lake tell the same
history, and it is the one that was acknowledged. `HITO_E2E_SEED` repeats a run's decisions.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import AsyncExitStack
from typing import Awaitable, Callable, Dict, List

import history_readers as readers
import history_rules as rules
from history import eventually, read_all
from history_readers import Recorder, Selects, entry_of
from history_rules import Committed, Entry, Transaction, Write
from history_writers import Aggregates, Garden, HeldWriter, Ticker, Writer
from hito import v1
from hito_server import HitoServer, Login
from psql import Session, SessionLost

import hito

LEARNERS = 3
WRITERS_EACH = 2
HELD_WRITERS = 4
AGGREGATES = 8
CLOSING_SECONDS = 30.0


class History:
    """One run: everybody who writes, reads and breaks things, and what they recorded."""

    def __init__(self, server: HitoServer, seed: int, stack: AsyncExitStack) -> None:
        self.server = server
        self.seed = seed
        self.ticker = Ticker()
        self.learners: List[Login] = []
        self.writers: List[Writer] = []
        self.held: List[HeldWriter] = []
        self.clients: List[hito.Client] = []
        """One of each learner's."""
        self.recorders: List[Recorder] = []
        self._stack = stack

    def chance(self, who: str) -> random.Random:
        """Of its own for each part, so that what one does depends on no other's decisions."""
        return random.Random(f"{self.seed} {who}")

    async def _connect(self, login: Login) -> hito.Client:
        client = await self.server.connect(login, timeout=60.0)
        return await self._stack.enter_async_context(client)

    async def prepare(self) -> None:
        self.admin = await self._connect(self.server.admin())
        for number in range(LEARNERS):
            name = f"Aprendiz {self.seed} {number}"
            login = await asyncio.to_thread(self.server.join, name)
            self.learners.append(login)
            garden = Garden()
            for each in range(WRITERS_EACH):
                client = await self._connect(login)
                chance = self.chance(f"writer {number} {each}")
                self.writers.append(Writer(client, garden, chance, self.ticker))
            self.clients.append(client)
        self.aggregates = Aggregates(self.chance("aggregates"), self.learners, AGGREGATES)
        self.held = [
            HeldWriter(self.server, self.aggregates, self.chance(f"held {n}"), self.ticker)
            for n in range(HELD_WRITERS)
        ]
        self._watch_all()

    def _watch(
        self, name: str, client: hito.Client, selects: Selects, *filters: v1.EventFilter,
        **habits: bool,
    ) -> None:  # fmt: skip
        chance = self.chance(f"watcher {name}")
        recorder = Recorder(name, client, selects, self.ticker, chance, *filters, **habits)
        self.recorders.append(recorder)
        self._stack.push_async_callback(recorder.close)

    def _watch_all(self) -> None:
        ana, berta = self.learners[0].user_id, self.learners[1].user_id
        goals = self.aggregates.goals[: AGGREGATES // 2]
        admin, watch = self.admin, self._watch
        watch("all", admin, lambda e: True)
        watch("all, slowly", admin, lambda e: True, is_slow=True)
        watch("all, coming and going", admin, lambda e: True, leaves=True)
        watch("one's own", self.clients[0], lambda e: e.user_id == ana)
        watch(
            "tasks, coming and going", admin, lambda e: e.type.startswith("task."),
            v1.EventFilter(types=["task.*"]), leaves=True,
        )  # fmt: skip
        watch(
            "another user's", admin, lambda e: e.user_id == berta, v1.EventFilter(user_ids=[berta]),
        )  # fmt: skip
        watch(
            "some goals, slowly", admin,
            lambda e: e.entity_id in goals or e.state.get("goal_id") in goals,
            v1.EventFilter(goal_ids=goals), is_slow=True,
        )  # fmt: skip

    async def run(self) -> None:
        """Everybody at once, until the last fault is over and work has continued."""
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for writer in [*self.writers, *self.held]:
                group.create_task(writer.run(enough))
            group.create_task(self._flush(enough))
            try:
                await self._break_things()
            finally:
                enough.set()
                self.ticker.release()

    async def _break_things(self) -> None:
        chance = self.chance("faults")
        faults: Dict[str, Callable[[], Awaitable[None]]] = {
            "the server is killed": self._kill_server,
            "PostgreSQL is restarted": lambda: self._signal_postgres(signal.SIGINT),
            "PostgreSQL is killed": lambda: self._signal_postgres(signal.SIGKILL),
            "both are killed": self._kill_both,
        }
        schedule = list(faults)
        chance.shuffle(schedule)
        for name in schedule:
            await self._progress(chance.randrange(20, 90))
            print(f"after {self.ticker.count} writes {name}")
            await faults[name]()
            # From the past into the present while both move on.
            self._watch(f"all, since {name}", self.admin, lambda e: True)
        await self._progress(120)

    async def _progress(self, count: int) -> None:
        assert await self.ticker.more(count, 60.0), f"no {count} writes\n{self.server.tail()}"

    async def _kill_server(self) -> None:
        self.server.kill()
        await self.server.restart()

    async def _signal_postgres(self, how: signal.Signals) -> None:
        before = self.server.postmaster()
        os.kill(before, how)

        async def is_another() -> bool:
            try:
                return self.server.postmaster() != before
            except (FileNotFoundError, IndexError, ValueError):
                return False

        await eventually("another PostgreSQL", is_another, 40.0)

    async def _kill_both(self) -> None:
        os.kill(self.server.postmaster(), signal.SIGKILL)
        await self._kill_server()

    async def _flush(self, until: asyncio.Event) -> None:
        """The lake is written now and then, also when something breaks."""
        chance = self.chance("flush")
        while not until.is_set():
            await self.ticker.more(chance.randrange(1, 30), 5.0)
            try:
                await self.admin.server.flush_lake(v1.FlushLakeRequest(), timeout=20.0)
            except (hito.Unavailable, hito.DeadlineExceeded):
                pass

    async def settle(self) -> Session:
        """Learns what became of every write, ends the history with events that all watchers see."""
        await asyncio.gather(*(writer.settle(again=0.2) for writer in self.writers))
        session = await self._session()
        self._stack.push_async_callback(session.close)
        await self.held[0].transact(session, commits=1.0)

        async def is_sequenced() -> bool:
            script = "SELECT count(*) FROM events WHERE seq NOT IN (SELECT seq FROM event_positions);"
            return await session.run(script) == ["0"]

        await eventually("every event to be sequenced", is_sequenced, CLOSING_SECONDS)
        return session

    async def _session(self) -> Session:
        opened: List[Session] = []

        async def opens() -> bool:
            try:
                opened.append(await Session.open(self.server))
            except SessionLost:
                return False
            return True

        await eventually("a session with the database", opens, CLOSING_SECONDS)
        return opened[0]

    async def check(self, session: Session) -> None:
        committed = await readers.table(session)
        entries = rules.check_table(committed)
        ours = self.aggregates.entities
        transactions = [t for held in self.held for t in held.transactions]
        rules.check_transactions(entries, ours, transactions)
        rules.check_rows(entries, ours, await readers.states(session))
        writes = [write for writer in self.writers for write in writer.writes]
        rules.check_writes(entries, {learner.user_id for learner in self.learners}, writes)

        shown = [entry.shown for entry in entries]
        await self._check_pages("ReadEvents", self.admin, shown)
        for login, client in zip(self.learners, self.clients):
            own = [entry for entry in shown if entry.user_id == login.user_id]
            await self._check_pages(f"ReadEvents of {login.name}", client, own)
        for recorder in self.recorders:
            expected = [entry for entry in shown if recorder.selects(entry)]
            await recorder.has_seen(expected[-1])
            rules.check_same(recorder.name, expected, recorder.entries)
        await self.admin.server.flush_lake(v1.FlushLakeRequest())
        rules.check_lake(entries, await asyncio.to_thread(readers.lake, self.server.lake))
        self._report(entries, writes, transactions, committed)

    async def _check_pages(self, who: str, client: hito.Client, expected: List[Entry]) -> None:
        pages = [entry_of(event) for event in await read_all(client)]
        rules.check_same(who, expected, pages)

    def _report(
        self, entries: List[Entry], writes: List[Write], transactions: List[Transaction],
        committed: List[Committed],
    ) -> None:  # fmt: skip
        outcomes = [transaction.outcome for transaction in transactions]
        by_position = sorted(committed, key=lambda row: row.position or 0)
        late = sum(a.seq > b.seq for a, b in zip(by_position, by_position[1:]))
        unsure = sum(not any(not a.is_replay for a in w.answers) for w in writes if w.answers)
        print(
            f"{len(entries)} events; {len(writes)} writes, of which"
            f" {sum(not w.answers for w in writes)} refused and {unsure} known by a replay only;"
            f" transactions: { {o: outcomes.count(o) for o in sorted(set(outcomes))} },"
            f" {late} late commits; interruptions of watchers:"
            f" {sum(r.interruptions + r.departures for r in self.recorders)}"
        )
        # A run without these would prove little.
        assert late > 0 and {"committed", "rolled back"} <= set(outcomes)


async def test_every_reader_tells_the_same_history_whatever_happens(mortal):
    seed = int(os.environ.get("HITO_E2E_SEED", random.randrange(1_000_000)))
    print(f"HITO_E2E_SEED={seed}")
    async with AsyncExitStack() as stack:
        history = History(mortal, seed, stack)
        await history.prepare()
        await history.run()
        await history.check(await history.settle())
