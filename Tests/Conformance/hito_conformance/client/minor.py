"""Minor version 1 (W4.3): metadata before the response and as bytes, compressed messages."""

from __future__ import annotations

from typing import Any, List, Tuple

from .. import proto, wire
from ..cases import ALL, TWO
from ..peer import Peer
from ..wire import COMPRESSED, END, HEAD, INTERNAL, MESSAGE, OK, PROTOCOL_ERROR, UNAVAILABLE
from ..wire import UNIMPLEMENTED, block, frame, u16
from .test import CHECK, CREATE_GOAL, GENERATE_GOAL, GET_GOAL, HEALTH_WATCH, SERVING, ClientTest, case, equal
from .test import UnderTest, expect, goal, next_call, table

ONE = (1, u16(1))
DEFLATE = (11, b"\1")
RAW = b"\0\xff\xc3\x28"
S = 0x7FFFFFF1
"""Stands for the stream of the call that runs."""
LONG = "".join(f"meta {n * 7919 % 10007}; " for n in range(900))


def pairs(entries: List[List[str]]) -> List[List[str]]:
    return sorted(map(list, entries))


async def newer(t: ClientTest, *hello: wire.Field, **options: Any) -> Tuple[UnderTest, Peer]:
    client, peer, _ = await t.connected(ONE, *hello, **options)
    return client, peer


# Metadata


@case("W7.7", "metadata-of-a-unary-call", ALL)
async def metadata(t: ClientTest) -> None:
    client, peer = await newer(t)
    call = client.call(CHECK, metadata={"t": "ñ", "raw-bin": RAW.hex()})
    called = await next_call(peer)
    equal("the metadata of the call", {"t": "ñ", "raw-bin": RAW}, dict(called.metadata))
    await peer.send(
        wire.head(called.stream, wire.metadata("a", "1"), wire.metadata("b-bin", RAW)),
        wire.end_ok(called.stream, SERVING, wire.metadata("c-bin", b"\xfe"), wire.metadata("d", "")),
    )  # fmt: skip
    result = expect(await call.result(), OK)
    equal("the metadata", [["a", "1"], ["b-bin", RAW.hex()]], pairs(result.metadata))
    equal("the trailers", [["c-bin", "fe"], ["d", ""]], pairs(result.trailers))


@case("W7.7", "metadata-of-a-stream", ALL)
async def of_a_stream(t: ClientTest) -> None:
    client, peer = await newer(t)
    call = client.call(HEALTH_WATCH)
    stream = (await next_call(peer)).stream
    await peer.send(
        wire.head(stream, wire.metadata("a", "1")), frame(MESSAGE, 0, stream, SERVING), wire.end_ok(stream),
    )  # fmt: skip
    result = expect(await call.result(), OK)
    equal("the metadata", [["a", "1"]], pairs(result.metadata))
    equal("the responses", [SERVING], result.messages)


@case("W7.7", "metadata-of-an-error", ALL)
async def of_an_error(t: ClientTest) -> None:
    client, peer = await newer(t)
    call = client.call(GENERATE_GOAL)
    stream = (await next_call(peer)).stream
    await peer.send(
        wire.head(stream, wire.metadata("a", "1")),
        wire.end_error(stream, wire.ABORTED, "no", wire.metadata("z", "9")),
    )
    result = expect(await call.result(), wire.ABORTED)
    equal("the metadata", [["a", "1"]], pairs(result.metadata))
    equal("the trailers", [["z", "9"]], pairs(result.trailers))


@case("W7.7", "head-for-a-stream-that-has-ended", ALL)
async def late(t: ClientTest) -> None:
    client, peer = await newer(t)
    call = client.call(CHECK)
    stream = (await next_call(peer)).stream
    await peer.send(wire.end_ok(stream, SERVING), wire.head(stream))
    expect(await call.result(), OK)
    call = client.call(CHECK)
    await peer.send(wire.end_ok((await next_call(peer)).stream, SERVING))
    expect(await call.result(), OK)


@case("W5.3", "bytes-for-an-old-server", TWO)
async def old_server(t: ClientTest) -> None:
    """It could not tell them from text: the call is not made."""
    client, _, _ = await t.connected()
    expect(await client.call(CHECK, metadata={"raw-bin": RAW.hex()}).result(), UNIMPLEMENTED)


ERRORS = {
    "W7.7:a-second-head": (1, wire.head(S) + wire.head(S)),
    "W7.7:head-behind-a-message": (1, frame(MESSAGE, 0, S, SERVING) + wire.head(S)),
    "W7.7:head-inside-a-message": (1, frame(MESSAGE, 2, S, bytes(1024)) + wire.head(S)),
    "W7.7:bytes-behind-head": (1, frame(HEAD, 0, S, block() + b"x")),
    "W7.7:head-with-a-flag": (1, frame(HEAD, 1, S, block())),
    "W7.7:head-never-opened": (1, wire.head(999)),
    "W7.7:head-at-minor-version-0": (0, wire.head(S)),
    "W6.9:compressed-at-minor-version-0": (0, frame(MESSAGE, COMPRESSED, S, wire.compressed(SERVING))),
    "W6.9:compressed-inside-a-message": (1, frame(MESSAGE, 2, S, bytes(1024)) + frame(MESSAGE, COMPRESSED, S, b"x")),
    "W2.4:compressed-end-without-a-message": (1, frame(END, COMPRESSED, S, block())),
    "W3.3:head-metadata-past-its-field": (1, wire.head(S, (6, b"\5ab"))),
}  # fmt: skip


@table("W7.7", ERRORS, ALL)
async def error(t: ClientTest, row: Tuple[int, bytes]) -> None:
    version, data = row
    client, peer, _ = await t.connected((1, u16(version)))
    call = client.call(GENERATE_GOAL)
    stream = (await next_call(peer)).stream
    await peer.send(data.replace(wire.u32(S), wire.u32(stream)))
    await peer.expect_goaway(PROTOCOL_ERROR)
    expect(await call.result(), INTERNAL, UNAVAILABLE)


# Compression


def long_goal() -> bytes:
    return proto.field(1, "title") + proto.field(2, LONG)


@case("W6.9", "messages-both-ways", ALL)
async def both_ways(t: ClientTest) -> None:
    client, peer = await newer(t, DEFLATE, compression=True)
    call = client.call(CREATE_GOAL, long_goal())
    called = await next_call(peer)
    first = [got for got in peer.log if got.stream == called.stream and got.flags & COMPRESSED]
    # A client may leave a message as it is; what is compressed must be right.
    message = wire.expanded(called.messages[0]) if first else called.messages[0]
    equal("the request", long_goal(), message)
    reply = wire.compressed(goal(LONG))
    await peer.send(
        frame(MESSAGE, wire.FLAG_MORE | COMPRESSED, called.stream, reply[:1024]),
        frame(MESSAGE, 0, called.stream, reply[1024:]), wire.end_ok(called.stream),
    )  # fmt: skip
    equal("the response", [goal(LONG)], expect(await call.result(), OK).messages)
    call = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    await peer.send(wire.end_ok(stream, wire.compressed(goal("x")), flags=COMPRESSED))
    equal("the response", [goal("x")], expect(await call.result(), OK).messages)


@table("W6.9", {"not-listed": (ONE, (11, b"\2")), "nothing-listed": (ONE,), "minor-version-0": ((11, b"\1"),)}, TWO)
async def not_wanted(t: ClientTest, hello: Tuple[wire.Field, ...]) -> None:
    """A server that reads no compression gets none."""
    client, peer, _ = await t.connected(*hello, compression=True)
    call = client.call(CREATE_GOAL, long_goal())
    called = await next_call(peer)
    equal("the request", [long_goal()], called.messages)
    await peer.send(wire.end_ok(called.stream, goal("x")))
    expect(await call.result(), OK)


HOSTILE = {
    "nothing": b"", "a-head-alone": b"\1\0\0\0\1", "an-encoding-of-nobody": wire.compressed(SERVING, encoding=9),
    "no-bytes": wire.compressed(b""), "less-than-it-is": wire.compressed(SERVING, 1),
    "more-than-it-is": wire.compressed(SERVING, 3), "more-than-is-allowed": wire.compressed(SERVING, 1 << 31),
    "a-bomb": wire.compressed(bytes(4 << 20)), "a-bomb-that-says-little": wire.compressed(bytes(4 << 20), 1000),
    "no-compression": b"\1\0\0\0\x63" + bytes(99), "something-behind-it": wire.compressed(SERVING) + b"x",
    "cut": wire.compressed(SERVING)[:-1],
}  # fmt: skip


@table("W6.9", HOSTILE, TWO)
async def hostile(t: ClientTest, message: bytes) -> None:
    """Ends its call as INTERNAL, and nothing else."""
    client, peer = await newer(t, DEFLATE, compression=True)
    call = client.call(CREATE_GOAL)
    stream = (await next_call(peer)).stream
    await peer.send(wire.end_ok(stream, message, flags=COMPRESSED))
    expect(await call.result(), INTERNAL)
    call = client.call(CHECK)
    await peer.send(wire.end_ok((await next_call(peer)).stream, SERVING))
    expect(await call.result(), OK)
