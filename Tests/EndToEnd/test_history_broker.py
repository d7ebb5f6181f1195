"""The history checker with a broker: killed, full, cut off and held up, beside the faults of servers and
PostgreSQL. What the queue was given is the log, whatever happened."""

from __future__ import annotations

import os
import random
from contextlib import AsyncExitStack
from typing import Iterator

import pytest
from history_broker import (
    BROKER_FAULTS,
    PublishedHistory,
    PublishingDeployment,
    check_publication,
)
from history_plan import plan
from history_rules import Broken, Committed, Entry
from history_world import Cluster
from rabbitmq import Broker


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    running = Broker()
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    try:
        made.create()
        yield made
    finally:
        made.remove()


async def test_a_queue_tells_the_history_that_every_reader_tells(cluster, broker):
    seed = int(os.environ.get("HITO_HISTORY_SEED", random.randrange(1_000_000)))
    print(f"HITO_HISTORY_SEED={seed}")
    steps = plan(seed, faults=len(BROKER_FAULTS), kinds=BROKER_FAULTS)
    async with AsyncExitStack() as stack:
        place = PublishingDeployment(cluster, f"published_{seed}", broker)
        history = PublishedHistory(place, seed, stack)
        await history.prepare()
        await history.run(steps)
        await history.settle()
        print(history.record.summary, f"{history.published.repeated} came again")
        history.check({"single", "several", "held"})
        assert set(await place.stop()) == {0}


def _table(count: int) -> list:
    return [
        Committed(
            n, n,
            Entry(f"e{n}", "goal.created", "goal", f"g{n}", 1, "u", '{"title": "x"}',
                  '{"idempotency_key": "k", "call": "c"}', n),
        )
        for n in range(1, count + 1)
    ]  # fmt: skip


def _bodies(count: int) -> list:
    return [
        {"id": f"e{n}", "position": n, "type": "goal.created", "entity_id": f"g{n}",
         "version": 1, "payload": {"title": "x"}, "metadata": {"call": "c"}}
        for n in range(1, count + 1)
    ]  # fmt: skip


def test_the_rule_of_queues_can_fail():
    check_publication(_table(5), _bodies(5))
    missing, swapped, late = _bodies(5), _bodies(5), _bodies(4)
    del missing[2]
    swapped[1], swapped[2] = swapped[2], swapped[1]
    key, payload = _bodies(5), _bodies(5)
    key[3]["metadata"]["idempotency_key"] = "k"
    payload[3]["payload"]["title"] = "y"
    for wrong in (missing, swapped, late, key, payload):
        with pytest.raises(Broken):
            check_publication(_table(5), wrong)
