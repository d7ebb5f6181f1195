"""clients/BEHAVIOUR.md: connecting, repeating, draining, resuming, closing."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import Any, Dict, List, Optional, Tuple

from .. import proto, wire
from ..cases import ALL, Failure, TWO
from ..peer import Peer
from ..wire import CALL, CANCEL, CANCELLED, DEADLINE_EXCEEDED, END, GOAWAY, MESSAGE, OK, UNAVAILABLE
from ..wire import block, frame, u16, u32
from .test import CHECK, CREATE_GOAL, GENERATE_GOAL, GET_GOAL, HEALTH_WATCH, INGEST, PROGRESS_WATCH
from .test import SERVING, Called, ClientTest, case, details, equal, expect, goal, next_call, table

DRAIN_LAST = wire.STREAM_MAX


# C1: connecting.


@table("C1.4", {
    "W1.3:stranger": "stranger", "W1.3:other-host": "other_host",
    "W1.2:no-alpn": "none", "W1.2:other-alpn": "h2", "W1.1:tls-1.2": "1.2",
})  # fmt: skip
async def not_trusted(t: ClientTest, what: str) -> None:
    """A server that may not be spoken to: an error at once, though there were time to try again."""
    certificates = t.certificates
    server = await {
        "stranger": lambda: t.server(certificates.stranger), "other_host": lambda: t.server(certificates.other_host),
        "none": lambda: t.server(alpn=None), "h2": lambda: t.server(alpn="h2"),
        "1.2": lambda: t.server(version=ssl.TLSVersion.TLSv1_2),
    }[what]()  # fmt: skip
    client = t.client(server.address, wait_for_ready=False)
    await client.cannot(UNAVAILABLE)
    if any(peer.log for peer in t.peers):
        raise Failure("expected nothing to be said to such a server")


@case("C1.4", "an-untrusted-server-is-not-tried-again")
async def at_once(t: ClientTest) -> None:
    server = await t.server(t.certificates.stranger)
    client = t.client(server.address, wait_for_ready=False)
    began = time.monotonic()
    await client.cannot(UNAVAILABLE)
    if time.monotonic() - began > 1.2:
        raise Failure(f"expected an error at once, got it after {time.monotonic() - began:.1f} s")


@case("C1.2", "the-second-address-answers", TWO)
async def second_address(t: ClientTest) -> None:
    server = await t.server()
    client = t.client(f"127.0.0.1:{free_port()}", server.address)
    call = client.call(CHECK)
    peer = await server.greeted()
    await answer_check(peer)
    expect(await call.result(), OK)


@case("C1.2", "the-first-that-answers-is-kept", TWO)
async def pick_first(t: ClientTest) -> None:
    one, other = await t.server(), await t.server()
    client = t.client(one.address, other.address)
    call = client.call(CHECK)
    peer = await one.greeted()
    await answer_check(peer)
    expect(await call.result(), OK)
    for _ in range(4):
        call = client.call(CHECK)
        await answer_check(peer)
        expect(await call.result(), OK)
    equal("connections to the other server", 0, other.count)


@case("C1.3", "calls-in-turn")
async def round_robin(t: ClientTest) -> None:
    servers = [await t.server(), await t.server()]
    client = t.client(*(server.address for server in servers), balancing="round_robin")
    counts = [0, 0]

    async def serve(place: int) -> None:
        peer = await servers[place].greeted()
        while True:
            got = await next_call(peer)
            counts[place] += 1
            await peer.send(wire.end_ok(got.stream, SERVING))

    tasks = [asyncio.create_task(serve(place)) for place in (0, 1)]
    try:
        for _ in range(8):
            expect(await client.call(CHECK).result(), OK)
    finally:
        for task in tasks:
            task.cancel()
    if min(counts) < 3:
        raise Failure(f"expected calls in turn, got {counts}")


@case("C1.5", "waits-for-a-server")
async def waits_for_ready(t: ClientTest) -> None:
    port = free_port()
    client = t.client(f"127.0.0.1:{port}", wait_for_ready=True)
    call = client.call(CHECK, timeout_ms=8000)
    # A failed attempt or two are made meanwhile.
    await asyncio.sleep(0.15)
    server = await t.server(port=port)
    peer = await server.greeted()
    await answer_check(peer)
    expect(await call.result(), OK)


@case("C1.5", "does-not-wait-unless-asked")
async def fails_fast(t: ClientTest) -> None:
    client = t.client(f"127.0.0.1:{free_port()}", wait_for_ready=False)
    await client.cannot(UNAVAILABLE)


@case("C1.6", "another-connection-when-one-is-full", TWO)
async def pool(t: ClientTest) -> None:
    """A server with room for one call: the second goes to another connection, or waits for the first."""
    client, peer, server = await t.connected((5, u32(1)))
    first = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    second = client.call(CHECK)
    accepted = asyncio.create_task(server.greeted((5, u32(1))))
    done, _ = await asyncio.wait({accepted}, timeout=1.0)
    if not done:
        accepted.cancel()
        raise Failure("the client has no second connection; the call waits")
    await answer_check(await accepted)
    expect(await second.result(), OK)
    await peer.send(wire.end_ok(stream, goal("x")))
    expect(await first.result(), OK)


@case("C1.6", "never-more-calls-than-allowed", TWO)
async def never_more(t: ClientTest) -> None:
    client, peer, _ = await t.connected((5, u32(2)), connections=1)
    calls = [client.call(GET_GOAL) for _ in range(5)]
    served = 0
    open_now: List[int] = []
    while served < 5:
        open_now.append((await next_call(peer)).stream)
        await peer.alive()
        if sum(got.kind == CALL for got in peer.log) - served > 2:
            raise Failure("expected two calls at a time at most")
        await peer.send(wire.end_ok(open_now.pop(0), goal("x")))
        served += 1
    for call in calls:
        expect(await call.result(), OK)


@case("C1.7", "reconnects-with-the-next-call", ALL)
async def reconnects(t: ClientTest) -> None:
    client, peer, server = await t.connected()
    peer.kill()
    call = client.call(CHECK)
    await answer_check(await server.greeted())
    expect(await call.result(), OK)


@case("C1.7", "waits-longer-each-time", seconds=15)
async def dial_backoff(t: ClientTest) -> None:
    """A server that hangs up before HELLO is not hammered."""
    server = await t.server()
    client = t.client(server.address, wait_for_ready=True)
    call = client.call(CHECK, timeout_ms=1500)
    end = time.monotonic() + 1.6
    while (left := end - time.monotonic()) > 0:
        try:
            (await asyncio.wait_for(server.accept(), left)).kill()
        except asyncio.TimeoutError:
            break
    if server.count > 14:
        raise Failure(f"expected a few attempts in 1.5 s, got {server.count}")
    expect(await call.result(), DEADLINE_EXCEEDED, UNAVAILABLE)


# C2, W14: repeating.

LOST = "lost"
REFUSED = (8, b"")
"""Not started (W7.2)."""

REPEATED: Dict[str, Tuple[str, Any]] = {
    "W14.1:a-read-that-is-unavailable": (GET_GOAL, UNAVAILABLE),
    "W14.1:a-read-that-was-lost": (GET_GOAL, LOST),
    "W14.1:a-keyed-write-that-is-unavailable": (CREATE_GOAL, UNAVAILABLE),
    "W14.1:a-keyed-write-that-was-lost": (CREATE_GOAL, LOST),
    "W14.1:a-write-that-was-not-started": (CREATE_GOAL, REFUSED),
    "W14.1:a-stream-that-reads": (HEALTH_WATCH, UNAVAILABLE),
    "W14.1:a-stream-that-reads-and-was-lost": (HEALTH_WATCH, LOST),
    "W14.1:a-stream-that-was-not-started": (GENERATE_GOAL, REFUSED),
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


NO_MODEL = 12


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
    if time.monotonic() - began > 1:
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


@case("C2.4", "hedging")
async def hedging(t: ClientTest) -> None:
    """A read that is slow is asked again beside; the first answer counts and the other is cancelled."""
    client, peer, server = await t.connected()
    call = client.call(GET_GOAL, hedge_after_ms=50)
    answered = asyncio.create_task(call.reply())
    first = asyncio.create_task(next_call(peer))
    await asyncio.wait({answered, first}, return_when=asyncio.FIRST_COMPLETED)
    if answered.done():
        first.cancel()
        answered.result()
    second = await next_call(peer)
    await peer.send(wire.end_ok(second.stream, goal("x")))
    await peer.expect(CANCEL, (await first).stream)
    await answered
    del server


# W11: draining.


@table("W11.3", {"no-error": 0, "idle": 8, "max-age": 9}, ALL)
async def drains(t: ClientTest, reason: int) -> None:
    """The call that runs is finished there; the next one goes elsewhere; then the client closes."""
    client, peer, server = await t.connected()
    running = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    await peer.send(wire.goaway(DRAIN_LAST, reason, "drain"))
    await peer.alive()
    later = client.call(CHECK)
    await answer_check(await server.greeted())
    expect(await later.result(), OK)
    await peer.send(wire.goaway(stream, reason, "drain"))
    await peer.send(wire.end_ok(stream, goal("x")))
    expect(await running.result(), OK)
    await peer.expect_closed()


@case("W11.3", "idle-connection-is-closed", ALL)
async def drains_idle(t: ClientTest) -> None:
    _, peer, _ = await t.connected()
    await peer.send(wire.goaway(DRAIN_LAST, 0), wire.ping())
    await peer.expect_closed()


@table("W11.2", {"protocol-error": 1, "frame-too-large": 2, "flow-control": 3, "abuse": 5, "internal": 7,
                 "unknown-77": 77, "unknown-65535": 65535}, ALL)  # fmt: skip
async def error_goaway(t: ClientTest, reason: int) -> None:
    """Everything but 0, 8 and 9 is an error: the calls that may have been started end there."""
    client, peer, _ = await t.connected()
    call = client.call(GENERATE_GOAL)
    stream = (await next_call(peer)).stream
    await peer.send(wire.goaway(stream, reason, "error"))
    expect(await call.result(), UNAVAILABLE)
    await peer.expect_closed()


@case("W11.1", "long-text-that-is-not-utf-8", ALL)
async def odd_goaway(t: ClientTest) -> None:
    client, peer, server = await t.connected()
    await peer.send(frame(GOAWAY, 0, 0, u32(DRAIN_LAST) + u16(0) + b"\xff\0" + b"x" * 510))
    await peer.expect_closed()
    call = client.call(CHECK)
    await answer_check(await server.greeted())
    expect(await call.result(), OK)


# C3: subscriptions that resume.


def event(cursor: str) -> bytes:
    return proto.field(1, cursor) + proto.field(3, 1)


RESUMED: Dict[str, Any] = {
    "unavailable": UNAVAILABLE, "lost": LOST, "ended-in-order": OK, "resource-exhausted": wire.RESOURCE_EXHAUSTED,
    "cancelled": CANCELLED, "deadline-exceeded": DEADLINE_EXCEEDED, "aborted": wire.ABORTED,
}  # fmt: skip


@table("C3.1", RESUMED, ALL)
async def resumes(t: ClientTest, how: Any) -> None:
    """Behind the last response, once: without loss and without doubles."""
    client, peer, server = await t.connected()
    call = client.call(PROGRESS_WATCH, proto.field(3, 1), resuming=True, cancel_after=4, timeout_ms=None)
    for start, cursors in ((b"", ("c1", "c2")), (b"c2", ("c3", "c4"))):
        got = await next_call(peer)
        equal("after_cursor", start.decode(), proto.text(got.messages[0], 2))
        for cursor in cursors:
            await peer.send(frame(MESSAGE, 0, got.stream, event(cursor)))
        if not start:
            await peer.flush()
            if how == OK:
                await peer.send(wire.end_ok(got.stream))
            elif await fail(peer, got.stream, how):
                peer = await server.greeted()
    await peer.expect(CANCEL)
    result = await call.result()
    equal("the cursors", ["c1", "c2", "c3", "c4"], [proto.text(message, 1) for message in result.messages])


@case("C3.1", "from-the-errors-cursor", ALL)
async def errors_cursor(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(PROGRESS_WATCH, resuming=True, cancel_after=1, timeout_ms=None)
    got = await next_call(peer)
    await peer.send(wire.end_error(got.stream, UNAVAILABLE, "draining", (4, b"c7")))
    again = await next_call(peer)
    equal("after_cursor", "c7", proto.text(again.messages[0], 2))
    await peer.send(frame(MESSAGE, 0, again.stream, event("c8")))
    await peer.expect(CANCEL, again.stream)
    await call.result()


@table("C3.2", {
    "unauthenticated": (wire.UNAUTHENTICATED, 0), "permission-denied": (wire.PERMISSION_DENIED, 0),
    "invalid-argument": (wire.INVALID_ARGUMENT, 0), "not-found": (wire.NOT_FOUND, 0),
    "out-of-range": (wire.OUT_OF_RANGE, 0), "failed-precondition": (wire.FAILED_PRECONDITION, 0),
    "no-model": (UNAVAILABLE, NO_MODEL),
}, TWO)  # fmt: skip
async def ends(t: ClientTest, row: Tuple[int, int]) -> None:
    client, peer, _ = await t.connected()
    call = client.call(PROGRESS_WATCH, resuming=True, timeout_ms=None)
    got = await next_call(peer)
    more = (details(reason=row[1]),) if row[1] else ()
    await peer.send(wire.end_error(got.stream, row[0], "no", *more))
    expect(await call.result(), row[0])
    await peer.alive()
    equal("calls", 1, sum(got.kind == CALL for got in peer.log))


# C4: keepalive. C5: errors. C6: closing.


@case("C4.1", "a-server-that-is-silent", seconds=15)
async def keepalive(t: ClientTest) -> None:
    """A call waits and nothing comes: the client asks, and gives up."""
    client, peer, _ = await t.connected((9, u32(200)), keepalive_ms=400)
    call = client.call(GENERATE_GOAL, timeout_ms=9000)
    await next_call(peer)
    peer.answers_pings = False
    await peer.until("PING", lambda got: got.kind == wire.PING)
    expect(await call.result(), UNAVAILABLE)


@case("C5.1", "details-are-typed", ALL)
async def typed(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    field = details(reason=2, retry_delay_us=1500, part="lake")
    await peer.send(wire.end_error(stream, wire.ABORTED, "stale", field))
    equal("the details", field[1], expect(await call.result(), wire.ABORTED).details)


@table("C5.2", {"said": True, "not-said": False}, ALL)
async def not_started(t: ClientTest, said: bool) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    more = (REFUSED,) if said else ()
    await peer.send(wire.end_error(stream, wire.RESOURCE_EXHAUSTED, "no", *more))
    equal("not started", said, expect(await call.result(), wire.RESOURCE_EXHAUSTED).not_started)


@case("C6.1", "close-ends-calls", ALL)
async def close(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    calls = [client.call(GET_GOAL), client.call(HEALTH_WATCH)]
    for _ in calls:
        await next_call(peer)
    closing = client.close()
    await peer.expect_closed()
    await closing.reply()
    for call in calls:
        expect(await call.result(), CANCELLED, UNAVAILABLE)


@case("W11.7", "goaway-of-a-client-that-closes", ALL)
async def goodbye(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    closing = client.close()
    await peer.expect_closed()
    await closing.reply()
    said = [got for got in peer.log if got.kind == GOAWAY]
    if len(said) != 1 or said[0].payload[:6] != bytes(6):
        raise Failure(f"expected GOAWAY NO_ERROR with last stream 0, got {said}")


@case("C6.2", "a-call-after-close")
async def after_close(t: ClientTest) -> None:
    client, _, server = await t.connected()
    await client.close().reply()
    expect(await client.call(CHECK).result(), CANCELLED, UNAVAILABLE)
    equal("connections", 1, server.count)


# What the cases share.


async def fail(peer: Peer, stream: int, how: Any) -> bool:
    """Ends a call so; whether the connection is gone with it."""
    if how == LOST:
        await peer.flush()
        peer.kill()
        return True
    if how == REFUSED:
        await peer.send(wire.end_error(stream, UNAVAILABLE, "refused", REFUSED))
        return False
    if how >= 1000:
        await peer.send(wire.goaway(stream - 2 if stream > 1 else 0, how - 1000, "going"))
        await peer.flush()
        return True
    await peer.send(wire.end_error(stream, how, "as the case wants"))
    return False


async def succeed(peer: Peer, call: Called, path: str) -> None:
    if path in (HEALTH_WATCH, GENERATE_GOAL):
        message = SERVING if path == HEALTH_WATCH else b""
        await peer.send(frame(MESSAGE, 0, call.stream, message), frame(END, 0, call.stream, block()))
    else:
        await peer.send(wire.end_ok(call.stream, goal("x")))
    await peer.flush()


async def answer_check(peer: Peer) -> None:
    await peer.send(wire.end_ok((await next_call(peer)).stream, SERVING))
    await peer.flush()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: Optional[int] = probe.getsockname()[1]
    assert port
    return port
