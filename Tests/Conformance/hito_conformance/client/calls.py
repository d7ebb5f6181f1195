"""W5, W8 to W14: what a client says, when, and what it makes of the answer."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Dict, Tuple

from .. import proto, wire
from ..cases import ALL, Failure, TWO
from ..wire import CALL, CANCEL, CANCELLED, CREDIT, DEADLINE_EXCEEDED, MESSAGE, OK
from ..wire import RESOURCE_EXHAUSTED, UNAVAILABLE, frame, u32
from .test import CHECK, CREATE_GOAL, GENERATE_GOAL, GET_GOAL, HEALTH_WATCH, INGEST, SERVING
from .test import ClientTest, case, equal, expect, goal, next_call, table


@case("W5.5", "unary-in-one-frame", ALL)
async def one_frame(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, proto.field(1, "x"))
    got = await peer.until("CALL", lambda got: got.kind == CALL)
    equal("the flags of CALL", wire.HAS_MESSAGE | wire.FLAG_END, got.flags)
    equal("the message", proto.field(1, "x"), wire.parse_block(got.payload)[1])
    await peer.send(wire.end_ok(got.stream, goal("y")))
    equal("the response", [goal("y")], expect(await call.result(), OK).messages)


@case("W5.1", "ids-are-odd-and-grow", ALL)
async def ids(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    for _ in range(5):
        call = client.call(CHECK)
        await peer.send(wire.end_ok((await next_call(peer)).stream, SERVING))
        expect(await call.result(), OK)  # The rules look at the ids.


@table("W5.2", {
    "C5.3:timeout": ({"timeout_ms": 5000}, 2), "no-timeout-of-a-stream": ({"timeout_ms": None}, 0),
    "C5.3:key": ({"key": "my key"}, 3), "C5.3:traceparent": ({"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, 4),
    "C5.3:token": ({"token": "hito_own"}, 5),
}, TWO)  # fmt: skip
async def fields(t: ClientTest, row: Tuple[Dict[str, Any], int]) -> None:
    options, tag = row
    client, peer, _ = await t.connected()
    path = HEALTH_WATCH if tag == 0 else CREATE_GOAL
    call = client.call(path, **options)
    arrived = asyncio.create_task(next_call(peer))
    # An adapter that cannot say so answers at once.
    answered = asyncio.create_task(call.reply())
    await asyncio.wait({arrived, answered}, return_when=asyncio.FIRST_COMPLETED)
    if not arrived.done():
        arrived.cancel()
        answered.result()
    got = await arrived
    if tag == 0 and 2 in got.fields:
        raise Failure("expected no timeout")
    if tag == 2 and not 3_000_000 < wire.number(got.fields.get(2, b"")) <= 5_000_000:
        raise Failure(f"expected a timeout of up to 5,000,000 µs, got {wire.number(got.fields.get(2, b''))}")
    if tag > 2:
        equal(f"tag {tag}", list(options.values())[0], got.fields.get(tag, b"").decode())
    await peer.send(wire.end_error(got.stream, wire.NOT_FOUND))
    await answered


@case("W7.5", "half-close-of-an-upload", ALL)
async def half_close(t: ClientTest) -> None:
    """With the last message or by an END of its own, which has nothing in it (the rules look at it)."""
    client, peer, _ = await t.connected()
    call = client.call(INGEST, proto.field(1, proto.field(1, "x")))
    got = await next_call(peer)
    equal("half-closed", True, got.is_half_closed)
    await peer.send(wire.end_ok(got.stream, b""))
    expect(await call.result(), OK)


@table("W5.3", {
    "some": {"a": "1", "x-y.z_0": "añ☺"}, "entries-64": {f"k{n}": "v" for n in range(64)},
    "value-of-no-bytes": {"k": ""},
}, ALL)  # fmt: skip
async def metadata(t: ClientTest, entries: Dict[str, str]) -> None:
    client, peer, _ = await t.connected()
    call = client.call(CHECK, metadata=entries)
    got = await next_call(peer)
    equal("the metadata", sorted(entries.items()), sorted(got.metadata))
    await peer.send(wire.end_ok(got.stream, SERVING))
    expect(await call.result(), OK)


@table("W5.3", {
    "key-of-no-bytes": {"": "v"}, "key-with-a-capital": {"Key": "v"}, "key-of-65": {"k" * 65: "v"},
    "entries-65": {f"k{n}": "v" for n in range(65)}, "bytes-8193": {"k": "v" * 8192}, "nul": {"k": "\0"},
})  # fmt: skip
async def bad_metadata(t: ClientTest, entries: Dict[str, str]) -> None:
    """A client refuses what it may not send: nothing reaches the server."""
    client, peer, _ = await t.connected()
    expect(await client.call(CHECK, metadata=entries).result(), wire.INVALID_ARGUMENT)
    await peer.alive()
    if any(got.kind == CALL for got in peer.log):
        raise Failure("expected no CALL")


@case("W4.5", "token-in-hello", ALL)
async def token(t: ClientTest) -> None:
    client, peer, _ = await t.connected(token="hito_secret")
    equal("HELLO's token", b"hito_secret", peer.hello.get(8))
    call = client.call(CHECK)
    got = await next_call(peer)
    if 5 in got.fields and got.fields[5] != b"hito_secret":
        raise Failure("expected HELLO's token or none in CALL")
    await peer.send(wire.end_ok(got.stream, SERVING))
    expect(await call.result(), OK)


@case("W8.2", "caller-cancels-unary", ALL)
async def cancel_unary(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    await client.cancel(call)
    await peer.expect(CANCEL, stream)
    expect(await call.result(), CANCELLED)


@case("W8.2", "caller-cancels-client-stream", ALL)
async def cancel_upload(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(INGEST, proto.field(1, proto.field(1, "x")), keep_open=True)
    stream = (await next_call(peer, messages=1)).stream
    await client.cancel(call)
    await peer.expect(CANCEL, stream)
    expect(await call.result(), CANCELLED)


@table("W8.2", {"1": 1, "3": 3}, ALL)
async def leaves(t: ClientTest, count: int) -> None:
    """A reader that leaves a stream after some responses."""
    client, peer, _ = await t.connected()
    call = client.call(HEALTH_WATCH, cancel_after=count)
    stream = (await next_call(peer)).stream
    await peer.send(frame(MESSAGE, 0, stream, SERVING) * count)
    await peer.expect(CANCEL, stream)
    equal("the responses", [SERVING] * count, expect(await call.result(), CANCELLED).messages)


@table("W12.3", {"unary": GET_GOAL, "stream": HEALTH_WATCH, "upload": INGEST}, TWO)
async def deadline(t: ClientTest, path: str) -> None:
    client, peer, _ = await t.connected()
    began = time.monotonic()
    call = client.call(path, timeout_ms=250, keep_open=path == INGEST)
    got = await peer.until("CALL", lambda got: got.kind == CALL)
    await peer.expect(CANCEL, got.stream)
    if time.monotonic() - began < 0.2:
        raise Failure("expected CANCEL at the deadline, got it before")
    expect(await call.result(), DEADLINE_EXCEEDED)


@case("W12.3", "deadline-between-responses", ALL)
async def deadline_later(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(HEALTH_WATCH, timeout_ms=300)
    stream = (await next_call(peer)).stream
    await peer.send(frame(MESSAGE, 0, stream, SERVING))
    await peer.expect(CANCEL, stream)
    equal("the responses", [SERVING], expect(await call.result(), DEADLINE_EXCEEDED).messages)


@case("W12.2", "unary-default-is-30-s")
async def default_timeout(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(CHECK, timeout_ms=None)
    got = await next_call(peer)
    if 2 in got.fields and wire.number(got.fields[2]) > 30_000_000:
        raise Failure(f"expected at most 30,000,000 µs, got {wire.number(got.fields[2])}")
    await peer.send(wire.end_ok(got.stream, SERVING))
    expect(await call.result(), OK)


def large(size: int) -> bytes:
    return proto.field(1, "g" * size)


@table("W9.2", {"1024": 1024, "1025": 1025, "2047": 2047, "5000": 5000, "16384": 16384}, TWO)
async def small_window(t: ClientTest, step: int) -> None:
    """A request larger than the stream's window; the rules count every byte and every fragment."""
    client, peer, _ = await t.connected((6, u32(step)))
    call = client.call(GET_GOAL, large(20_000))
    got = await next_call(peer)
    equal("the request", [large(20_000)], got.messages)
    await peer.send(wire.end_ok(got.stream, goal("ok")))
    expect(await call.result(), OK)


@table("W9.2", {"connection-1024": 1024, "connection-3000": 3000}, TWO)
async def small_connection(t: ClientTest, step: int) -> None:
    client, peer, _ = await t.connected((7, u32(step)))
    call = client.call(GET_GOAL, large(20_000))
    got = await next_call(peer)
    equal("the request", [large(20_000)], got.messages)
    await peer.send(wire.end_ok(got.stream, goal("ok")))
    expect(await call.result(), OK)


@case("W9.2", "waits-without-credit", ALL)
async def no_credit(t: ClientTest) -> None:
    """With less than 1024 of credit a longer message waits, and its call begins all the same or later."""
    client, peer, _ = await t.connected((6, u32(1023)))
    call = client.call(GET_GOAL, large(5000))
    await peer.alive()
    opened = [got.stream for got in peer.log if got.kind == CALL]
    stream = opened[0] if opened else 0
    if not stream:
        stream = (await peer.until("CALL", lambda got: got.kind == CALL)).stream
    await peer.send(wire.credit(stream, 100_000))
    while stream not in peer.rules.half_closed:
        await peer.frame()
    await peer.send(wire.end_ok(stream, goal("ok")))
    expect(await call.result(), OK)


@case("W9.10", "a-stalled-stream-holds-up-no-other", ALL)
async def stalled(t: ClientTest) -> None:
    client, peer, _ = await t.connected((6, u32(1024)))
    slow = client.call(GET_GOAL, large(50_000))
    await peer.until("CALL", lambda got: got.kind == CALL)
    quick = client.call(CHECK)
    got = await next_call(peer)
    await peer.send(wire.end_ok(got.stream, SERVING))
    expect(await quick.result(), OK)
    await client.cancel(slow)


@table("W9.5", {"100000": 100_000, "600000": 600_000, "3000000": 3_000_000}, ("whole", "random"))
async def large_response(t: ClientTest, size: int) -> None:
    """A response larger than the client's windows: it grants on arrival."""
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    message = goal("g" * size)
    at = 0
    while at < len(message):
        room = min(16384, _room(peer, stream, at), len(message) - at)
        if room < min(1024, len(message) - at):
            await peer.until("CREDIT", lambda got: got.kind == CREDIT)
            continue
        last = at + room == len(message)
        await peer.send(frame(MESSAGE, 0 if last else 2, stream, message[at : at + room]))
        at += room
        peer.credit -= room
    await peer.send(wire.end_ok(stream))
    if expect(await call.result(), OK).messages != [message]:
        raise Failure("expected the response as it was sent")
    grants = [wire.number(got.payload) for got in peer.log if got.kind == CREDIT]
    if grants and min(grants) < 1024:
        raise Failure(f"W9.5: expected steps of 1024 bytes at least, got {min(grants)}")


def _room(peer: Any, stream: int, sent: int) -> int:
    own = wire.number(peer.hello.get(6, u32(262144)))
    return min(own + peer.stream_credits.get(stream, 0) - sent, peer.credit)


@case("W9.6", "bytes-behind-a-cancel-come-back", ("whole",))
async def come_back(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    total = 0
    own = wire.number(peer.hello.get(7, u32(1 << 20)))
    while total < 2 * own:
        call = client.call(HEALTH_WATCH)
        stream = (await next_call(peer)).stream
        await client.cancel(call)
        await peer.expect(CANCEL, stream)
        for _ in range(8):
            while peer.credit < 16003:
                await peer.expect(CREDIT, 0)
            await peer.send(frame(MESSAGE, 0, stream, b"\x12\x80\x7d" + b"a" * 16000))
            peer.credit -= 16003
            total += 16003
    await peer.alive()


@table("W10.1", {"zeros": bytes(8), "ones": b"\xff" * 8}, ALL)
async def ping(t: ClientTest, data: bytes) -> None:
    _, peer, _ = await t.connected()
    await peer.alive(data)


@case("W10.2", "no-ping-before-the-interval", seconds=12)
async def interval(t: ClientTest) -> None:
    """A client that asks for signs of life does so no more often than the server allows."""
    client, peer, _ = await t.connected((9, u32(1000)), keepalive_ms=200)
    call = client.call(HEALTH_WATCH)
    stream = (await next_call(peer)).stream
    peer.answers_pings = False
    times = []
    while len(times) < 2:
        got = await peer.until("PING", lambda got: got.kind == wire.PING)
        times.append(time.monotonic())
        await peer.send(frame(wire.PONG, 0, 0, got.payload))
    if times[1] - times[0] < 0.9:
        raise Failure(f"expected a second between PINGs, got {times[1] - times[0]:.2f} s")
    await peer.send(wire.end_error(stream, wire.ABORTED))
    expect(await call.result(), wire.ABORTED)


@case("C5.4", "response-above-our-limit", TWO)
async def too_large(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    most = wire.number(peer.hello.get(4, u32(4 << 20)))
    call = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    sent = 0
    while sent <= most and not any(got.kind == CANCEL for got in peer.log):
        room = min(16384, _room(peer, stream, sent))
        if room < 1024:
            await peer.until("CREDIT or CANCEL", lambda got: got.kind in (CREDIT, CANCEL))
            continue
        await peer.send(frame(MESSAGE, 2, stream, bytes(room)))
        sent += room
        peer.credit -= room
    if not any(got.kind == CANCEL for got in peer.log):
        await peer.expect(CANCEL, stream)
    expect(await call.result(), RESOURCE_EXHAUSTED)


@case("C5.4", "request-above-the-servers-limit", TWO)
async def request_too_large(t: ClientTest) -> None:
    """A server says 16384: a larger request is not sent, or is refused by the server."""
    client, peer, _ = await t.connected((4, u32(16384)))
    call = client.call(GET_GOAL, large(20_000))
    expect(await call.result(), RESOURCE_EXHAUSTED)
    await peer.alive()


@case("W1.6", "a-lost-connection", ALL)
async def lost(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GENERATE_GOAL)
    await next_call(peer)
    peer.kill()
    expect(await call.result(), UNAVAILABLE)


@case("W1.6", "close-notify-without-goaway", ALL)
async def truncated(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GENERATE_GOAL)
    await next_call(peer)
    await peer.close()
    expect(await call.result(), UNAVAILABLE)
