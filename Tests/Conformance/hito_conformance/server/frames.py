"""W2, W3, W5, W6: frames and blocks after HELLO."""

from __future__ import annotations

from typing import Dict, Tuple

from .. import proto, wire
from ..cases import ALL, Failure, TWO
from ..wire import CALL, CANCEL, CREDIT, END, FLOW_CONTROL, FRAME_TOO_LARGE, INVALID_ARGUMENT
from ..wire import MESSAGE, OK, PROTOCOL_ERROR, RESOURCE_EXHAUSTED, UNAUTHENTICATED, UNIMPLEMENTED
from ..wire import block, frame, header, u16, u32, u64
from .test import ROOM
from .test import CHECK, DESCRIPTORS, GET_GOAL, HEALTH_WATCH, INGEST, LIST_GOALS, NO_GOAL, SERVING
from .test import ServerTest, case, table

OPEN = wire.call(1, CHECK, None, end=False)
"""A call whose request is still to come."""
WATCHING = wire.call(1, HEALTH_WATCH)
"""A call that goes to its handler and lasts."""
METHOD = (1, CHECK.encode())


def raw_call(fields: bytes, flags: int = 5, message: bytes = b"", stream: int = 1) -> bytes:
    return frame(CALL, flags, stream, u16(len(fields)) + fields + message)


# What is sent after HELLO, and the reason of the GOAWAY that it must bring.
ERRORS: Dict[str, Tuple[bytes, int]] = {
    **{
        f"W2.2:{name}-of-16385": (header(16385, kind, 0, stream), FRAME_TOO_LARGE)
        for name, kind, stream in (("call", CALL, 1), ("message", MESSAGE, 1), ("ping", 7, 0), ("goaway", 9, 0))
    },
    "W2.2:message-of-4-gib": (OPEN + header(0xFFFFFFFF, MESSAGE, 0, 1), FRAME_TOO_LARGE),
    "W2.2:unknown-kind-of-4-gib": (header(0xFFFFFFFF, 77, 0, 0), FRAME_TOO_LARGE),
    "W2.3:call-on-stream-0": (wire.call(0, CHECK), PROTOCOL_ERROR),
    "W2.3:message-on-stream-0": (frame(MESSAGE, 0, 0, b"x"), PROTOCOL_ERROR),
    "W2.3:cancel-on-stream-0": (frame(CANCEL, 0, 0), PROTOCOL_ERROR),
    "W2.3:end-on-stream-0": (frame(END, 0, 0), PROTOCOL_ERROR),
    "W2.3:ping-on-a-stream": (OPEN + frame(wire.PING, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "W2.3:pong-on-a-stream": (OPEN + frame(wire.PONG, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "W2.3:goaway-on-a-stream": (OPEN + frame(wire.GOAWAY, 0, 1, bytes(6)), PROTOCOL_ERROR),
    "W2.3:ping-of-7": (frame(wire.PING, 0, 0, bytes(7)), PROTOCOL_ERROR),
    "W2.3:ping-of-9": (frame(wire.PING, 0, 0, bytes(9)), PROTOCOL_ERROR),
    "W2.3:ping-of-0": (frame(wire.PING), PROTOCOL_ERROR),
    "W2.3:pong-of-7": (frame(wire.PONG, 0, 0, bytes(7)), PROTOCOL_ERROR),
    "W2.3:credit-of-3": (frame(CREDIT, 0, 0, bytes(3)), PROTOCOL_ERROR),
    "W2.3:credit-of-5": (frame(CREDIT, 0, 0, bytes(5)), PROTOCOL_ERROR),
    "W2.3:cancel-with-a-payload": (OPEN + frame(CANCEL, 0, 1, b"x"), PROTOCOL_ERROR),
    "W2.4:call-with-end-and-more": (wire.call(1, CHECK, bytes(2000), more=True), PROTOCOL_ERROR),
    "W2.4:call-with-more-alone": (frame(CALL, 2, 1, block(METHOD)), PROTOCOL_ERROR),
    "W2.4:call-with-flag-8": (frame(CALL, 8, 1, block(METHOD)), PROTOCOL_ERROR),
    "W2.4:message-with-end-and-more": (OPEN + frame(MESSAGE, 3, 1, bytes(2000)), PROTOCOL_ERROR),
    "W2.4:message-with-has-message": (OPEN + frame(MESSAGE, 4, 1), PROTOCOL_ERROR),
    "W2.4:end-with-end": (OPEN + frame(END, 1, 1), PROTOCOL_ERROR),
    "W2.4:cancel-with-end": (OPEN + frame(CANCEL, 1, 1), PROTOCOL_ERROR),
    "W2.4:credit-with-end": (frame(CREDIT, 1, 0, u32(1)), PROTOCOL_ERROR),
    "W2.4:ping-with-more": (frame(wire.PING, 2, 0, bytes(8)), PROTOCOL_ERROR),
    "W2.4:goaway-with-end": (frame(wire.GOAWAY, 1, 0, bytes(6)), PROTOCOL_ERROR),
    "W2.5:kind-0": (frame(0), PROTOCOL_ERROR),
    "W2.5:kind-10": (frame(10), PROTOCOL_ERROR),
    "W2.5:kind-255": (frame(255, 0, 1, b"x"), PROTOCOL_ERROR),
    "W3.1:call-without-a-block": (frame(CALL, 0, 1), PROTOCOL_ERROR),
    "W3.1:call-of-one-byte": (frame(CALL, 0, 1, b"\0"), PROTOCOL_ERROR),
    "W3.3:call-block-past-its-frame": (frame(CALL, 0, 1, b"\0\7\1\0\1x"), PROTOCOL_ERROR),
    "W3.3:call-field-past-its-block": (raw_call(b"\1\0\5abc"), PROTOCOL_ERROR),
    "W3.3:call-field-of-two-bytes": (raw_call(wire.field(*METHOD) + b"\2\0"), PROTOCOL_ERROR),
    "W3.3:timeout-of-two-bytes": (wire.call(1, CHECK, b"", (2, u16(9))), PROTOCOL_ERROR),
    "W3.3:timeout-of-nine-bytes": (wire.call(1, CHECK, b"", (2, bytes(9))), PROTOCOL_ERROR),
    "W3.3:method-twice": (wire.call(1, CHECK, b"", METHOD), PROTOCOL_ERROR),
    "W3.3:timeout-twice": (wire.call(1, CHECK, b"", (2, u64(9**9)), (2, u64(9**9))), PROTOCOL_ERROR),
    "W3.3:key-twice": (wire.call(1, CHECK, b"", (3, b"a"), (3, b"b")), PROTOCOL_ERROR),
    "W3.3:traceparent-twice": (wire.call(1, CHECK, b"", (4, b"a"), (4, b"b")), PROTOCOL_ERROR),
    "W3.3:token-twice-in-a-call": (wire.call(1, CHECK, b"", (5, b"a"), (5, b"b")), PROTOCOL_ERROR),
    "W5.1:even-id": (wire.call(2, CHECK), PROTOCOL_ERROR),
    "W5.1:id-above-2-31": (wire.call(0x80000001, CHECK), PROTOCOL_ERROR),
    "W5.1:the-same-id": (WATCHING + wire.call(1, CHECK), PROTOCOL_ERROR),
    "W5.1:smaller-id": (wire.call(9, HEALTH_WATCH) + wire.call(7, CHECK), PROTOCOL_ERROR),
    "W5.2:no-method": (frame(CALL, 0, 1, block()), PROTOCOL_ERROR),
    "W5.2:empty-method": (wire.call(1, ""), PROTOCOL_ERROR),
    "W5.3:metadata-of-no-bytes": (wire.call(1, CHECK, b"", (6, b"")), PROTOCOL_ERROR),
    "W5.3:key-past-its-field": (wire.call(1, CHECK, b"", (6, b"\x05abc")), PROTOCOL_ERROR),
    "W5.4:bytes-behind-the-block": (frame(CALL, 1, 1, block(METHOD) + b"x"), PROTOCOL_ERROR),
    "W5.9:message-never-opened": (frame(MESSAGE, 0, 1, b"x"), PROTOCOL_ERROR),
    "W5.9:end-never-opened": (frame(END, 0, 1), PROTOCOL_ERROR),
    "W5.9:cancel-never-opened": (frame(CANCEL, 0, 7), PROTOCOL_ERROR),
    "W5.9:credit-never-opened": (wire.credit(9, 1), PROTOCOL_ERROR),
    "W5.9:message-above-the-last": (OPEN + frame(MESSAGE, 0, 3, b"x"), PROTOCOL_ERROR),
    "W5.9:cancel-of-an-even-id": (wire.call(5, HEALTH_WATCH) + frame(CANCEL, 0, 4), PROTOCOL_ERROR),
    "W5.10:message-after-half-close": (WATCHING + frame(MESSAGE, 0, 1, b""), PROTOCOL_ERROR),
    "W5.10:end-after-half-close": (WATCHING + frame(END, 0, 1), PROTOCOL_ERROR),
    "W6.3:empty-fragment": (OPEN + frame(MESSAGE, 2, 1), PROTOCOL_ERROR),
    "W6.3:empty-first-fragment": (frame(CALL, 6, 1, block(METHOD)), PROTOCOL_ERROR),
    "W6.7:half-close-in-a-message": (OPEN + frame(MESSAGE, 2, 1, bytes(1024)) + frame(END, 0, 1), PROTOCOL_ERROR),
    "W7.5:end-with-a-payload": (OPEN + frame(END, 0, 1, b"x"), PROTOCOL_ERROR),
    "W7.5:end-with-a-block": (OPEN + frame(END, 0, 1, block()), PROTOCOL_ERROR),
    "W9.4:credit-of-nothing": (wire.credit(0, 0), PROTOCOL_ERROR),
    "W9.4:credit-of-nothing-on-a-stream": (WATCHING + wire.credit(1, 0), PROTOCOL_ERROR),
    "W9.4:credit-above-its-most": (wire.credit(0, wire.STREAM_MAX), FLOW_CONTROL),
    "W9.4:credit-of-4-gib": (wire.credit(0, 0xFFFFFFFF), FLOW_CONTROL),
    "W9.4:credit-above-its-most-on-a-stream": (WATCHING + wire.credit(1, wire.STREAM_MAX), FLOW_CONTROL),
    "W11.1:goaway-of-5-bytes": (frame(wire.GOAWAY, 0, 0, bytes(5)), PROTOCOL_ERROR),
    "W11.1:goaway-of-519-bytes": (frame(wire.GOAWAY, 0, 0, bytes(519)), PROTOCOL_ERROR),
}  # fmt: skip


@table("W2.5", ERRORS, ALL)
async def error(t: ServerTest, row: Tuple[bytes, int]) -> None:
    data, reason = row
    peer = await t.connect()
    await peer.send(data)
    await peer.expect_goaway(reason)


@case("W11.6", "nothing-behind-an-error-is-looked-at", ALL)
async def behind(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, HEALTH_WATCH)
    await peer.expect(MESSAGE, 1)
    await peer.send(frame(0), wire.call(3, CHECK), wire.ping())
    await peer.expect_goaway(PROTOCOL_ERROR, last=1)
    if any(frame.kind == wire.PONG or frame.stream == 3 for frame in peer.log):
        raise Failure("expected no answer to what came behind the error")


# Fields of a CALL that fail the call and not the connection (W3.4, W5.2, W5.3).
CALLS: Dict[str, Tuple[Tuple[wire.Field, ...], int]] = {
    **{
        f"W3.4:call-{name}-{kind}": (((tag, value),), INVALID_ARGUMENT)
        for name, tag in (("key", 3), ("traceparent", 4), ("token", 5))
        for kind, value in (("not-utf-8", b"\xff"), ("with-nul", b"a\0b"), ("too-long", b"a" * 257))
    },
    "W3.4:metadata-not-utf-8": (((6, b"\x01k\xff"),), INVALID_ARGUMENT),
    "W3.4:metadata-with-nul": (((6, b"\x01k\0"),), INVALID_ARGUMENT),
    "W5.2:empty-key": (((3, b""),), INVALID_ARGUMENT),
    "W5.3:key-of-no-bytes": (((6, b"\0value"),), INVALID_ARGUMENT),
    "W5.3:key-of-65": ((wire.metadata("k" * 65, "v"),), INVALID_ARGUMENT),
    "W5.3:key-with-a-capital": ((wire.metadata("Key", "v"),), INVALID_ARGUMENT),
    "W5.3:key-with-a-blank": ((wire.metadata("a b", "v"),), INVALID_ARGUMENT),
    "W5.3:key-with-a-letter-of-two-bytes": ((wire.metadata("ñ", "v"),), INVALID_ARGUMENT),
    "W5.3:entries-65": (tuple(wire.metadata(f"k{n}", "") for n in range(65)), INVALID_ARGUMENT),
    "W5.3:bytes-8193": ((wire.metadata("k", "v" * 8192),), INVALID_ARGUMENT),
    "W5.3:entries-64": (tuple(wire.metadata(f"k{n}", "v") for n in range(64)), OK),
    "W5.3:bytes-8192": ((wire.metadata("k", "v" * 8191),), OK),
    "W5.3:a-key-twice": ((wire.metadata("k", "1"), wire.metadata("k", "2")), OK),
    "W5.3:key-of-64": ((wire.metadata("a-z_0.9" + "k" * 57, "añ☺"),), OK),
    "W5.2:all-fields": (((3, b"key"), (4, b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), (2, u64(10**7))), OK),
    "W5.2:traceparent-that-is-none": (((4, b"nonsense"),), OK),
    "W3.2:unknown-tags-in-a-call": (((99, b""), (99, b"x"), (250, b"y" * 500)), OK),
}  # fmt: skip


@table("W5.2", CALLS, ALL)
async def fields_of_a_call(t: ServerTest, row: Tuple[Tuple[wire.Field, ...], int]) -> None:
    fields, status = row
    peer = await t.connect()
    await peer.call(1, CHECK, b"", *fields)
    await peer.expect_status(1, status)
    await peer.call(3, CHECK)
    await peer.expect_status(3, OK)


@table("W5.6", {
    "unknown-method": "hito.v1.HealthService/Chuck", "unknown-service": "hito.v1.NoService/Check",
    "no-slash": "hito", "slash-first": "/hito.v1.HealthService/Check", "of-256": "x" * 256,
    "letters": "hito.v1.Ñandú☺/😈\t\n", "case": "hito.v1.healthservice/check",
}, ALL)  # fmt: skip
async def unknown_method(t: ServerTest, path: str) -> None:
    peer = await t.connect()
    await peer.call(1, path)
    end = await peer.expect_status(1, UNIMPLEMENTED)
    if not end.not_started:
        raise Failure("W5.6: expected an END that says that the call was not started")


@case("W5.2", "method-of-257", ALL)
async def long_method(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, "x" * 257)
    await peer.expect_status(1, INVALID_ARGUMENT)
    await peer.alive()


@case("W5.1", "gaps-and-the-last-id", ALL)
async def gaps(t: ServerTest) -> None:
    peer = await t.connect()
    for stream in (1, 9, 1001, wire.STREAM_MAX):
        await peer.call(stream, CHECK)
        await peer.expect_status(stream, OK)
    await peer.alive()


@case("W5.4", "empty-message", ALL)
async def empty_message(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, CHECK, b"")
    await peer.expect_status(1, OK)


@table("W5.4", {
    "message-of-its-own": (frame(MESSAGE, 1, 1),), "message-then-end": (frame(MESSAGE, 0, 1), frame(END, 0, 1)),
}, ALL)  # fmt: skip
async def later_message(t: ServerTest, frames: Tuple[bytes, ...]) -> None:
    peer = await t.connect()
    await peer.send(OPEN, *frames)
    await peer.expect_status(1, OK)


@table("W5.8", {
    "half-close-without-one": (OPEN + frame(END, 0, 1), INVALID_ARGUMENT),
    "call-with-end-alone": (frame(CALL, 1, 1, block(METHOD)), INVALID_ARGUMENT),
    "a-second-one": (OPEN + frame(MESSAGE, 0, 1) + frame(MESSAGE, 0, 1), INVALID_ARGUMENT),
    "a-second-one-with-end": (wire.call(1, CHECK, b"", end=False) + frame(MESSAGE, 1, 1), INVALID_ARGUMENT),
}, ALL)  # fmt: skip
async def one_message(t: ServerTest, row: Tuple[bytes, int]) -> None:
    peer = await t.connect()
    await peer.send(row[0])
    await peer.expect_status(1, row[1])
    await peer.alive()


@table("W5.9", {
    "message": frame(MESSAGE, 0, 1, b"x"), "end": frame(END, 0, 1), "cancel": frame(CANCEL, 0, 1),
    "credit": wire.credit(1, 100), "credit-of-0": wire.credit(1, 0),
    "credit-too-much": wire.credit(1, wire.STREAM_MAX) * 2,
}, ALL)  # fmt: skip
async def after_the_end(t: ServerTest, data: bytes) -> None:
    """On a stream that has ended everything is ignored; once after an END, once after a CANCEL."""
    peer = await t.connect()
    await peer.call(1, CHECK)
    await peer.expect_status(1, OK)
    await peer.send(data)
    await peer.alive()
    await peer.call(3, HEALTH_WATCH)
    await peer.send(frame(CANCEL, 0, 3))
    await peer.send(data[:6] + u32(3) + data[10:14])
    await peer.alive()


@case("W6.1", "fragments", ALL)
async def fragments(t: ServerTest) -> None:
    peer = await t.known()
    message = proto.field(1, NO_GOAL) + proto.field(1999, bytes(9000))
    await peer.call(3, GET_GOAL, message[:1024], end=False, more=True)
    for at in range(1024, len(message), 1024):
        last = at + 1024 >= len(message)
        await peer.send(frame(MESSAGE, 1 if last else 2, 3, message[at : at + 1024]))
    await peer.expect_status(3, wire.NOT_FOUND)


@case("W6.2", "fragments-of-two-streams", ALL)
async def interleaved(t: ServerTest) -> None:
    peer = await t.known()
    message = proto.field(1, NO_GOAL) + proto.field(1999, bytes(3000))
    for stream in (3, 5):
        await peer.call(stream, GET_GOAL, message[:1024], end=False, more=True)
    for at in (1024, 2048):
        for stream in (3, 5):
            await peer.send(frame(MESSAGE, 2 if at == 1024 else 1, stream, message[at : at + 1024 if at == 1024 else None]))
    for stream in (3, 5):
        await peer.expect_status(stream, wire.NOT_FOUND)


@table("W6.6", {
    "cut-off": b"\x0a\x05ab", "wrong-wire-type": b"\x0f", "tag-0": b"\x02\x00", "endless-varint": b"\xff" * 11,
    "text-not-utf-8": b"\x0a\x01\xff", "group-open": b"\x0b",
}, ALL)  # fmt: skip
async def does_not_decode(t: ServerTest, message: bytes) -> None:
    peer = await t.connect()
    await peer.call(1, CHECK, message)
    await peer.expect_status(1, INVALID_ARGUMENT)
    await peer.alive()


@case("W6.4", "message-above-the-public-limit", TWO)
async def public_message(t: ServerTest) -> None:
    """What is open to everybody may be bounded at 16 KiB: either it is taken or refused, never more."""
    peer = await t.connect()
    room = 16384 - 200
    await peer.call(1, CHECK, bytes(room), end=False, more=True)
    await peer.send(frame(MESSAGE, 2, 1, bytes(1024)))
    await peer.expect_status(1, RESOURCE_EXHAUSTED, INVALID_ARGUMENT)
    await peer.alive()


@case("W6.7", "another-status-drops-fragments", ALL)
async def dropped(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.send(wire.call(1, LIST_GOALS, bytes(1024), end=False, more=True))
    await peer.expect_status(1, UNAUTHENTICATED)
    await peer.send(frame(MESSAGE, 2, 1, bytes(1024)))
    await peer.alive()


@case("W6.8", "many-empty-messages")
async def empty_messages(t: ServerTest) -> None:
    """Unless its reader was faster, and had enough of the first."""
    peer = await t.known()
    await peer.send(wire.call(3, INGEST, b"", end=False), frame(MESSAGE, 0, 3) * 1100)
    await peer.expect_status(3, RESOURCE_EXHAUSTED, INVALID_ARGUMENT)


@case("W7.3", "unary-reply-is-one-end", ALL)
async def one_end(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, CHECK)
    frame_ = await peer.until("END of stream 1", lambda frame: frame.kind in (END, MESSAGE))
    if frame_.kind != END or not frame_.flags & wire.HAS_MESSAGE:
        raise Failure(f"expected END with its message, got {frame_}")
    if wire.parse_block(frame_.payload)[1] != SERVING:
        raise Failure(f"expected {SERVING!r}, got {frame_}")


@case("W7.3", "large-reply-in-fragments", ALL)
async def large_reply(t: ServerTest) -> None:
    peer = await t.connect(ROOM)
    await peer.call(1, DESCRIPTORS)
    end = await peer.expect_status(1, OK)
    fragments = sum(frame.kind == MESSAGE for frame in peer.log)
    if fragments < 2 or not proto.parse(end.message or b"").get(1):
        raise Failure(f"expected several MESSAGE frames, got {fragments}")
