"""The history checker can fail: each doctored history is found out, and a good one is not."""

from __future__ import annotations

import dataclasses
import json
from typing import List

import pytest
from history_rules import (
    Answer, Broken, Committed, Entry, State, Transaction, Write, check_lake, check_rows, check_same,
    check_table, check_transactions, check_writes,
)  # fmt: skip

ANA = "ana"


def entry(number: int, kind: str, entity: str, version: int, key: str = "", **state) -> Entry:
    metadata = (
        {"actor": {"user_id": ANA}, "method": "hito.v1.S/CreateGoal", "idempotency_key": key}
        if key
        else {}
    )
    payload = json.dumps({"title": entity, "status": "pending", **state})
    kind_of = kind.split(".")[0]
    return Entry(
        f"e{number}", kind, kind_of, entity, version, ANA, payload, json.dumps(metadata), number
    )


@pytest.fixture
def log() -> List[Entry]:
    return [
        entry(1, "goal.created", "g1", 1, "k1"),
        entry(2, "goal.created", "own", 1),
        entry(3, "goal.updated", "own", 2),
        entry(4, "goal.created", "g2", 1, "k2"),
        entry(5, "goal.updated", "own", 3),
    ]


def committed(log: List[Entry]) -> List[Committed]:
    return [Committed(place, place * 10, entry) for place, entry in enumerate(log, start=1)]


def replaced(rows: List[Committed], index: int, **changes) -> List[Committed]:
    rows[index] = dataclasses.replace(rows[index], **changes)
    return rows


def test_a_good_history_passes(log):
    assert check_table(committed(log)[::-1]) == log
    check_same("a reader", log, list(log))
    check_lake(log, list(enumerate(log, start=1))[::-1])


def test_a_commit_overtaken_by_another_entity_s_is_no_fault(log):
    check_table(replaced(committed(log), 3, seq=1))


def swapped(log, one, other):
    log = list(log)
    log[one], log[other] = log[other], log[one]
    return log


DOCTORED = {
    "skipped": lambda log: log[:2] + log[3:],
    "came 2 times": lambda log: log[:3] + log[2:],
    "out of order": lambda log: swapped(log, 2, 3),
    "invented": lambda log: [*log, entry(9, "goal.created", "g9", 1)],
    "altered": lambda log: [*log[:4], dataclasses.replace(log[4], payload='{"title": "x"}')],
}


@pytest.mark.parametrize("what", DOCTORED)
def test_a_doctored_stream_is_found_out(log, what):
    with pytest.raises(Broken, match=what):
        check_same("a reader", log, DOCTORED[what](log))


@pytest.mark.parametrize("what", [what for what in DOCTORED if what != "out of order"])
def test_a_doctored_lake_is_found_out(log, what):
    with pytest.raises(Broken, match=what):
        check_lake(log, [(int(e.id[1:]), e) for e in DOCTORED[what](log)])


def test_swapped_positions_in_the_lake_are_found_out(log):
    with pytest.raises(Broken, match="out of order"):
        check_lake(log, list(enumerate(swapped(log, 1, 2), start=1)))
    with pytest.raises(Broken, match="position 6, not 5"):
        check_lake(log, [*enumerate(log[:4], start=1), (6, log[4])])


@pytest.mark.parametrize(
    ("what", "doctor"),
    [
        ("has no position", lambda rows: replaced(rows, 4, position=None)),
        ("position 6 .* where 5", lambda rows: replaced(rows, 4, position=6)),
        ("position 4 .* where 5", lambda rows: replaced(rows, 4, position=4)),
        ("position 2 .* where 1", lambda rows: rows[1:]),
        ("there twice", lambda rows: [*rows, Committed(6, 60, rows[0].entry)]),
        ("comes after version 1", lambda rows: committed([r.entry for r in rows[:2] + rows[4:]])),
        ("comes after version 0", lambda rows: committed([r.entry for r in rows[2:]])),
        ("after a later insertion", lambda rows: replaced(rows, 2, seq=70)),
    ],
)
def test_a_doctored_table_is_found_out(log, what, doctor):
    with pytest.raises(Broken, match=what):
        check_table(doctor(committed(log)))


OWN = {("goal", "own")}


@pytest.mark.parametrize(
    ("what", "transactions"),
    [
        ("are gone", [Transaction(["e2", "e3", "e5", "e7"], "committed")]),
        ("rolled back are there", [
            Transaction(["e2", "e3"], "committed"), Transaction(["e5"], "rolled back")]),
        ("only events", [Transaction(["e2", "e3", "e5", "e7"], "unknown")]),
        ("was invented", [Transaction(["e2", "e3"], "committed")]),
        ("still open", [Transaction(["e2", "e3", "e5"], "open")]),
    ],
)  # fmt: skip
def test_transactions_that_do_not_go_with_the_log_are_found_out(log, what, transactions):
    with pytest.raises(Broken, match=what):
        check_transactions(log, OWN, transactions)


def test_transactions_pass_whose_commit_nobody_heard_of(log):
    check_transactions(
        log, OWN,
        [
            Transaction(["e2", "e3"], "committed"), Transaction(["e5"], "unknown"),
            Transaction(["e6"], "unknown"), Transaction(["e7"], "rolled back"),
        ],
    )  # fmt: skip


def made(goal: str, is_replay: bool = False, **changes) -> Answer:
    state = {"version": 1, "title": goal, "status": "pending", **changes}
    return Answer(goal.encode(), is_replay, True, [State(("goal", goal), **state)])


def good_writes() -> List[Write]:
    return [
        Write("k1", "CreateGoal", [made("g1"), made("g1", is_replay=True)]),
        Write("k2", "CreateGoal", [made("g2", is_replay=True)], ["refused before"]),
        Write("k3", "CreateGoal", [], ["not found"]),
    ]


def test_good_writes_pass(log):
    check_writes(log, {ANA}, good_writes())


def doctored_writes(index: int, **changes) -> List[Write]:
    writes = good_writes()
    writes[index] = dataclasses.replace(writes[index], **changes)
    return writes


def test_a_write_that_changed_nothing_may_change_something_later(log):
    nothing = Answer(b"as it was", False, False, [])
    check_writes(log, {ANA}, doctored_writes(0, answers=[nothing, made("g1"), made("g1", True)]))
    check_writes(log, {ANA}, doctored_writes(2, answers=[nothing, nothing]))


def test_readers_are_shown_no_keys_and_no_tokens(log):
    event = dataclasses.replace(
        log[0], metadata='{"idempotency_key": "k", "actor": {"user_id": "u", "token_id": "t"}}'
    )
    assert event.shown.origin == {"actor": {"user_id": "u"}}


@pytest.mark.parametrize(
    ("what", "writes"),
    [
        ("nobody asked", good_writes()[:1]),
        ("nobody asked", doctored_writes(1, method="DeleteGoal")),
        ("refused .* and yet", doctored_writes(0, answers=[], refusals=["no"])),
        ("does not go with its 0", doctored_writes(2, answers=[made("g3")])),
        ("in different ways", doctored_writes(0, answers=[made("g1"), made("g2", True)])),
        ("done twice", doctored_writes(0, answers=[made("g1"), made("g1")])),
        ("then refused", doctored_writes(0, forgotten="not found")),
        ("log does not have", doctored_writes(0, answers=[made("g1", version=2)])),
        ("but the log has", doctored_writes(0, answers=[made("g1", status="completed")])),
    ],
)
def test_writes_that_do_not_go_with_the_log_are_found_out(log, what, writes):
    with pytest.raises(Broken, match=what):
        check_writes(log, {ANA}, writes)


def test_a_write_that_happened_twice_is_found_out(log):
    again = [*log, entry(6, "goal.created", "g3", 1, "k1")]
    with pytest.raises(Broken, match="2 × goal.created"):
        check_writes(again, {ANA}, good_writes())


def test_an_effect_without_its_primary_event_is_found_out(log):
    other = [entry(1, "goal.updated", "g1", 1, "k1"), *log[1:]]
    with pytest.raises(Broken, match="0 × goal.created"):
        check_writes(other, {ANA}, good_writes())


@pytest.mark.parametrize(
    ("what", "rows"),
    [
        ("has no events", ["g1", "g2", "g3"]),
        ("no row", ["g1"]),
    ],
)
def test_rows_that_do_not_go_with_the_log_are_found_out(log, what, rows):
    check_rows(log, OWN, [State(("goal", g), 1, g, "pending") for g in ["g1", "g2"]])
    with pytest.raises(Broken, match=what):
        check_rows(log, OWN, [State(("goal", g), 1, g, "pending") for g in rows])


def test_a_row_behind_its_events_is_found_out(log):
    with pytest.raises(Broken, match="its last event"):
        check_rows(log, OWN, [State(("goal", "g1"), 2, "g1", "pending")])
