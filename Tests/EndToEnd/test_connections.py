"""Descriptors and places for connections: who gets one, who is sent away, and that nobody who has shown
a token pays for those who have not."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from hito_server import HitoServer, waiting
from raw_peer import CANCEL, GOAWAY, RawPeer, is_closed, tcp

from hito import v1

CHECK = "hito.v1.HealthService/Check"
WATCH_HEALTH = "hito.v1.HealthService/Watch"
GET_USER = "hito.v1.UserService/GetUser"
IDLE = b"\0\x08"
RESOURCE_EXHAUSTED = 8


@pytest.fixture(scope="module")
def narrow():
    """A server with few places, and little time for who does not use theirs."""
    server = HitoServer()
    server.options += [
        "--connections", "64", "--connections-per-address", "12",
        "--connection-idle-anonymous", "2",
    ]  # fmt: skip
    try:
        server.start()
        yield server
        assert server.stop() == 0, server.tail()
    finally:
        server.remove()


@pytest.fixture
def known(narrow):
    """A connection that has shown its token."""
    with RawPeer(narrow, narrow.admin().token) as peer:
        peer.call(1, GET_USER)
        assert peer.end(1).status == 0
        yield peer
        peer.call(99, GET_USER)
        assert peer.end(99).status == 0, "who has shown a token is never pushed out"


def test_plain_connects_neither_end_the_server_nor_keep_others_out():
    server = HitoServer()
    server.file_limit = 400
    try:
        server.start()
        with contextlib.ExitStack() as held:
            for _ in range(450):
                held.enter_context(tcp(server))
            began = time.monotonic()
            with RawPeer(server, server.admin().token) as honest:
                honest.call(1, GET_USER)
                assert honest.end(1).status == 0
            assert time.monotonic() - began < 5, "it took 9 s when descriptors were short"
            assert server.is_running
        assert "connections 1" in server.log.read_text(), "the budget is in the log"
        assert server.stop() == 0, server.tail()
    finally:
        server.remove()


def test_too_few_descriptors_to_serve_anybody_are_refused_with_what_to_do():
    server = HitoServer()
    server.file_limit = 120
    try:
        with pytest.raises(RuntimeError) as refused:
            server.start()
        assert "ulimit -n" in str(refused.value) and "database" in str(refused.value)
    finally:
        server.remove()


def test_the_doctor_names_the_descriptors(server):
    found = server.command("doctor", "--data-dir", str(server.data), "--address", server.address)
    lines = [line for line in found.stdout.splitlines() if " descriptors " in line]
    assert len(lines) == 1 and "reserved" in lines[0] and "connections" in lines[0], found.stdout


def test_silent_connections_are_closed_for_newer_ones(narrow, known):
    with contextlib.ExitStack() as held:
        silent = [held.enter_context(tcp(narrow)) for _ in range(40)]
        assert is_closed(silent[0])
        with RawPeer(narrow) as anonymous:
            anonymous.call(1, CHECK)
            assert anonymous.end(1).status == 0


def test_an_address_has_no_more_than_its_places(narrow, known):
    token = narrow.admin().token
    with contextlib.ExitStack() as held:
        for _ in range(11):
            peer = held.enter_context(RawPeer(narrow, token))
            peer.call(1, GET_USER)
            assert peer.end(1).status == 0
        assert is_closed(held.enter_context(tcp(narrow)))
    # The places are free again when the server has noticed.
    for _ in waiting(10, "a place"):
        with contextlib.suppress(ConnectionError, EOFError, OSError):
            with RawPeer(narrow, token) as peer:
                peer.call(1, GET_USER)
                assert peer.end(1).status == 0
                break


def test_a_connection_without_a_token_and_a_call_is_sent_away(narrow, known):
    with RawPeer(narrow) as silent, RawPeer(narrow) as watcher:
        watcher.call(1, WATCH_HEALTH)
        frame = silent.frame()
        assert (frame.kind, frame.payload[4:6]) == (GOAWAY, IDLE)
        watcher.call(3, CHECK)
        assert watcher.end(3).status == 0, "a connection with a call under way is not idle"


async def test_a_client_that_was_sent_away_continues(narrow):
    admin = await narrow.connect(narrow.admin())
    async with admin, await narrow.connect() as anonymous:
        await anonymous.health.check(v1.HealthCheckRequest())
        async with asyncio.timeout(30):
            while True:
                found = await admin.server.list_connections(v1.ListConnectionsRequest())
                if len(found.connections) == 1:
                    break
                await asyncio.sleep(0.1)
        again = await anonymous.health.check(v1.HealthCheckRequest())
        assert again.status == v1.HealthStatus.HEALTH_STATUS_SERVING


def test_streams_that_need_no_token_are_few_without_one(narrow, known):
    with RawPeer(narrow) as anonymous:
        for stream in (1, 3, 5, 7, 9):
            anonymous.call(stream, WATCH_HEALTH)
        assert anonymous.end(9).status == RESOURCE_EXHAUSTED
    for stream in range(5, 25, 2):
        known.call(stream, WATCH_HEALTH)
    known.call(25, CHECK)
    ended = known.ended()
    assert (ended.stream, ended.status) == (25, 0)
    for stream in range(5, 25, 2):
        known.send(CANCEL, 0, stream)
