"""C1: connecting, and to whom."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import List

from .. import wire
from ..cases import ALL, Failure, TWO
from ..wire import CALL, DEADLINE_EXCEEDED, OK, UNAVAILABLE, u32
from .sharing import answer_check, free_port
from .test import CHECK, GET_GOAL, SERVING, ClientTest, case, equal, expect, goal, next_call
from .test import table


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
    if time.monotonic() - began > 3:
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
        await client.ready()
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
    call = client.call(CHECK)
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
    done, _ = await asyncio.wait({accepted}, timeout=4.0)
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
