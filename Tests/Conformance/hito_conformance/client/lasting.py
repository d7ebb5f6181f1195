"""W11 and C3 to C6: draining, resuming, errors, closing."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from .. import proto, wire
from ..cases import ALL, Failure, TWO
from ..wire import CALL, CANCEL, CANCELLED, DEADLINE_EXCEEDED, GOAWAY, MESSAGE, OK, UNAVAILABLE
from ..wire import frame, u16, u32
from .sharing import LOST, REFUSED, NO_MODEL, DRAIN_LAST, answer_check, fail
from .test import CHECK, CREATE_GOAL, GENERATE_GOAL, GET_GOAL, HEALTH_WATCH, PROGRESS_WATCH, ClientTest, case
from .test import details, equal, expect, goal, next_call, table


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
    events = ["c1", "c2", "c3", "c4"]
    first = await next_call(peer)
    equal("after_cursor", "", proto.text(first.messages[0], 2))
    await peer.send(*(frame(MESSAGE, 0, first.stream, event(cursor)) for cursor in events[:2]))
    await peer.alive()
    if how == OK:
        await peer.send(wire.end_ok(first.stream))
    elif await fail(peer, first.stream, how):
        peer = await server.greeted()
    again = await next_call(peer)
    # What was lost on the way to its reader it asks for again.
    start = proto.text(again.messages[0], 2)
    if how != LOST or start not in ("", "c1"):
        equal("after_cursor", "c2", start)
    for cursor in events[events.index(start) + 1 if start else 0 :]:
        await peer.send(frame(MESSAGE, 0, again.stream, event(cursor)))
    await peer.expect(CANCEL)
    result = await call.result()
    equal("the cursors", events, [proto.text(message, 1) for message in result.messages])


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
    call = client.call(GENERATE_GOAL)
    await next_call(peer)
    peer.answers_pings = False
    await peer.until("PING", lambda got: got.kind == wire.PING)
    expect(await call.result(), UNAVAILABLE)


@case("C4.1", "a-server-that-answers-is-kept")
async def kept(t: ClientTest) -> None:
    client, peer, server = await t.connected((9, u32(100)), keepalive_ms=200)
    call = client.call(GENERATE_GOAL)
    stream = (await next_call(peer)).stream
    await peer.quiet(1.5)
    if sum(got.kind == wire.PING for got in peer.log) < 2:
        raise Failure("expected a PING now and then")
    await peer.send(wire.end_ok(stream))
    expect(await call.result(), OK)
    equal("connections", 1, server.count)


@case("C4.1", "only-while-calls-wait")
async def nobody_waits(t: ClientTest) -> None:
    _, peer, _ = await t.connected((9, u32(100)), keepalive_ms=200)
    await peer.quiet(1.0)
    equal("PINGs", 0, sum(got.kind == wire.PING for got in peer.log))


@case("C5.4", "the-own-maximum-can-be-set", TWO)
async def own_maximum(t: ClientTest) -> None:
    client, peer, _ = await t.connected(message_max=40_000)
    equal("the maximum in HELLO", 40_000, wire.number(peer.hello[4]))
    call = client.call(HEALTH_WATCH)
    stream = (await next_call(peer)).stream
    for _ in range(3):
        await peer.send(frame(MESSAGE, wire.FLAG_MORE, stream, bytes(14_000)))
    await peer.expect(CANCEL, stream)
    expect(await call.result(), wire.RESOURCE_EXHAUSTED)


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


EARLIER: Dict[str, Tuple[str, Any]] = {
    "that-was-lost": (CREATE_GOAL, LOST), "that-is-unavailable": (CREATE_GOAL, UNAVAILABLE),
    "of-a-stream-that-was-lost": (HEALTH_WATCH, LOST),
    "of-a-stream-that-is-unavailable": (HEALTH_WATCH, UNAVAILABLE),
}  # fmt: skip


@table("C5.2", EARLIER, TWO)
async def an_earlier_attempt(t: ClientTest, row: Tuple[str, Any]) -> None:
    """The last attempt was not started, but the one before it perhaps was: nothing is certain of the call."""
    path, how = row
    client, peer, server = await t.connected()
    call = client.call(path)
    again = await fail(peer, (await next_call(peer)).stream, how)
    second_peer = await server.greeted() if again else peer
    stream = (await next_call(second_peer)).stream
    await second_peer.send(wire.end_error(stream, wire.RESOURCE_EXHAUSTED, "no", REFUSED))
    if expect(await call.result(), wire.RESOURCE_EXHAUSTED).not_started:
        raise Failure("expected the client not to say that the call was not started")


@table("C5.2", {"a-copy-that-runs": False, "a-copy-that-has-failed": True}, TWO)
async def another_copy(t: ClientTest, has_failed: bool) -> None:
    """Of two copies the second was not started, and decides; the first perhaps was."""
    client, peer, _ = await t.connected()
    call = client.call(CREATE_GOAL, hedge_after_ms=50, key="mine")
    first, second = (await next_call(peer)).stream, (await next_call(peer)).stream
    if has_failed:
        await peer.send(wire.end_error(first, UNAVAILABLE, "no"))
    await peer.send(wire.end_error(second, wire.RESOURCE_EXHAUSTED, "no", REFUSED))
    if expect(await call.result(), wire.RESOURCE_EXHAUSTED).not_started:
        raise Failure("expected the client not to say that the call was not started")


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


@case("C6.3", "close-ends-what-waits")
async def close_waiting(t: ClientTest) -> None:
    """A call that waits for room, and one that waits for its next attempt."""
    client, peer, server = await t.connected((5, u32(1)), connections=1)
    resting = client.call(GET_GOAL, timeout_ms=60_000)
    stream = (await next_call(peer)).stream
    await peer.send(wire.end_error(stream, UNAVAILABLE, "later", details(retry_delay_us=50_000_000)))
    running = client.call(GET_GOAL, timeout_ms=60_000)
    await next_call(peer)
    waiting = client.call(GET_GOAL, timeout_ms=60_000)
    await peer.alive()
    closing = client.close()
    await peer.expect_closed()
    await closing.reply()
    for call in (resting, running, waiting):
        expect(await call.result(), CANCELLED, UNAVAILABLE)
    equal("connections", 1, server.count)


@case("C6.2", "a-call-after-close")
async def after_close(t: ClientTest) -> None:
    client, _, server = await t.connected()
    await client.close().reply()
    expect(await client.call(CHECK).result(), CANCELLED, UNAVAILABLE)
    equal("connections", 1, server.count)
