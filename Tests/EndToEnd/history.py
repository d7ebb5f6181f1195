"""What must hold of every history, however it is read."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import AsyncIterator, Dict, Iterable, List

import hito
from hito import v1


def check(events: Iterable[v1.Event]) -> None:
    """Nothing doubled; the versions of each entity are 1, 2, 3, … in this order."""
    ids, cursors = set(), set()
    versions: Dict[tuple, int] = defaultdict(int)
    for event in events:
        assert event.id not in ids, f"event {event.id} came twice"
        assert event.cursor not in cursors, f"cursor {event.cursor} came twice"
        ids.add(event.id)
        cursors.add(event.cursor)
        entity = (event.entity_type, event.entity_id)
        assert event.version == versions[entity] + 1, (
            f"{event.type} of {entity} has version {event.version} after {versions[entity]}"
        )
        versions[entity] = event.version


async def read_all(
    client: hito.Client, event_filter: v1.EventFilter | None = None, min_cursor: str = ""
) -> List[v1.Event]:
    """The whole log as this client may see it, page by page."""
    events: List[v1.Event] = []
    request = v1.ReadEventsRequest(filter=event_filter, page_size=200, min_cursor=min_cursor)
    while True:
        page = await client.events.read_events(request)
        events.extend(page.events)
        if page.at_end:
            return events
        assert page.next_cursor != request.after_cursor, "a page that goes nowhere"
        request.after_cursor = page.next_cursor


class Watcher:
    """Watches in the background and keeps what came."""

    def __init__(
        self, client: hito.Client, event_filter: v1.EventFilter | None = None, cursor: str = ""
    ) -> None:
        self.events: List[v1.Event] = []
        self.marks: List[int] = []
        self._changed = asyncio.Condition()
        self._watch = self.begin(client, event_filter, cursor)
        self._task = asyncio.create_task(self._run())

    @staticmethod
    def begin(
        client: hito.Client, event_filter: v1.EventFilter | None, cursor: str
    ) -> hito.ResumingWatch:
        """A watch that begins behind the cursor; at the beginning where there is none."""
        request = v1.WatchRequest(filter=event_filter, from_beginning=True)
        if cursor:
            request.after_cursor = cursor
        return client.progress.watch_resuming(request)

    @property
    def interruptions(self) -> int:
        return self._watch.interruptions

    def seen(self, event: v1.Event) -> None:
        """Called with each event as it comes."""

    async def _run(self) -> None:
        async for response in self._watch:
            async with self._changed:
                if response.WhichOneof("step") == "event":
                    assert response.event.cursor == response.cursor
                    self.events.append(response.event)
                    self.seen(response.event)
                else:
                    self.marks.append(response.mark)
                self._changed.notify_all()

    async def wait_for(self, what: str, condition, seconds: float = 60.0) -> None:
        """Until `condition()` holds; the watch's own failure is this one's."""

        async def waiting() -> None:
            async with self._changed:
                await self._changed.wait_for(condition)

        waiter = asyncio.create_task(waiting())
        try:
            done, _ = await asyncio.wait(
                {waiter, self._task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if self._task in done:
                self._task.result()
            assert waiter in done, f"waited {seconds:g} s in vain for {what}"
            waiter.result()
        finally:
            waiter.cancel()

    async def caught_up(self) -> None:
        await self.wait_for(
            "CAUGHT_UP",
            lambda: v1.SubscriptionMark.SUBSCRIPTION_MARK_CAUGHT_UP in self.marks,
        )

    async def has(self, count: int) -> None:
        await self.wait_for(f"{count} events", lambda: len(self.events) >= count)

    async def close(self) -> None:
        await self._watch.aclose()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def eventually(what: str, attempt, seconds: float = 20.0) -> None:
    """Calls `attempt` until it answers True, for so long."""
    try:
        async with asyncio.timeout(seconds):
            while not await attempt():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"waited {seconds:g} s in vain for {what}") from None


def ids(events: Iterable[v1.Event]) -> List[str]:
    return [event.id for event in events]


async def pages(call, request, field: str) -> AsyncIterator:
    """The items of all pages of a list."""
    while True:
        page = await call(request)
        for item in getattr(page, field):
            yield item
        if not page.page.next_page_token:
            return
        request.page.page_token = page.page.next_page_token
