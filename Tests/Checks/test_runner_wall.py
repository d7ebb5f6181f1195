"""How long a run of code may take (Sources/Validation/Runners/guard.py): a clock of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

GUARD = Path(__file__).resolve().parents[2] / "Sources" / "Validation" / "Runners" / "guard.py"


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def ended_after(is_ready: Callable[[int], bool]) -> tuple[float, bool]:
    """When a run of 5 s is over that is looked at every hundredth of a second, and whether it was starved."""
    clock, looks = Clock(), iter(range(100_000))
    scope: dict = {"__name__": "guard"}
    exec(compile(GUARD.read_text(), str(GUARD), "exec"), scope)
    scope["time"] = clock
    scope["others_are_ready"] = lambda: is_ready(next(looks))
    wall = scope["Wall"](5)
    while not wall.is_over():
        clock.now += 0.01
    return clock.now, wall.is_starved


@pytest.mark.parametrize("is_ready", [lambda n: False, lambda n: n % 10 == 0])
def test_what_waits_is_ended_soon_after_its_time(is_ready):
    ended, is_starved = ended_after(is_ready)
    assert 5 < ended < 5.5 and not is_starved


@pytest.mark.parametrize("is_ready", [lambda n: True, lambda n: n % 10 != 0])
def test_what_gets_no_processor_has_three_times_as_long(is_ready):
    ended, _ = ended_after(is_ready)
    assert 15 <= ended < 15.1
    assert ended_after(lambda n: True)[1]


def test_what_is_ready_for_a_while_is_ended_when_it_waits():
    ended, is_starved = ended_after(lambda n: n < 100)
    assert 7 < ended < 7.5 and not is_starved
