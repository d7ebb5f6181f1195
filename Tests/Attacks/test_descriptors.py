"""A machine that allows 400 open files: strangers take the slots, and who has a token gets in."""

from __future__ import annotations

from typing import Iterator

import pytest
from hito_server import HitoServer, Login
from mob import Mob
from raw_peer import RawPeer

from hito import v1

GET_USER = "hito.v1.UserService/GetUser"


@pytest.fixture(scope="module")
def narrow() -> Iterator[HitoServer]:
    server = HitoServer()
    server.file_limit = 400
    try:
        server.start()
        yield server
        assert server.stop() == 0, server.tail()
    finally:
        server.remove()


@pytest.fixture(scope="module")
def learner(narrow: HitoServer) -> Login:
    return narrow.join("Ana")


def served(server: HitoServer, login: Login) -> None:
    """A new connection, and a call on it."""
    with RawPeer(server, login.token) as peer:
        assert_served(peer, login)


def assert_served(peer: RawPeer, login: Login, stream: int = 1) -> None:
    peer.call(stream, GET_USER, v1.GetUserRequest(user_id=login.user_id).SerializeToString())
    ended = peer.end(stream)
    assert ended.status == 0, ended


@pytest.mark.parametrize("attempt", range(3))
def test_450_connections_that_say_nothing(
    narrow: HitoServer, learner: Login, attempt: int
) -> None:
    with RawPeer(narrow, learner.token) as old, Mob(narrow) as mob:
        assert_served(old, learner)
        mob.knock(450)
        served(narrow, learner)
        assert_served(old, learner, 3)
        assert narrow.is_running, narrow.tail()


def test_all_slots_taken_by_greetings_without_a_token(narrow: HitoServer, learner: Login) -> None:
    with RawPeer(narrow, learner.token) as old, Mob(narrow) as mob:
        assert_served(old, learner)
        mob.open(450)
        for _ in range(5):
            served(narrow, learner)
        assert_served(old, learner, 3)
        assert narrow.is_running, narrow.tail()
