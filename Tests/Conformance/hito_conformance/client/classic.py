"""gRPC's interoperability cases by their names, for clients."""

from __future__ import annotations

import asyncio

from .. import proto, wire
from ..cases import ALL, Failure, TWO
from ..wire import CANCEL, CANCELLED, DEADLINE_EXCEEDED, END, MESSAGE, OK, UNIMPLEMENTED, block, frame
from .test import CHECK, CONSUME, GET_GOAL, HEALTH_WATCH, INGEST, SERVING, ClientTest, case, equal
from .test import expect, goal, next_call


@case("grpc", "empty_unary", ALL)
async def empty_unary(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(CHECK)
    got = await next_call(peer)
    equal("the request", [b""], got.messages)
    await peer.send(wire.end_ok(got.stream, b""))
    equal("the response", [b""], expect(await call.result(), OK).messages)


@case("grpc", "large_unary", TWO)
async def large_unary(t: ClientTest) -> None:
    """271,828 bytes up, 314,159 down."""
    client, peer, _ = await t.connected()
    request, response = proto.field(1, "r" * 271828), goal("g" * 200_000)
    call = client.call(GET_GOAL, request)
    got = await next_call(peer)
    if got.messages != [request]:
        raise Failure("expected the request as the program was told")
    for at in range(0, len(response), 16000):
        last = at + 16000 >= len(response)
        await peer.send(frame(MESSAGE, 0 if last else 2, got.stream, response[at : at + 16000]))
    await peer.send(wire.end_ok(got.stream))
    if expect(await call.result(), OK).messages != [response]:
        raise Failure("expected the response as it was sent")


@case("grpc", "client_streaming", ALL)
async def client_streaming(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    requests = [proto.field(1, proto.field(1, "course"))]
    requests += [proto.field(2, proto.field(1, "a" * size)) for size in (27182, 8, 1828, 45904)]
    call = client.call(INGEST, *requests)
    got = await next_call(peer)
    equal("the requests", requests, got.messages)
    await peer.send(wire.end_ok(got.stream, b""))
    equal("the response", [b""], expect(await call.result(), OK).messages)


@case("grpc", "server_streaming", ALL)
async def server_streaming(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(HEALTH_WATCH)
    stream = (await next_call(peer)).stream
    responses = [proto.field(1, 1) + proto.field(2, "m" * size) for size in (31415, 9, 2653, 58979)]
    for response in responses:
        for at in range(0, len(response), 16000):
            last = at + 16000 >= len(response)
            await peer.send(frame(MESSAGE, 0 if last else 2, stream, response[at : at + 16000]))
    await peer.send(frame(END, 0, stream, block()))
    equal("the responses", responses, expect(await call.result(), OK).messages)


@case("grpc", "ping_pong", ALL)
async def ping_pong(t: ClientTest) -> None:
    """Requests and responses in turn on one stream."""
    client, peer, _ = await t.connected()
    requests = [proto.field(1, proto.field(1, f"group-{n}")) for n in range(4)]
    call = client.call(CONSUME, *requests, in_turn=True)
    got = await next_call(peer, messages=1)
    heard = list(got.messages)
    while True:
        await peer.send(frame(MESSAGE, 0, got.stream, b""))
        after = await peer.until("MESSAGE or END", lambda one: one.kind in (MESSAGE, END))
        if after.kind == END:
            break
        heard.append(after.payload)
        if after.flags & wire.FLAG_END:
            break
    equal("the requests", requests, heard)
    await peer.send(frame(END, 0, got.stream, block()))
    equal("the number of responses", 4, len(expect(await call.result(), OK).messages))


@case("grpc", "empty_stream", ALL)
async def empty_stream(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(CONSUME)
    got = await next_call(peer)
    equal("the requests", [], got.messages)
    await peer.send(frame(END, 0, got.stream, block()))
    equal("the responses", [], expect(await call.result(), OK).messages)


@case("grpc", "cancel_after_begin", ALL)
async def cancel_after_begin(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(INGEST, keep_open=True)
    got = await peer.until("CALL", lambda got: got.kind == wire.CALL)
    await client.cancel(call)
    await peer.expect(CANCEL, got.stream)
    expect(await call.result(), CANCELLED)


@case("grpc", "cancel_after_first_response", ALL)
async def cancel_after_first_response(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(CONSUME, proto.field(1, proto.field(1, "g")), keep_open=True, cancel_after=1)
    got = await next_call(peer, messages=1)
    await peer.send(frame(MESSAGE, 0, got.stream, b""))
    await peer.expect(CANCEL, got.stream)
    expect(await call.result(), CANCELLED)


@case("grpc", "timeout_on_sleeping_server", TWO)
async def timeout_on_sleeping_server(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(CONSUME, proto.field(1, proto.field(1, "g")), keep_open=True, timeout_ms=100)
    got = await next_call(peer, messages=1)
    await peer.expect(CANCEL, got.stream)
    expect(await call.result(), DEADLINE_EXCEEDED)


@case("grpc", "status_code_and_message", ALL)
async def status_code_and_message(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    for path in (GET_GOAL, HEALTH_WATCH):
        call = client.call(path)
        stream = (await next_call(peer)).stream
        await peer.send(wire.end_error(stream, wire.UNKNOWN, "test status message"))
        equal("the message", "test status message", expect(await call.result(), wire.UNKNOWN).text)


@case("grpc", "special_status_message", ALL)
async def special_status_message(t: ClientTest) -> None:
    text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL)
    await peer.send(wire.end_error((await next_call(peer)).stream, wire.UNKNOWN, text))
    equal("the message", text, expect(await call.result(), wire.UNKNOWN).text)


@case("grpc", "unimplemented_method", ALL)
async def unimplemented_method(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    call = client.call(GET_GOAL)
    await peer.send(wire.end_error((await next_call(peer)).stream, UNIMPLEMENTED, "", (8, b"")))
    expect(await call.result(), UNIMPLEMENTED)


@case("grpc", "custom_metadata", ALL)
async def custom_metadata(t: ClientTest) -> None:
    client, peer, _ = await t.connected()
    own = {"x-grpc-test-echo-initial": "test_initial_metadata_value"}
    for path, reply in ((CHECK, SERVING), (HEALTH_WATCH, None)):
        call = client.call(path, metadata=own)
        got = await next_call(peer)
        equal("the metadata", sorted(own.items()), sorted(got.metadata))
        await peer.send(wire.end_ok(got.stream, reply))
        expect(await call.result(), OK)


@case("grpc", "concurrent_large_unary")
async def concurrent(t: ClientTest) -> None:
    client, peer, _ = await t.connected((5, wire.u32(1000)))
    calls = [client.call(GET_GOAL, proto.field(1, "r" * 2000)) for _ in range(100)]
    for _ in calls:
        await peer.send(wire.end_ok((await next_call(peer)).stream, goal("g" * 2000)))
    for result in await asyncio.gather(*(call.result() for call in calls)):
        equal("the response", [goal("g" * 2000)], expect(result, OK).messages)
