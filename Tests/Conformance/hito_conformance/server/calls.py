"""W5.5 to W5.7, W8, W10, W12, W13, W14: calls as a whole."""

from __future__ import annotations

import time
import uuid

from .. import proto, wire
from ..cases import ALL, Failure, TWO
from ..wire import ABUSE, ALREADY_EXISTS, CANCEL, DEADLINE_EXCEEDED, END, INVALID_ARGUMENT, MESSAGE
from ..wire import NOT_FOUND, OK, RESOURCE_EXHAUSTED, UNAUTHENTICATED
from ..wire import UNAVAILABLE, frame, u64
from .test import CHECK, CREATE_GOAL, DESCRIPTORS, GET_GOAL
from .test import HEALTH_WATCH, LIST_GOALS, NO_GOAL, PROGRESS_WATCH, REVOKE_TOKEN, SERVER_INFO, SERVING
from .test import ROOM, OneCall, ServerTest, case, table


@case("W5.5", "unary-in-one-frame", ALL)
async def one_frame(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, CHECK)
    if (await peer.expect_status(1, OK)).message != SERVING:
        raise Failure("expected the reply of Check")


@case("W5.5", "credit-and-cancel-after-half-close", ALL)
async def after_half_close(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, HEALTH_WATCH)
    await peer.expect(MESSAGE, 1)
    await peer.send(wire.credit(1, 5000), frame(CANCEL, 0, 1))
    await peer.alive()


@case("W5.7", "calls-above-the-limit")
async def above(t: ServerTest) -> None:
    """Strangers have fewer places than HELLO says; both refusals say that nothing was begun."""
    peer = await t.connect()
    limit = wire.number(peer.hello.get(5, wire.u32(100)))
    for n in range(limit + 1):
        await peer.send(wire.call(1 + 2 * n, CHECK, None, end=False))
    end = await peer.until("END", lambda got: got.kind == END)
    refused = wire.parse_end(end)
    if refused.status != RESOURCE_EXHAUSTED or not refused.not_started:
        raise Failure(f"expected RESOURCE_EXHAUSTED that was not started, got {end}")
    # A cancelled call frees its place at once.
    await peer.send(frame(CANCEL, 0, 1), wire.call(1 + 2 * (limit + 5), CHECK))
    await peer.expect_status(1 + 2 * (limit + 5), OK, UNAVAILABLE)


@case("W5.7", "calls-above-the-limit-with-a-token")
async def above_with_token(t: ServerTest) -> None:
    peer = await t.known()
    limit = wire.number(peer.hello.get(5, wire.u32(100)))
    for n in range(limit):
        await peer.send(wire.call(3 + 2 * n, GET_GOAL, None, end=False))
    await peer.alive()
    if any(got.kind == END and got.stream > 1 for got in peer.log):
        raise Failure(f"expected room for {limit} calls")
    await peer.call(3 + 2 * limit, GET_GOAL)
    end = await peer.expect_status(3 + 2 * limit, RESOURCE_EXHAUSTED)
    if not end.not_started:
        raise Failure("W7.2: expected an END that says that the call was not started")


@case("W13.5", "public-streams-of-a-connection")
async def public_streams(t: ServerTest) -> None:
    peer = await t.connect()
    for n in range(4):
        await peer.call(1 + 2 * n, HEALTH_WATCH)
        await peer.expect(MESSAGE, 1 + 2 * n)
    await peer.call(9, HEALTH_WATCH)
    await peer.expect_status(9, RESOURCE_EXHAUSTED)
    await peer.send(frame(CANCEL, 0, 1))
    await peer.call(11, HEALTH_WATCH)
    await peer.expect(MESSAGE, 11)


@case("W8.1", "nothing-after-a-cancel", ALL)
async def cancelled(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, HEALTH_WATCH)
    await peer.expect(MESSAGE, 1)
    await peer.send(frame(CANCEL, 0, 1))
    await peer.alive()
    since = len(peer.log)
    await peer.alive(b"again?\0\0")
    if any(got.stream == 1 for got in peer.log[since:]):
        raise Failure("expected nothing more on a cancelled stream")


@case("W8.1", "cancel-in-the-same-write", ALL)
async def at_once(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.send(wire.call(1, CHECK), frame(CANCEL, 0, 1), wire.call(3, CHECK))
    await peer.expect_status(3, OK)
    await peer.alive()


@case("W8.1", "cancel-in-a-request", ALL)
async def in_a_request(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.send(wire.call(1, CHECK, bytes(1024), end=False, more=True), frame(CANCEL, 0, 1))
    await peer.alive()


@case("W8.3", "many-cancels")
async def many_cancels(t: ServerTest) -> None:
    peer = await t.connect()
    data = b"".join(wire.call(1 + 2 * n, CHECK, None, end=False) + frame(CANCEL, 0, 1 + 2 * n) for n in range(3000))
    await peer.send(data)
    await peer.expect_goaway(ABUSE)


@case("W8.3", "some-cancels")
async def some_cancels(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.send(b"".join(wire.call(1 + 2 * n, CHECK, None, end=False) + frame(CANCEL, 0, 1 + 2 * n) for n in range(900)))
    await peer.alive()


@table("W10.1", {"zeros": bytes(8), "ones": b"\xff" * 8, "text": b"hitoping"}, ALL)
async def ping(t: ServerTest, data: bytes) -> None:
    peer = await t.connect()
    await peer.alive(data)


@case("W10.1", "ahead-of-a-reply-that-waits", TWO)
async def ahead(t: ServerTest) -> None:
    peer = await t.connect((6, wire.u32(4096)))
    await peer.call(1, DESCRIPTORS)
    await peer.expect(MESSAGE, 1)
    await peer.alive()


@case("W10.2", "the-sixth-strike")
async def strikes(t: ServerTest) -> None:
    peer = await t.connect()
    interval = wire.number(peer.hello.get(9, wire.u32(10000)))
    if not interval:
        return
    await peer.send(wire.ping() * 6)
    await peer.alive(b"12345678")
    await peer.send(wire.ping() * 3)
    await peer.expect_goaway(ABUSE)


@case("W10.3", "the-server-asks", seconds=60)
async def asks(t: ServerTest) -> None:
    silence = t.seconds("keepalive_idle") + t.seconds("keepalive_timeout")
    if silence > t.target.slowest:
        t.seconds("keepalive_idle")
    peer = await t.known()
    # A running call, so that it is not the idle limit that ends the connection.
    await peer.call(3, PROGRESS_WATCH)
    peer.answers_pings = False
    await peer.until("PING", lambda got: got.kind == wire.PING)
    await peer.expect_goaway(wire.KEEPALIVE_TIMEOUT)


@case("W10.4", "pongs-that-nobody-asked-for")
async def pongs(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.send(frame(wire.PONG, 0, 0, bytes(8)) * 900)
    await peer.alive()
    await peer.send(frame(wire.PONG, 0, 0, bytes(8)) * 2000)
    await peer.expect_goaway(ABUSE)


@case("W10.4", "empty-messages-of-an-ended-stream")
async def noise(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, CHECK)
    await peer.expect_status(1, OK)
    await peer.send(frame(MESSAGE, 0, 1) * 3000)
    await peer.expect_goaway(ABUSE)


@case("W10.4", "credits-of-an-ended-stream-are-free")
async def free(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, CHECK)
    await peer.expect_status(1, OK)
    await peer.send(wire.credit(1, 1024) * 3000)
    await peer.alive()


@case("W10.4", "goaways")
async def goaways(t: ServerTest) -> None:
    peer = await t.connect()
    # A call that runs, or the first one ends the connection.
    await peer.call(1, HEALTH_WATCH)
    await peer.send(wire.goaway(0, 0) * 3000)
    await peer.expect_goaway(ABUSE)


@case("W10.5", "an-idle-connection-of-a-stranger", seconds=60)
async def idle(t: ServerTest) -> None:
    t.seconds("idle_anonymous")
    peer = await t.connect()
    got = await peer.until("GOAWAY", lambda got: got.kind == wire.GOAWAY)
    if wire.number(got.payload[4:6]) != wire.IDLE:
        raise Failure(f"expected GOAWAY IDLE, got {got}")
    await peer.expect_closed()


@case("W11.7", "a-goaway-of-the-client", ALL)
async def own_goaway(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, HEALTH_WATCH)
    await peer.expect(MESSAGE, 1)
    await peer.send(wire.goaway(0, 0, "done"))
    await peer.alive()
    await peer.send(frame(CANCEL, 0, 1))
    await peer.expect_closed()


@table("W11.7", {"alone": (0, 0), "last-stream-of-7": (7, 0), "unknown-reason": (0, 999), "error": (0, 1)}, ALL)
async def goaway_alone(t: ServerTest, row: "tuple[int, int]") -> None:
    peer = await t.connect()
    await peer.send(wire.goaway(*row))
    await peer.expect_closed()


@case("W12.1", "timeout-of-0", ALL)
async def timeout_of_0(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, HEALTH_WATCH, b"", (2, u64(0)))
    await peer.expect_status(1, DEADLINE_EXCEEDED)


@table("W12.1", {"20-ms": 20_000, "300-ms": 300_000}, TWO)
async def timeout(t: ServerTest, micros: int) -> None:
    peer = await t.connect()
    began = time.monotonic()
    await peer.call(1, HEALTH_WATCH, b"", (2, u64(micros)))
    await peer.expect_status(1, DEADLINE_EXCEEDED)
    if time.monotonic() - began < micros / 1e6 - 0.005:
        raise Failure("expected the END at the deadline, got it before")


@case("W12.1", "timeout-in-a-request", ALL)
async def timeout_in_request(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.send(wire.call(1, CHECK, None, (2, u64(50_000)), end=False))
    await peer.expect_status(1, DEADLINE_EXCEEDED)
    await peer.alive()


@case("W12.2", "timeout-of-584942-years", ALL)
async def endless(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, CHECK, b"", (2, u64((1 << 64) - 1)))
    await peer.expect_status(1, OK)


@case("W12.4", "many-hasty-calls")
async def hasty(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.send(b"".join(wire.call(1 + 2 * n, CHECK, b"", (2, u64(0))) for n in range(3000)))
    await peer.expect_goaway(ABUSE)


@table("W13.1", {"none": b"", "wrong": b"hito_wrong", "empty": None}, ALL)
async def no_token(t: ServerTest, token: "bytes | None") -> None:
    peer = await t.connect()
    fields = ((5, b""),) if token is None else ((5, token),) if token else ()
    # Its request is never complete: the head decides.
    await peer.send(wire.call(1, LIST_GOALS, None, *fields, end=False))
    end = await peer.expect_status(1, UNAUTHENTICATED)
    if not end.not_started:
        raise Failure("W7.2: expected an END that says that the call was not started")
    await peer.alive()


@table("W13.1", {"check": CHECK, "descriptors": DESCRIPTORS, "server-info": SERVER_INFO}, TWO)
async def open_to_everybody(t: ServerTest, path: str) -> None:
    peer = await t.connect((8, b"hito_wrong"), ROOM)
    await peer.call(1, path)
    await peer.expect_status(1, OK)


@case("W13.1", "the-calls-own-token", ALL)
async def own_token(t: ServerTest) -> None:
    peer = await t.connect((8, b"hito_wrong"))
    await peer.call(1, GET_GOAL, proto.field(1, NO_GOAL), (5, t.token.encode()))
    await peer.expect_status(1, NOT_FOUND)
    await peer.call(3, GET_GOAL, proto.field(1, NO_GOAL))
    await peer.expect_status(3, UNAUTHENTICATED)


@case("W4.5", "hellos-token-serves-calls", ALL)
async def hellos_token(t: ServerTest) -> None:
    peer = await t.known()
    await peer.call(3, GET_GOAL, proto.field(1, NO_GOAL), (5, b""))
    await peer.expect_status(3, UNAUTHENTICATED)


@case("W13.2", "a-revoked-token-ends-its-stream", seconds=15)
async def revoked(t: ServerTest) -> None:
    secret, identity = await t.learner("Revoked")
    peer = await t.connect(token=secret)
    await peer.call(1, PROGRESS_WATCH)
    await peer.alive()
    async with OneCall(t) as call:
        await call(REVOKE_TOKEN, proto.field(1, identity))
    began = time.monotonic()
    await peer.expect_status(1, UNAUTHENTICATED)
    if time.monotonic() - began > 3:
        raise Failure(f"expected the END within 2 s, got it after {time.monotonic() - began:.1f}")


@table("W13.3", {"in-hello": 8, "in-the-call": 5}, TWO)
async def secret(t: ServerTest, tag: int) -> None:
    """A token that is refused is not said again."""
    field = (tag, b"hito_secretsecretsecret")
    peer = await t.connect(*([field] if tag == 8 else []))
    await peer.call(1, LIST_GOALS, b"", *([field] if tag == 5 else []))
    end = await peer.expect_status(1, UNAUTHENTICATED)
    if any(b"secret" in value for value in end.fields.values()):
        raise Failure("expected an END without the token")


@case("W13.4", "many-tokens-in-vain")
async def guesses(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.send(b"".join(wire.call(1 + 2 * n, LIST_GOALS, b"", (5, f"hito_{n}".encode())) for n in range(90)))
    await peer.expect_goaway(ABUSE)


def goal(title: str) -> bytes:
    return proto.field(1, title)


@case("W14.4", "the-same-key-twice", ALL)
async def replayed(t: ServerTest) -> None:
    peer = await t.known()
    key = (3, uuid.uuid4().hex.encode())
    ids = []
    for stream in (3, 5):
        await peer.call(stream, CREATE_GOAL, goal("Once"), key)
        end = await peer.expect_status(stream, OK)
        message = end.message or b""
        ids.append(proto.text(message, 1, 1))
        receipt = proto.parse(message)[3][0]
        is_replayed = proto.integer(receipt if isinstance(receipt, bytes) else b"", 2)
        if is_replayed != (stream == 5):
            raise Failure(f"expected replayed={stream == 5}, got {bool(is_replayed)}")
    if ids[0] != ids[1]:
        raise Failure(f"expected one goal, got {ids}")


@case("W14.4", "the-same-key-at-the-same-time")
async def together(t: ServerTest) -> None:
    key = (3, uuid.uuid4().hex.encode())
    peers = [await t.known() for _ in range(4)]
    for peer in peers:
        await peer.call(3, CREATE_GOAL, goal("Once"), key)
    ids = set()
    for peer in peers:
        end = await peer.expect_status(3, OK, UNAVAILABLE, wire.ABORTED)
        if end.status == OK:
            ids.add(proto.text(end.message or b"", 1, 1))
    if len(ids) != 1:
        raise Failure(f"expected one goal, got {len(ids)}")


@case("W14.4", "a-key-for-another-request", ALL)
async def conflict(t: ServerTest) -> None:
    peer = await t.known()
    key = (3, uuid.uuid4().hex.encode())
    await peer.call(3, CREATE_GOAL, goal("One"), key)
    await peer.expect_status(3, OK)
    await peer.call(5, CREATE_GOAL, goal("Another"), key)
    await peer.expect_status(5, ALREADY_EXISTS)


@case("W14.4", "a-key-of-a-refused-call-is-free", ALL)
async def refused(t: ServerTest) -> None:
    peer = await t.known()
    key = (3, uuid.uuid4().hex.encode())
    await peer.call(3, CREATE_GOAL, goal(""), key)
    await peer.expect_status(3, INVALID_ARGUMENT)
    await peer.call(5, CREATE_GOAL, goal("Now"), key)
    await peer.expect_status(5, OK)


@case("W14.4", "a-lost-reply", ALL)
async def lost_reply(t: ServerTest) -> None:
    """The connection is lost before the reply is read; the repeat has the effect once."""
    first = await t.known()
    key = (3, uuid.uuid4().hex.encode())
    await first.call(3, CREATE_GOAL, goal("Once more"), key)
    await first.expect_status(3, OK)
    first.kill()
    second = await t.known()
    await second.call(3, CREATE_GOAL, goal("Once more"), key)
    end = await second.expect_status(3, OK)
    receipt = proto.parse(end.message or b"")[3][0]
    if not proto.integer(receipt if isinstance(receipt, bytes) else b"", 2):
        raise Failure("expected the reply of the first time")


@case("W14.2", "a-key-with-a-read", ALL)
async def key_of_a_read(t: ServerTest) -> None:
    peer = await t.known()
    key = (3, b"the same for all")
    await peer.call(3, GET_GOAL, proto.field(1, NO_GOAL), key)
    await peer.expect_status(3, NOT_FOUND)
    await peer.call(5, GET_GOAL, proto.field(1, NO_GOAL.replace("4000", "4001")), key)
    await peer.expect_status(5, NOT_FOUND)


