"""Nothing waits longer than its call, its connection, its client and its time."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Callable, List

import pytest

import hito
from fake_peer import CREDIT, END, GOAWAY, HEADER, HELLO, MESSAGE, FakeServer, block, error_end
from fake_peer import hello_block
from hito import _wire, v1
from hito._call import Call
from hito._connection import Connection, Owner
from hito._retry import Backoff

WRITE_BUFFER = 256 << 10


class FakeTransport(asyncio.Transport):
    """Keeps what is written; says that it is enough above what the connection asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Connection
        self.written = 0
        self._high = 0
        self._is_closing = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self if name == "ssl_object" else default

    def selected_alpn_protocol(self) -> str:
        return "hito/1"

    def set_write_buffer_limits(self, high: "int | None" = None, low: "int | None" = None) -> None:
        self._high = high or 0

    def get_write_buffer_size(self) -> int:
        return self.written

    def write(self, data: "bytes | bytearray | memoryview") -> None:
        self.written += len(data)
        if self.written > self._high:
            self.protocol.pause_writing()

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close


def connected(**limits: int) -> "tuple[Connection, FakeTransport]":
    """A connection that has got its HELLO, on no socket."""
    connection = Connection(_wire.Hello(), 10.0, Owner())
    transport = FakeTransport()
    transport.protocol = connection
    connection.connection_made(transport)
    receive(connection, HELLO, 0, hello_block(**{"message_max": 64 << 20, **limits}))
    return connection, transport


def receive(connection: Connection, kind: int, stream: int, payload: bytes) -> None:
    connection.data_received(HEADER.pack(len(payload), kind, 0, stream) + payload)


STATES = {
    "stream credit": {"stream_credit": 20_000, "connection_credit": 1 << 20},
    "connection credit": {"stream_credit": 1 << 20, "connection_credit": 20_000},
    "the socket": {"stream_credit": 16 << 20, "connection_credit": 16 << 20},
    "the socket, then credit": {"stream_credit": 400_000, "connection_credit": 400_000},
}
ENDS: "dict[str, Callable[[Connection, Call], None]]" = {
    "lost": lambda connection, call: connection.connection_lost(None),
    "an error": lambda connection, call: receive(
        connection, GOAWAY, 0, struct.pack(">IH", call.stream, 7)
    ),
    "not started": lambda connection, call: receive(
        connection, GOAWAY, 0, struct.pack(">IH", 0, 0)
    ),
    "END": lambda connection, call: receive(connection, END, call.stream, error_end(14)),
    "cancelled": lambda connection, call: call.cancel(hito.Unavailable("given up")),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("state", STATES)
async def test_sending_ends_with_its_call(state, end):
    connection, transport = connected(**STATES[state])
    call = connection.open(_wire.CallHeader("a/b", None), b"x" * (32 << 20), half_close=True)
    sender = asyncio.create_task(call.flush())
    before = -1
    while transport.written > before:  # Until it waits.
        before = transport.written
        for _ in range(10):
            await asyncio.sleep(0)
    # Credit of one kind is of no use without the other.
    receive(connection, CREDIT, call.stream, struct.pack(">I", 1))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not sender.done()
    ENDS[end](connection, call)
    await asyncio.wait_for(sender, 10)
    with pytest.raises(hito.Unavailable):
        await call.receive()
    connection.connection_lost(None)


async def test_a_message_does_not_outrun_the_socket():
    connection, transport = connected(stream_credit=16 << 20, connection_credit=16 << 20)
    call = connection.open(_wire.CallHeader("a/b", None), b"x" * (8 << 20), half_close=True)
    sender = asyncio.create_task(call.flush())
    for _ in range(2000):
        await asyncio.sleep(0)
    assert WRITE_BUFFER < transport.written < WRITE_BUFFER + 40_000
    transport.written = 0
    connection.resume_writing()
    for _ in range(2000):
        await asyncio.sleep(0)
    assert WRITE_BUFFER < transport.written < WRITE_BUFFER + 40_000
    connection.connection_lost(None)
    await sender


def delaying(seconds: float) -> bytes:
    return v1.ErrorDetails(retry_delay_us=int(seconds * 1e6)).SerializeToString()


def unavailable(calls: List[int], delay: float):
    """A peer that is not available for a while, and says for how long."""

    async def script(peer):
        await peer.greet()
        while True:
            stream, _, _ = await peer.call()
            calls.append(stream)
            peer.fail(stream, 14, "later", details=delaying(delay))

    async def until_left(peer):
        try:
            await script(peer)
        except (AssertionError, asyncio.IncompleteReadError, ConnectionError):
            pass

    return until_left


async def test_a_delay_beyond_the_time_of_a_call_is_not_waited_for(tls, connect):
    calls: List[int] = []
    async with FakeServer(tls, unavailable(calls, 50)) as server:
        client = await connect(server.address)
        with pytest.raises(hito.Unavailable, match="later"):
            await client.goals.get_goal(v1.GetGoalRequest(), timeout=40)
        with pytest.raises(hito.Unavailable, match="later"):
            await anext(client.progress.watch(v1.WatchRequest(), timeout=40))
        await client.close()
    assert len(calls) == 2


def test_a_server_can_ask_for_a_minute_at_most():
    backoff = Backoff(lambda: 1.0)
    assert [backoff.next(pushback) for pushback in (None, 3.0, 1e9)] == [0.05, 3.0, 60.0]


async def waiting(calls: List[int]) -> None:
    while not calls:
        await asyncio.sleep(0.01)
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("end", ["stream", "client", "task"])
async def test_a_stream_that_waits_for_its_next_attempt_ends_with(tls, connect, end):
    calls: List[int] = []
    async with FakeServer(tls, unavailable(calls, 50)) as server:
        client = await connect(server.address)
        stream = client.progress.watch(v1.WatchRequest())
        reader = asyncio.create_task(anext(stream))
        await waiting(calls)
        if end == "stream":
            await stream.aclose()
        elif end == "client":
            await client.close()
        else:
            reader.cancel()
        expected = asyncio.CancelledError if end == "task" else hito.CancelledCall
        with pytest.raises(expected):
            await asyncio.wait_for(reader, 10)
        await client.close()
    assert len(calls) == 1


@pytest.mark.parametrize("end", ["watch", "client", "task"])
async def test_a_watch_that_waits_for_its_next_stream_ends_with(tls, connect, end):
    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, v1.WatchResponse(cursor="c1").SerializeToString())
        peer.fail(stream, 8, "too much", details=delaying(50))
        await peer.at_end()

    interrupted: List[hito.HitoError] = []
    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        watch = client.progress.watch_resuming(v1.WatchRequest(), on_interruption=interrupted.append)
        assert (await anext(watch)).cursor == "c1"
        reader = asyncio.create_task(anext(watch))
        await waiting(interrupted)
        if end == "watch":
            await watch.aclose()
        elif end == "client":
            await client.close()
        else:
            reader.cancel()
        expected = asyncio.CancelledError if end == "task" else hito.CancelledCall
        with pytest.raises(expected):
            await asyncio.wait_for(reader, 10)
        await client.close()
    assert [error.code for error in interrupted] == [8]


@pytest.mark.parametrize("end", ["stream", "client", "task"])
async def test_a_stream_that_waits_for_a_server_ends_with(tls, connect, end):
    async def script(peer):
        await peer.greet()
        await peer.at_end()

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        server.kill()
        stream = client.progress.watch(v1.WatchRequest())
        reader = asyncio.create_task(anext(stream))
        pool = client._channel._pool
        while pool.failure is None:
            await asyncio.sleep(0.01)
        if end == "stream":
            await stream.aclose()
        elif end == "client":
            await client.close()
        else:
            reader.cancel()
        expected = asyncio.CancelledError if end == "task" else hito.CancelledCall
        with pytest.raises(expected):
            await asyncio.wait_for(reader, 10)


async def test_a_stream_of_a_client_that_does_not_wait_fails_at_once(tls, connect):
    async def script(peer):
        await peer.greet()
        await peer.at_end()

    async with FakeServer(tls, script) as server:
        client = await connect(server.address, wait_for_ready=False)
        server.kill()
        with pytest.raises(hito.Unavailable):
            await asyncio.wait_for(anext(client.progress.watch(v1.WatchRequest())), 10)


@pytest.mark.parametrize("timeout", [None, 30.0])
async def test_a_request_stream_is_read_once_also_where_it_was_not_started(tls, connect, timeout):
    read: List[str] = []

    async def script(peer):
        await peer.greet()
        await peer.frame()
        peer.goaway(0, 0)
        await peer.at_end()

    async def documents():
        for path in "abc":
            read.append(path)
            yield v1.IngestDocumentsRequest(document=v1.CourseDocument(path=path))
            await asyncio.sleep(0.01)

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(hito.Unavailable) as caught:
            await client.courses.ingest_documents(documents(), timeout=timeout)
        assert caught.value.not_started
        await client.close()
    assert read == list(dict.fromkeys(read)), "no document was read twice"
    assert server.accepted == 1


@pytest.mark.parametrize("says", ["GOAWAY", "END"])
async def test_a_stream_that_writes_is_opened_again_where_it_was_not_started(tls, connect, says):
    async def refusing(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        if says == "END":
            peer.fail(stream, 14, "full", not_started=True)
            await serve(peer)
        else:
            peer.goaway(0, 9)
        await peer.at_end()

    async def serving(peer):
        await peer.greet()
        await serve(peer)

    async def serve(peer):
        stream, _, _ = await peer.call()
        step = v1.GenerateGoalResponse(run_id="r")
        peer.send(MESSAGE, 0, stream, step.SerializeToString())
        peer.send(END, 0, stream, block())
        await peer.at_end()

    async with FakeServer(tls, refusing, serving) as server:
        client = await connect(server.address)
        request = v1.GenerateGoalRequest(prompt="Aprender")
        assert [step.run_id async for step in client.goals.generate_goal(request)] == ["r"]
        await client.close()


async def test_a_name_whose_first_address_refuses_is_reached_by_the_other(tls, connect, monkeypatch):
    async def script(peer):
        await peer.greet()
        await peer.at_end()

    async def both(host, port, **more):
        tcp = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [
            (socket.AF_INET6, *tcp, ("::1", port, 0, 0)),
            (socket.AF_INET, *tcp, ("127.0.0.1", port)),
        ]

    async with FakeServer(tls, script) as server:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
        client = await connect(f"hito.test:{server.port}", server_name="127.0.0.1")
        await client.close()
        assert server.accepted == 1
