"""The history checker: writers at random, transactions of every kind, faults, and readers.

Whatever happens, the events table, every page of the log, every stream and every lake tell the same
history, and it is the one that was acknowledged. `HITO_HISTORY_SEED` repeats the decisions of a run,
`HITO_HISTORY_KILLS` makes its plan as long as so many kills need. `make soak` runs it for long.
"""

from __future__ import annotations

import os
import random
from contextlib import AsyncExitStack
from typing import Dict, Iterator, List, Tuple

import pytest
from history_plan import EMBEDDED_FAULTS, FAULTS, Step, plan
from history_scenario import History
from history_sessions import SessionWriter
from history_world import Alone, Cluster, Deployment

FIXED_SEEDS = [1, 2]
FAULTS_EACH = 9
"""So that two plans have all of them: see the first test."""
USUAL = {"single", "several", "held"}


def _plans() -> Dict[str, Tuple[int, List[Step]]]:
    """By a name that does not depend on the seed: all processes of a parallel run have the same."""
    named, kills = os.environ.get("HITO_HISTORY_SEED"), int(os.environ.get("HITO_HISTORY_KILLS", 0))
    seed = int(named) if named else random.randrange(1_000_000)
    if named or kills:
        return {"named": (seed, plan(seed, faults=FAULTS_EACH, kills=kills))}
    left: List[str] = []
    fixed = {f"fixed {n}": (n, plan(n, faults=FAULTS_EACH, left=left)) for n in FIXED_SEEDS}
    return {**fixed, "random": (seed, plan(seed, faults=3))}


PLANS = _plans()


def test_the_fixed_plans_have_every_fault():
    left: List[str] = []
    plans = [plan(seed, faults=FAULTS_EACH, left=left) for seed in FIXED_SEEDS]
    assert {step.fault for steps in plans for step in steps} == set(FAULTS)


def test_a_seed_repeats_its_plan_and_another_one_has_another():
    assert plan(7, kills=50) == plan(7, kills=50) != plan(8, kills=50)
    assert sum(step.kills for step in plan(7, kills=50)) >= 50


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL with a standby; each history has a database of its own there."""
    cluster = Cluster()
    try:
        cluster.create()
        yield cluster
    finally:
        cluster.remove()


@pytest.mark.parametrize(("seed", "steps"), PLANS.values(), ids=PLANS.keys())
async def test_every_reader_of_two_servers_tells_the_same_history(cluster, seed, steps):
    # What is seldom done may not come in a short history.
    acts = set(SessionWriter.ACTS) - {"batch", "many_savepoints"} if len(steps) > 5 else USUAL
    async with AsyncExitStack() as stack:
        await _play(History(Deployment(cluster, f"history_{seed}"), seed, stack), steps, acts)


async def test_every_reader_of_a_server_with_its_own_postgres_tells_the_same_history():
    seed = int(os.environ.get("HITO_HISTORY_SEED", random.randrange(1_000_000)))
    steps = plan(seed, faults=len(EMBEDDED_FAULTS), kinds=EMBEDDED_FAULTS)
    async with AsyncExitStack() as stack:
        await _play(History(Alone(), seed, stack), steps, USUAL)


async def _play(history: History, steps: List[Step], acts: set[str]) -> None:
    print(f"HITO_HISTORY_SEED={history.seed}")
    await history.prepare()
    await history.run(steps)
    await history.settle()
    print(history.record.summary)
    history.check(acts)
    assert set(await history.place.stop()) == {0}
