"""gRPC's interoperability cases by their names, on methods of Hito."""

from __future__ import annotations

from .. import proto, wire
from ..cases import ALL, Failure, TWO
from ..wire import CANCEL, DEADLINE_EXCEEDED, INVALID_ARGUMENT, MESSAGE, NOT_FOUND, OK, UNIMPLEMENTED
from ..wire import frame, u64
from .credit import filler, upload
from .test import CHECK, CONSUME, DESCRIPTORS, GET_GOAL, HEALTH_WATCH, INGEST, NO_GOAL, SERVING
from .test import ROOM, OneCall, ServerTest, case

CREATE_GROUP = "hito.v1.EventService/CreateConsumerGroup"


@case("grpc", "empty_unary", ALL)
async def empty_unary(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, CHECK, b"")
    if (await peer.expect_status(1, OK)).message != SERVING:
        raise Failure("expected the reply of Check")


@case("grpc", "large_unary", ALL)
async def large_unary(t: ServerTest) -> None:
    """271,828 bytes up, and a reply of several frames down."""
    peer = await t.known(ROOM)
    await upload(peer, 3, GET_GOAL, filler(271828))
    await peer.expect_status(3, NOT_FOUND)
    await peer.call(5, DESCRIPTORS)
    await peer.expect_status(5, OK)


@case("grpc", "client_streaming", ALL)
async def client_streaming(t: ServerTest) -> None:
    """Ingestion into a course that is not there: the END answers the stream as a whole."""
    peer = await t.known()
    await peer.send(wire.call(3, INGEST, proto.field(1, proto.field(1, NO_GOAL)), end=False))
    document = proto.field(2, proto.field(1, "a.md") + proto.field(2, b"# A"))
    await peer.send(frame(MESSAGE, 0, 3, document), frame(MESSAGE, 1, 3, document))
    end = await peer.ended(3)
    if end.status not in (NOT_FOUND, INVALID_ARGUMENT):
        raise Failure(f"expected NOT_FOUND, got {end.status_name} {end.text!r}")
    await peer.alive()


@case("grpc", "server_streaming", ALL)
async def server_streaming(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, HEALTH_WATCH)
    got = await peer.expect(MESSAGE, 1)
    if got.payload != SERVING:
        raise Failure(f"expected {SERVING!r}, got {got.payload!r}")
    await peer.send(frame(CANCEL, 0, 1))
    await peer.alive()


@case("grpc", "ping_pong", ("whole", "bytes", "random"))
async def ping_pong(t: ServerTest) -> None:
    """A group is joined; its stream answers while the requests go on being open."""
    name = "conformance-" + t.case.split
    async with OneCall(t) as call:
        try:
            await call(CREATE_GROUP, proto.field(1, proto.field(1, name)))
        except Failure as failure:
            if "ALREADY_EXISTS" not in str(failure):
                raise
    peer = await t.known()
    await peer.send(wire.call(3, CONSUME, proto.field(1, proto.field(1, name)), end=False))
    await peer.expect(MESSAGE, 3)
    await peer.send(frame(wire.END, 0, 3))
    await peer.alive()


@case("grpc", "empty_stream", ALL)
async def empty_stream(t: ServerTest) -> None:
    """No request at all: the method says so, the connection lives."""
    peer = await t.known()
    await peer.send(wire.call(3, INGEST, None))
    end = await peer.ended(3)
    if end.status == OK and end.message is None:
        raise Failure("W7.6: expected a message or an error, got neither")
    await peer.alive()


@case("grpc", "cancel_after_begin", ALL)
async def cancel_after_begin(t: ServerTest) -> None:
    peer = await t.known()
    await peer.send(wire.call(3, INGEST, None, end=False), frame(CANCEL, 0, 3))
    await peer.alive()
    if any(got.stream == 3 and got.kind == MESSAGE for got in peer.log):
        raise Failure("expected nothing on a cancelled stream")


@case("grpc", "cancel_after_first_response", ALL)
async def cancel_after_first_response(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, HEALTH_WATCH)
    await peer.expect(MESSAGE, 1)
    await peer.send(frame(CANCEL, 0, 1))
    await peer.call(3, CHECK)
    await peer.expect_status(3, OK)


@case("grpc", "timeout_on_sleeping_server", TWO)
async def timeout_on_sleeping_server(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, HEALTH_WATCH, b"", (2, u64(15_000)))
    await peer.expect_status(1, DEADLINE_EXCEEDED)


@case("grpc", "status_code_and_message", ALL)
async def status_code_and_message(t: ServerTest) -> None:
    peer = await t.known()
    await peer.call(3, GET_GOAL, proto.field(1, NO_GOAL))
    if not (await peer.expect_status(3, NOT_FOUND)).text:
        raise Failure("expected a status message")
    await peer.call(5, GET_GOAL, proto.field(1, "x"))
    end = await peer.expect_status(5, INVALID_ARGUMENT)
    if not end.fields.get(3):
        raise Failure("expected details with the field that is wrong")


@case("grpc", "special_status_message", ALL)
async def special_status_message(t: ServerTest) -> None:
    """A text of ours comes back in the status message, or does not, as text."""
    peer = await t.connect()
    await peer.call(1, "hito.v1.\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n/X")
    await peer.expect_status(1, UNIMPLEMENTED)


@case("grpc", "unimplemented_method", ALL)
async def unimplemented_method(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, "hito.v1.HealthService/UnimplementedCall")
    await peer.expect_status(1, UNIMPLEMENTED)


@case("grpc", "unimplemented_service", ALL)
async def unimplemented_service(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.call(1, "hito.v1.UnimplementedService/UnimplementedCall")
    await peer.expect_status(1, UNIMPLEMENTED)


@case("grpc", "custom_metadata", ALL)
async def custom_metadata(t: ServerTest) -> None:
    peer = await t.connect()
    fields = (wire.metadata("x-grpc-test-echo-initial", "test_initial_metadata_value"),)
    await peer.call(1, CHECK, b"", *fields)
    await peer.expect_status(1, OK)


@case("grpc", "concurrent_large_unary")
async def concurrent(t: ServerTest) -> None:
    peer = await t.known(ROOM)
    for stream in range(3, 43, 2):
        await peer.call(stream, DESCRIPTORS)
    done = set()
    while len(done) < 20:
        got = await peer.until("END", lambda got: got.kind in (wire.END, MESSAGE))
        if got.kind == wire.END:
            if wire.number(dict(wire.parse_block(got.payload)[0]).get(1, wire.u16(OK))) != OK:
                raise Failure(f"expected END OK, got {got}")
            done.add(got.stream)
        else:
            await peer.send(wire.credit(0, max(1024, len(got.payload))))


@case("grpc", "soak_on_one_channel", seconds=20)
async def soak(t: ServerTest) -> None:
    peer = await t.known()
    for stream in range(3, 603, 2):
        await peer.call(stream, CHECK)
        await peer.expect_status(stream, OK)


@case("grpc", "soak_on_channels", seconds=20)
async def channels(t: ServerTest) -> None:
    for _ in range(30):
        peer = await t.connect()
        await peer.call(1, CHECK)
        await peer.expect_status(1, OK)
        await peer.close()


