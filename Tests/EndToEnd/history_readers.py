"""What the readers of a history saw: watchers of several habits, pages, the tables, the lake."""

from __future__ import annotations

import asyncio
import calendar
import json
import random
from pathlib import Path
from typing import Awaitable, Callable, Dict, List, Tuple

import pyarrow as arrow
import pyarrow.parquet as parquet
from history import Watcher
from history_record import Record
from history_rules import Committed, Entry, State, canonical
from history_sight_rules import Selection, Stream
from history_writers import UNCERTAIN, Ticker
from hito import v1
from psql import Session, SessionLost

import hito


def filter_of(selection: Selection) -> v1.EventFilter:
    return v1.EventFilter(
        user_ids=selection.users, goal_ids=selection.goals,
        types=[f"{kind}.*" for kind in selection.kinds],
    )  # fmt: skip


class Desk:
    """What the readers of a history share."""

    def __init__(self, record: Record, ticker: Ticker) -> None:
        self.record = record
        self.ticker = ticker
        self._known: Dict[bytes, Entry] = {}
        """Of each event as it was sent: most readers are sent the same."""
        self.cursors: List[Tuple[str, str]] = []
        """Of events, in the order in which anybody saw them."""

    def note(self, event: v1.Event) -> Entry:
        sent = event.SerializeToString()
        entry = self._known.get(sent)
        if entry is None:
            entry = self._known[sent] = entry_of(event)
            self.record.cursors.add((event.cursor, event.id))
            self.cursors.append((event.cursor, event.id))
        return entry


class Recorder(Watcher):
    """Watches in its own way, and writes down what it is given."""

    def __init__(
        self, desk: Desk, stream: Stream, client: hito.Client, chance: random.Random, *,
        cursor: str = "", is_filtered: bool = True, is_slow: bool = False, leaves: bool = False,
    ) -> None:  # fmt: skip
        """`cursor`: that of `stream.after`. Not filtered: the caller may see no more than that."""
        self.stream = stream
        self._desk = desk
        self._client = client
        self._filter = filter_of(stream.selection) if is_filtered else None
        self._chance = chance
        self._is_slow = is_slow
        self._leaves = leaves
        self.departures = 0
        super().__init__(client, self._filter, cursor)
        desk.record.streams.append(stream)

    async def _run(self) -> None:
        while True:
            stay = self._chance.randrange(1, 60) if self._leaves else None
            async for response in self._watch:
                async with self._changed:
                    if response.WhichOneof("step") == "event":
                        assert response.event.cursor == response.cursor
                        self.stream.entries.append(self._desk.note(response.event))
                    else:
                        self.marks.append(response.mark)
                    self._changed.notify_all()
                if self._is_slow and len(self.stream.entries) % 50 == 0:
                    await self._desk.ticker.more(10, 1.0)
                if stay is not None and (stay := stay - 1) == 0:
                    break
            await self._continue_elsewhere()

    async def _continue_elsewhere(self) -> None:
        """As another process would that knows nothing but the cursor."""
        self.departures += 1
        cursor = self._watch.cursor
        await self._watch.aclose()
        self._watch = self.begin(self._client, self._filter, cursor)

    async def finish(self, last: Entry | None) -> None:
        """Until it has seen the last event that it should; the rules say what it missed."""

        def has_seen() -> bool:
            entries = self.stream.entries
            return last is None or bool(entries) and entries[-1].id == last.id

        seen = -1
        while not has_seen() and len(self.stream.entries) > seen:
            seen = len(self.stream.entries)
            try:
                await self.wait_for("the end", has_seen, 20.0)
            except AssertionError:
                # As long as more comes.
                continue
            except hito.HitoError as error:
                self.stream.failure = repr(error)
                return

    async def leave(self) -> None:
        """Ends before the history does."""
        self.stream.is_whole = False
        await self.close()


class Pager:
    """Reads a part of the log in pages, from the beginning or a cursor, now and then."""

    def __init__(
        self, name: str, desk: Desk, clients: List[hito.Client], selection: Selection,
        chance: random.Random,
    ) -> None:  # fmt: skip
        """`clients`: each page is asked of any of them."""
        self._name = name
        self._desk = desk
        self._clients = clients
        self._selection = selection
        self._chance = chance

    async def run(self, until: asyncio.Event) -> None:
        number = 0
        while not until.is_set():
            await self._desk.ticker.more(self._chance.randrange(1, 60), 5.0)
            number += 1
            await self._read(f"{self._name}, {number}")

    async def _read(self, name: str) -> None:
        chance = self._chance
        cursor, after = "", ""
        if self._desk.cursors and chance.random() < 0.8:
            cursor, after = chance.choice(self._desk.cursors)
        stream = Stream(name, self._selection, after, is_whole=False)
        self._desk.record.streams.append(stream)
        request = v1.ReadEventsRequest(
            filter=filter_of(self._selection), after_cursor=cursor,
            page_size=chance.choice([1, 7, 50, 200]),
        )  # fmt: skip
        for _ in range(chance.randint(1, 12)):
            try:
                client = chance.choice(self._clients)
                page = await client.events.read_events(request, timeout=10.0)
            except UNCERTAIN:
                continue
            except hito.HitoError as error:
                stream.failure = repr(error)
                return
            stream.entries += [self._desk.note(event) for event in page.events]
            request.after_cursor = page.next_cursor
            if page.at_end:
                return


class Observer:
    """Follows the table of positions, whatever happens to the database."""

    def __init__(self, desk: Desk, open_session: Callable[[str], Awaitable[Session]]) -> None:
        self._desk = desk
        self._open = open_session

    async def run(self, until: asyncio.Event) -> None:
        while not until.is_set():
            session: Session | None = None
            try:
                session = await self._open("superuser")
                while not until.is_set():
                    await self.look(session)
                    await self._desk.ticker.more(3, 0.3)
            except SessionLost:
                await self._desk.ticker.more(1, 0.2)
            finally:
                if session is not None:
                    await session.close()

    async def look(self, session: Session) -> None:
        sightings = self._desk.record.sightings
        last = sightings[-1][0] if sightings else 0
        lines = await session.run(
            "SELECT p.position, coalesce(e.id::text, 'none') FROM event_positions p"
            f" LEFT JOIN events e USING (seq) WHERE p.position > {last} ORDER BY 1;"
        )
        rows = [line.split("|") for line in lines]
        if any(len(row) != 2 for row in rows):
            raise SessionLost(f"{lines[-3:]}")
        sightings += [(int(position), event) for position, event in rows]


def entry_of(event: v1.Event) -> Entry:
    return Entry(
        event.id, event.type, event.entity_type, event.entity_id, event.version, event.user_id,
        canonical(event.payload_json), canonical(event.metadata_json),
        event.created_at.seconds * 1_000_000 + event.created_at.nanos // 1000,
    )  # fmt: skip


async def table(session: Session) -> List[Committed]:
    lines = await session.run(
        "SELECT json_build_array(p.position, seq, e.id, e.event_type, entity_type, entity_id, version,"
        " coalesce(e.user_id::text, ''), payload::text, metadata::text,"
        " (extract(epoch FROM e.created_at) * 1000000)::bigint)"
        " FROM events e LEFT JOIN event_positions p USING (seq);"
    )
    rows = []
    for position, seq, *columns in map(json.loads, lines):
        *plain, payload, metadata, created = columns
        entry = Entry(*plain, canonical(payload), canonical(metadata), created)
        rows.append(Committed(position, seq, entry))
    return rows


async def states(session: Session) -> List[State]:
    """The rows of goals and tasks."""
    lines = await session.run(
        "SELECT json_build_array('goal', id, version, title, status) FROM goals UNION ALL"
        " SELECT json_build_array('task', id, version, title, status) FROM tasks;"
    )
    rows = [json.loads(line) for line in lines]
    return [State((kind, key), version, *rest) for kind, key, version, *rest in rows]


def lake(folder: Path) -> List[Tuple[int, Entry]]:
    columns = [
        "position", "event_id", "event_type", "entity_type", "entity_id", "version", "user_id",
        "payload", "metadata", "created_at",
    ]  # fmt: skip
    files = sorted(folder.rglob("*.parquet"))
    tables = [parquet.read_table(file, columns=columns, partitioning=None) for file in files]
    rows = []
    for row in arrow.concat_tables(tables).to_pylist() if tables else []:
        created = row["created_at"]
        micros = calendar.timegm(created.utctimetuple()) * 1_000_000 + created.microsecond
        entry = Entry(
            row["event_id"], row["event_type"], row["entity_type"], row["entity_id"],
            row["version"], row["user_id"] or "", canonical(row["payload"]),
            canonical(row["metadata"]), micros,
        )  # fmt: skip
        rows.append((row["position"], entry))
    return rows
