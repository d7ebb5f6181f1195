"""What the readers of a history saw: watchers of several habits, the table, and the lake."""

from __future__ import annotations

import asyncio
import calendar
import json
import random
from pathlib import Path
from typing import Callable, List, Tuple

import pyarrow as arrow
import pyarrow.parquet as parquet
from history import Watcher
from history_rules import Committed, Entry, State, canonical
from history_writers import Ticker
from hito import v1
from psql import Session

import hito

Selects = Callable[[Entry], bool]


class Recorder(Watcher):
    """Watches from the beginning, through a filter, in its own way."""

    def __init__(
        self, name: str, client: hito.Client, selects: Selects, ticker: Ticker,
        chance: random.Random, event_filter: v1.EventFilter | None = None, *,
        is_slow: bool = False, leaves: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        self.selects = selects
        self._client = client
        self._filter = event_filter
        self._ticker = ticker
        self._chance = chance
        self._is_slow = is_slow
        self._leaves = leaves
        self.departures = 0
        super().__init__(client, event_filter)

    async def _run(self) -> None:
        while True:
            stay = self._chance.randrange(1, 60) if self._leaves else None
            async for response in self._watch:
                async with self._changed:
                    if response.WhichOneof("step") == "event":
                        assert response.event.cursor == response.cursor
                        self.events.append(response.event)
                    else:
                        self.marks.append(response.mark)
                    self._changed.notify_all()
                if self._is_slow and len(self.events) % 5 == 0:
                    await self._ticker.more(10, 5.0)
                if stay is not None and (stay := stay - 1) == 0:
                    break
            await self._continue_elsewhere()

    async def _continue_elsewhere(self) -> None:
        """As another process would that knows nothing but the cursor."""
        self.departures += 1
        cursor = self._watch.cursor
        await self._watch.aclose()
        request = v1.WatchRequest(filter=self._filter, from_beginning=True)
        if cursor:
            request.after_cursor = cursor
        self._watch = self._client.progress.watch_resuming(request)

    async def has_seen(self, last: Entry) -> None:
        await self.wait_for(
            f"{self.name} to see {last}",
            lambda: bool(self.events) and self.events[-1].id == last.id,
        )

    @property
    def entries(self) -> List[Entry]:
        return [entry_of(event) for event in self.events]


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
