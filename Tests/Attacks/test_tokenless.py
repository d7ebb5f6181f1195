"""What peers without a token can do: nothing that others notice."""

from __future__ import annotations

import os
import time

import pytest
from mob import CHECK, CREATE_GOAL, DESCRIPTORS, HEALTH_WATCH, HOUR, MILLISECOND, REFUSED
from mob import ABUSE, DEADLINE_EXCEEDED, OK, RESOURCE_EXHAUSTED, SMALL_CREDIT, UNAUTHENTICATED, Mob, begun, cancel, credit, flood, ping, streams, unary, unfinished
from siege import Siege

CLIENT_HELLO_BEGUN = bytes.fromhex("1603010200010001fc0303") + b"\x2a" * 64


def test_connections_that_say_nothing(tokenless: Siege) -> None:
    with tokenless.attack("plain connections"), Mob(tokenless.server) as mob:
        mob.knock(600)
        time.sleep(2)


def test_handshakes_that_stop_in_the_middle(tokenless: Siege) -> None:
    with tokenless.attack("half handshakes"), Mob(tokenless.server) as mob:
        mob.knock(400, CLIENT_HELLO_BEGUN)
        time.sleep(2)


def test_replies_that_are_asked_for_and_never_read(tokenless: Siege) -> None:
    with tokenless.attack("unread descriptor sets"), Mob(tokenless.server) as mob:
        for peer in mob.open(150, hello=SMALL_CREDIT):
            peer.push(b"".join(unary(stream, DESCRIPTORS, b"", HOUR) for stream in streams(99)))
        time.sleep(2)
        assert mob.answers().statuses[RESOURCE_EXHAUSTED] > 1000


def test_replies_that_stay_in_the_socket(tokenless: Siege) -> None:
    # All the credit of the world, and nobody who reads.
    endless = ((6, (2**31 - 1).to_bytes(4, "big")), (7, (2**31 - 1).to_bytes(4, "big")))
    with tokenless.attack("replies left in the socket"), Mob(tokenless.server) as mob:
        for peer in mob.open(100, hello=endless):
            peer.push(b"".join(unary(stream, DESCRIPTORS, b"", HOUR) for stream in streams(99)))
        time.sleep(2)
        assert mob.answers().statuses[RESOURCE_EXHAUSTED] > 1000


@pytest.mark.parametrize(
    "path, status",
    [(CREATE_GOAL, UNAUTHENTICATED), (CHECK, RESOURCE_EXHAUSTED)],
    ids=["private", "public"],
)
def test_requests_that_never_end(tokenless: Siege, path: str, status: int) -> None:
    with tokenless.attack(f"unfinished {path.rpartition('/')[2]}"), Mob(tokenless.server) as mob:
        for peer in mob.open(100):
            for stream in streams(4):
                peer.push(begun(stream, path, HOUR) + unfinished(stream, 240 << 10))
        time.sleep(2)
        assert mob.answers().statuses == {status: 400}


def test_unfinished_requests_with_tokens_made_up(tokenless: Siege) -> None:
    with tokenless.attack("unfinished, invented token"), Mob(tokenless.server) as mob:
        for peer in mob.open(60):
            for stream in streams(4):
                token = (5, os.urandom(24).hex().encode())
                peer.push(begun(stream, CREATE_GOAL, HOUR, token) + unfinished(stream, 240 << 10))
        time.sleep(2)
        assert mob.answers().statuses == {UNAUTHENTICATED: 240}


def test_heads_full_of_metadata(tokenless: Siege) -> None:
    metadata = [(6, b"\x06x-%04d" % n + b"v" * 900) for n in range(8)]
    with tokenless.attack("metadata"), Mob(tokenless.server) as mob:
        for peer in mob.open(100):
            for stream in streams(99):
                if not peer.push(begun(stream, DESCRIPTORS, HOUR, *metadata)):
                    break
        time.sleep(2)
        assert mob.answers().statuses[RESOURCE_EXHAUSTED] > 1000


def test_credit_byte_by_byte(tokenless: Siege) -> None:
    with tokenless.attack("credit drip"), Mob(tokenless.server) as mob:
        peers = mob.open(2, hello=SMALL_CREDIT)
        for peer in peers:
            peer.push(b"".join(unary(stream, DESCRIPTORS, b"", HOUR) for stream in streams(99)))
        drip = b"".join(credit(stream, 1) for stream in streams(99))
        flood(peers, 4, lambda _: drip)
        assert mob.answers().goaways[ABUSE] == 2


def test_calls_that_expire_at_once(tokenless: Siege) -> None:
    with tokenless.attack("expiring calls"), Mob(tokenless.server) as mob:
        flood(
            mob.open(4), 4,
            lambda turn: b"".join(
                unary(2 * (turn * 50 + n) + 1, DESCRIPTORS, b"", MILLISECOND) for n in range(50)
            ),
        )  # fmt: skip
        answers = mob.answers()
        assert answers.statuses or answers.goaways
        assert set(answers.statuses) <= {RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, OK}, answers


def test_calls_that_are_cancelled_at_once(tokenless: Siege) -> None:
    with tokenless.attack("rapid reset"), Mob(tokenless.server) as mob:
        flood(
            mob.open(4), 4,
            lambda turn: b"".join(
                begun(2 * (turn * 50 + n) + 1, DESCRIPTORS) + cancel(2 * (turn * 50 + n) + 1)
                for n in range(50)
            ),
        )  # fmt: skip
        assert mob.answers().goaways[ABUSE] == 4


def test_pings(tokenless: Siege) -> None:
    with tokenless.attack("pings"), Mob(tokenless.server) as mob:
        flood(mob.open(4), 3, lambda _: ping() * 100)
        assert mob.answers().goaways[ABUSE] == 4


def test_tokens_made_up(tokenless: Siege) -> None:
    def guesses(turn: int) -> bytes:
        return b"".join(
            unary(2 * (turn * 20 + n) + 1, CREATE_GOAL, b"", (5, os.urandom(24).hex().encode()))
            for n in range(20)
        )

    with tokenless.attack("invented tokens"), Mob(tokenless.server) as mob:
        flood(mob.open(8), 4, guesses)
        answers = mob.answers()
        assert answers.goaways[ABUSE] == 8
        assert set(answers.statuses) == {UNAUTHENTICATED}


def test_subscriptions_to_health(tokenless: Siege) -> None:
    with tokenless.attack("health subscriptions"), Mob(tokenless.server) as mob:
        for peer in mob.open(100):
            peer.push(b"".join(unary(stream, HEALTH_WATCH, b"", HOUR) for stream in streams(99)))
        time.sleep(2)
        # 99 on each, of which 4 are served.
        assert mob.answers().statuses[RESOURCE_EXHAUSTED] >= 9500


def test_connections_made_and_left(tokenless: Siege) -> None:
    with tokenless.attack("connect and leave"), Mob(tokenless.server) as mob:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            for peer in mob.open(10):
                peer.close()
            mob.peers.clear()


def test_garbage(tokenless: Siege) -> None:
    with tokenless.attack("garbage"), Mob(tokenless.server) as mob:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            mob.knock(20, os.urandom(8192))
            for peer in mob.open(2):
                peer.push(os.urandom(65536))
                try:
                    peer.goaway()
                except REFUSED:
                    pass
