"""Subscribers that take nothing: what they cost the server, and how they end."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from typing import Iterator, List

import pytest
from history import ids, read_all
from hito import v1
from hito_server import HitoServer, Login, waiting
from raw_peer import CALL, CREDIT, END, FLAG_END, FLAG_HAS_MESSAGE, MESSAGE, RawPeer, call_block
from raw_peer import parse_end

import hito

WATCH = "hito.v1.ProgressService/Watch"
LIST = "hito.v1.GoalService/ListGoals"
STALLED = v1.ErrorReason.ERROR_REASON_STREAM_STALLED
RESOURCE_EXHAUSTED = 8
UNAVAILABLE = 14
STALL_SECONDS = 3
EVENT_COUNT = 120
STREAMS = 100


@pytest.fixture(scope="module")
def stalling() -> Iterator[HitoServer]:
    """A server of the module's own that waits for clients for a short time only."""
    running = HitoServer()
    running.options += ["--stream-stall", str(STALL_SECONDS), "--streams-per-user", "1000"]
    try:
        running.start()
        yield running
        assert running.stop() == 0
    finally:
        running.remove()


@pytest.fixture(scope="module")
def eva(stalling: HitoServer) -> Login:
    """A learner with a past of 90 KB an event."""
    login = stalling.join("Eva")

    async def update(client: hito.Client, goal_id: str, number: int) -> str:
        criteria = ["".join(random.choices("abcdefgh", k=90)) + "😀" * 900 for _ in range(20)]
        request = v1.UpdateGoalRequest(
            goal_id=goal_id,
            goal=v1.Goal(description=f"{number} {'ñ' * 9000}", validation_criteria=criteria),
        )
        request.update_mask.paths.extend(["description", "validation_criteria"])
        return (await client.goals.update_goal(request)).receipt.cursor

    async def work() -> None:
        async with await stalling.connect(login, timeout=60.0) as client:
            goal = (await client.goals.create_goal(v1.CreateGoalRequest(title="Meta"))).goal
            for number in range(EVENT_COUNT):
                cursor = await update(client, goal.id, number)
            await client.events.read_events(v1.ReadEventsRequest(min_cursor=cursor, page_size=1))

    asyncio.run(work())
    return login


def watch_request(**start: object) -> bytes:
    return v1.WatchRequest(**start).SerializeToString()


def credit(count: int) -> tuple[int, bytes]:
    """HELLO: so much credit for each stream."""
    return (6, struct.pack(">I", count))


async def test_streams_of_credit_one_cost_no_pages_and_end_where_they_stood(
    stalling, eva, connect
):
    log = await read_all(await connect(stalling, eva))
    # Half of them read the same, half of them read from a place of their own.
    starts = [watch_request(from_beginning=True)] * STREAMS
    starts += [watch_request(after_cursor=log[n % len(log)].cursor) for n in range(STREAMS)]
    peers: List[RawPeer] = []
    before = stalling.resident_mib
    most = before
    try:
        for first in range(0, len(starts), STREAMS):
            peer = RawPeer(stalling, eva.token, hello=(credit(1),), seconds=60)
            peers.append(peer)
            for number in range(STREAMS):
                peer.call(1 + 2 * number, WATCH, starts[first + number])
        end = time.monotonic() + STALL_SECONDS
        while time.monotonic() < end:
            most = max(most, stalling.resident_mib)
            time.sleep(0.05)
        for peer in peers:
            for _ in range(STREAMS):
                ended = peer.ended()
                assert ended.status == UNAVAILABLE
                assert v1.ErrorDetails.FromString(ended.fields[3]).reason == STALLED
        most = max(most, stalling.resident_mib)
    finally:
        for peer in peers:
            peer.close()
    print(f"{2 * STREAMS} streams: {before:.0f} to {most:.0f} MiB")
    # The ring and the kept pages have a size of their own; without bounds it was 16 MB a stream.
    assert most - before < 200


def test_a_stalled_subscription_says_where_it_continues(stalling, eva):
    with RawPeer(stalling, eva.token, hello=(credit(4_000),), seconds=60) as peer:
        request = watch_request(from_beginning=True)
        peer.send(CALL, FLAG_HAS_MESSAGE | FLAG_END, 1, call_block(WATCH) + request)
        last, unfinished = "", b""
        while True:
            frame = peer.frame()
            if frame.kind == END:
                break
            if frame.kind == MESSAGE:
                unfinished += frame.payload
                if not frame.flags:
                    last = v1.WatchResponse.FromString(unfinished).cursor
                    unfinished = b""
        ended = parse_end(frame, b"")
        assert ended.status == UNAVAILABLE and unfinished
        assert last and ended.fields[4].decode() == last


async def test_a_client_that_was_slow_misses_nothing(stalling, eva, connect):
    client = await connect(stalling, eva)
    log = await read_all(client)
    events = []
    async with asyncio.timeout(120):
        request = v1.WatchRequest(from_beginning=True)
        async with client.progress.watch_resuming(request) as watch:
            while len(events) < len(log):
                response = await watch.__anext__()
                if response.HasField("event"):
                    events.append(response.event)
                if len(events) == 3 and watch.interruptions == 0:
                    # Longer than the server waits, also a busy one.
                    await asyncio.sleep(5 * STALL_SECONDS)
            assert watch.interruptions >= 1
    assert ids(events) == ids(log)


def test_an_event_larger_than_the_client_accepts_ends_the_stream(stalling, eva):
    small = ((3, struct.pack(">I", 1 << 20)), (4, struct.pack(">I", 16384)), credit(1 << 24))
    with RawPeer(stalling, eva.token, hello=small, seconds=60) as peer:
        peer.call(1, WATCH, watch_request(from_beginning=True))
        assert peer.end(1).status == RESOURCE_EXHAUSTED


def test_a_reply_that_is_not_taken_ends_too(stalling, eva):
    with RawPeer(stalling, eva.token, hello=(credit(0),), seconds=60) as peer:
        peer.call(1, LIST)
        ended = peer.end(1)
        assert ended.status == UNAVAILABLE
        assert v1.ErrorDetails.FromString(ended.fields[3]).reason == STALLED


def test_credit_that_comes_in_time_keeps_a_stream(stalling, eva):
    with RawPeer(stalling, eva.token, hello=(credit(0),), seconds=60) as peer:
        peer.call(1, WATCH, watch_request(from_beginning=True))
        for _ in range(3):
            time.sleep(STALL_SECONDS / 2)
            # Enough for a fragment.
            peer.send(CREDIT, 0, 1, struct.pack(">I", 2000))
        peer.send(CREDIT, 0, 1, struct.pack(">I", 1 << 20))
        data = b""
        while len(data) < 90_000:
            frame = peer.frame()
            assert frame.kind != END, parse_end(frame, b"")
            data += frame.payload if frame.kind == MESSAGE else b""


def test_idle_subscribers_cost_kibibytes(stalling):
    login = stalling.join("Olga")
    peers = [RawPeer(stalling, login.token, seconds=60) for _ in range(5)]
    try:
        for peer in peers:
            peer.call(1, LIST)
            assert peer.end(1).status == 0
        before = stalling.resident_mib
        for peer in peers:
            for number in range(STREAMS):
                peer.call(3 + 2 * number, WATCH, watch_request())
            marks = 0
            while marks < STREAMS:
                marks += peer.frame().kind == MESSAGE
        each = (stalling.resident_mib - before) * 1024 / (5 * STREAMS)
        print(f"{each:.1f} KiB for each idle subscriber")
        assert each < 64
    finally:
        for peer in peers:
            peer.close()
    for _ in waiting(10, "the server to serve others"):
        with RawPeer(stalling, login.token) as peer:
            peer.call(1, LIST)
            if peer.end(1).status == 0:
                return
