"""C1: several servers and connections, room, health."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any, AsyncIterator, Dict, List

from .. import wire
from ..cases import ALL, Failure, TWO
from ..tls import Closed
from ..peer import Peer
from ..wire import CALL, CANCEL, CANCELLED, END, MESSAGE, OK, UNAVAILABLE, UNIMPLEMENTED, frame, u32
from .sharing import DRAIN_LAST, answer_check, free_port
from .test import CHECK, GET_GOAL, HEALTH_WATCH, SERVING, ClientTest, Server, UnderTest, case, equal
from .test import expect, goal, next_call, table

NOT_SERVING = b"\x08\x02"


class Played:
    """A server that answers every call with its name, and says of its health what the case wants."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name = server, name
        self.peers: List[Peer] = []
        self.count = 0
        """Calls that were answered."""
        self.health = SERVING
        self.watched: asyncio.Event = asyncio.Event()
        self._watches: Dict[Peer, int] = {}
        self._tasks: List["asyncio.Task[None]"] = []

    async def run(self) -> None:
        while True:
            peer = await self.server.greeted()
            self.peers.append(peer)
            self._tasks.append(asyncio.create_task(self._serve(peer)))

    async def say(self, health: bytes) -> None:
        self.health = health
        for peer, stream in self._watches.items():
            await peer.send(frame(MESSAGE, 0, stream, health))

    def kill(self) -> None:
        self.server.close()
        for peer in self.peers:
            peer.kill()

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _serve(self, peer: Peer) -> None:
        with contextlib.suppress(Failure, Closed, ConnectionError):
            while True:
                got = await next_call(peer)
                if got.path == HEALTH_WATCH:
                    self._watches[peer] = got.stream
                    await peer.send(frame(MESSAGE, 0, got.stream, self.health))
                    self.watched.set()
                    continue
                self.count += 1
                await peer.send(wire.end_ok(got.stream, goal(self.name)))


@contextlib.asynccontextmanager
async def played(*all_of: Played) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.run()) for one in all_of]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for one in all_of:
            one.stop()


async def who(client: UnderTest, **options: Any) -> str:
    """The name of the server that answers a call."""
    message = expect(await client.call(GET_GOAL, **options).result(), OK).messages[0]
    return message[4:].decode()


async def two(t: ClientTest, **options: Any) -> "tuple[UnderTest, Played, Played]":
    one, other = Played(await t.server(), "one"), Played(await t.server(), "other")
    return t.client(one.server.address, other.server.address, **options), one, other


# C1.2, C1.3


@case("C1.2", "one-that-says-nothing-does-not-hold-up-the-next")
async def silent(t: ClientTest) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    deaf = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    try:
        port = deaf.sockets[0].getsockname()[1]
        other = Played(await t.server(), "other")
        async with played(other):
            began = time.monotonic()
            client = t.client(f"127.0.0.1:{port}", other.server.address)
            equal("the server", "other", await who(client))
            if time.monotonic() - began > 3:
                raise Failure(f"expected an answer soon, got it after {time.monotonic() - began:.1f} s")
            await client.close().reply()
    finally:
        deaf.close()


@case("C1.2", "the-next-takes-over", TWO)
async def takes_over(t: ClientTest) -> None:
    client, one, other = await two(t)
    async with played(one, other):
        equal("the server", "one", await who(client))
        one.kill()
        equal("the server", "other", await who(client))


@case("C1.3", "one-that-refuses-is-left-out")
async def left_out(t: ClientTest) -> None:
    one = Played(await t.server(), "one")
    async with played(one):
        client = t.client(f"127.0.0.1:{free_port()}", one.server.address, balancing="round_robin")
        equal("the servers", ["one"] * 6, [await who(client) for _ in range(6)])


@case("C1.3", "one-that-is-lost-is-left-out-and-comes-back")
async def comes_back(t: ClientTest) -> None:
    client, one, other = await two(t, balancing="round_robin")
    async with played(one, other):
        while not (one.count and other.count):
            await who(client)
        one.kill()
        equal("the servers", {"other"}, {await who(client) for _ in range(6)})
        again = Played(await t.server(port=one.server.port), "again")
        async with played(again):
            while await who(client) != "again":
                await asyncio.sleep(0.02)


# C1.5


@case("C1.5", "a-call-says-it-itself")
async def by_call(t: ClientTest) -> None:
    client, peer, server = await t.connected(wait_for_ready=False)
    server.close()
    peer.kill()
    expect(await client.call(CHECK).result(), UNAVAILABLE)
    waiting = client.call(CHECK, wait_for_ready=True)
    again = await t.server(port=server.port)
    await answer_check(await again.greeted())
    expect(await waiting.result(), OK)


# C1.6


@case("C1.6", "one-connection-while-it-has-room")
async def one_connection(t: ClientTest) -> None:
    client, peer, server = await t.connected((5, u32(50)))
    calls = [client.call(GET_GOAL) for _ in range(50)]
    streams = [(await next_call(peer)).stream for _ in calls]
    for stream in streams:
        await peer.send(wire.end_ok(stream, goal("x")))
    for call in calls:
        expect(await call.result(), OK)
    equal("connections", 1, server.count)


@case("C1.6", "no-more-connections-than-their-maximum")
async def most_connections(t: ClientTest) -> None:
    client, peer, server = await t.connected((5, u32(1)), connections=3)
    calls = [client.call(GET_GOAL) for _ in range(9)]
    peers = [peer, *[await server.greeted((5, u32(1))) for _ in range(2)]]

    async def serve(one: Peer) -> None:
        while True:
            stream = (await next_call(one)).stream
            await one.alive()
            await one.send(wire.end_ok(stream, goal("x")))

    tasks = [asyncio.create_task(serve(one)) for one in peers]
    try:
        for call in calls:
            expect(await call.result(), OK)
    finally:
        for task in tasks:
            task.cancel()
    equal("connections", 3, server.count)


@case("C1.6", "a-cancelled-call-leaves-its-place", TWO)
async def place_comes_back(t: ClientTest) -> None:
    client, peer, _ = await t.connected((5, u32(1)), connections=1)
    first, second = client.call(GET_GOAL), client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    third = client.call(GET_GOAL)
    await client.cancel(second)
    expect(await second.result(), CANCELLED)
    await client.cancel(first)
    await peer.expect(CANCEL, stream)
    await peer.send(wire.end_ok((await next_call(peer)).stream, goal("x")))
    expect(await third.result(), OK)


@case("C1.6", "a-wait-for-room-ends-at-the-deadline")
async def room_deadline(t: ClientTest) -> None:
    client, peer, _ = await t.connected((5, u32(1)), connections=1)
    first = client.call(GET_GOAL)
    stream = (await next_call(peer)).stream
    second = client.call(GET_GOAL, timeout_ms=300)
    result = expect(await second.result(), wire.DEADLINE_EXCEEDED)
    if result.not_started is False:
        raise Failure("expected the client to know that the call was not started")
    await peer.send(wire.end_ok(stream, goal("x")))
    expect(await first.result(), OK)


# C1.7


@case("C1.7", "a-server-that-drops-connections-is-not-stormed", seconds=15)
async def flapping(t: ClientTest) -> None:
    """It greets and hangs up: calls come back more and more slowly."""
    server = await t.server()
    client = t.client(server.address, wait_for_ready=True)
    calls = [client.call(CHECK, timeout_ms=1500) for _ in range(20)]
    end = time.monotonic() + 1.6
    while (left := end - time.monotonic()) > 0:
        try:
            (await asyncio.wait_for(server.greeted(), left)).kill()
        except asyncio.TimeoutError:
            break
        except Closed:
            continue
    if server.count > 14:
        raise Failure(f"expected a few connections in 1.5 s, got {server.count}")
    for call in calls:
        expect(await call.result(), wire.DEADLINE_EXCEEDED, UNAVAILABLE)


# C1.8


@case("C1.8", "not-serving-gets-no-new-calls", seconds=15)
async def not_serving(t: ClientTest) -> None:
    client, one, other = await two(t, health=True)
    async with played(one, other):
        equal("the server", "one", await who(client))
        await one.watched.wait()
        await one.say(NOT_SERVING)
        while await who(client) != "other":
            await asyncio.sleep(0.01)
        equal("the servers", {"other"}, {await who(client) for _ in range(10)})


@case("C1.8", "serving-again-gets-calls", seconds=15)
async def serving_again(t: ClientTest) -> None:
    client, one, other = await two(t, health=True, balancing="round_robin")
    one.health = NOT_SERVING
    async with played(one, other):
        # Until both are connected and have said how they are.
        while not (one.watched.is_set() and other.watched.is_set()):
            await who(client)
        while one.count:
            one.count = 0
            equal("a server", True, {await who(client) for _ in range(10)} <= {"one", "other"})
        await one.say(SERVING)
        while not one.count:
            await who(client)


@case("C1.8", "where-none-serves-calls-go-all-the-same")
async def none_serves(t: ClientTest) -> None:
    client, one, other = await two(t, health=True)
    one.health = other.health = NOT_SERVING
    async with played(one, other):
        for _ in range(10):
            await who(client)


@case("C1.8", "nobody-is-asked-unless-that-is-asked-for")
async def not_asked(t: ClientTest) -> None:
    client, one, other = await two(t)
    async with played(one, other):
        await who(client)
        await who(client)
    if one.watched.is_set() or other.watched.is_set():
        raise Failure("expected no question about a server's health")


@case("C1.8", "a-server-without-health-serves")
async def without_health(t: ClientTest) -> None:
    server = await t.server()
    client = t.client(server.address, health=True)
    call = client.call(GET_GOAL)
    peer = await server.greeted()
    watches = 0
    for _ in range(2):
        got = await next_call(peer)
        if got.path == HEALTH_WATCH:
            watches += 1
            await peer.send(wire.end_error(got.stream, UNIMPLEMENTED, "no such method"))
        else:
            await peer.send(wire.end_ok(got.stream, goal("x")))
    expect(await call.result(), OK)
    if [got for got in await peer.quiet(0.3) if got.kind == CALL] or watches != 1:
        raise Failure("expected one question about the server's health, and no other")


@case("C1.8", "a-drain-does-not-wait-for-the-question", ALL)
async def drained(t: ClientTest) -> None:
    server = await t.server()
    client = t.client(server.address, health=True)
    call = client.call(GET_GOAL)
    peer = await server.greeted()
    watch = 0
    for _ in range(2):
        got = await next_call(peer)
        if got.path == HEALTH_WATCH:
            watch = got.stream
            await peer.send(frame(MESSAGE, 0, watch, SERVING))
        else:
            await peer.send(wire.end_ok(got.stream, goal("x")))
    expect(await call.result(), OK)
    # A client that connects again finds nobody.
    server.close()
    await peer.send(wire.goaway(DRAIN_LAST, wire.NO_ERROR, "drain"))
    await peer.expect(CANCEL, watch)
    await peer.expect_closed()
