"""Made-up histories of the matrix: what the checker finds, and what it allows."""

from __future__ import annotations

from typing import List

from matrix_checker import Event, History, Write, check, ends_at


def event(number: int, entity: str, version: int, kind: str = "goal.updated") -> Event:
    return Event(f"c{number}", f"e{number}", entity, version, kind)


LOG = [
    event(1, "g1", 1, "goal.created"), event(2, "t1", 1, "task.created"), event(3, "t1", 2, "task.started"),
    event(4, "g1", 2, "goal.started"), event(5, "g2", 1, "goal.created"),
]  # fmt: skip
TITLES = ["a-1", "b-1"]
WROTE = [Write("g1", "goal.created", "a-1", "r1"), Write("t1", "task.started", "a-1-start", "r2", True)]


def found(
    saw: List[Event] = LOG, wrote: List[Write] = WROTE, log: List[Event] = LOG, titles: List[str] = TITLES
) -> str:
    return "\n".join(check(log, titles, [History("go", list(saw), list(wrote))]))


def test_a_history_that_is_the_log_is_right():
    assert found() == ""


def test_what_happened_after_the_end_is_not_missed():
    assert found(saw=LOG[:3]) == ""
    assert not ends_at(History("go", LOG[:3]), "c5")
    assert ends_at(History("go", list(LOG)), "c5")


def test_a_write_that_failed_may_be_in_the_log():
    """g2 is there, and nobody was told so."""
    assert found(wrote=[]) == ""


def test_a_loss_is_found():
    assert found(saw=LOG[:2] + LOG[3:]) == "go: did not see task.started of t1, cursor c3"
    assert "did not see goal.created of g1" in found(saw=LOG[1:])


def test_a_double_is_found():
    assert "go: saw event e3 2 times" in found(saw=LOG[:3] + LOG[2:])


def test_a_reorder_is_found():
    swapped = [LOG[0], LOG[2], LOG[1], *LOG[3:]]
    assert found(saw=swapped) == "go: saw task.created of t1 late: behind what follows it in the log"


def test_a_stranger_is_found():
    assert "not in the log" in found(saw=[*LOG, event(9, "g9", 1)])
    changed = event(5, "g2", 2, "goal.created")
    assert "where the log has" in found(saw=[*LOG[:4], changed])


def test_an_acknowledged_write_that_is_lost_or_doubled_is_found():
    lost = Write("g3", "goal.created", "a-2", "r3")
    assert found(wrote=[lost]) == "go: write a-2 (goal.created of g3) is in the log 0 times"
    twice = [*LOG, event(6, "t1", 3, "task.started")]
    assert "is in the log 2 times" in found(saw=twice, log=twice)


def test_a_key_that_made_two_goals_is_found():
    assert found(titles=["a-1", "a-1"]) == "the log: a-1 was created 2 times"


def test_a_receipt_without_a_place_is_found():
    assert "has no cursor" in found(wrote=[Write("g1", "goal.created", "a-1", "")])


def test_a_log_with_holes_or_doubles_is_found():
    hole = [LOG[0], LOG[3], LOG[2]]
    assert "has version 2 after 0" in found(saw=[], wrote=[], log=hole)
    assert "event e1 is there 2 times" in found(saw=[], wrote=[], log=[LOG[0], LOG[0]])
