"""The rules about what readers saw can fail: doctored histories are found out, good ones pass."""

from __future__ import annotations

import dataclasses
import json
from typing import Callable, List

import pytest
from history_record import Record
from history_rules import (
    Answer, Broken, Committed, Entry, State, Transaction, Write, check_transactions,
)  # fmt: skip
from history_sight_rules import (
    Attempt, Look, Selection, Stream, check_attempts, check_coverage, check_cursors, check_looks,
    check_real_time, check_sightings, check_stream,
)  # fmt: skip
from test_history_rules import ANA, OWN, entry, made

TASK = ("task", "t1")


@pytest.fixture
def log() -> List[Entry]:
    return [
        entry(1, "goal.created", "g1", 1, "k1"),
        entry(2, "task.created", "t1", 1, "k1", goal_id="g1"),
        entry(3, "goal.created", "own", 1),
        entry(4, "goal.updated", "g1", 2, "k2"),
        entry(5, "goal.updated", "own", 2),
        entry(6, "task.started", "t1", 2, "k3", goal_id="g1"),
    ]


def test_a_stream_has_its_part_of_the_log(log):
    check_stream(log, Stream("all", entries=list(log)))
    check_stream(log, Stream("since", after="e2", entries=log[2:]))
    check_stream(log, Stream("left", after="e2", entries=log[2:4], is_whole=False))
    check_stream(log, Stream("none yet", after="e2", is_whole=False))
    tasks = Selection(kinds=("task",))
    check_stream(log, Stream("tasks", tasks, after="e1", entries=[log[1], log[5]]))
    of_goal = [*log[:2], log[3], log[5]]
    check_stream(log, Stream("of a goal", Selection(goals=("g1",)), entries=of_goal))
    check_stream(log, Stream("of nobody", Selection(users=("berta",))))


TASKS = Selection(kinds=("task",))


@pytest.mark.parametrize(
    ("what", "stream"),
    [
        ("e1.* was skipped", lambda log: Stream("s", entries=log[1:])),
        ("e6.* was skipped", lambda log: Stream("s", entries=log[:5])),
        ("e3.* was skipped", lambda log: Stream("s", entries=log[:2] + log[3:4], is_whole=False)),
        ("e3.* was skipped", lambda log: Stream("s", after="e2", entries=log[3:])),
        ("e2.* was invented", lambda log: Stream("s", after="e2", entries=log[1:])),
        ("e4.* came 2 times", lambda log: Stream("s", entries=log[:4] + log[3:])),
        ("out of order", lambda log: Stream("s", entries=[log[1], log[0], *log[2:]])),
        ("e2.* was skipped", lambda log: Stream("s", TASKS, entries=log[5:])),
        ("e5.* was invented", lambda log: Stream("s", TASKS, entries=[log[1], *log[4:]])),
        ("does not have", lambda log: Stream("s", after="e9")),
        ("was ended: BAD_CURSOR", lambda log: Stream("s", entries=log, failure="BAD_CURSOR")),
        (
            "was altered",
            lambda log: Stream("s", entries=[*log[:5], dataclasses.replace(log[5], user_id="x")]),
        ),
    ],
)  # fmt: skip
def test_a_doctored_stream_is_found_out(log, what: str, stream: Callable[[List[Entry]], Stream]):
    with pytest.raises(Broken, match=what):
        check_stream(log, stream(log))


def test_cursors_and_events_go_together(log):
    check_cursors([("c1", "e1"), ("c2", "e2"), ("c1", "e1")])
    with pytest.raises(Broken, match="was event e1 and then e2"):
        check_cursors([("c1", "e1"), ("c1", "e2")])
    with pytest.raises(Broken, match="two cursors"):
        check_cursors([("c1", "e1"), ("c2", "e1")])


@pytest.mark.parametrize(
    ("what", "sightings"),
    [
        ("position 2 was seen where 1", [(2, "e2")]),
        ("position 3 was seen where 2", [(1, "e1"), (3, "e3")]),
        ("position 1 was seen where 2", [(1, "e1"), (1, "e1")]),
        ("position 2 was event e3 and is e2", [(1, "e1"), (2, "e3")]),
        ("position 1 was event none", [(1, "none")]),
        ("position 7 was event e7 and is nothing", [(n, f"e{n}") for n in range(1, 8)]),
    ],
)  # fmt: skip
def test_a_doctored_observation_is_found_out(log, what, sightings):
    check_sightings(log, [(n, f"e{n}") for n in range(1, 7)])
    check_sightings(log, [])
    with pytest.raises(Broken, match=what):
        check_sightings(log, sightings)


def test_own_writes_are_read(log):
    good = [Look(TASK, 1, 1, "get"), Look(TASK, 1, 2, "get"), Look(("goal", "g1"), 2, 2, "list")]
    check_looks(log, good)
    for stale in [Look(TASK, 2, 1, "get on server 2"), Look(TASK, 1, 0, "get on server 2")]:
        with pytest.raises(Broken, match="server 2 showed version"):
            check_looks(log, [*good, stale])


def test_who_reads_what_was_deleted_since_sees_nothing(log):
    look = Look(TASK, 2, 0, "get")
    check_looks([*log, entry(7, "task.deleted", "t1", 3, "k4", goal_id="g1")], [look])
    check_looks([*log, entry(7, "goal.deleted", "g1", 3, "k4")], [look])
    with pytest.raises(Broken, match="showed version 0"):
        check_looks([*log, entry(7, "goal.deleted", "own", 3)], [look])
    with pytest.raises(Broken, match="showed version 1"):
        check_looks([*log, entry(7, "goal.deleted", "g1", 3)], [dataclasses.replace(look, seen=1)])


def test_the_log_goes_with_the_order_of_acknowledgements(log):
    k1 = Write("k1", "CreateGoal", begun=1, acked=3)
    k2 = Write("k2", "UpdateGoal", begun=2, acked=9)
    own = Transaction(["e3"], "committed", begun=2, acked=4)
    late = Transaction(["e5"], "committed", begun=5, acked=6)
    check_real_time(log, [k1, k2], [own, late])
    # e4 is before e5 in the log: that is right as long as nobody knew of e5 before e4 was begun.
    check_real_time(log, [dataclasses.replace(k2, begun=7)], [own])
    with pytest.raises(Broken, match="e5.* was acknowledged before .*e4.* was begun"):
        check_real_time(log, [dataclasses.replace(k2, begun=7)], [own, late])
    # One whose acknowledgement was lost proves nothing.
    check_real_time(log, [dataclasses.replace(k2, begun=7)], [dataclasses.replace(late, acked=0)])


def test_what_was_rolled_back_to_a_savepoint_is_gone(log):
    transaction = Transaction(["e3", "e5"], "committed", undone=["e8"])
    check_transactions(log, OWN, [transaction])
    with pytest.raises(Broken, match="rolled back to a savepoint"):
        check_transactions(log, OWN, [Transaction(["e3", "e5"], "committed", undone=["e5"])])


def test_a_transaction_in_its_first_phase_is_found_out(log):
    with pytest.raises(Broken, match="still open"):
        check_transactions(log, OWN, [Transaction(["e3", "e5"], "prepared")])


def test_what_the_role_must_not_do_is_found_out():
    check_attempts([Attempt("delete an event", True)])
    with pytest.raises(Broken, match="could delete an event"):
        check_attempts([Attempt("delete an event", True), Attempt("delete an event", False)])


def test_a_history_in_which_little_happened_is_found_out():
    check_coverage({"held": 1, "late": 2}, {"held"})
    with pytest.raises(Broken, match=r"\['prepared'\]"):
        check_coverage({"held": 1}, {"held", "prepared"})


@pytest.fixture
def record(log) -> Record:
    """A good one."""
    shown = [entry.shown for entry in log]
    answer = Answer(b"\x01", False, True, [State(("goal", "g1"), 1, "g1", "pending")])
    answers = {
        "k1": ("CreateGoal", answer),
        "k2": ("UpdateGoal", dataclasses.replace(made("g1", version=2), content=b"\x02")),
        "k3": ("StartTask", Answer(b"\x03", False, True, [State(TASK, 2, "t1", "pending")])),
    }
    origin = {key: {**json.loads(log[0].metadata), "idempotency_key": key} for key in answers}
    for key, (method, _) in answers.items():
        origin[key]["method"] = f"hito.v1.S/{method}"
    entries = [
        dataclasses.replace(e, metadata=json.dumps(origin[key])) if (
            key := e.origin.get("idempotency_key")) else e
        for e in log
    ]  # fmt: skip
    shown = [entry.shown for entry in entries]
    return Record(
        users={ANA}, ours={("goal", "own")},
        writes=[Write(key, method, [a], acked=1) for key, (method, a) in answers.items()],
        transactions=[Transaction(["e3", "e5"], "committed", undone=["e9"], act="held")],
        streams=[Stream("all", entries=shown), Stream("tasks", TASKS, "e2", [shown[5]])],
        sightings=[(n, f"e{n}") for n in range(1, 7)], cursors={("c1", "e1")},
        looks=[Look(TASK, 1, 2, "get")], attempts=[Attempt("delete an event", True)],
        table=[Committed(n, n * 10, e) for n, e in enumerate(entries, start=1)],
        rows=[State(("goal", "g1"), 2, "g1", "pending"), State(TASK, 2, "t1", "pending")],
        lakes={"server 1": list(enumerate(entries, start=1))},
    )  # fmt: skip


def test_a_record_is_kept_and_judged_again(record, tmp_path):
    altered = dataclasses.replace(record.streams[0].entries[0], user_id="x")
    record.streams.append(Stream("altered", entries=[altered]))
    record.save(tmp_path)
    again = Record.load(tmp_path)
    assert again == record
    with pytest.raises(Broken, match="altered"):
        again.check()
    again.streams.pop()
    assert [entry.id for entry in again.check()] == [f"e{n}" for n in range(1, 7)]


def test_what_only_the_lakes_have_is_judged_as_well(record, tmp_path):
    record.floor = 3
    record.table = record.table[3:]
    record.save(tmp_path)
    again = Record.load(tmp_path)
    assert again == record
    assert [entry.id for entry in again.check()] == [f"e{n}" for n in range(1, 7)]
    with pytest.raises(Broken, match="position 4 .* where 3"):
        dataclasses.replace(record, floor=2).check()
    with pytest.raises(Broken, match="there twice"):
        dataclasses.replace(record, floor=4, table=[
            dataclasses.replace(row, position=(row.position or 0) + 1) for row in record.table
        ]).check()  # fmt: skip
    del record.lakes["server 1"][1]
    with pytest.raises(Broken, match="position 3 .* where 2"):
        record.check()


def doctored_lake(record: Record) -> None:
    del record.lakes["server 1"][2]


def doctored_row(record: Record) -> None:
    del record.rows[0]


def doctored_write(record: Record) -> None:
    record.writes[0].answers.append(record.writes[0].answers[0])


@pytest.mark.parametrize(
    ("what", "doctor"),
    [
        ("was skipped", lambda r: r.streams[0].entries.pop(1)),
        ("lake of server 1", doctored_lake),
        ("there is no row", doctored_row),
        ("done twice", doctored_write),
        ("are gone", lambda r: r.transactions[0].ids.append("e8")),
        ("where 1 should", lambda r: r.sightings.pop(0)),
        ("two cursors", lambda r: r.cursors.add(("c9", "e1"))),
        ("showed version", lambda r: r.looks.append(Look(TASK, 3, 2, "get"))),
        ("could", lambda r: r.attempts.append(Attempt("delete an event", False))),
        ("where 2 should", lambda r: r.table.pop(1)),
        ("was begun", lambda r: setattr(r.writes[1], "begun", 2)),
    ],
)  # fmt: skip
def test_a_record_is_judged_by_every_rule(record, what, doctor):
    record.check()
    doctor(record)
    with pytest.raises(Broken, match=what):
        record.check()
