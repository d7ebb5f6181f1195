"""C2.3 and C2.4: copies of a call beside itself."""

from __future__ import annotations

import asyncio
import time
from typing import Any, List

from .. import wire
from ..cases import Failure
from ..peer import Peer
from ..wire import CALL, CANCEL, DEADLINE_EXCEEDED, OK, UNAVAILABLE, u32
from .test import CHECK, CREATE_GOAL, GET_GOAL, SERVING, Called, ClientTest, case, details, equal
from .test import expect, goal, next_call, table


async def copies(peer: Peer, count: int) -> List[Called]:
    return [await next_call(peer) for _ in range(count)]


@case("C2.4", "hedging")
async def hedging(t: ClientTest) -> None:
    """A read that is slow is asked again beside; the first answer counts and the other is cancelled."""
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, hedge_after_ms=50)
    first, second = await copies(peer, 2)
    equal("the request", first.messages, second.messages)
    await peer.send(wire.end_ok(second.stream, goal("second")))
    await peer.expect(CANCEL, first.stream)
    equal("the response", [goal("second")], expect(await call.result(), OK).messages)


@case("C2.4", "the-first-may-still-answer")
async def first_answers(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, hedge_after_ms=50)
    first, second = await copies(peer, 2)
    await peer.send(wire.end_ok(first.stream, goal("first")))
    await peer.expect(CANCEL, second.stream)
    equal("the response", [goal("first")], expect(await call.result(), OK).messages)


@case("C2.4", "not-before-the-delay")
async def delay(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, hedge_after_ms=300)
    await next_call(peer)
    began = time.monotonic()
    second = await next_call(peer)
    if time.monotonic() - began < 0.25:
        raise Failure(f"expected a delay of 300 ms, got {time.monotonic() - began:.3f} s")
    await peer.send(wire.end_ok(second.stream, goal("x")))
    expect(await call.result(), OK)


@case("C2.4", "only-where-it-is-asked-for")
async def not_asked(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    for got in await peer.quiet(0.4):
        raise Failure(f"expected one call, got {got}")
    await peer.send(wire.end_ok(stream, goal("x")))
    expect(await call.result(), OK)


@table("C2.4", {"three-copies": (3, 3), "five-at-most": (50, 5)})
async def bound(t: ClientTest, row: Any) -> None:
    """No more copies than asked for, and never more than five."""
    asked, most = row
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, hedge_after_ms=40, copies=asked)
    made = await copies(peer, most)
    for got in await peer.quiet(0.3):
        raise Failure(f"expected {most} copies, got {got} as well")
    await peer.send(wire.end_ok(made[1].stream, goal("x")))
    left = {one.stream for one in made} - {made[1].stream}
    while left:
        left.discard((await peer.expect(CANCEL)).stream)
    expect(await call.result(), OK)


@case("C2.4", "to-another-server")
async def another_server(t: ClientTest) -> None:
    servers = [await t.server(), await t.server()]
    client = t.client(*(server.address for server in servers), balancing="round_robin")
    greeted = [asyncio.create_task(server.greeted()) for server in servers]
    # A client that connects with its first call needs one.
    call = client.call(CHECK)
    peers = [await one for one in greeted]
    arrived = {asyncio.create_task(next_call(peer)): peer for peer in peers}
    done, _ = await asyncio.wait(arrived, return_when=asyncio.FIRST_COMPLETED)
    first = done.pop()
    await arrived[first].send(wire.end_ok(first.result().stream, SERVING))
    expect(await call.result(), OK)

    waiting = {peer: task for task, peer in arrived.items() if task is not first}
    waiting[arrived[first]] = asyncio.create_task(next_call(arrived[first]))
    hedged = client.call(GET_GOAL, hedge_after_ms=50)
    # One copy at each.
    calls = {peer: await task for peer, task in waiting.items()}
    await peers[0].send(wire.end_ok(calls[peers[0]].stream, goal("x")))
    await peers[1].expect(CANCEL, calls[peers[1]].stream)
    expect(await hedged.result(), OK)


@case("C2.4", "any-answer-counts")
async def any_answer(t: ClientTest) -> None:
    """Also one that is an error, where it is not UNAVAILABLE."""
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, hedge_after_ms=50)
    first, second = await copies(peer, 2)
    await peer.send(wire.end_error(second.stream, wire.NOT_FOUND, "no such goal"))
    await peer.expect(CANCEL, first.stream)
    expect(await call.result(), wire.NOT_FOUND)


@case("C2.4", "a-copy-that-is-unavailable-leaves-the-others")
async def one_unavailable(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, hedge_after_ms=50)
    first, second = await copies(peer, 2)
    await peer.send(wire.end_error(first.stream, UNAVAILABLE, "gone"))
    await peer.alive()
    await peer.send(wire.end_ok(second.stream, goal("second")))
    equal("the response", [goal("second")], expect(await call.result(), OK).messages)


@case("C2.4", "where-all-copies-are-unavailable-the-call-is-repeated")
async def all_unavailable(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, hedge_after_ms=50)
    for copy in await copies(peer, 2):
        await peer.send(wire.end_error(copy.stream, UNAVAILABLE, "gone"))
    await peer.send(wire.end_ok((await next_call(peer)).stream, goal("x")))
    expect(await call.result(), OK)


@case("C2.4", "a-copy-waits-as-the-server-asks")
async def pushback(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, hedge_after_ms=100, copies=3)
    first, _ = await copies(peer, 2)
    began = time.monotonic()
    await peer.send(wire.end_error(first.stream, UNAVAILABLE, "later", details(retry_delay_us=700_000)))
    third = await next_call(peer)
    if time.monotonic() - began < 0.65:
        raise Failure(f"expected no copy within 700 ms, got one after {time.monotonic() - began:.3f} s")
    await peer.send(wire.end_ok(third.stream, goal("x")))
    expect(await call.result(), OK)


@case("C2.4", "the-deadline-is-that-of-all-copies")
async def deadline(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, hedge_after_ms=200, timeout_ms=900)
    first, second = await copies(peer, 2)
    times = [wire.number(copy.fields[2]) for copy in (first, second)]
    if not times[1] <= 750_000 < times[0] <= 900_000:
        raise Failure(f"expected what is left of 900 ms, and 200 ms less for the copy, got {times} µs")
    expect(await call.result(), DEADLINE_EXCEEDED)
    cancelled = {(await peer.expect(CANCEL)).stream for _ in range(2)}
    equal("the cancelled streams", {first.stream, second.stream}, cancelled)


@case("C2.4", "a-caller-that-cancels-ends-all-copies")
async def cancelled(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL, hedge_after_ms=50, copies=3)
    streams = {copy.stream for copy in await copies(peer, 3)}
    await client.cancel(call)
    equal("the cancelled streams", streams, {(await peer.expect(CANCEL)).stream for _ in range(3)})
    expect(await call.result(), wire.CANCELLED)


@case("C2.4", "no-room-no-copy")
async def no_room(t: ClientTest) -> None:
    """A copy takes no place that there is not, and opens no connection."""
    client, peer, server = await t.connected((5, u32(1)))
    call = client.call(GET_GOAL, hedge_after_ms=50, copies=5)
    stream = (await next_call(peer)).stream
    for got in await peer.quiet(0.4):
        raise Failure(f"expected one call, got {got}")
    await peer.send(wire.end_ok(stream, goal("x")))
    expect(await call.result(), OK)
    equal("connections", 1, server.count)


@case("C2.4", "a-write-is-hedged-under-its-callers-key")
async def keyed(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(CREATE_GOAL, hedge_after_ms=50, key="mine")
    first, second = await copies(peer, 2)
    equal("the keys", [b"mine", b"mine"], [first.fields.get(3), second.fields.get(3)])
    await peer.send(wire.end_ok(second.stream, goal("x")))
    expect(await call.result(), OK)


@case("C2.4", "a-write-without-a-key-is-not-hedged")
async def unkeyed(t: ClientTest) -> None:
    """The caller asks for what cannot be: nothing is sent."""
    client, peer, _ = await t.connected()
    call = client.call(CREATE_GOAL, hedge_after_ms=50)
    expect(await call.result(), wire.INVALID_ARGUMENT)
    await peer.alive()
    equal("calls", 0, sum(got.kind == CALL for got in peer.log))


@case("C2.3", "copies-count-as-repeats", seconds=20)
async def budget(t: ClientTest) -> None:
    """400 slow calls at once: a burst of copies, and no more of them than there are repeats."""
    client, peer, _ = await t.connected((5, u32(2000)))
    began = time.monotonic()
    calls = [client.call(GET_GOAL, timeout_ms=15_000, hedge_after_ms=20, copies=5) for _ in range(400)]
    arrived = [got for got in await peer.quiet(2.0) if got.kind == CALL]
    most = 400 + 100 + 200 * (time.monotonic() - began)
    if len(arrived) > most:
        raise Failure(f"expected at most {most:.0f} calls and copies of calls, got {len(arrived)}")

    async def serve() -> None:
        for got in arrived:
            await peer.send(wire.end_ok(got.stream, goal("x")))
        while True:
            await peer.send(wire.end_ok((await next_call(peer)).stream, goal("x")))

    serving = asyncio.create_task(serve())
    try:
        for call in calls:
            expect(await call.result(), OK)
    finally:
        serving.cancel()
