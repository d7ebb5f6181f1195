#!/usr/bin/env python3
"""Tokens that are made anew (tests/test_refresh.c) and the log (tests/test_log.c), against a peer that speaks the
protocol's bytes.

    refreshing.py BUILD_FOLDER [WRAPPER ...]

WRAPPER is a command before each program, such as valgrind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, Optional, Tuple

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
sys.path[:0] = [
    str(REPOSITORY / "Tests" / "EndToEnd"), str(REPOSITORY / "clients" / "python" / "tests"),
    str(REPOSITORY / "clients" / "python" / "src"),
]  # fmt: skip

from certificates import Authority  # noqa: E402
from fake_peer import CALL, CANCEL, CREDIT, END, HELLO, MESSAGE, FakeServer, Peer, Script, block, parse_block  # noqa: E402
from hito import v1  # noqa: E402

NOT_FOUND, UNAVAILABLE, UNAUTHENTICATED = 5, 14, 16
# The token and the key of each call.
Seen = List[Tuple[bytes, Optional[bytes]]]


async def greet(peer: Peer) -> None:
    assert 8 not in await peer.greet(), "HELLO has no token"


def gate(good: bytes, seen: Seen) -> Script:
    """Answers calls under this token and refuses all others."""

    async def script(peer: Peer) -> None:
        await greet(peer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                frame = await peer.frame()
                if frame.kind != CALL:
                    continue
                fields, _ = parse_block(frame.payload)
                seen.append((fields.get(5, b""), fields.get(3)))
                if fields.get(5) == good:
                    peer.reply(frame.stream, b"")
                else:
                    peer.fail(frame.stream, UNAUTHENTICATED, "no such token")

    return script


def say(peer: Peer, stream: int, response: object) -> None:
    peer.send(MESSAGE, 0, stream, response.SerializeToString())  # type: ignore[attr-defined]


def streaming(*turns: Tuple[str, int, bool]) -> Script:
    """Answers each call by what its turn says: its token, responses, whether it is refused then."""

    async def script(peer: Peer) -> None:
        await greet(peer)
        for token, count, is_refused in turns:
            stream, fields, _ = await peer.call()
            assert fields[5].decode() == token
            for number in range(count):
                say(peer, stream, v1.WatchResponse(cursor=f"{token}{number}"))
            if is_refused:
                peer.fail(stream, UNAUTHENTICATED, "no")
            else:
                peer.send(END, 0, stream, block())
        await peer.at_end()

    return script


async def hedged(peer: Peer) -> None:
    """Of two copies under one token one is refused; the call is made once more."""
    await greet(peer)
    first, fields, _ = await peer.call()
    assert fields[5] == b"a"
    second, fields, _ = await peer.call()
    assert fields[5] == b"a"
    peer.fail(second, UNAUTHENTICATED, "no")
    cancel = await peer.frame(CREDIT)
    assert (cancel.kind, cancel.stream) == (CANCEL, first)
    stream, fields, _ = await peer.call()
    assert fields[5] == b"b"
    peer.reply(stream, b"")
    await peer.at_end()


async def health(peer: Peer) -> None:
    """The client's own question has no token."""
    await greet(peer)
    for _ in range(2):
        stream, fields, _ = await peer.call()
        if fields[1] == b"hito.v1.HealthService/Watch":
            assert 5 not in fields
        else:
            assert fields[5] == b"a"
            peer.reply(stream, b"")
    await peer.at_end()


async def requests(peer: Peer) -> None:
    await greet(peer)
    for token in (b"a", b"b"):
        frame = await peer.frame(CREDIT, MESSAGE, END, CANCEL)
        assert parse_block(frame.payload)[0][5] == token
        if token == b"a":
            peer.fail(frame.stream, UNAUTHENTICATED, "no")
        else:
            peer.reply(frame.stream, b"")
    await peer.at_end()


async def consumer(peer: Peer) -> None:
    await greet(peer)
    for token in (b"a", b"b", b"c"):
        frame = await peer.frame(CREDIT, MESSAGE, END, CANCEL)
        assert parse_block(frame.payload)[0][5] == token
        if token == b"b":
            say(peer, frame.stream, v1.ConsumeResponse(joined=v1.JoinedGroup(consumer="made")))
            say(peer, frame.stream, v1.ConsumeResponse(event=v1.Event(id="e1", type="x"), attempt=1))
            await peer.writer.drain()
            await asyncio.sleep(0.1)
        peer.fail(frame.stream, UNAUTHENTICATED, "no")
    await peer.at_end()


# The log


async def told(peer: Peer) -> None:
    await peer.frame()
    peer.send(HELLO, 0, 0, block((1, b"\0\1"), (10, b"s1")))
    stream, _, _ = await peer.call()
    peer.fail(stream, UNAVAILABLE, "busy\n\x1b[31mnow")
    stream, _, _ = await peer.call()
    peer.reply(stream, b"")
    await peer.at_end()


async def lost(peer: Peer) -> None:
    await peer.greet()
    stream, _, _ = await peer.call()
    peer.fail(stream, NOT_FOUND, "none")
    stream, _, _ = await peer.call()
    say(peer, stream, v1.WatchResponse(cursor="1"))
    await peer.writer.drain()
    await asyncio.sleep(0.1)
    peer.kill()


async def lost_again(peer: Peer) -> None:
    await peer.greet()
    stream, _, _ = await peer.call()
    say(peer, stream, v1.WatchResponse(cursor="2"))
    await peer.at_end()


async def drained(peer: Peer) -> None:
    await peer.greet()
    stream, _, _ = await peer.call()
    peer.reply(stream, b"")
    peer.goaway(stream, 0)
    await peer.at_end()


async def broken(peer: Peer) -> None:
    await peer.greet()
    await peer.call()
    peer.send(HELLO, 0, 0, block())
    await peer.at_end()


class Runner:
    """Runs a program for each case."""

    def __init__(self, tls: ssl.SSLContext, ca_file: str) -> None:
        self._tls = tls
        self._ca_file = ca_file

    async def play(self, program: str, case: str, *scripts: Script) -> None:
        async with FakeServer(self._tls, *scripts) as server:
            process = await asyncio.create_subprocess_exec(
                *sys.argv[2:], sys.argv[1] + "/tests/test_" + program, case,
                env={**os.environ, "HITO_ADDRESS": server.address, "HITO_CA": self._ca_file},
            )  # fmt: skip
            assert await asyncio.wait_for(process.wait(), 90) == 0, case

    async def seen(self, case: str, good: bytes) -> Seen:
        """What a server that takes one token saw."""
        seen: Seen = []
        await self.play("refresh", case, gate(good, seen))
        return seen


async def refreshing(runner: Runner) -> None:
    seen = await runner.seen("replaced", b"t0ken-new")
    assert [token for token, _ in seen] == [b"t0ken-old", b"t0ken-new", b"t0ken-new"]
    assert seen[0][1] is not None and seen[0][1] == seen[1][1], "the same key"
    assert len(await runner.seen("shared", b"a")) == 21
    assert len(await runner.seen("together", b"new")) == 40
    seen = await runner.seen("twice", b"good")
    assert [token for token, _ in seen[:2]] == [b"bad-0", b"bad-1"] and len(seen) < 30
    assert await runner.seen("same", b"good") == [(b"bad", None)]
    await runner.seen("fails", b"good")
    assert await runner.seen("behind", b"good") == [(b"bad", None)]
    assert await runner.seen("late", b"late") == [(b"late", None)]
    assert await runner.seen("waits", b"a") == [(b"a", None)]
    assert await runner.seen("own", b"good") == [(b"mine", None)]
    assert await runner.seen("margin", b"a") == [(b"a", None)] * 2
    assert await runner.seen("closing", b"a") == []
    for case, script in (("hedged", hedged), ("health", health), ("requests", requests), ("consumer", consumer)):
        await runner.play("refresh", case, script)
    await runner.play("refresh", "stream", streaming(("a", 0, True), ("b", 2, True), ("c", 1, False)))
    await runner.play("refresh", "watch", streaming(("a", 1, True), ("b", 1, True), ("c", 0, True), ("d", 0, True)))


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder), "authority")
        files: Dict[str, str] = authority.sign("server", "IP:127.0.0.1")._asdict()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(files["certificate"], files["key"])
        tls.set_alpn_protocols(["hito/1"])
        runner = Runner(tls, authority.files.certificate)
        await refreshing(runner)
        await runner.play("log", "told", told)
        await runner.play("log", "lost", lost, lost_again)
        await runner.play("log", "drained", drained, broken)
        await runner.play("log", "nobody")
    print("refreshing: all passed")


asyncio.run(main())
