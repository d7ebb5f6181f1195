"""Many hostile peers."""

from __future__ import annotations

import itertools
import os
import ssl
import struct
import time
from collections import Counter
from typing import Callable, Iterable, List, NamedTuple, Tuple

from hito_server import HitoServer
from raw_peer import CALL, CANCEL, CREDIT, END, FLAG_END, FLAG_HAS_MESSAGE, FLAG_MORE, GOAWAY
from raw_peer import MESSAGE, PING, RawPeer, call_block, frame_bytes, parse_end, tcp

CHECK = "hito.v1.HealthService/Check"
HEALTH_WATCH = "hito.v1.HealthService/Watch"
DESCRIPTORS = "hito.v1.ReflectionService/GetDescriptorSet"
CREATE_GOAL = "hito.v1.GoalService/CreateGoal"
HOUR = (2, struct.pack(">Q", 3_600_000_000))
MILLISECOND = (2, struct.pack(">Q", 1000))
SMALL_CREDIT = ((6, struct.pack(">I", 1)),)
"""A HELLO that grants one byte to each stream."""

OK, DEADLINE_EXCEEDED, NOT_FOUND, RESOURCE_EXHAUSTED, OUT_OF_RANGE, UNAUTHENTICATED = 0, 4, 5, 8, 11, 16
"""Statuses of ENDs."""
ABUSE = 5
"""The reason of a GOAWAY."""
REFUSED = (OSError, ssl.SSLError, EOFError, AssertionError)
"""What a peer sees whom the server does not want."""

_sources = itertools.cycle(range(2, 250))


def source() -> str:
    """An address of this machine, another one each time: attackers have many."""
    return f"127.0.0.{next(_sources)}"


class Answers(NamedTuple):
    """What the server said to all peers of an attack, counted."""

    statuses: "Counter[int]"
    """Of ENDs."""
    goaways: "Counter[int]"
    """Reasons."""


class Mob:
    """The peers of one attack; all of them are closed at its end."""

    def __init__(self, server: HitoServer) -> None:
        self._server = server
        self.peers: List[RawPeer] = []
        self._sockets: list = []

    def __enter__(self) -> "Mob":
        return self

    def __exit__(self, *_: object) -> None:
        for each in (*self.peers, *self._sockets):
            each.close()

    def open(
        self, count: int, token: str = "", hello: Tuple[Tuple[int, bytes], ...] = ()
    ) -> List[RawPeer]:
        """As many of `count` peers as the server lets in: most of them, or there is no attack."""
        opened = []
        for _ in range(count):
            try:
                opened.append(
                    RawPeer(self._server, token, hello=hello, seconds=5, source=source())
                )
            except REFUSED:
                continue
        self.peers += opened
        assert len(opened) * 2 > count, f"only {len(opened)} of {count} peers got in"
        return opened

    def answers(self, seconds: float = 0.2) -> Answers:
        """Reads what the server has said to all peers, who can do nothing more afterwards."""
        answers = Answers(Counter(), Counter())
        for peer in self.peers:
            for frame in peer.answers(seconds):
                if frame.kind == END:
                    answers.statuses[parse_end(frame, b"").status] += 1
                elif frame.kind == GOAWAY:
                    answers.goaways[struct.unpack_from(">IH", frame.payload)[1]] += 1
        return answers

    def knock(self, count: int, data: bytes = b"") -> None:
        """Plain TCP connections that say `data` and no more: most get through, or there is no attack."""
        opened = 0
        for _ in range(count):
            try:
                connection = tcp(self._server, 2, source())
                self._sockets.append(connection)
                connection.sendall(data)
                opened += 1
            except OSError:
                continue
        assert opened * 2 > count, f"only {opened} of {count} connections got through"


def streams(count: int) -> Iterable[int]:
    """The ids of the first streams of a connection."""
    return range(1, 2 * count, 2)


def flood(peers: List[RawPeer], seconds: float, chunk: Callable[[int], bytes]) -> None:
    """Each peer in turn sends `chunk(turn)` for so long, or until nobody is left."""
    end = time.monotonic() + seconds
    left = list(peers)
    for turn in itertools.count():
        if not left or time.monotonic() > end:
            return
        for peer in list(left):
            if not peer.push(chunk(turn)):
                left.remove(peer)


def unary(stream: int, path: str, message: bytes = b"", *more: Tuple[int, bytes]) -> bytes:
    """The bytes of a unary call."""
    return frame_bytes(CALL, FLAG_HAS_MESSAGE | FLAG_END, stream, call_block(path, *more) + message)


def begun(stream: int, path: str, *more: Tuple[int, bytes]) -> bytes:
    """The bytes of a call whose request is still to come."""
    return frame_bytes(CALL, 0, stream, call_block(path, *more))


def unfinished(stream: int, byte_count: int) -> bytes:
    """The bytes of fragments of a message that has more to come."""
    fragment = frame_bytes(MESSAGE, FLAG_MORE, stream, b"\0" * 16384)
    return fragment * (byte_count // 16384)


def credit(stream: int, amount: int) -> bytes:
    return frame_bytes(CREDIT, 0, stream, struct.pack(">I", amount))


def cancel(stream: int) -> bytes:
    return frame_bytes(CANCEL, 0, stream)


def ping() -> bytes:
    return frame_bytes(PING, 0, 0, os.urandom(8))
