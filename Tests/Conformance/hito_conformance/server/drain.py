"""W11: a server that is told to drain while calls of every kind run."""

from __future__ import annotations

from .. import proto, wire
from ..cases import Failure
from ..peer import Peer
from ..wire import END, GOAWAY, MESSAGE, PING, UNAVAILABLE, Frame
from .test import CHECK, GET_GOAL, HEALTH_WATCH, NO_GOAL, PROGRESS_WATCH, ServerTest, case

FIRST_LAST = wire.STREAM_MAX


async def _goaway(peer: Peer) -> Frame:
    return await peer.until("GOAWAY NO_ERROR", lambda got: got.kind == GOAWAY)


@case("W11.3", "two-phases", phase="drain", seconds=60)
async def two_phases(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, HEALTH_WATCH)
    await peer.expect(MESSAGE, 1)
    peer.answers_pings = False
    await t.drain()
    first = await _goaway(peer)
    if wire.number(first.payload[:4]) != FIRST_LAST:
        raise Failure(f"expected a first GOAWAY with last stream 2^31 - 1, got {first}")
    ping = await peer.until("PING", lambda got: got.kind == PING)
    # A call that is on the way is still taken.
    await peer.call(3, CHECK)
    await peer.expect_status(3, wire.OK)
    await peer.send(wire.frame(wire.PONG, 0, 0, ping.payload))
    second = await _goaway(peer)
    if wire.number(second.payload[:4]) != 3:
        raise Failure(f"expected a second GOAWAY with last stream 3, got {second}")
    await peer.expect_closed()


@case("W11.5", "subscriptions-end-with-the-second", phase="drain", seconds=60)
async def subscriptions(t: ServerTest) -> None:
    peer = await t.known()
    await peer.call(3, PROGRESS_WATCH)
    await peer.alive()
    await t.drain()
    end = await peer.expect_status(3, UNAVAILABLE)
    if not end.fields.get(3):
        raise Failure("expected details with the reason DRAINING")
    await peer.expect_closed()


@case("W11.3", "an-idle-connection", phase="drain", seconds=60)
async def idle(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, CHECK)
    await peer.expect_status(1, wire.OK)
    await t.drain()
    got = await _goaway(peer)
    if wire.number(got.payload[4:6]) != wire.NO_ERROR:
        raise Failure(f"expected GOAWAY NO_ERROR, got {got}")
    await peer.expect_closed()


@case("W11.5", "before-hello", phase="drain", seconds=60)
async def before_hello(t: ServerTest) -> None:
    peer = await t.dial()
    await t.drain()
    # With or without a word: it says nothing that is not there.
    await peer.expect_closed()


@case("W11.4", "a-call-above-the-last-is-not-answered", phase="drain", seconds=60)
async def above_the_last(t: ServerTest) -> None:
    peer = await t.known()
    # Its request is never complete, so that it runs until the grace is over.
    await peer.send(wire.call(3, GET_GOAL, None, end=False))
    await peer.alive()
    await t.drain()
    await _goaway(peer)
    second = await _goaway(peer)
    last = wire.number(second.payload[:4])
    if last != 3:
        raise Failure(f"expected the second GOAWAY with last stream 3, got {second}")
    await peer.call(5, GET_GOAL, proto.field(1, NO_GOAL))
    # The call that runs is finished within the grace.
    await peer.send(wire.frame(MESSAGE, 1, 3, proto.field(1, NO_GOAL)))
    await peer.expect_status(3, wire.NOT_FOUND)
    await peer.expect_closed()
    if any(got.stream == 5 and got.kind in (END, MESSAGE) for got in peer.log):
        raise Failure("expected no answer to a call above the last stream")


@case("W11.8", "what-was-made-is-written", phase="drain", seconds=60)
async def written(t: ServerTest) -> None:
    peer = await t.connect((6, wire.u32(1024)))
    await peer.call(1, "hito.v1.ReflectionService/GetDescriptorSet")
    await peer.expect(MESSAGE, 1)
    await t.drain()
    await peer.send(wire.credit(1, 4 << 20))
    await peer.expect_status(1, wire.OK)
    await peer.expect_closed()
