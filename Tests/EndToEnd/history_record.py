"""A recorded history: all that was written, said and seen. It is judged, kept in a folder, and
judged again: `python history_record.py FOLDER`.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Set, Tuple

import history_rules as rules
import history_sight_rules as sights
from history_groups import GroupStory, Handling, check_group
from history_rules import Answer, Broken, Committed, Entity, Entry, State, Transaction, Write
from history_sight_rules import Attempt, Look, Selection, Sighting, Stream


@dataclasses.dataclass
class Record:
    """Everything that the rules need."""

    users: Set[str] = dataclasses.field(default_factory=set)
    """Who writes through the servers."""
    ours: Set[Entity] = dataclasses.field(default_factory=set)
    """Entities that only sessions beside the servers write."""
    writes: List[Write] = dataclasses.field(default_factory=list)
    transactions: List[Transaction] = dataclasses.field(default_factory=list)
    streams: List[Stream] = dataclasses.field(default_factory=list)
    sightings: List[Sighting] = dataclasses.field(default_factory=list)
    cursors: Set[Tuple[str, str]] = dataclasses.field(default_factory=set)
    """Of each event that any reader was given."""
    looks: List[Look] = dataclasses.field(default_factory=list)
    attempts: List[Attempt] = dataclasses.field(default_factory=list)
    table: List[Committed] = dataclasses.field(default_factory=list)
    rows: List[State] = dataclasses.field(default_factory=list)
    """Of goals and tasks."""
    lakes: Dict[str, List[Tuple[int, Entry]]] = dataclasses.field(default_factory=dict)
    """The rows of each server's."""
    groups: List[GroupStory] = dataclasses.field(default_factory=list)
    floor: int = 0
    """The last position that the database no longer has: up to it the lakes are the log."""

    def check(self) -> List[Entry]:
        """The log in its order. Raises `Broken`."""
        entries = rules.check_table([*self._below_floor(), *self.table])
        rules.check_transactions(entries, self.ours, self.transactions)
        rules.check_rows(entries, self.ours, self.rows)
        rules.check_writes(entries, self.users, self.writes)
        sights.check_attempts(self.attempts)
        sights.check_sightings(entries, self.sightings)
        sights.check_real_time(entries, self.writes, self.transactions)
        sights.check_looks(entries, self.looks)
        sights.check_cursors(self.cursors)
        shown = [entry.shown for entry in entries]
        for stream in self.streams:
            sights.check_stream(shown, stream)
        for story in self.groups:
            check_group(shown, story)
        for name, rows in self.lakes.items():
            rules.check_lake(entries, rows, f"the lake of {name}")
        return entries

    def _below_floor(self) -> List[Committed]:
        """Of one lake; the rule for lakes compares the others."""
        rows = next(iter(self.lakes.values()), [])
        # Their numbers are gone: before all others, in this order.
        return [
            Committed(position, position - self.floor - 1, entry)
            for position, entry in rows
            if position <= self.floor
        ]

    @property
    def late_commits(self) -> int:
        """Neighbours in the log whose numbers were taken the other way round."""
        ordered = sorted(self.table, key=lambda row: row.position or 0)
        return sum(a.seq > b.seq for a, b in zip(ordered, ordered[1:]))

    @property
    def summary(self) -> str:
        outcomes = Counter(transaction.outcome for transaction in self.transactions)
        undone = sum(bool(transaction.undone) for transaction in self.transactions)
        replays = sum(
            bool(w.answers) and all(a.is_replay for a in w.answers) for w in self.writes
        )
        return (
            f"{len(self.table)} events; {len(self.writes)} writes"
            f" ({sum(not w.answers for w in self.writes)} refused, {replays} known by a replay"
            f" only); transactions {dict(sorted(outcomes.items()))}, {undone} with savepoints"
            f" rolled back; {self.late_commits} late commits; {len(self.streams)} streams of"
            f" {sum(len(stream.entries) for stream in self.streams)} events;"
            f" {sum(len(story.handlings) for story in self.groups)} events in the hands of groups;"
            f" {len(self.looks)} reads of own writes; {len(self.sightings)} positions observed"
        )

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        raw = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "streams"
        }
        # Most of what streams were given is what the table has: then its id is enough.
        known = self._shown
        raw["streams"] = [
            {
                **vars(stream),
                "entries": [e.id if known.get(e.id) == e else e for e in stream.entries],
            }
            for stream in self.streams
        ]
        with (folder / "record.json").open("w") as file:
            json.dump(raw, file, default=_plain)

    @property
    def _shown(self) -> Dict[str, Entry]:
        rows = [*self._below_floor(), *self.table]
        return {row.entry.id: row.entry.shown for row in rows}

    @classmethod
    def load(cls, folder: Path) -> "Record":
        raw: Dict[str, Any] = json.loads((folder / "record.json").read_text())
        record = cls(
            users=set(raw["users"]), ours={_pair(entity) for entity in raw["ours"]},
            writes=[_write(write) for write in raw["writes"]],
            transactions=[Transaction(**transaction) for transaction in raw["transactions"]],
            sightings=[_pair(sighting) for sighting in raw["sightings"]],
            cursors={_pair(cursor) for cursor in raw["cursors"]},
            looks=[Look(**{**look, "entity": _pair(look["entity"])}) for look in raw["looks"]],
            attempts=[Attempt(**attempt) for attempt in raw["attempts"]],
            table=[
                Committed(row["position"], row["seq"], Entry(**row["entry"]))
                for row in raw["table"]
            ],
            rows=[_state(state) for state in raw["rows"]],
            lakes={
                name: [(position, Entry(**entry)) for position, entry in rows]
                for name, rows in raw["lakes"].items()
            },
            groups=[_story(story) for story in raw.get("groups", [])],
            floor=raw["floor"],
        )  # fmt: skip
        known = record._shown
        record.streams = [_stream(stream, known) for stream in raw["streams"]]
        return record


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, set):
        return sorted(value)
    return vars(value)


def _pair(value: List[Any]) -> Tuple[Any, Any]:
    return (value[0], value[1])


def _state(raw: Dict[str, Any]) -> State:
    return State(**{**raw, "entity": _pair(raw["entity"])})


def _write(raw: Dict[str, Any]) -> Write:
    answers = [
        Answer(
            bytes.fromhex(answer["content"]), answer["is_replay"], answer["has_receipt"],
            [_state(state) for state in answer["states"]],
        )
        for answer in raw["answers"]
    ]  # fmt: skip
    return Write(**{**raw, "answers": answers})


def _story(raw: Dict[str, Any]) -> GroupStory:
    selection = Selection(**{name: tuple(value) for name, value in raw["selection"].items()})
    handlings = [
        Handling(**{**handling, "entity": _pair(handling["entity"])})
        for handling in raw["handlings"]
    ]
    return GroupStory(**{**raw, "selection": selection, "handlings": handlings})


def _stream(raw: Dict[str, Any], known: Dict[str, Entry]) -> Stream:
    selection = Selection(**{name: tuple(value) for name, value in raw["selection"].items()})
    entries = [known[e] if isinstance(e, str) else Entry(**e) for e in raw["entries"]]
    return Stream(**{**raw, "selection": selection, "entries": entries})


def main(folder: str) -> int:
    record = Record.load(Path(folder))
    print(record.summary)
    try:
        record.check()
    except Broken as broken:
        print(f"VIOLATION: {broken}")
        return 1
    print("no violation")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
