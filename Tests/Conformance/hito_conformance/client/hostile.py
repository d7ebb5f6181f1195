"""W2 to W9: servers that break the protocol, and ends of calls that are odd and allowed."""

from __future__ import annotations

from typing import Tuple

from .. import wire
from ..cases import ALL, Failure, TWO
from ..wire import CANCEL, CREDIT, END, FLOW_CONTROL, FRAME_TOO_LARGE, GOAWAY, HELLO, INTERNAL
from ..wire import MESSAGE, OK, PONG, PROTOCOL_ERROR, UNAVAILABLE, block, frame, header, u16, u32, u64
from .test import CHECK, GENERATE_GOAL, GET_GOAL, HEALTH_WATCH, SERVING, ClientTest, case, equal
from .test import expect, goal, next_call, table

S = 0x7FFFFFF1
"""Stands for the stream of the call that runs."""
A = 1024


def end(*fields: wire.Field, flags: int = 0, rest: bytes = b"") -> bytes:
    return frame(END, flags, S, block(*fields) + rest)


# What a server sends while a call waits for its response, and the reason with which a client ends it.
ERRORS = {
    "W2.2:message-of-16385": (header(16385, MESSAGE, 0, S), FRAME_TOO_LARGE),
    "W2.2:message-of-4-gib": (header(0xFFFFFFFF, MESSAGE, 0, S), FRAME_TOO_LARGE),
    "W2.2:end-of-16385": (header(16385, END, 0, S), FRAME_TOO_LARGE),
    "W2.3:message-on-stream-0": (frame(MESSAGE, 0, 0, b"x"), PROTOCOL_ERROR),
    "W2.3:end-on-stream-0": (frame(END, 0, 0, block()), PROTOCOL_ERROR),
    "W2.3:message-on-an-even-stream": (frame(MESSAGE, 0, 2, b"x"), PROTOCOL_ERROR),
    "W2.3:ping-on-a-stream": (frame(wire.PING, 0, S, bytes(8)), PROTOCOL_ERROR),
    "W2.3:ping-of-7": (frame(wire.PING, 0, 0, bytes(7)), PROTOCOL_ERROR),
    "W2.3:pong-of-9": (frame(PONG, 0, 0, bytes(9)), PROTOCOL_ERROR),
    "W2.3:credit-of-3": (frame(CREDIT, 0, 0, bytes(3)), PROTOCOL_ERROR),
    "W2.3:goaway-on-a-stream": (frame(GOAWAY, 0, S, bytes(6)), PROTOCOL_ERROR),
    "W2.4:message-with-end": (frame(MESSAGE, 1, S, b"x"), PROTOCOL_ERROR),
    "W2.4:message-with-has-message": (frame(MESSAGE, 4, S, b"x"), PROTOCOL_ERROR),
    "W2.4:message-with-flag-80": (frame(MESSAGE, 0x80, S, b"x"), PROTOCOL_ERROR),
    "W2.4:end-with-end": (end(flags=1), PROTOCOL_ERROR),
    "W2.4:end-with-more": (end(flags=2), PROTOCOL_ERROR),
    "W2.4:credit-with-a-flag": (frame(CREDIT, 1, 0, u32(1)), PROTOCOL_ERROR),
    "W2.5:kind-0": (frame(0), PROTOCOL_ERROR),
    "W2.5:kind-10": (frame(10, 0, S), PROTOCOL_ERROR),
    "W2.5:a-call-from-a-server": (wire.call(2, CHECK), PROTOCOL_ERROR),
    "W2.5:a-cancel-from-a-server": (frame(CANCEL, 0, S), PROTOCOL_ERROR),
    "W3.1:end-without-a-block": (frame(END, 0, S), PROTOCOL_ERROR),
    "W3.1:end-of-one-byte": (frame(END, 0, S, b"\0"), PROTOCOL_ERROR),
    "W3.3:end-block-past-its-frame": (frame(END, 0, S, b"\0\5"), PROTOCOL_ERROR),
    "W3.3:end-field-past-its-block": (frame(END, 0, S, b"\0\4\1\0\2\0"), PROTOCOL_ERROR),
    "W3.3:status-of-one-byte": (end((1, b"\5")), PROTOCOL_ERROR),
    "W3.3:status-of-four-bytes": (end((1, u32(5))), PROTOCOL_ERROR),
    "W3.3:status-twice": (end((1, u16(5)), (1, u16(5))), PROTOCOL_ERROR),
    "W3.3:text-twice": (end((1, u16(5)), (2, b"a"), (2, b"b")), PROTOCOL_ERROR),
    "W3.3:time-of-four-bytes": (end((7, u32(1))), PROTOCOL_ERROR),
    "W3.3:not-started-of-one-byte": (end((1, u16(14)), (8, b"\1")), PROTOCOL_ERROR),
    "W3.3:trailer-past-its-field": (end((6, b"\5ab")), PROTOCOL_ERROR),
    "W3.3:trailer-of-no-bytes": (end((6, b"")), PROTOCOL_ERROR),
    "W4.1:a-second-hello": (wire.hello(), PROTOCOL_ERROR),
    "W5.9:message-never-opened": (frame(MESSAGE, 0, 999, b"x"), PROTOCOL_ERROR),
    "W5.9:end-never-opened": (frame(END, 0, 999, block()), PROTOCOL_ERROR),
    "W5.9:credit-never-opened": (wire.credit(999, 1), PROTOCOL_ERROR),
    "W6.3:empty-fragment": (frame(MESSAGE, 2, S), PROTOCOL_ERROR),
    "W6.7:end-inside-a-message": (frame(MESSAGE, 2, S, bytes(A)) + end(), PROTOCOL_ERROR),
    "W7.2:bytes-behind-the-block": (end(rest=b"x"), PROTOCOL_ERROR),
    "W7.3:message-with-an-error": (end((1, u16(5)), flags=4, rest=SERVING), PROTOCOL_ERROR),
    "W7.3:message-inside-a-message": (frame(MESSAGE, 2, S, bytes(A)) + end(flags=4, rest=b"x"), PROTOCOL_ERROR),
    "W9.4:credit-of-nothing": (wire.credit(0, 0), PROTOCOL_ERROR),
    "W9.4:credit-of-nothing-on-a-stream": (wire.credit(S, 0), PROTOCOL_ERROR),
    "W9.4:credit-above-its-most": (wire.credit(0, wire.STREAM_MAX), FLOW_CONTROL),
    "W9.4:credit-above-its-most-on-a-stream": (wire.credit(S, wire.STREAM_MAX), FLOW_CONTROL),
    "W11.1:goaway-of-5-bytes": (frame(GOAWAY, 0, 0, bytes(5)), PROTOCOL_ERROR),
}  # fmt: skip


@table("W2.5", ERRORS, ALL)
async def error(t: ClientTest, row: Tuple[bytes, int]) -> None:
    """The client says why it ends the connection, and the call that ran on it does not end well."""
    data, reason = row
    client, peer, _ = await t.connected()
    call = client.call(GENERATE_GOAL)
    stream = (await next_call(peer)).stream
    await peer.send(data.replace(u32(S), u32(stream)))
    await peer.expect_goaway(reason)
    expect(await call.result(), INTERNAL)


FIRST = {
    "W4.1:message-first": (frame(MESSAGE, 0, 1, b"x"), PROTOCOL_ERROR),
    "W4.1:ping-first": (wire.ping(), PROTOCOL_ERROR),
    "W4.1:credit-first": (wire.credit(0, 1), PROTOCOL_ERROR),
    "W2.2:hello-of-8193": (header(8193, HELLO), FRAME_TOO_LARGE),
    "W2.3:hello-on-a-stream": (frame(HELLO, 0, 1, block()), PROTOCOL_ERROR),
    "W2.4:hello-with-a-flag": (frame(HELLO, 1, 0, block()), PROTOCOL_ERROR),
    "W3.1:hello-without-block": (frame(HELLO), PROTOCOL_ERROR),
    "W3.1:bytes-behind-hello": (frame(HELLO, 0, 0, block() + b"x"), PROTOCOL_ERROR),
    "W3.3:hello-block-past-its-frame": (frame(HELLO, 0, 0, b"\0\7"), PROTOCOL_ERROR),
    "W3.3:version-of-one-byte": (wire.hello((1, b"\0")), PROTOCOL_ERROR),
    "W3.3:version-twice": (wire.hello((1, u16(0)), (1, u16(0))), PROTOCOL_ERROR),
    "W3.4:agent-not-utf-8": (wire.hello((2, b"\xff")), PROTOCOL_ERROR),
    "W3.4:server-id-with-nul": (wire.hello((10, b"a\0")), PROTOCOL_ERROR),
    "W3.4:server-id-of-129": (wire.hello((10, b"a" * 129)), PROTOCOL_ERROR),
    "W4.4:frames-of-16383": (wire.hello((3, u32(16383))), PROTOCOL_ERROR),
    "W4.4:frames-above-1-mib": (wire.hello((3, u32(1 << 21))), PROTOCOL_ERROR),
    "W4.4:messages-of-16383": (wire.hello((4, u32(16383))), PROTOCOL_ERROR),
    "W4.4:stream-credit-of-2-gib": (wire.hello((6, u32(1 << 31))), PROTOCOL_ERROR),
    "W4.4:connection-credit-of-2-gib": (wire.hello((7, u32(1 << 31))), PROTOCOL_ERROR),
}  # fmt: skip


@table("W4.1", FIRST, ALL)
async def first(t: ClientTest, row: Tuple[bytes, int]) -> None:
    data, reason = row
    server = await t.server()
    client = t.client(server.address, wait_for_ready=False)
    call = client.call(CHECK, timeout_ms=4000)
    peer = await server.accept()
    await peer.expect(HELLO, 0, skip=False)
    await peer.send(data)
    await peer.expect_goaway(reason)
    del call


@table("W4.2", {
    "W3.1:empty-hello": (), "W3.2:unknown-tags-twice": ((200, b"x"), (200, b"")),
    "W4.2:any-order": ((9, u32(5000)), (1, u16(0)), (10, b"id")),
    "W4.3:minor-version-of-later": ((1, u16(0xFFFF)),), "W4.2:frames-of-1-mib": ((3, u32(1 << 20)),),
    "W4.4:token-from-a-server": ((8, b"token"),), "W4.2:agent-of-letters": ((2, "añ☺😈".encode()),),
}, ALL)  # fmt: skip
async def fine(t: ClientTest, fields: Tuple[wire.Field, ...]) -> None:
    client, peer, _ = await t.connected(*fields)
    call = client.call(CHECK)
    await peer.send(wire.end_ok((await next_call(peer)).stream, SERVING))
    equal("the response", [SERVING], expect(await call.result(), OK).messages)


@case("W4.1", "refused-with-goaway", ALL)
async def refused(t: ClientTest) -> None:
    server = await t.server()
    client = t.client(server.address, wait_for_ready=False)
    call = client.call(CHECK, timeout_ms=1500)
    peer = await server.accept()
    await peer.expect(HELLO, 0, skip=False)
    # It may come again; then there is nobody.
    server.close()
    await peer.send(wire.goaway(0, wire.NO_ERROR, "not now"))
    await peer.close()
    expect(await call.result(), UNAVAILABLE, wire.DEADLINE_EXCEEDED)


@case("W4.1", "waits-for-hello", ALL)
async def waits(t: ClientTest) -> None:
    """No CALL before the server's HELLO."""
    server = await t.server()
    client = t.client(server.address)
    call = client.call(CHECK)
    peer = await server.accept()
    await peer.expect(HELLO, 0, skip=False)
    for got in await peer.quiet(0.15):
        raise Failure(f"expected nothing before HELLO was answered, got {got}")
    await peer.send(wire.hello())
    await peer.send(wire.end_ok((await next_call(peer)).stream, SERVING))
    expect(await call.result(), OK)


@table("W7.4", {name.lower().replace("_", "-"): n for n, name in enumerate(wire.STATUSES) if n}, TWO)
async def status(t: ClientTest, number: int) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GENERATE_GOAL)
    stream = (await next_call(peer)).stream
    await peer.send(wire.end_error(stream, number, f"status {number}", (4, b"cursor")))
    result = expect(await call.result(), number)
    equal("the status message", f"status {number}", result.text)
    equal("the resume cursor", "cursor", result.cursor)


@table("W7.4", {"17": 17, "99": 99, "65535": 65535}, ALL)
async def unknown_status(t: ClientTest, number: int) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GENERATE_GOAL)
    await peer.send(wire.end_error((await next_call(peer)).stream, number, "odd"))
    expect(await call.result(), wire.UNKNOWN)


NOT_FOUND = (1, u16(wire.NOT_FOUND))
ODD_ENDS = {
    "W3.4:text-not-utf-8": (NOT_FOUND, (2, b"a\xffb")), "W3.4:text-with-nul": (NOT_FOUND, (2, b"a\0b")),
    "W3.4:text-of-1025": (NOT_FOUND, (2, b"a" * 1025)), "W3.4:text-of-9000": (NOT_FOUND, (2, b"a" * 9000)),
    "W3.4:cursor-not-utf-8": (NOT_FOUND, (4, b"\xff")), "W3.4:cursor-of-513": (NOT_FOUND, (4, b"c" * 513)),
    "W3.4:trailer-not-utf-8": (NOT_FOUND, (6, b"\1k\xff")), "W7.2:details-that-are-none": (NOT_FOUND, (3, b"\xff\xff")),
    "W7.2:details-of-8193": (NOT_FOUND, (3, bytes(8193))), "W7.2:unknown-tags-twice": (NOT_FOUND, (5, b"x"), (5, b""), (99, b"y")),
    "W7.2:any-order": ((7, u64(5)), (4, b"c"), (2, b"text"), NOT_FOUND), "W7.2:no-text": (NOT_FOUND,),
    "W7.2:trailer-key-of-no-bytes": (NOT_FOUND, (6, b"\0v")),
}  # fmt: skip


@table("W7.2", ODD_ENDS, ALL)
async def odd_end(t: ClientTest, fields: Tuple[wire.Field, ...]) -> None:
    """What is wrong in an END never hides its status."""
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL)
    await peer.send(frame(END, 0, (await next_call(peer)).stream, block(*fields)))
    result = expect(await call.result(), wire.NOT_FOUND)
    if "\0" in result.text:
        raise Failure("W3.4: expected a text without NUL")
    # The connection lives.
    again = client.call(CHECK)
    await peer.send(wire.end_ok((await next_call(peer)).stream, SERVING))
    expect(await again.result(), OK)


@case("W7.2", "trailers", ALL)
async def trailers(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(CHECK)
    stream = (await next_call(peer)).stream
    await peer.send(wire.end_ok(stream, SERVING, wire.metadata("a.b-c", "añ☺"), wire.metadata("k", "")))
    result = expect(await call.result(), OK)
    equal("the trailers", [["a.b-c", "añ☺"], ["k", ""]], sorted(map(list, result.trailers)))


@case("W7.1", "end-before-the-request-is-sent", ALL)
async def early_end(t: ClientTest) -> None:
    """A client stops sending when the call has ended; the connection lives."""
    client, peer, _ = await t.connected((6, u32(2048)))
    call = client.call(GET_GOAL, b"\x0a\x88\x27" + b"a" * 5000)
    got = await peer.until("CALL", lambda got: got.kind == wire.CALL)
    await peer.send(wire.end_error(got.stream, wire.NOT_FOUND, "no"), wire.credit(got.stream, 100000))
    expect(await call.result(), wire.NOT_FOUND)
    await peer.alive()
    if got.stream in peer.rules.half_closed:
        raise Failure("expected the rest of the request to be dropped")


@table("W7.6", {
    "no-message": (frame(END, 0, S, block()), INTERNAL),
    "two-messages": (frame(MESSAGE, 0, S, SERVING) + frame(END, 4, S, block() + SERVING), INTERNAL),
    "two-messages-and-an-end": (frame(MESSAGE, 0, S, SERVING) * 2 + frame(END, 0, S, block()), INTERNAL),
    "message-then-end": (frame(MESSAGE, 0, S, SERVING) + frame(END, 0, S, block()), OK),
    "message-then-error": (frame(MESSAGE, 0, S, SERVING) + frame(END, 0, S, block(NOT_FOUND)), wire.NOT_FOUND),
    "a-message-that-does-not-decode": (frame(END, 4, S, block() + b"\x0a\xff"), INTERNAL),
}, ALL)  # fmt: skip
async def one_message(t: ClientTest, row: Tuple[bytes, int]) -> None:
    data, status = row
    client, peer, _ = await t.connected()
    call = client.call(CHECK)
    await peer.send(data.replace(u32(S), u32((await next_call(peer)).stream)))
    expect(await call.result(), status)
    await peer.alive()


@case("W6.1", "response-in-fragments", ALL)
async def fragments(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    message = goal("g" * 3000)
    call = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    await peer.send(frame(MESSAGE, 2, stream, message[:1024]), frame(MESSAGE, 2, stream, message[1024:2048]))
    await peer.send(frame(MESSAGE, 0, stream, message[2048:]), wire.end_ok(stream))
    equal("the response", [message], expect(await call.result(), OK).messages)


@case("W6.2", "fragments-of-two-streams", ALL)
async def interleaved(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    calls = [client.call(GET_GOAL), client.call(GET_GOAL)]
    streams = [(await next_call(peer)).stream for _ in calls]
    message = goal("g" * 3000)
    for flags, part in ((2, message[:1024]), (2, message[1024:2048]), (0, message[2048:])):
        for stream in streams:
            await peer.send(frame(MESSAGE, flags, stream, part))
    await peer.send(*(wire.end_ok(stream) for stream in streams))
    for call in calls:
        equal("the response", [message], expect(await call.result(), OK).messages)


@case("W6.7", "another-status-drops-fragments", ALL)
async def dropped(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(HEALTH_WATCH)
    stream = (await next_call(peer)).stream
    await peer.send(frame(MESSAGE, 0, stream, SERVING), frame(MESSAGE, 2, stream, bytes(1024)))
    await peer.send(wire.end_error(stream, wire.ABORTED, "stop"))
    equal("the responses", [SERVING], expect(await call.result(), wire.ABORTED).messages)


@case("W6.8", "many-empty-messages")
async def empties(t: ClientTest) -> None:
    """A stream that its reader has left unread: the client bounds what it keeps, or reads."""
    client, peer, _ = await t.connected()
    call = client.call(HEALTH_WATCH, pause_after=1)
    stream = (await next_call(peer)).stream
    await peer.send(frame(MESSAGE, 0, stream, SERVING) + frame(MESSAGE, 0, stream) * 1100)
    await peer.expect(CANCEL, stream)
    await client.resume(call)
    expect(await call.result(), wire.RESOURCE_EXHAUSTED)


@table("W5.9", {
    "message": frame(MESSAGE, 0, S, SERVING), "end": frame(END, 0, S, block()),
    "end-with-message": frame(END, 4, S, block() + SERVING), "credit": wire.credit(S, 100),
    "credit-of-0": wire.credit(S, 0), "credit-too-much": wire.credit(S, wire.STREAM_MAX) * 2,
}, ALL)  # fmt: skip
async def after_cancel(t: ClientTest, data: bytes) -> None:
    """What crosses with a CANCEL is ignored."""
    client, peer, _ = await t.connected()
    call = client.call(HEALTH_WATCH)
    stream = (await next_call(peer)).stream
    await client.cancel(call)
    await peer.expect(CANCEL, stream)
    await peer.send(data.replace(u32(S), u32(stream)))
    await peer.alive()
    expect(await call.result(), wire.CANCELLED)


@case("W9.3", "more-than-was-granted", TWO)
async def too_much(t: ClientTest) -> None:
    """A server that sends more than the client granted: with the client's own figures."""
    client, peer, _ = await t.connected()
    # A method that writes: not repeated where the client has read nothing of it yet.
    call = client.call(GENERATE_GOAL, pause_after=1)
    stream = (await next_call(peer)).stream
    window = min(wire.number(peer.hello.get(6, u32(262144))), wire.number(peer.hello.get(7, u32(1 << 20))))
    if window > 4 << 20:
        return
    whole = frame(MESSAGE, 0, stream, b"\x12\x80\x7d" + b"a" * 16000)
    await peer.send(frame(MESSAGE, 0, stream, b""))
    for _ in range(window // 16003 + 1):
        await peer.send(whole)
    await peer.expect_goaway(FLOW_CONTROL)
    await client.resume(call)
    expect(await call.result(), INTERNAL, UNAVAILABLE)
