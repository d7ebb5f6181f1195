"""What peers can make the server keep: little without a token, and not much more with one."""

from __future__ import annotations

import contextlib
import struct
from typing import Iterator, List

import pytest
from hito import v1
from hito_server import HitoServer
from raw_peer import CALL, CREDIT, FLAG_MORE, MESSAGE, RawPeer, call_block

CHECK = "hito.v1.HealthService/Check"
CREATE = "hito.v1.GoalService/CreateGoal"
DESCRIPTORS = "hito.v1.ReflectionService/GetDescriptorSet"
READ_EVENTS = "hito.v1.EventService/ReadEvents"
OK, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAUTHENTICATED = 0, 4, 8, 16
HOUR = (2, struct.pack(">Q", 3_600_000_000))
ROOM = ((6, struct.pack(">I", 1 << 20)),)
"""Credit for the whole contract, which is more than a stream's by default."""
ONE_BYTE = ((6, struct.pack(">I", 1)),)
LIMIT_REACHED = 5


@pytest.fixture
def peers() -> Iterator[List[RawPeer]]:
    opened: List[RawPeer] = []
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: [peer.close() for peer in opened])
        yield opened


def check(server: HitoServer) -> None:
    """The server answers, after all that was sent before."""
    with RawPeer(server) as peer:
        peer.call(1, CHECK)
        assert peer.end(1).status == OK


def warm_up(server: HitoServer) -> float:
    """What the server has in memory once connections came and went."""
    for _ in range(3):
        check(server)
    with RawPeer(server, hello=ROOM) as peer:
        peer.call(1, DESCRIPTORS)
        assert peer.end(1).status == OK
    return server.resident_mib


def test_replies_that_strangers_do_not_take_cost_little(server, peers):
    before = warm_up(server)
    refused = 0
    for _ in range(100):
        peer = RawPeer(server, hello=ONE_BYTE, seconds=60)
        peers.append(peer)
        for number in range(99):
            peer.call(1 + 2 * number, DESCRIPTORS, b"", HOUR)
        # Sixteen wait, the others are told when to come again.
        for _ in range(83):
            ended = peer.ended()
            assert ended.status == RESOURCE_EXHAUSTED
            details = v1.ErrorDetails.FromString(ended.fields[3])
            assert (details.reason, details.retry_delay_us) == (LIMIT_REACHED, 1_000_000)
            refused += 1
    check(server)
    assert refused == 8300
    growth = server.resident_mib - before
    print(f"{growth:.0f} MiB")
    assert growth < 64
    # They are not held for the hour that was asked for.
    assert {peers[0].ended().status for _ in range(16)} == {DEADLINE_EXCEEDED}


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_requests_that_strangers_do_not_finish_cost_little(server, peers, token):
    before = warm_up(server)
    for _ in range(100):
        peer = RawPeer(server, token, seconds=60)
        peers.append(peer)
        for number in range(4):
            peer.send(CALL, 0, 1 + 2 * number, call_block(CREATE, HOUR))
        for number in range(4):
            peer.send(MESSAGE, FLAG_MORE, 1 + 2 * number, b"\0" * 16384)
        assert [peer.ended().status for _ in range(4)] == [UNAUTHENTICATED] * 4
    check(server)
    assert server.resident_mib - before < 64


def test_a_stranger_reads_the_whole_contract(server):
    with RawPeer(server, hello=ROOM) as peer:
        peer.call(1, DESCRIPTORS)
        ended = peer.end(1)
        assert ended.status == OK
        assert b"hito/v1/goals.proto" in ended.message


def test_what_one_caller_does_not_take_is_bounded_over_all_connections(server, ana, peers):
    # Something to read: a page of about 1 MiB.
    endless = ((7, struct.pack(">I", 1 << 30)),)
    with RawPeer(server, ana.token, hello=endless) as peer:
        for number in range(12):
            goal = v1.CreateGoalRequest(title="Meta", description="x" * 9_000)
            for task in range(9):
                goal.tasks.add(title=f"Tarea {task}", description="y" * 9_000)
            assert peer.send_message(1 + 2 * number, CREATE, goal.SerializeToString()).status == OK
    before = warm_up(server)
    request = v1.ReadEventsRequest(page_size=200).SerializeToString()
    statuses = []
    for _ in range(20):
        peer = RawPeer(server, ana.token, hello=ONE_BYTE, seconds=60)
        peers.append(peer)
        for number in range(20):
            peer.call(1 + 2 * number, READ_EVENTS, request)
    for peer in peers:
        peer.call(999, CHECK)
        peer.send(CREDIT, 0, 999, struct.pack(">I", 4096))
        while (ended := peer.ended()).stream != 999:
            statuses.append(ended.status)
    check(server)
    growth = server.resident_mib - before
    print(f"{growth:.0f} MiB, {len(statuses)} of 400 refused")
    assert growth < 256
    # Those that waited longest are over by their deadline.
    assert RESOURCE_EXHAUSTED in statuses
    assert set(statuses) <= {RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED}
