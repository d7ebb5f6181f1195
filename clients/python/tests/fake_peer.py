"""A server that speaks the bytes of PROTOCOL.md, written without the library under test."""

from __future__ import annotations

import asyncio
import ssl
import struct
from typing import Any, Awaitable, Callable, Dict, List, NamedTuple, Optional, Tuple

HELLO, CALL, MESSAGE, END, CANCEL, CREDIT, PING, PONG, GOAWAY, HEAD = range(1, 11)
HEADER = struct.Struct(">IBBI")


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes


def block(*fields: Tuple[int, bytes]) -> bytes:
    body = b"".join(struct.pack(">BH", tag, len(value)) + value for tag, value in fields)
    return struct.pack(">H", len(body)) + body


def parse_block(payload: bytes) -> Tuple[Dict[int, bytes], bytes]:
    (size,) = struct.unpack_from(">H", payload)
    fields: Dict[int, bytes] = {}
    offset = 2
    while offset < 2 + size:
        tag, length = struct.unpack_from(">BH", payload, offset)
        fields[tag] = payload[offset + 3 : offset + 3 + length]
        offset += 3 + length
    assert offset == 2 + size
    return fields, payload[offset:]


def hello_block(minor_version: int = 0, encodings: bytes = b"", **numbers: int) -> bytes:
    tags = {
        "frame_payload_max": (3, ">I"), "message_max": (4, ">I"), "streams_max": (5, ">I"),
        "stream_credit": (6, ">I"), "connection_credit": (7, ">I"), "ping_interval_ms": (9, ">I"),
    }  # fmt: skip
    return block(
        (1, struct.pack(">H", minor_version)),
        *([(11, encodings)] if encodings else []),
        *((tags[name][0], struct.pack(tags[name][1], value)) for name, value in numbers.items()),
    )


def error_end(
    status: int, text: str = "", details: bytes = b"", cursor: str = "", not_started: bool = False
) -> bytes:
    fields = [(1, struct.pack(">H", status)), (2, text.encode())]
    if details:
        fields.append((3, details))
    if cursor:
        fields.append((4, cursor.encode()))
    if not_started:
        fields.append((8, b""))
    return block(*fields)


class Peer:
    """One accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def frame(self, *skip: int) -> Frame:
        """The next frame that is not of the kinds to skip."""
        while True:
            length, kind, flags, stream = HEADER.unpack(await self.reader.readexactly(HEADER.size))
            payload = await self.reader.readexactly(length)
            if kind not in skip:
                return Frame(kind, flags, stream, payload)

    def send(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        self.writer.write(HEADER.pack(len(payload), kind, flags, stream) + payload)

    async def greet(self, **numbers: Any) -> Dict[int, bytes]:
        """Exchanges HELLO; returns the client's fields."""
        hello = await self.frame()
        assert (hello.kind, hello.flags, hello.stream) == (HELLO, 0, 0)
        self.send(HELLO, 0, 0, hello_block(**numbers))
        fields, rest = parse_block(hello.payload)
        assert rest == b""
        return fields

    async def call(self) -> Tuple[int, Dict[int, bytes], bytes]:
        """The next call that is one frame: stream, fields, message."""
        frame = await self.frame(CREDIT)
        assert frame.kind == CALL, frame
        fields, message = parse_block(frame.payload)
        return frame.stream, fields, message

    def reply(self, stream: int, message: bytes) -> None:
        self.send(END, 0x04, stream, block() + message)

    def fail(self, stream: int, status: int, text: str = "", **more: object) -> None:
        self.send(END, 0, stream, error_end(status, text, **more))  # type: ignore[arg-type]

    def goaway(self, last_stream: int, reason: int, text: str = "") -> None:
        self.send(GOAWAY, 0, 0, struct.pack(">IH", last_stream, reason) + text.encode())

    async def at_end(self) -> List[Frame]:
        """Reads until the client closes; returns what came."""
        frames = []
        while True:
            try:
                frames.append(await self.frame())
            except (asyncio.IncompleteReadError, ConnectionError):
                return frames

    def kill(self) -> None:
        """As a killed server: no GOAWAY, no close_notify."""
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


class FakeServer:
    """Plays one script per accepted connection, in order; `failures` are their failures."""

    def __init__(self, tls: ssl.SSLContext, *scripts: Script, port: int = 0) -> None:
        self._tls = tls
        self._scripts = list(scripts)
        self._server: Optional[asyncio.Server] = None
        self._tasks: List[asyncio.Task[None]] = []
        self._peers: List[Peer] = []
        self.address = ""
        self.port = port
        self.accepted = 0

    async def __aenter__(self) -> "FakeServer":
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, failure: object, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        done, pending = await asyncio.wait(self._tasks, timeout=5) if self._tasks else ((), ())
        for task in pending:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        if failure is None:
            assert not pending, "a script did not end"
            for result in results:
                if isinstance(result, BaseException):
                    raise result

    def kill(self) -> None:
        """As a killed server: every connection is gone, nobody listens."""
        assert self._server is not None
        self._server.close()
        for peer in self._peers:
            peer.kill()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(self.accepted, len(self._scripts) - 1)]
        self.accepted += 1
        peer = Peer(reader, writer)
        self._peers.append(peer)
        self._tasks.append(asyncio.ensure_future(self._play(script, peer)))

    async def _play(self, script: Script, peer: Peer) -> None:
        try:
            await script(peer)
        finally:
            peer.writer.close()
            await asyncio.gather(peer.writer.wait_closed(), return_exceptions=True)
