"""C2 and W14: which calls are repeated, and when."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Tuple

from .. import proto, wire
from ..cases import ALL, Failure, TWO
from ..wire import CALL, CANCELLED, MESSAGE, OK, UNAVAILABLE, frame, u32
from .sharing import LOST, REFUSED, NO_MODEL, fail, succeed
from .test import CREATE_GOAL, GENERATE_GOAL, GET_GOAL, HEALTH_WATCH, INGEST, PROGRESS_WATCH, SERVING
from .test import ClientTest, case, details, equal, expect, goal, next_call, table

REPEATED: Dict[str, Tuple[str, Any]] = {
    "a-read-that-is-unavailable": (GET_GOAL, UNAVAILABLE),
    "a-read-that-was-lost": (GET_GOAL, LOST),
    "a-keyed-write-that-is-unavailable": (CREATE_GOAL, UNAVAILABLE),
    "a-keyed-write-that-was-lost": (CREATE_GOAL, LOST),
    "a-write-that-was-not-started": (CREATE_GOAL, REFUSED),
    "a-stream-that-reads": (HEALTH_WATCH, UNAVAILABLE),
    "a-stream-that-reads-and-was-lost": (HEALTH_WATCH, LOST),
    "a-stream-that-was-not-started": (GENERATE_GOAL, REFUSED),
    "W11.4:above-the-last-stream-of-an-error": (GENERATE_GOAL, wire.INTERNAL_REASON + 1000),
    "W11.4:above-the-last-stream-of-a-drain": (GENERATE_GOAL, wire.NO_ERROR + 1000),
    "W11.4:above-the-last-stream-of-an-upload": (CREATE_GOAL, wire.ABUSE + 1000),
}  # fmt: skip


@table("C2.1", REPEATED, ALL)
async def repeated(t: ClientTest, row: Tuple[str, Any]) -> None:
    path, how = row
    client, peer, server = await t.connected()
    call = client.call(path, cancel_after=1)
    first = await next_call(peer)
    again = await fail(peer, first.stream, how)
    second_peer = await server.greeted() if again else peer
    second = await next_call(second_peer)
    equal("the method", path, second.path)
    equal("the request", first.messages, second.messages)
    equal("the idempotency key", first.fields.get(3), second.fields.get(3))
    await succeed(second_peer, second, path)
    expect(await call.result(), OK, CANCELLED)


NOT_REPEATED: Dict[str, Tuple[str, Any]] = {
    "W14.1:a-stream-that-writes": (GENERATE_GOAL, UNAVAILABLE),
    "W14.1:a-stream-that-writes-and-was-lost": (GENERATE_GOAL, LOST),
    "W14.1:an-upload": (INGEST, UNAVAILABLE),
    "W14.1:an-upload-that-was-lost": (INGEST, LOST),
    **{
        f"C2.2:{name.lower().replace('_', '-')}": (GET_GOAL, number)
        for number, name in enumerate(wire.STATUSES)
        if number not in (OK, UNAVAILABLE)
    },
}


@table("C2.2", NOT_REPEATED, TWO)
async def not_repeated(t: ClientTest, row: Tuple[str, Any]) -> None:
    path, how = row
    client, peer, server = await t.connected()
    call = client.call(path, *([proto.field(1, proto.field(1, "x"))] if path == INGEST else []), timeout_ms=3000)
    stream = (await next_call(peer)).stream
    again = await fail(peer, stream, how)
    expect(await call.result(), UNAVAILABLE if how == LOST else how)
    if not again:
        await peer.alive()
    equal("calls", 1, sum(got.kind == CALL for got in peer.log))
    equal("connections", 1, server.count)


@case("C2.2", "what-lasts-is-not-repeated", ALL)
async def lasting(t: ClientTest) -> None:
    """UNAVAILABLE with the reason NO_MODEL stays so until somebody configures the server."""
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    await peer.send(wire.end_error(stream, UNAVAILABLE, "no model", details(reason=NO_MODEL)))
    expect(await call.result(), UNAVAILABLE)
    await peer.alive()
    equal("calls", 1, sum(got.kind == CALL for got in peer.log))


BROKEN = wire.credit(0, 0)
"""What no server may send (W9.4)."""


@table("C5.7", {"a-read": GET_GOAL, "a-keyed-write": CREATE_GOAL, "a-stream-that-reads": HEALTH_WATCH}, TWO)
async def broken(t: ClientTest, path: str) -> None:
    """A server that breaks the protocol would do so again."""
    client, peer, server = await t.connected()
    call = client.call(path)
    await next_call(peer)
    await peer.send(BROKEN)
    await peer.expect_goaway(wire.PROTOCOL_ERROR)
    result = expect(await call.result(), wire.INTERNAL)
    if result.not_started:
        raise Failure("expected the client not to say that the call was not started")
    equal("connections", 1, server.count)


@case("C5.7", "what-was-not-written-goes-elsewhere", TWO)
async def broken_queue(t: ClientTest) -> None:
    client, peer, server = await t.connected((5, u32(1)), connections=1)
    first = client.call(GENERATE_GOAL)
    await next_call(peer)
    # There is room for one: this one waits.
    second = client.call(GET_GOAL)
    await peer.send(BROKEN)
    await peer.expect_goaway(wire.PROTOCOL_ERROR)
    expect(await first.result(), wire.INTERNAL)
    again = await server.greeted()
    await again.send(wire.end_ok((await next_call(again)).stream, goal("x")))
    expect(await second.result(), OK)


@case("C5.7", "a-watch-ends", TWO)
async def broken_watch(t: ClientTest) -> None:
    client, peer, server = await t.connected()
    call = client.call(PROGRESS_WATCH, resuming=True, timeout_ms=None)
    await next_call(peer)
    await peer.send(BROKEN)
    await peer.expect_goaway(wire.PROTOCOL_ERROR)
    expect(await call.result(), wire.INTERNAL)
    equal("connections", 1, server.count)


@case("C2.2", "a-stream-that-has-begun", ALL)
async def begun(t: ClientTest) -> None:
    """A response has come: the caller continues, not the library."""
    client, peer, server = await t.connected()
    call = client.call(HEALTH_WATCH)
    stream = (await next_call(peer)).stream
    await peer.send(frame(MESSAGE, 0, stream, SERVING), wire.end_error(stream, UNAVAILABLE, "gone", (4, b"c1")))
    result = expect(await call.result(), UNAVAILABLE)
    equal("the responses", [SERVING], result.messages)
    equal("the resume cursor", "c1", result.cursor)
    equal("connections", 1, server.count)


@case("W14.3", "waits-as-the-server-asks", TWO)
async def pushback(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    await peer.send(wire.end_error(stream, UNAVAILABLE, "later", details(retry_delay_us=600_000)))
    await peer.flush()
    began = time.monotonic()
    again = await next_call(peer)
    if time.monotonic() - began < 0.59:
        raise Failure(f"expected a wait of 600 ms, got {time.monotonic() - began:.3f} s")
    await peer.send(wire.end_ok(again.stream, goal("x")))
    expect(await call.result(), OK)


@case("W14.3", "a-wait-beyond-the-deadline-is-not-begun", TWO)
async def in_vain(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, timeout_ms=4000)
    stream = (await next_call(peer)).stream
    await peer.send(wire.end_error(stream, UNAVAILABLE, "later", details(retry_delay_us=30_000_000)))
    await peer.flush()
    began = time.monotonic()
    expect(await call.result(), UNAVAILABLE)
    if time.monotonic() - began > 3:
        raise Failure("expected the error at once")


@case("W14.3", "backs-off", TWO)
async def backs_off(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL)
    times = []
    for _ in range(4):
        got = await next_call(peer)
        times.append(time.monotonic())
        await peer.send(wire.end_error(got.stream, UNAVAILABLE, "again"))
    await peer.send(wire.end_ok((await next_call(peer)).stream, goal("x")))
    expect(await call.result(), OK)
    waits = [after - before for before, after in zip(times, times[1:])]
    # At least half of 50, 100 and 200 ms; no more than the whole of it, and time to work.
    for wait, least in zip(waits, (0.025, 0.05, 0.1)):
        if not least * 0.9 <= wait <= least * 2 + 1:
            raise Failure(f"expected waits of 25 to 50, 50 to 100, 100 to 200 ms, got {waits}")


@case("C2.3", "a-storm-of-retries-is-spread", seconds=15)
async def budget(t: ClientTest) -> None:
    """300 calls fail at once: their repeats do not all come at once."""
    client, peer, _ = await t.connected((5, u32(1000)))
    calls = [client.call(GET_GOAL, timeout_ms=12_000) for _ in range(300)]
    refused: List[int] = []
    while len(refused) < 300:
        refused.append((await next_call(peer)).stream)
    await peer.send(*(wire.end_error(stream, UNAVAILABLE, "all") for stream in refused))
    began = time.monotonic()
    for _ in calls:
        await peer.send(wire.end_ok((await next_call(peer)).stream, goal("x")))
    took = time.monotonic() - began
    if took < 0.5:
        raise Failure(f"expected 300 repeats to be spread over most of a second, got {took:.2f} s")
    for call in calls:
        expect(await call.result(), OK)


@case("W14.2", "a-random-key-for-each-write", TWO)
async def random_keys(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    keys = set()
    for _ in range(5):
        call = client.call(CREATE_GOAL)
        got = await next_call(peer)
        keys.add(got.fields.get(3, b""))
        await peer.send(wire.end_ok(got.stream, goal("x")))
        expect(await call.result(), OK)
    if b"" in keys or len(keys) != 5:
        raise Failure(f"expected five keys, got {keys}")
    call = client.call(GET_GOAL)
    got = await next_call(peer)
    if 3 in got.fields:
        raise Failure("expected no key with a method that reads")
    await peer.send(wire.end_ok(got.stream, goal("x")))
    expect(await call.result(), OK)
