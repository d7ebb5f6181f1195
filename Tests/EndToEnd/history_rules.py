"""What must hold between the events table and everything that was made of it or said about it.

Pure functions over recorded histories: each returns nothing and raises `Broken`, which says what is
wrong with which event. `test_history_rules.py` proves that each of them can fail.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter, defaultdict
from typing import Any, Dict, Iterable, List, Sequence, Set, Tuple

Entity = Tuple[str, str]


class Broken(AssertionError):
    """A history that must not be."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """An event as a reader saw it, in a form that does not depend on who."""

    id: str
    type: str
    entity_type: str
    entity_id: str
    version: int
    user_id: str
    payload: str
    metadata: str
    created_us: int

    @property
    def entity(self) -> Entity:
        return (self.entity_type, self.entity_id)

    @property
    def state(self) -> Dict[str, Any]:
        """The entity after it."""
        return json.loads(self.payload)

    @property
    def origin(self) -> Dict[str, Any]:
        """Actor, method, idempotency key."""
        return json.loads(self.metadata)

    @property
    def shown(self) -> Entry:
        """As readers are shown it: without the key of its request and the token it came with."""
        origin = self.origin
        origin.pop("idempotency_key", None)
        if isinstance(origin.get("actor"), dict):
            origin["actor"].pop("token_id", None)
        return dataclasses.replace(self, metadata=canonical(json.dumps(origin)))

    def __str__(self) -> str:
        return f"{self.type} v{self.version} of {self.entity_id} (event {self.id})"


def canonical(text: str) -> str:
    """JSON whose spelling depends on its value alone."""
    return json.dumps(json.loads(text, parse_int=float), sort_keys=True, ensure_ascii=False)


@dataclasses.dataclass(frozen=True)
class Committed:
    """A row of the events table: the truth."""

    position: int | None
    seq: int
    entry: Entry


def check_table(rows: Sequence[Committed]) -> List[Entry]:
    """The log in its order: positions dense from 1; versions gapless; causes first."""
    for row in rows:
        if row.position is None:
            raise Broken(f"{row.entry} has no position")
    ordered = sorted(rows, key=lambda row: row.position or 0)
    for expected, row in enumerate(ordered, start=1):
        if row.position != expected:
            raise Broken(f"position {row.position} of {row.entry} where {expected} should be")
    entries = [row.entry for row in ordered]
    check_entries(entries)
    newest: Dict[Entity, int] = {}
    for row in ordered:
        if row.seq <= newest.get(row.entry.entity, row.seq - 1):
            raise Broken(f"{row.entry} is sequenced after a later insertion of its entity")
        newest[row.entry.entity] = row.seq
    return entries


def check_entries(entries: Iterable[Entry]) -> None:
    """No event twice; the versions of each entity are 1, 2, 3, … in this order."""
    ids: Set[str] = set()
    versions: Dict[Entity, int] = defaultdict(int)
    for entry in entries:
        if entry.id in ids:
            raise Broken(f"{entry} is there twice")
        ids.add(entry.id)
        if entry.version != versions[entry.entity] + 1:
            raise Broken(f"{entry} comes after version {versions[entry.entity]}")
        versions[entry.entity] = entry.version


def check_same(who: str, expected: Sequence[Entry], got: Sequence[Entry]) -> None:
    """Exactly the expected events, each once, unaltered, in the order of the log."""
    by_id = {entry.id: entry for entry in expected}
    for entry in got:
        if entry.id not in by_id:
            raise Broken(f"{who}: {entry} was invented")
        if entry != by_id[entry.id]:
            raise Broken(f"{who}: {entry} was altered; it is {by_id[entry.id]}")
    times = Counter(entry.id for entry in got)
    for entry in expected:
        if times[entry.id] == 0:
            raise Broken(f"{who}: {entry} was skipped")
        if times[entry.id] > 1:
            raise Broken(f"{who}: {entry} came {times[entry.id]} times")
    for place, (one, other) in enumerate(zip(expected, got)):
        if one.id != other.id:
            raise Broken(f"{who}: {other} is out of order: {one} belongs at place {place}")


def check_lake(
    expected: Sequence[Entry], rows: Sequence[Tuple[int, Entry]], name: str = "the lake"
) -> None:
    """Every event in one row, under its position. The files themselves have no order."""
    check_same(name, expected, [entry for _, entry in sorted(rows, key=lambda row: row[0])])
    places = {entry.id: place for place, entry in enumerate(expected, start=1)}
    for position, entry in rows:
        if position != places[entry.id]:
            raise Broken(f"{name}: {entry} has position {position}, not {places[entry.id]}")


@dataclasses.dataclass
class Transaction:
    """Events that a database session of ours inserted at once."""

    ids: List[str] = dataclasses.field(default_factory=list)
    """Events whose insertion was begun."""
    outcome: str = "open"
    """`committed`, `rolled back`, or `unknown` when the database went away during the commit;
    `open` and `prepared` before."""
    undone: List[str] = dataclasses.field(default_factory=list)
    """Events that were rolled back to a savepoint, whatever became of the rest."""
    act: str = ""
    """What kind of transaction it was."""
    begun: float = 0.0
    """Before its first event, in seconds of one clock."""
    acked: float = 0.0
    """When its commit was acknowledged; 0: it was not."""


def check_transactions(
    entries: Sequence[Entry], ours: Set[Entity], transactions: Sequence[Transaction]
) -> None:
    """All of what was committed, none of what was rolled back, and never a part of one."""
    there = {entry.id for entry in entries}
    known: Set[str] = set()
    for transaction in transactions:
        known.update(transaction.ids)
        found = [event_id for event_id in transaction.ids if event_id in there]
        if transaction.outcome == "committed" and len(found) < len(transaction.ids):
            missing = set(transaction.ids) - set(found)
            raise Broken(f"events {missing} of a committed transaction are gone")
        if transaction.outcome == "rolled back" and found:
            raise Broken(f"events {found} of a transaction that was rolled back are there")
        if transaction.outcome == "unknown" and 0 < len(found) < len(transaction.ids):
            raise Broken(f"of a transaction only events {found} are there")
        if transaction.outcome in ("open", "prepared"):
            raise Broken("a transaction is still open")
        if kept := there.intersection(transaction.undone):
            raise Broken(f"events {kept} are there, rolled back to a savepoint")
    for entry in entries:
        if entry.entity in ours and entry.id not in known:
            raise Broken(f"{entry} was invented")


PRIMARY = {
    "CreateGoal": "goal.created",
    "UpdateGoal": "goal.updated",
    "StartGoal": "goal.started",
    "CompleteGoal": "goal.completed",
    "ReopenGoal": "goal.reopened",
    "ArchiveGoal": "goal.archived",
    "DeleteGoal": "goal.deleted",
    "CreateTask": "task.created",
    "UpdateTask": "task.updated",
    "StartTask": "task.started",
    "CompleteTask": "task.completed",
    "ReopenTask": "task.reopened",
    "ArchiveTask": "task.archived",
    "DeleteTask": "task.deleted",
    "ReorderTasks": "task.reordered",
}
"""The event that each method is about; the others of a write follow from it."""


@dataclasses.dataclass(frozen=True)
class State:
    """What a reply says of an entity."""

    entity: Entity
    version: int
    title: str
    status: str


@dataclasses.dataclass
class Answer:
    """A reply, without whether it was repeated."""

    content: bytes
    is_replay: bool
    has_receipt: bool
    states: List[State]


@dataclasses.dataclass
class Write:
    """A write of ours under its key, and what came of it, however often it was sent."""

    key: str
    method: str
    answers: List[Answer] = dataclasses.field(default_factory=list)
    refusals: List[str] = dataclasses.field(default_factory=list)
    forgotten: str = ""
    """A refusal that came after an answer: the server had forgotten the key."""
    begun: float = 0.0
    """Before it was first sent, in seconds of one clock."""
    acked: float = 0.0
    """When it was first answered that something changed; 0: it was not."""

    @property
    def effective(self) -> List[Answer]:
        """The answers that say that something changed. One that says that nothing did keeps nothing
        under the key: a repeat may find something to change."""
        return [answer for answer in self.answers if answer.has_receipt]

    @property
    def is_settled(self) -> bool:
        return bool(self.effective or self.refusals)


def check_writes(entries: Sequence[Entry], users: Set[str], writes: Sequence[Write]) -> None:
    """What was acknowledged happened once; what was refused did not; nothing else did."""
    effects: Dict[str, List[Entry]] = defaultdict(list)
    index = {(entry.entity, entry.version): entry for entry in entries}
    known = {write.key: write for write in writes}
    for entry in entries:
        origin = entry.origin
        actor = origin.get("actor")
        if not isinstance(actor, dict) or actor.get("user_id") not in users:
            continue
        key = origin.get("idempotency_key")
        if key not in known or not origin["method"].endswith(f"/{known[key].method}"):
            raise Broken(f"nobody asked for {entry}")
        effects[key].append(entry)
    for write in writes:
        _check_write(write, effects[write.key], index)


def _check_write(
    write: Write, effect: List[Entry], index: Dict[Tuple[Entity, int], Entry]
) -> None:
    name = f"{write.method} {write.key}"
    if write.forgotten:
        raise Broken(f"{name} was acknowledged and then refused: {write.forgotten}")
    if not write.answers:
        if effect:
            raise Broken(f"{name} was refused ({write.refusals}) and yet: {effect[0]}")
        return
    if len({answer.content for answer in write.effective}) > 1:
        raise Broken(f"{name} was answered in different ways")
    if sum(not answer.is_replay for answer in write.effective) > 1:
        raise Broken(f"{name} was done twice, by its own answers")
    if bool(write.effective) != bool(effect):
        raise Broken(f"{name}: its receipt does not go with its {len(effect)} events")
    primary = [entry for entry in effect if entry.type == PRIMARY[write.method]]
    expected = len(effect) > 0
    if len(primary) < expected or (len(primary) > 1 and not _makes_many(write, primary)):
        raise Broken(f"{name} has {len(primary)} × {PRIMARY[write.method]}")
    for (what, entity_id), times in Counter((e.type, e.entity_id) for e in effect).items():
        if times > 1:
            raise Broken(f"{name} has {times} × {what} of {entity_id}")
    for state in {state for answer in write.answers for state in answer.states}:
        entry = index.get((state.entity, state.version))
        if entry is None:
            raise Broken(f"{name} answered {state}, which the log does not have")
        if (entry.state["title"], entry.state["status"]) != (state.title, state.status):
            raise Broken(f"{name} answered {state}, but the log has {entry.payload}")


def _makes_many(write: Write, primary: List[Entry]) -> bool:
    return write.method == "ReorderTasks" and len({e.entity_id for e in primary}) == len(primary)


def check_rows(entries: Sequence[Entry], ours: Set[Entity], rows: Iterable[State]) -> None:
    """The goals and tasks tables are what the last event of each entity says."""
    last = {
        entry.entity: entry
        for entry in entries
        if entry.entity_type in ("goal", "task") and entry.entity not in ours
    }
    for row in rows:
        entry = last.pop(row.entity, None)
        if entry is None:
            raise Broken(f"{row} has no events")
        state = entry.state
        if (entry.version, state["title"], state["status"]) != (row.version, row.title, row.status):
            raise Broken(f"{row}, but its last event is {entry}: {entry.payload}")
    for entry in last.values():
        raise Broken(f"there is no row for {entry}")
