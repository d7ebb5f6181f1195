"""The generator of faults: which, in what order, after how much work; all of it follows from a seed.

What comes between faults is counted in acknowledged writes, not in seconds, so that a slow machine
meets the same faults at about the same places of the history. The interleaving of processes is
theirs: a seed repeats every decision of ours, not every race.
"""

from __future__ import annotations

import dataclasses
import random
from typing import Dict, List, Optional


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of fault."""

    kills: int
    """How many processes it ends by kill -9."""
    weight: float
    """How often it comes in a long run."""


FAULTS: Dict[str, Kind] = {
    "kill the leader": Kind(1, 3),
    "kill the other server": Kind(1, 2),
    "kill a server that is just starting": Kind(2, 1),
    "kill both servers": Kind(2, 1),
    "kill PostgreSQL": Kind(1, 3),
    "kill a session's process": Kind(1, 2),
    "kill PostgreSQL and the leader": Kind(2, 1),
    "kill the standby": Kind(1, 0.5),
    "fail over": Kind(1, 1.5),
    "restart PostgreSQL": Kind(0, 1),
    "stop the leader in order": Kind(0, 1),
    "end the leader's sessions": Kind(0, 1),
    "pause the leader until another leads": Kind(0, 1.5),
    "part the leader from PostgreSQL": Kind(0, 1.5),
    "cut a server off": Kind(0, 1),
    "hold a server's packets back": Kind(0, 1),
    "pause the standby": Kind(0, 0.5),
}

EMBEDDED_FAULTS: Dict[str, Kind] = {
    "kill the server": Kind(1, 2),
    "kill PostgreSQL": Kind(1, 2),
    "kill PostgreSQL and the server": Kind(2, 1),
    "restart PostgreSQL": Kind(0, 1),
}
"""Of one server that has its PostgreSQL embedded."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One fault."""

    after: int
    """Writes acknowledged since the fault before was over."""
    fault: str
    during: int
    """Writes acknowledged while it lasts, for faults that last."""
    kills: int

    def __str__(self) -> str:
        return f"after {self.after} writes {self.fault} (for {self.during} writes if it lasts)"


def plan(
    seed: int, *, faults: int = 0, kills: int = 0, kinds: Dict[str, Kind] = FAULTS,
    left: Optional[List[str]] = None,
) -> List[Step]:  # fmt: skip
    """At least so many faults and so many kills.

    The first turn has every kind once, later ones what finds most. `left`: what a plan before has
    left of its turn, and this one leaves: short plans then share the kinds out.
    """
    chance = random.Random(f"{seed} plan")
    turn = [] if left is None else left
    steps: List[Step] = []
    is_first = True
    while len(steps) < faults or sum(step.kills for step in steps) < kills:
        if not turn:
            turn += list(kinds) if is_first else _weighted(chance, kinds)
            chance.shuffle(turn)
            is_first = False
        fault = turn.pop()
        during = chance.randrange(5, 30)
        steps.append(Step(chance.randrange(5, 40), fault, during, kinds[fault].kills))
    return steps


def _weighted(chance: random.Random, kinds: Dict[str, Kind]) -> List[str]:
    return chance.choices(list(kinds), [kind.weight for kind in kinds.values()], k=len(kinds))
