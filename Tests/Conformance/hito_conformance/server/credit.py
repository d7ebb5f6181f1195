"""W9: credit in both directions."""

from __future__ import annotations

from .. import proto, wire
from ..cases import ALL, Failure, Skipped, TWO
from ..peer import Peer
from ..wire import ABUSE, CANCEL, CREDIT, END, FLOW_CONTROL, MESSAGE, OK, frame, u32
from .test import CHECK, DESCRIPTORS, GET_GOAL, HEALTH_WATCH, NO_GOAL, ServerTest, case, table


def filler(size: int) -> bytes:
    """A request of GetGoal of a size: a field that nobody knows fills it."""
    start = proto.field(1, NO_GOAL)
    for header in (2, 3, 4, 5, 6, 7):
        message = start + proto.field(1999, bytes(size - len(start) - header)) if size > 60 else start
        if len(message) == size:
            return message
    raise ValueError(size)


async def upload(peer: Peer, stream: int, path: str, message: bytes, *fields: wire.Field) -> None:
    """Sends a request of any size as its credit allows, the whole way the slow one."""
    own = wire.number(peer.hello.get(6, u32(262144)))
    most = wire.number(peer.hello.get(3, u32(16384)))
    await peer.send(wire.call(stream, path, None, *fields, end=False))
    at = 0
    while at < len(message):
        stream_credit = own + peer.stream_credits.get(stream, 0) - at
        room = min(stream_credit, peer.credit, most, len(message) - at)
        if room < min(1024, len(message) - at):
            got = await peer.until("CREDIT", lambda frame: frame.kind in (CREDIT, END))
            if got.kind == END:
                raise Failure(f"expected CREDIT for the rest of the message, got {got}")
            continue
        last = at + room == len(message)
        await peer.send(frame(MESSAGE, 1 if last else 2, stream, message[at : at + room]))
        at += room
        peer.credit -= room


@case("W9.1", "stream-credit-of-hello", ALL)
async def of_hello(t: ServerTest) -> None:
    """A reply waits for the credit that HELLO does not give, and comes when it is given."""
    peer = await t.connect((6, u32(0)))
    await peer.call(1, CHECK)
    await peer.alive()
    if any(got.stream == 1 and got.kind in (END, MESSAGE) for got in peer.log):
        raise Failure("W9.3: expected nothing without credit, got a reply")
    await peer.send(wire.credit(1, 1024))
    await peer.expect_status(1, OK)


@case("W9.1", "connection-credit-of-hello", ALL)
async def of_connection(t: ServerTest) -> None:
    peer = await t.connect((7, u32(0)))
    await peer.call(1, CHECK)
    await peer.alive()
    if any(got.stream == 1 and got.kind in (END, MESSAGE) for got in peer.log):
        raise Failure("W9.3: expected nothing without credit, got a reply")
    await peer.send(wire.credit(0, 1024))
    await peer.expect_status(1, OK)


@table("W9.2", {"1024": 1024, "1025": 1025, "4096": 4096, "16384": 16384}, TWO)
async def window(t: ServerTest, step: int) -> None:
    """A reply larger than the window comes in pieces of it; the rules count every byte."""
    peer = await t.connect((6, u32(step)))
    await peer.call(1, DESCRIPTORS)
    size = 0
    while True:
        got = await peer.until("MESSAGE or END", lambda got: got.kind in (MESSAGE, END))
        if got.kind == END:
            end = wire.parse_end(got)
            if end.status != OK or not size:
                raise Failure(f"expected OK after fragments, got {got}")
            return
        size += len(got.payload)
        await peer.send(wire.credit(1, max(1024, len(got.payload))))


@case("W9.2", "end-without-a-message-never-waits", ALL)
async def never_waits(t: ServerTest) -> None:
    peer = await t.connect((6, u32(0)), (7, u32(0)))
    await peer.call(1, GET_GOAL)
    await peer.expect_status(1, wire.UNAUTHENTICATED)


@case("W9.3", "more-than-the-connection-has", ALL)
async def too_much(t: ServerTest) -> None:
    """Unfinished requests of calls whose caller is not known: nothing is granted for them on arrival (W9.8)."""
    peer = await t.connect()
    if peer.credit > 120_000:
        raise Skipped("this server grants strangers more than their calls can hold")
    for n in range(peer.credit // 10_000 + 1):
        await peer.send(wire.call(1 + 2 * n, CHECK, bytes(10_000), end=False, more=True))
    await peer.expect_goaway(FLOW_CONTROL)


@case("W9.3", "calls-that-are-refused-are-not-the-connections-end", ALL)
async def refused_bytes(t: ServerTest) -> None:
    """As much as was granted, in one write, all of it for calls that are refused by their head."""
    peer = await t.connect()
    count = peer.credit // 15_000
    for n in range(count):
        await peer.send(wire.call(1 + 2 * n, GET_GOAL, bytes(15_000)))
    for n in range(count):
        await peer.expect_status(1 + 2 * n, wire.UNAUTHENTICATED)
    await peer.alive()


@table("W9.5", {"20000": 20000, "70000": 70000, "300000": 300000, "1000000": 1000000}, ("whole", "random"))
async def larger_than_the_window(t: ServerTest, size: int) -> None:
    peer = await t.known()
    await upload(peer, 3, GET_GOAL, filler(size))
    await peer.expect_status(3, wire.NOT_FOUND)
    grants = [wire.number(got.payload) for got in peer.log if got.kind == CREDIT]
    if any(amount < 1024 for amount in grants):
        raise Failure(f"W9.5: expected steps of 1024 bytes at least, got {min(grants)}")


@case("W9.5", "no-credit-after-half-close", ALL)
async def after_half_close(t: ServerTest) -> None:
    peer = await t.known()
    await peer.call(3, GET_GOAL, filler(16000))
    await peer.expect_status(3, wire.NOT_FOUND)
    await peer.alive()
    if any(got.kind == CREDIT and got.stream == 3 for got in peer.log):
        raise Failure("expected no CREDIT for a stream that has half-closed")


@case("W9.6", "bytes-of-ended-streams-come-back")
async def come_back(t: ServerTest) -> None:
    """Far more than the connection has, all of it for calls that are refused by their head."""
    peer = await t.connect()
    own = peer.credit
    stream = 1
    sent = 0
    while sent < 3 * own:
        while peer.credit < 15000:
            await peer.expect(CREDIT, 0)
        await peer.call(stream, GET_GOAL, bytes(15000))
        sent += 15000
        await peer.expect_status(stream, wire.UNAUTHENTICATED)
        stream += 2


@case("W9.6", "bytes-behind-a-cancel-come-back")
async def behind_cancel(t: ServerTest) -> None:
    peer = await t.known()
    sent, stream, own = 0, 3, peer.credit
    while sent < 2 * own:
        while peer.credit < 16000:
            await peer.expect(CREDIT, 0)
        await peer.send(wire.call(stream, GET_GOAL, bytes(1024), end=False, more=True))
        await peer.send(frame(CANCEL, 0, stream), frame(MESSAGE, 2, stream, bytes(14000)))
        sent += 15024
        peer.credit -= 15024
        stream += 2
    await peer.alive()


@case("W9.7", "many-small-credits")
async def small_credits(t: ServerTest) -> None:
    peer = await t.connect((7, u32(0)))
    await peer.send(wire.credit(0, 1) * 3000)
    await peer.expect_goaway(ABUSE)


@case("W9.7", "some-small-credits")
async def some_credits(t: ServerTest) -> None:
    peer = await t.connect((7, u32(0)))
    await peer.send(wire.credit(0, 1) * 900)
    await peer.alive()


@case("W9.8", "the-rest-after-a-token")
async def the_rest(t: ServerTest) -> None:
    peer = await t.known()
    first = wire.number(peer.hello.get(7, u32(1 << 20)))
    if first >= 1 << 20:
        return  # It may, it need not.
    if peer.credit < 1 << 19:
        await peer.until("CREDIT of the rest", lambda got: got.kind == CREDIT and peer.credit >= 1 << 19)


@case("W9.9", "a-stalled-call-ends", seconds=40)
async def stalled(t: ServerTest) -> None:
    t.seconds("stall")
    peer = await t.connect((6, u32(0)))
    await peer.call(1, HEALTH_WATCH)
    end = await peer.expect_status(1, wire.UNAVAILABLE)
    await peer.alive()
    if not end.fields.get(3):
        raise Failure("expected details with the reason STREAM_STALLED, got none")


@case("W9.10", "a-stalled-stream-takes-no-one-elses", TWO)
async def stalled_stream(t: ServerTest) -> None:
    """A stream without credit of its own does not hold up the others."""
    peer = await t.connect((6, u32(0)))
    await peer.call(1, DESCRIPTORS)
    await peer.call(3, CHECK)
    await peer.send(wire.credit(3, 1024))
    await peer.expect_status(3, OK)
    await peer.send(frame(CANCEL, 0, 1))
    await peer.alive()


