"""Calls that end before their work has: what they are told, and what is left of them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct

from history import eventually, pages
from hito import v1
from psql import Session
from raw_peer import RawPeer

CREATE = "hito.v1.GoalService/CreateGoal"
DEADLINE_EXCEEDED = 4
NOT_STARTED = 8

WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND application_name LIKE 'hito%';
    """


def timeout(microseconds: int) -> tuple[int, bytes]:
    return 2, struct.pack(">Q", microseconds)


async def test_a_write_without_time_is_told_whether_it_may_have_been_committed(
    server, ana, connect
):
    """With one to seven milliseconds: what is said not to be written never is."""
    chance = random.Random(7)
    told: dict[str, list[str]] = {"written": [], "nothing": [], "perhaps": []}

    def write() -> None:
        with RawPeer(server, ana.token) as peer:
            for number in range(150):
                title = f"Meta con prisa {number}"
                request = v1.CreateGoalRequest(title=title).SerializeToString()
                time = timeout(chance.randrange(1000, 7000))
                stream = 2 * number + 1
                peer.call(stream, CREATE, request, time, (3, f"prisa-{number}".encode()))
                ended = peer.end(stream)
                if ended.status == 0:
                    told["written"].append(title)
                    continue
                assert ended.status == DEADLINE_EXCEEDED, ended
                outcome = v1.ErrorDetails.FromString(ended.fields.get(3, b"")).write_outcome
                if outcome == v1.WriteOutcome.WRITE_OUTCOME_UNKNOWN:
                    assert "may have been committed" in ended.text
                    told["perhaps"].append(title)
                else:
                    assert outcome == v1.WriteOutcome.WRITE_OUTCOME_NOT_WRITTEN or NOT_STARTED in ended.fields
                    told["nothing"].append(title)

    await asyncio.to_thread(write)
    client = await connect(server, ana)
    # What was on its way when its call ended is done by now, or will not be.
    for title in told["perhaps"][-1:]:
        number = title.split()[-1]
        await client.goals.create_goal(
            v1.CreateGoalRequest(title=title), idempotency_key=f"prisa-{number}"
        )
    goals = pages(client.goals.list_goals, v1.ListGoalsRequest(), "goals")
    there = {goal.title async for goal in goals}
    assert set(told["written"]) <= there
    assert not set(told["nothing"]) & there
    assert told["written"] or told["perhaps"]
    assert told["nothing"] or told["perhaps"], "no deadline passed: give less time"


async def test_cancelled_calls_leave_nothing_behind(mortal, mortal_ana, mortal_admin, connect):
    """Their statements end in the database, their places in the queue and their streams are free."""
    holder, looker = await Session.open(mortal), await Session.open(mortal)
    client = await connect(mortal, mortal_ana)
    watcher = await connect(mortal, mortal_admin)
    await client.goals.create_goal(v1.CreateGoalRequest(title="Aprender a esperar"))

    async def search() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await client.retrieval.search(
                v1.SearchRequest(query="esperar", mode=v1.SearchMode.SEARCH_MODE_TEXT, entity_types=["goal"])
            )

    async def waiting() -> int:
        return int((await looker.run(WAITING))[0])

    async def running() -> int:
        calls = await watcher.server.list_calls(v1.ListCallsRequest())
        return sum(call.method.endswith("/Search") for call in calls.calls)

    async def stuck() -> bool:
        return await running() == 50 and await waiting() >= 1

    async def free() -> bool:
        return await running() == 0 and await waiting() == 0

    try:
        for _ in range(3):
            await holder.run("BEGIN; LOCK TABLE goals IN ACCESS EXCLUSIVE MODE;")
            calls = [asyncio.create_task(search()) for _ in range(50)]
            await eventually("searches that wait", stuck)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            # The table is still held: nothing ends by itself.
            await eventually("nothing to be left of them", free)
            await holder.run("COMMIT;")
            await search()
    finally:
        await holder.close()
        await looker.close()
