"""What one caller with a token can do to the others: little."""

from __future__ import annotations

import asyncio
import struct
import time
import uuid

from hito import v1
from hito_server import Login
from mob import CREATE_GOAL, HOUR, NOT_FOUND, OK, OUT_OF_RANGE, RESOURCE_EXHAUSTED, SMALL_CREDIT, Mob, begun, flood, streams, unary, unfinished
from siege import Siege

WATCH = "hito.v1.ProgressService/Watch"
READ_EVENTS = "hito.v1.EventService/ReadEvents"
SEARCH = "hito.v1.RetrievalService/Search"
LIST_GOALS = "hito.v1.GoalService/ListGoals"
GET_GOAL = "hito.v1.GoalService/GetGoal"
INGEST = "hito.v1.CourseService/IngestDocuments"
LARGE = "€" * 10_000
"""30 KB as a description, and with the criteria 90 KB a goal."""


async def _large_updates(siege: Siege, login: Login, count: int) -> None:
    criteria = ["€" * 1000] * 20
    async with await siege.server.connect(login, timeout=60.0) as client:
        for n in range(count):
            await client.goals.create_goal(
                v1.CreateGoalRequest(title=f"{n}", description=LARGE, validation_criteria=criteria)
            )


def test_subscribers_that_do_not_read(caller: Siege, mallory: Login) -> None:
    asyncio.run(_large_updates(caller, mallory, 150))
    watch = v1.WatchRequest(from_beginning=True).SerializeToString()
    with caller.attack("stalled subscribers"), Mob(caller.server) as mob:
        for peer in mob.open(3, mallory.token, SMALL_CREDIT):
            peer.push(b"".join(unary(stream, WATCH, watch) for stream in streams(99)))
        time.sleep(4)
        assert mob.answers().statuses[RESOURCE_EXHAUSTED] > 0


def test_pages_that_are_never_read(caller: Siege, mallory: Login) -> None:
    asyncio.run(_large_updates(caller, mallory, 40))
    page = v1.ListGoalsRequest(page=v1.PageRequest(page_size=100)).SerializeToString()
    with caller.attack("unread pages"), Mob(caller.server) as mob:
        for peer in mob.open(20, mallory.token, SMALL_CREDIT):
            peer.push(b"".join(unary(stream, LIST_GOALS, page, HOUR) for stream in streams(99)))
        time.sleep(4)
        assert mob.answers().statuses[RESOURCE_EXHAUSTED] > 0


def test_reads_of_what_is_not_there(caller: Siege, mallory: Login) -> None:
    nothing = v1.ReadEventsRequest(
        filter=v1.EventFilter(goal_ids=[str(uuid.uuid4())]), page_size=200
    ).SerializeToString()
    with caller.attack("reads of nothing"), Mob(caller.server) as mob:
        peers = mob.open(3, mallory.token)
        for turn in range(4):
            for peer in peers:
                peer.push(
                    b"".join(unary(s + 200 * turn, READ_EVENTS, nothing) for s in streams(99))
                )
            time.sleep(1)
        statuses = mob.answers().statuses
        assert set(statuses) == {OK, RESOURCE_EXHAUSTED}, statuses


def test_searches(caller: Siege, mallory: Login) -> None:
    query = v1.SearchRequest(query="¿Cómo se escribe una prueba? " * 20).SerializeToString()
    with caller.attack("searches"), Mob(caller.server) as mob:
        for peer in mob.open(2, mallory.token):
            peer.push(b"".join(unary(stream, SEARCH, query) for stream in streams(99)))
        time.sleep(5)
        statuses = mob.answers().statuses
        assert set(statuses) == {OK, RESOURCE_EXHAUSTED}, statuses


def test_requests_that_never_end(caller: Siege, mallory: Login) -> None:
    with caller.attack("unfinished requests"), Mob(caller.server) as mob:
        for peer in mob.open(60, mallory.token):
            for stream in streams(4):
                peer.push(begun(stream, CREATE_GOAL, HOUR) + unfinished(stream, 240 << 10))
        time.sleep(2)
        assert mob.answers().statuses[RESOURCE_EXHAUSTED] > 0


def test_uploads_that_stop(caller: Siege, mallory: Login) -> None:
    teacher = caller.server.join("Ines", "instructor", external_id=f"ines-{uuid.uuid4()}")
    with caller.attack("stopped uploads"), Mob(caller.server) as mob:
        for peer in mob.open(40, teacher.token):
            for stream in streams(8):
                peer.push(begun(stream, INGEST, HOUR) + unfinished(stream, 112 << 10))
        time.sleep(2)
        assert mob.answers().statuses[RESOURCE_EXHAUSTED] > 0


def test_receipts_made_up(caller: Siege, mallory: Login) -> None:
    asyncio.run(_large_updates(caller, mallory, 1))
    invented = v1.ListGoalsRequest(min_cursor="AAAAAAAAAAAAAAAAAAAAAA").SerializeToString()
    with caller.attack("invented receipts"), Mob(caller.server) as mob:
        for peer in mob.open(10, mallory.token):
            peer.push(b"".join(unary(s, LIST_GOALS, invented, HOUR) for s in streams(99)))
        time.sleep(2)
        assert set(mob.answers().statuses) == {OUT_OF_RANGE, RESOURCE_EXHAUSTED}


def test_reads_as_fast_as_they_go(caller: Siege, mallory: Login) -> None:
    read = v1.GetGoalRequest(goal_id=str(uuid.uuid4())).SerializeToString()
    endless = ((6, struct.pack(">I", 2**31 - 1)), (7, struct.pack(">I", 2**31 - 1)))
    with caller.attack("reads without end"), Mob(caller.server) as mob:
        flood(
            mob.open(4, mallory.token, endless), 4,
            lambda turn: b"".join(
                unary(2 * (turn * 25 + n) + 1, GET_GOAL, read) for n in range(25)
            ),
        )  # fmt: skip
        assert set(mob.answers().statuses) == {NOT_FOUND, RESOURCE_EXHAUSTED}
