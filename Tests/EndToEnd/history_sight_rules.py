"""What must hold between the log and what readers saw of it while it grew.

Pure functions over recorded histories, as those of `history_rules`; they raise `Broken`.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import Dict, Iterable, List, Sequence, Set, Tuple

from history_rules import Broken, Entity, Entry, Transaction, Write, check_same


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which events a reader asked for, or may see; each list that is not empty is a bound."""

    users: Tuple[str, ...] = ()
    goals: Tuple[str, ...] = ()
    kinds: Tuple[str, ...] = ()
    """Such as `task`."""

    def matches(self, entry: Entry) -> bool:
        if self.users and entry.user_id not in self.users:
            return False
        if self.goals and entry.entity_id not in self.goals:
            if entry.state.get("goal_id") not in self.goals:
                return False
        return not self.kinds or entry.type.split(".")[0] in self.kinds


@dataclasses.dataclass
class Stream:
    """What one reader was given, over all its connections, servers and pages."""

    name: str
    selection: Selection = Selection()
    after: str = ""
    """The event behind whose cursor it began; empty: at the beginning."""
    entries: List[Entry] = dataclasses.field(default_factory=list)
    is_whole: bool = True
    """It read to the end of the history; another one ended before, wherever that was."""
    failure: str = ""
    """What ended it against its will."""


def check_stream(shown: Sequence[Entry], stream: Stream) -> None:
    """Every event that it asked for, once, in the order of the log, from its start to its end."""
    if stream.failure:
        raise Broken(f"{stream.name} was ended: {stream.failure}")
    expected = list(shown)
    if stream.after:
        places = [place for place, entry in enumerate(expected) if entry.id == stream.after]
        if not places:
            raise Broken(f"{stream.name} began behind {stream.after}, which the log does not have")
        expected = expected[places[0] + 1 :]
    expected = [entry for entry in expected if stream.selection.matches(entry)]
    if not stream.is_whole:
        last = stream.entries[-1].id if stream.entries else ""
        places = [place for place, entry in enumerate(expected) if entry.id == last]
        expected = expected[: places[-1] + 1 if places else 0]
    check_same(stream.name, expected, stream.entries)


def check_cursors(seen: Iterable[Tuple[str, str]]) -> None:
    """A cursor names one event for ever, and an event has one cursor, whoever says it."""
    events: Dict[str, str] = {}
    cursors: Dict[str, str] = {}
    for cursor, event in seen:
        if events.setdefault(cursor, event) != event:
            raise Broken(f"cursor {cursor} was event {events[cursor]} and then {event}")
        if cursors.setdefault(event, cursor) != cursor:
            raise Broken(f"event {event} had two cursors: {cursors[event]}, {cursor}")


Sighting = Tuple[int, str]
"""A position and the event that had it."""


def check_sightings(entries: Sequence[Entry], sightings: Sequence[Sighting]) -> None:
    """Who follows the positions table never meets a gap, and what it met stays as it was.

    - Parameter sightings: of one observer that always read on after the last position.
    """
    for place, (position, event) in enumerate(sightings, start=1):
        if position != place:
            raise Broken(f"position {position} was seen where {place} should have been")
        if position > len(entries) or entries[position - 1].id != event:
            now = entries[position - 1].id if position <= len(entries) else "nothing"
            raise Broken(f"position {position} was event {event} and is {now}")


@dataclasses.dataclass(frozen=True)
class Look:
    """A read that named the receipt of an acknowledged write (`min_cursor`)."""

    entity: Entity
    version: int
    """What the write left."""
    seen: int
    """The highest version that the read showed; 0: none."""
    where: str


def check_looks(entries: Sequence[Entry], looks: Iterable[Look]) -> None:
    """A read that names a write shows it, on any server; or what came after it."""
    deleted = {entry.entity for entry in entries if entry.type.endswith(".deleted")}
    goal_of = {
        entry.entity: ("goal", entry.state["goal_id"])
        for entry in entries
        if entry.type == "task.created"
    }
    for look in looks:
        # With a goal its tasks go, which have no events of that.
        is_gone = deleted.intersection([look.entity, goal_of.get(look.entity, look.entity)])
        if look.seen < look.version and not (look.seen == 0 and is_gone):
            raise Broken(
                f"{look.where} showed version {look.seen} of {look.entity} after the write of"
                f" {look.version} was acknowledged"
            )


def check_real_time(
    entries: Sequence[Entry], writes: Sequence[Write], transactions: Sequence[Transaction]
) -> None:
    """What was acknowledged before another write was begun comes before it in the log."""
    keys: Dict[str, Write] = {write.key: write for write in writes}
    own: Dict[str, Transaction] = {}
    for transaction in transactions:
        own.update(dict.fromkeys(transaction.ids, transaction))
    newest, which = 0.0, ""
    for entry in entries:
        found = own.get(entry.id) or keys.get(entry.origin.get("idempotency_key", ""))
        if found is None:
            continue
        if 0.0 < found.acked < newest:
            raise Broken(f"{entry} was acknowledged before {which} was begun and comes after it")
        if found.begun > newest:
            newest, which = found.begun, str(entry)


@dataclasses.dataclass(frozen=True)
class Attempt:
    """Something that the application's role must not be able to do, and whether it could."""

    what: str
    was_refused: bool


def check_attempts(attempts: Iterable[Attempt]) -> None:
    for attempt in attempts:
        if not attempt.was_refused:
            raise Broken(f"the application's role could {attempt.what}")


def check_coverage(acts: Dict[str, int], required: Set[str]) -> None:
    """A history in which too little happened proves little."""
    counts: Dict[str, int] = defaultdict(int, acts)
    missing = sorted(name for name in required if counts[name] == 0)
    if missing:
        raise Broken(f"nothing of this happened: {missing}")
