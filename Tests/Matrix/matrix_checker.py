"""What must hold of what the clients of the matrix saw and wrote. Pure: histories in, complaints out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Iterable, Iterator, List, Sequence


@dataclass(frozen=True)
class Event:
    """An event, as the log has it or as a client saw it."""

    cursor: str
    event: str
    entity: str
    version: int
    type: str


@dataclass(frozen=True)
class Write:
    """A write that a server acknowledged."""

    entity: str
    kind: str
    """The type of the event that says it."""
    key: str
    cursor: str
    replayed: bool = False


@dataclass
class History:
    """What one client told."""

    name: str
    saw: List[Event] = field(default_factory=list)
    wrote: List[Write] = field(default_factory=list)
    failed: List[str] = field(default_factory=list)
    interruptions: int = 0


def check(log: Sequence[Event], titles: Sequence[str], histories: Iterable[History]) -> List[str]:
    """All that is wrong; nothing where all is well.

    - log: what the database has, in its order.
    - titles: those of the goals that were created, one for each creation: each key makes one at most.
    """
    complaints = list(_of_log(log))
    complaints += [f"the log: {title} was created {n} times" for title, n in _doubles(titles)]
    for history in histories:
        complaints += [f"{history.name}: {text}" for text in _of_watch(log, history.saw)]
        complaints += [f"{history.name}: {text}" for text in _of_writes(log, history.wrote)]
    return complaints


def _doubles(of: Iterable[str]) -> Iterator[tuple[str, int]]:
    return ((one, n) for one, n in Counter(of).items() if n > 1)


def _of_log(log: Sequence[Event]) -> Iterator[str]:
    yield from (f"the log: event {one} is there {n} times" for one, n in _doubles(e.event for e in log))
    yield from (f"the log: {text}" for text in _of_versions(log))


def _of_versions(events: Iterable[Event]) -> Iterator[str]:
    """Versions of each entity are 1, 2, 3, … in this order."""
    last: dict[str, int] = {}
    for event in events:
        before = last.get(event.entity, 0)
        if event.version != before + 1:
            yield f"{event.type} of {event.entity} has version {event.version} after {before}"
        last[event.entity] = max(before, event.version)


def _of_watch(log: Sequence[Event], saw: Sequence[Event]) -> Iterator[str]:
    """Seen is the log from its beginning: without loss, doubles, strangers, and in its order."""
    place = {event.event: number for number, event in enumerate(log)}
    yield from (f"saw event {one} {n} times" for one, n in _doubles(event.event for event in saw))
    seen = {event.event for event in saw}
    for event in log[: max((place[one] + 1 for one in seen if one in place), default=0)]:
        if event.event not in seen:
            yield f"did not see {event.type} of {event.entity}, cursor {event.cursor}"
    last = -1
    for event in saw:
        number = place.get(event.event)
        if number is None:
            yield f"saw {event.type} of {event.entity}, which is not in the log"
            continue
        if log[number] != event:
            yield f"saw {event}, where the log has {log[number]}"
        if number < last:
            yield f"saw {event.type} of {event.entity} late: behind what follows it in the log"
        last = max(last, number)


def _of_writes(log: Sequence[Event], wrote: Sequence[Write]) -> Iterator[str]:
    """Each acknowledged write is in the log once. Receipts' cursors are opaque: only that there is one."""
    count = Counter((event.entity, event.type) for event in log)
    for write in wrote:
        times = count[write.entity, write.kind]
        if times != 1:
            yield f"write {write.key} ({write.kind} of {write.entity}) is in the log {times} times"
        if not write.cursor:
            yield f"the receipt of {write.key} has no cursor"


def ends_at(history: History, end: str) -> bool:
    """Whether it saw the event with this cursor: only then is what it saw all that there was."""
    return any(event.cursor == end for event in history.saw)
