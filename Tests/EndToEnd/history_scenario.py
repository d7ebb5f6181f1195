"""One history: everybody who writes, reads and breaks things, and the judgement."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import Awaitable, Callable, List, Sequence, Set, Union

import history_readers as readers
import history_sight_rules as sights
from history import eventually
from history_faults import EmbeddedNemesis, Nemesis
from history_groups import GroupStory, GroupTeam
from history_plan import Step
from history_readers import Desk, Observer, Pager, Recorder
from history_record import Record
from history_rules import Committed, Entry
from history_sessions import SessionWriter
from history_sight_rules import Selection, Stream
from history_team import Aggregates, Bystander, Team
from history_world import Deployment, Place
from history_writers import Garden, Ticker, Writer
from hito import v1
from hito_server import Login

import hito

LEARNERS = 3
WRITERS_EACH = 2
SESSION_WRITERS = 5
AGGREGATES = 12
VISITORS_MAX = 3
"""Watchers that begin after a fault; then the oldest of them leaves."""
PROGRESS_SECONDS = 60.0
CLOSING_SECONDS = 30.0


class History:
    """A history of some servers; `record` has what came of it."""

    def __init__(self, place: Place, seed: int, stack: contextlib.AsyncExitStack) -> None:
        self.seed = seed
        self.kills = 0
        self.record = Record()
        self.place = place
        self._ticker = Ticker()
        self._desk = Desk(self.record, self._ticker)
        self._stack = stack
        self._writers: List[Writer] = []
        self._recorders: List[Recorder] = []
        self._visitors: List[Recorder] = []
        self._groups: List[GroupTeam] = []
        self._tasks: List[Callable[[asyncio.Event], Awaitable[None]]] = []

    def _chance(self, who: str) -> random.Random:
        """Of its own for each part, so that what one does depends on no other's decisions."""
        return random.Random(f"{self.seed} {who}")

    async def _connect(self, login: Login, first: int = 0, is_only: bool = False) -> hito.Client:
        client = await self.place.connect(login, first % len(self.place.servers), is_only)
        return await self._stack.enter_async_context(client)

    async def _connect_each(self, login: Login) -> List[hito.Client]:
        """A client of each server."""
        return [
            await self._connect(login, number, is_only=True)
            for number in range(len(self.place.servers))
        ]

    async def prepare(self) -> None:
        self._stack.push_async_callback(self.place.remove)
        await self.place.start()
        admin = self.place.servers[0].admin()
        self._admins = await self._connect_each(admin)
        self._anywhere = await self._connect(admin)
        learners = [await self._learner(number) for number in range(LEARNERS)]
        self.record.users = {login.user_id for login in learners}
        aggregates = Aggregates(self._chance("aggregates"), learners, AGGREGATES)
        self.record.ours = aggregates.entities
        self.team = Team(
            self.place.open_session, aggregates, self._ticker, self.place.has_two_phases,
            self._chance("moods"),
        )  # fmt: skip
        self._session_writers = [
            SessionWriter(f"w{n}", self.team, self._chance(f"session {n}"))
            for n in range(SESSION_WRITERS)
        ]
        self._tasks = [*(w.run for w in self._writers), *(w.run for w in self._session_writers)]
        for where in self.place.bystanders:
            self._tasks.append(Bystander(where, self.team, self._chance(f"by {where}")).run)
        self._tasks.append(Observer(self._desk, self.place.open_session).run)
        self._tasks += [self._flush, self._come_back_to_pages(learners, aggregates.goals)]
        await self._watch_all(learners, aggregates.goals)
        users = (learners[0].user_id,)
        for story in [
            GroupStory("tasks-in-order", Selection(kinds=("task",)), is_pinned=True),
            GroupStory("of-a-user", Selection(users=users), is_pinned=False),
        ]:
            await self._serve(story, admin)

    async def _serve(self, story: GroupStory, login: Login) -> None:
        """A group whose consumers are at all servers."""

        async def connect(number: int) -> hito.Client:
            return await self.place.connect(login, number % len(self.place.servers), False)

        chance = self._chance(f"group {story.name}")
        team = GroupTeam(story, connect, self._ticker, chance)
        await team.make(self._anywhere)
        self._groups.append(team)
        self.record.groups.append(story)
        self._tasks.append(team.run)

    async def _learner(self, number: int) -> Login:
        login = await asyncio.to_thread(self.place.servers[0].join, f"Aprendiz {number}")
        garden = Garden()
        each_server = await self._connect_each(login)
        for each in range(WRITERS_EACH):
            # Each begins at another server; all go where one answers.
            client = await self._connect(login, each)
            chance = self._chance(f"writer {number} {each}")
            self._writers.append(Writer(client, garden, chance, self._ticker, each_server))
        return login

    async def _watch_all(self, learners: List[Login], goals: List[str]) -> None:
        first, second, anywhere = self._admins[0], self._admins[-1], self._anywhere
        some = Selection(goals=tuple(goals[: AGGREGATES // 2]))
        ana, berta = ((login.user_id,) for login in learners[:2])
        own = await self._connect(learners[0], 1)
        watch = self._watch
        for number, admin in enumerate(self._admins, start=1):
            watch(f"all, of server {number}", admin, Selection())
        watch("all, slowly", anywhere, Selection(), is_slow=True)
        watch("all, coming and going", anywhere, Selection(), leaves=True)
        watch("one's own", own, Selection(users=ana), is_filtered=False)
        watch("tasks, coming and going", second, Selection(kinds=("task",)), leaves=True)
        watch("another user's", first, Selection(users=berta))
        watch("some goals, slowly", anywhere, some, is_slow=True)
        watch("a user's goals", second, Selection(users=ana, kinds=("goal",)))

    def _watch(
        self, name: str, client: hito.Client, selection: Selection, cursor: str = "",
        after: str = "", **habits: bool,
    ) -> Recorder:  # fmt: skip
        recorder = Recorder(
            self._desk, Stream(name, selection, after), client, self._chance(f"watcher {name}"),
            cursor=cursor, **habits,
        )  # fmt: skip
        self._recorders.append(recorder)
        self._stack.push_async_callback(recorder.close)
        return recorder

    def _come_back_to_pages(
        self, learners: List[Login], goals: List[str]
    ) -> Callable[[asyncio.Event], Awaitable[None]]:
        selections = {
            "pages of all": Selection(),
            "pages of tasks": Selection(kinds=("task",)),
            "pages of a user": Selection(users=(learners[1].user_id,)),
            "pages of goals": Selection(goals=tuple(goals[:3])),
        }

        async def run(until: asyncio.Event) -> None:
            pagers = [
                Pager(name, self._desk, self._admins, selection, self._chance(name))
                for name, selection in selections.items()
            ]
            await asyncio.gather(*(pager.run(until) for pager in pagers))

        return run

    @property
    def _nemesis(self) -> Union[Nemesis, EmbeddedNemesis]:
        if isinstance(self.place, Deployment):
            return Nemesis(self.place, self._ticker, self._chance("faults"))
        return EmbeddedNemesis(self.place)

    async def run(self, steps: Sequence[Step]) -> None:
        """Everybody at once, until the last fault is over and work has continued."""
        enough = asyncio.Event()
        nemesis = self._nemesis
        async with asyncio.TaskGroup() as group:
            for task in self._tasks:
                group.create_task(task(enough))
            try:
                for step in steps:
                    await self._progress(step.after)
                    began = time.monotonic()
                    print(f"  {self._ticker.count} writes: {step.fault}", flush=True)
                    await nemesis.strike(step.fault, step.during)
                    self.kills += step.kills
                    print(f"    {time.monotonic() - began:.1f} s")
                    await self._visit(step.fault)
                await self._progress(60)
            finally:
                enough.set()
                self._ticker.release()

    async def _progress(self, count: int) -> None:
        tails = "\n".join(server.tail(12) for server in self.place.servers)
        if not await self._ticker.more(count, PROGRESS_SECONDS):
            raise sights.Broken(f"no {count} writes in {PROGRESS_SECONDS:g} s\n{tails}")

    async def _visit(self, fault: str) -> None:
        """From the past into the present while both move on."""
        chance = self._chance(f"visit {self._ticker.count}")
        cursors = self._desk.cursors
        cursor, after = chance.choice(cursors) if cursors and chance.random() < 0.8 else ("", "")
        client = chance.choice([*self._admins, self._anywhere])
        name = f"all, since {fault} at {self._ticker.count}"
        self._visitors.append(self._watch(name, client, Selection(), cursor, after))
        if len(self._visitors) > VISITORS_MAX:
            oldest = self._visitors.pop(0)
            self._recorders.remove(oldest)
            await oldest.leave()

    async def _flush(self, until: asyncio.Event) -> None:
        """The lakes are written now and then, also when something breaks."""
        chance = self._chance("flush")
        while not until.is_set():
            await self._ticker.more(chance.randrange(1, 30), 5.0)
            try:
                client = chance.choice(self._admins)
                await client.server.flush_lake(v1.FlushLakeRequest(), timeout=10.0)
            except (hito.Unavailable, hito.DeadlineExceeded):
                pass

    async def settle(self) -> None:
        """Learns what became of every write, ends with events that all watchers see, and reads all
        that there is."""
        await asyncio.gather(*(writer.settle(again=0.2) for writer in self._writers))
        session = await self.place.ready()
        self._stack.push_async_callback(session.close)

        async def is_alone() -> bool:
            others = "usename = 'hito_app' AND application_name = 'psql'"
            return await session.run(
                f"SELECT count(*) FROM pg_stat_activity WHERE {others};"
            ) == ["0"]  # fmt: skip

        await eventually("the sessions of the writers to end", is_alone, CLOSING_SECONDS)
        await self.team.settle()
        await self._session_writers[0].once(session)

        async def is_sequenced() -> bool:
            positions = "(SELECT seq FROM event_positions)"
            script = f"SELECT count(*) FROM events WHERE seq NOT IN {positions};"
            return await session.run(script) == ["0"]

        with contextlib.suppress(AssertionError):
            # Which of them has none is for the rules to say.
            await eventually("every event to have a position", is_sequenced, CLOSING_SECONDS)
        record = self.record
        record.table = await readers.table(session)
        record.rows = await readers.states(session)
        await Observer(self._desk, self.place.open_session).look(session)
        await self._finish_streams([row.entry for row in self._in_order()])
        for number, admin in enumerate(self._admins):
            await self._read_all(f"ReadEvents of server {number + 1}", admin)
            await admin.server.flush_lake(v1.FlushLakeRequest())
            folder = self.place.servers[number].lake
            record.lakes[f"server {number + 1}"] = await asyncio.to_thread(readers.lake, folder)
        for team in self._groups:
            await team.finish(self._anywhere)
        record.writes = [write for writer in self._writers for write in writer.writes]
        record.looks = [look for writer in self._writers for look in writer.looks]
        record.transactions = self.team.transactions
        record.attempts = self.team.attempts

    def _in_order(self) -> List[Committed]:
        return sorted(self.record.table, key=lambda row: row.position or 0)

    async def _finish_streams(self, entries: List[Entry]) -> None:
        async def finish(recorder: Recorder) -> None:
            matching = [e for e in entries if recorder.stream.selection.matches(e)]
            await recorder.finish(matching[-1] if matching else None)

        await asyncio.gather(*(finish(recorder) for recorder in self._recorders))

    async def _read_all(self, name: str, client: hito.Client) -> None:
        stream = Stream(name)
        self.record.streams.append(stream)
        request = v1.ReadEventsRequest(page_size=200)
        while True:
            page = await client.events.read_events(request)
            stream.entries += [self._desk.note(event) for event in page.events]
            if page.at_end:
                return
            request.after_cursor = page.next_cursor

    def check(self, acts: Set[str]) -> None:
        """Judges the record. `acts`: what must have happened for it to prove something."""
        self.record.check()
        sights.check_coverage(self.team.acts, acts)
        sights.check_coverage({"late commits": self.record.late_commits}, {"late commits"})
