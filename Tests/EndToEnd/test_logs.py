"""What others do wrong, and what is away for a while, writes a bounded number of lines."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import struct
from typing import List

from hito_server import HitoServer, waiting
from raw_peer import ABUSE, CANCEL, PING, RawPeer, tcp

import hito
from hito import v1

LIST = "hito.v1.GoalService/ListGoals"
GET = "hito.v1.GoalService/GetGoal"
READ = "hito.v1.EventService/ReadEvents"
STORM = 300
UNAVAILABLE = hito.StatusCode.UNAVAILABLE


def lines_of(server: HitoServer) -> List[str]:
    return server.log.read_text(errors="replace").splitlines()


def new_lines(server: HitoServer, before: int) -> List[str]:
    """Lines after the first `before`, once a last call shows that all is over."""
    with RawPeer(server) as peer:
        peer.call(1, "hito.v1.HealthService/Check")
        assert peer.end(1).status == 0
    return lines_of(server)[before:]


def test_a_storm_of_calls_that_their_callers_end_or_get_wrong_writes_nothing(mortal):
    token = mortal.join("Ana").token
    before = len(lines_of(mortal))
    bad = v1.GetGoalRequest(goal_id="no").SerializeToString()
    with RawPeer(mortal, token) as peer, RawPeer(mortal) as stranger:
        for number in range(STORM):
            stream = 8 * number + 1
            peer.call(stream, READ)
            peer.send(CANCEL, 0, stream)
            peer.call(stream + 2, LIST, b"", (2, struct.pack(">Q", 500)))
            peer.end(stream + 2)
            peer.call(stream + 4, GET, bad)
            assert peer.end(stream + 4).status == hito.StatusCode.INVALID_ARGUMENT
            stranger.call(stream, LIST)
            assert stranger.end(stream).status == hito.StatusCode.UNAUTHENTICATED
    # Connections that are lost with calls on them.
    for _ in range(20):
        with RawPeer(mortal, token) as peer:
            for stream in range(1, 41, 2):
                peer.call(stream, READ)
    assert new_lines(mortal, before) == []


def test_a_storm_of_broken_handshakes_and_greetings_writes_nothing_and_abuse_one_line(mortal):
    before = len(lines_of(mortal))
    for number in range(STORM):
        with tcp(mortal) as connection:
            try:
                connection.sendall(os.urandom(100))
            except ConnectionError:
                pass
        if number % 10 == 0:
            try:
                RawPeer(mortal, alpn="h2").close()
            except (ssl.SSLError, ConnectionError, AssertionError, EOFError):
                pass
            with RawPeer(mortal, greet=False) as peer:
                peer.raw(os.urandom(100))
    for _ in range(20):
        with RawPeer(mortal) as peer:
            for _ in range(10):
                peer.send(PING, 0, 0, b"12345678")
            assert peer.goaway() == ABUSE
    (line,) = new_lines(mortal, before)
    assert "a peer was cut off" in line and "127.0.0.1" in line


async def test_a_database_that_goes_away_is_a_line_when_it_goes_and_one_when_it_is_back(
    mortal, connect
):
    client = await connect(mortal, await asyncio.to_thread(mortal.join, "Ana"), wait_for_ready=False)
    before = len(lines_of(mortal))
    os.kill(mortal.postmaster(), signal.SIGKILL)
    failed = 0
    for _ in waiting(60, "the database to come back"):
        calls = (client.goals.list_goals(v1.ListGoalsRequest(), timeout=0.2) for _ in range(50))
        results = await asyncio.gather(*calls, return_exceptions=True)
        failed += sum(isinstance(result, hito.HitoError) for result in results)
        text = "\n".join(lines_of(mortal)[before:])
        if "the connection to PostgreSQL works again" in text:
            break
    assert failed > 50
    lines = lines_of(mortal)[before:]
    assert sum("connection to PostgreSQL does not work" in line for line in lines) == 1
    assert sum("connection to PostgreSQL works again" in line for line in lines) == 1
    assert sum("the relay of events" in line for line in lines) <= 2
    assert sum("handler failed" in line for line in lines) <= 20 + 60
    await client.goals.list_goals(v1.ListGoalsRequest())
