"""Minor version 1 (W4.3): metadata before the response and as bytes, compressed messages."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from .. import proto, wire
from ..cases import ALL, Failure, Skipped, TWO
from ..wire import CALL, COMPRESSED, END, HAS_MESSAGE, HEAD, INVALID_ARGUMENT, MESSAGE, NOT_FOUND, OK
from ..wire import PROTOCOL_ERROR, RESOURCE_EXHAUSTED, block, frame, u16
from ..peer import Peer
from .test import CHECK, CREATE_GOAL, GET_GOAL, HEALTH_WATCH, NO_GOAL, OneCall, ServerTest, case, table

ONE = (1, u16(1))
DEFLATE = (11, b"\1")
RAW = b"\0\xff\xc3\x28"
ECHO = (
    wire.metadata("hito-echo-a", "uno"), wire.metadata("hito-echo-trailer-b", "ñ"),
    wire.metadata("hito-echo-raw-bin", RAW), wire.metadata("hito-echo-trailer-raw-bin", b""),
)  # fmt: skip
BEFORE = {"hito-echo-a": "uno", "hito-echo-raw-bin": RAW}
AFTER = {"hito-echo-trailer-b": "ñ", "hito-echo-trailer-raw-bin": b""}


async def newer(t: ServerTest, *hello: wire.Field, known: bool = True) -> Peer:
    peer = await t.connect(ONE, *hello, token=known)
    if wire.number(peer.hello.get(1, b"")) < 1:
        raise Skipped("the server speaks minor version 0")
    if known:
        await peer.call(1, GET_GOAL, proto.field(1, NO_GOAL))
        await peer.expect_status(1, NOT_FOUND)
    return peer


def said(head: wire.Frame) -> Dict[str, Any]:
    fields, _ = wire.parse_block(head.payload)
    return dict(wire.parse_metadata(value) for tag, value in fields if tag == 6)


def equal(what: str, expected: object, got: object) -> None:
    if expected != got:
        raise Failure(f"expected {what} {str(expected)[:200]}, got {str(got)[:200]}")


# Metadata


@case("W7.7", "head-before-a-reply", ALL)
async def head_of_a_reply(t: ServerTest) -> None:
    peer = await newer(t, known=False)
    await peer.call(1, CHECK, b"", *ECHO)
    equal("HEAD", BEFORE, said(await peer.expect(HEAD, 1)))
    equal("trailers", AFTER, dict((await peer.expect_status(1, OK)).trailers))


@case("W7.7", "head-before-an-error", ALL)
async def head_of_an_error(t: ServerTest) -> None:
    peer = await newer(t)
    await peer.call(3, GET_GOAL, proto.field(1, NO_GOAL), *ECHO)
    equal("HEAD", BEFORE, said(await peer.expect(HEAD, 3)))
    equal("trailers", AFTER, dict((await peer.expect_status(3, NOT_FOUND)).trailers))


@case("W7.7", "head-before-a-stream", ALL)
async def head_of_a_stream(t: ServerTest) -> None:
    peer = await newer(t, known=False)
    await peer.call(1, HEALTH_WATCH, b"", *ECHO)
    first = await peer.until("HEAD or MESSAGE", lambda got: got.kind in (HEAD, MESSAGE))
    equal("HEAD", BEFORE, said(first) if first.kind == HEAD else first)
    await peer.expect(MESSAGE, 1)


@case("W7.7", "no-head-without-metadata", TWO)
async def no_head(t: ServerTest) -> None:
    peer = await newer(t, known=False)
    await peer.call(1, CHECK)
    await peer.expect_status(1, OK)
    if any(got.kind == HEAD for got in peer.log):
        raise Failure("expected no HEAD")


@case("W7.7", "no-head-at-minor-version-0", TWO)
async def no_head_before(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, CHECK, b"", *ECHO[:2])
    end = await peer.expect_status(1, OK)
    equal("trailers", {"hito-echo-trailer-b": "ñ"}, dict(end.trailers))


@case("W7.7", "head-from-a-client", ALL)
async def head_from_a_client(t: ServerTest) -> None:
    peer = await newer(t, known=False)
    await peer.call(1, HEALTH_WATCH)
    await peer.send(frame(HEAD, 0, 1, block()))
    await peer.expect_goaway(PROTOCOL_ERROR)


@case("W5.3", "bytes-at-minor-version-0", TWO)
async def bytes_before(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, CHECK, b"", wire.metadata("raw-bin", RAW))
    await peer.expect_status(1, INVALID_ARGUMENT)


@case("W5.3", "bytes-in-excess", TWO)
async def too_many_bytes(t: ServerTest) -> None:
    peer = await newer(t, known=False)
    await peer.call(1, CHECK, b"", wire.metadata("raw-bin", bytes(8192 - 6)))
    await peer.expect_status(1, INVALID_ARGUMENT)
    await peer.call(3, CHECK, b"", wire.metadata("raw-bin", bytes(8192 - 7)))
    await peer.expect_status(3, OK)


@case("W5.3", "bytes-where-text-belongs", TWO)
async def bytes_as_text(t: ServerTest) -> None:
    peer = await newer(t, known=False)
    await peer.call(1, CHECK, b"", wire.metadata("raw-bin2", RAW))
    await peer.expect_status(1, INVALID_ARGUMENT)


# Compression

REQUEST = proto.field(1, NO_GOAL)


@case("W6.9", "a-compressed-request", ALL)
async def request(t: ServerTest) -> None:
    peer = await newer(t)
    await peer.call(3, GET_GOAL, wire.compressed(REQUEST), flags=COMPRESSED)
    await peer.expect_status(3, NOT_FOUND)


@case("W6.9", "a-compressed-request-in-fragments", ALL)
async def fragments(t: ServerTest) -> None:
    peer = await newer(t)
    message = wire.compressed(REQUEST)
    await peer.send(
        wire.call(3, GET_GOAL, message[:1], end=False, more=True, flags=COMPRESSED),
        frame(MESSAGE, wire.FLAG_MORE, 3, message[1:7]), frame(MESSAGE, wire.FLAG_END, 3, message[7:]),
    )  # fmt: skip
    await peer.expect_status(3, NOT_FOUND)


HOSTILE = {
    "nothing": (b"", INVALID_ARGUMENT),
    "a-head-alone": (wire.compressed(REQUEST)[:5], INVALID_ARGUMENT),
    "an-encoding-of-nobody": (wire.compressed(REQUEST, encoding=9), INVALID_ARGUMENT),
    "encoding-0": (wire.compressed(REQUEST, encoding=0), INVALID_ARGUMENT),
    "no-bytes": (wire.compressed(b""), INVALID_ARGUMENT),
    "less-than-it-is": (wire.compressed(REQUEST, len(REQUEST) - 1), INVALID_ARGUMENT),
    "more-than-it-is": (wire.compressed(REQUEST, len(REQUEST) + 1), INVALID_ARGUMENT),
    "more-than-is-allowed": (wire.compressed(REQUEST, (4 << 20) + 1), RESOURCE_EXHAUSTED),
    "all-there-is": (wire.compressed(REQUEST, 0xFFFFFFFF), RESOURCE_EXHAUSTED),
    "a-bomb": (wire.compressed(bytes(4 << 20)), RESOURCE_EXHAUSTED),
    "a-bomb-that-says-little": (wire.compressed(bytes(4 << 20), 1000), INVALID_ARGUMENT),
    "no-compression": (b"\1\0\0\0\x63" + bytes(99), INVALID_ARGUMENT),
    "something-behind-it": (wire.compressed(REQUEST) + b"x", INVALID_ARGUMENT),
    "cut": (wire.compressed(REQUEST)[:-1], INVALID_ARGUMENT),
}  # fmt: skip


@table("W6.9", HOSTILE, TWO)
async def hostile(t: ServerTest, row: Tuple[bytes, int]) -> None:
    message, status = row
    peer = await newer(t)
    await peer.call(3, GET_GOAL, message, flags=COMPRESSED)
    await peer.expect_status(3, status)
    await peer.call(5, GET_GOAL, REQUEST)
    await peer.expect_status(5, NOT_FOUND)


BROKEN = {
    "W6.9:inside-a-message": (
        wire.call(3, GET_GOAL, REQUEST[:1], end=False, more=True)
        + frame(MESSAGE, wire.FLAG_END | COMPRESSED, 3, REQUEST[1:]),
        True,
    ),
    "W6.9:at-minor-version-0": (wire.call(3, GET_GOAL, wire.compressed(REQUEST), flags=COMPRESSED), False),
    "W2.4:compressed-without-a-message": (
        frame(CALL, COMPRESSED | wire.FLAG_END, 3, block((1, GET_GOAL.encode()))), True,
    ),
    "W2.4:compressed-end": (
        wire.call(3, GET_GOAL, REQUEST, end=False) + frame(END, COMPRESSED, 3), True,
    ),
}  # fmt: skip


@table("W6.9", BROKEN, ALL)
async def broken(t: ServerTest, row: Tuple[bytes, bool]) -> None:
    data, is_newer = row
    peer = await (newer(t) if is_newer else t.known())
    await peer.send(data)
    await peer.expect_goaway(PROTOCOL_ERROR)


@case("W4.2", "17-encodings", TWO)
async def many_encodings(t: ServerTest) -> None:
    peer = await t.dial()
    await peer.send(wire.hello(ONE, (11, bytes(range(17)))))
    await peer.expect_goaway(PROTOCOL_ERROR)


async def large_goal(t: ServerTest) -> bytes:
    """A request of GetGoal whose reply is large; the goal is made once."""
    text = "".join(f"meta {n * 7919 % 10007}; " for n in range(600))
    async with OneCall(t) as call:
        made = await call(CREATE_GOAL, proto.field(1, "Conformance") + proto.field(2, text), (3, b"conformance-large"))
    return proto.field(1, proto.text(made, 1, 1))


async def reply(t: ServerTest, *hello: wire.Field, call: Tuple[wire.Field, ...] = ()) -> Tuple[bool, bytes]:
    """Whether a large reply came compressed, and the reply."""
    asked = await large_goal(t)
    peer = await newer(t, *hello)
    await peer.call(3, GET_GOAL, asked, *call)
    end = await peer.expect(END, 3)
    if not end.flags & HAS_MESSAGE:
        raise Failure(f"expected a reply, got {end}")
    is_compressed = bool(end.flags & COMPRESSED)
    message = wire.parse_block(end.payload)[1]
    return is_compressed, wire.expanded(message) if is_compressed else message


@case("W6.9", "a-compressed-reply")
async def compressed_reply(t: ServerTest) -> None:
    is_compressed, message = await reply(t, DEFLATE)
    _, plain = await reply(t)
    if not is_compressed:
        raise Skipped("the server compresses nothing")
    equal("the same reply", plain, message)


@case("W6.9", "a-reply-to-a-call-that-wants-none")
async def no_compression(t: ServerTest) -> None:
    is_compressed, _ = await reply(t, DEFLATE, call=((7, b""),))
    equal("compression", False, is_compressed)


@case("W6.9", "a-reply-to-a-call-that-wants-it-alone")
async def alone(t: ServerTest) -> None:
    # The rules refuse what nobody listed.
    await reply(t, call=((7, b"\1"),))


@case("W6.9", "a-reply-where-nothing-is-known")
async def nothing_known(t: ServerTest) -> None:
    is_compressed, _ = await reply(t, (11, b"\x7f\x02"))
    equal("compression", False, is_compressed)
