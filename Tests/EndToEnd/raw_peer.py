"""A client that can be as wrong as a test wants: raw bytes over TLS, no library."""

from __future__ import annotations

import socket
import ssl
import struct
from typing import Dict, List, NamedTuple, Optional, Tuple

from hito_server import HitoServer

HELLO, CALL, MESSAGE, END, CANCEL, CREDIT, PING, PONG, GOAWAY = range(1, 10)
FLAG_END, FLAG_MORE, FLAG_HAS_MESSAGE = 1, 2, 4
PROTOCOL_ERROR, FRAME_TOO_LARGE, FLOW_CONTROL, HELLO_TIMEOUT, ABUSE = 1, 2, 3, 4, 5

_HEADER = struct.Struct(">IBBI")
_CLOSED = (ConnectionError, ssl.SSLError, EOFError)


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes


class Ended(NamedTuple):
    """An END of the server."""

    stream: int
    status: int
    text: str
    fields: Dict[int, bytes]
    message: bytes


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
    return fields, payload[offset:]


def frame_bytes(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return _HEADER.pack(len(payload), kind, flags, stream) + payload


def parse_end(frame: Frame, message: bytes) -> Ended:
    fields, rest = parse_block(frame.payload)
    status = struct.unpack(">H", fields.get(1, b"\0\0"))[0]
    return Ended(frame.stream, status, fields.get(2, b"").decode(), fields, message + rest)


def call_block(path: str, *more: Tuple[int, bytes]) -> bytes:
    return block((1, path.encode()), *more)


class RawPeer:
    """One connection. Every read has a time limit, so that a silent server fails the test."""

    def __init__(
        self,
        server: HitoServer,
        token: str = "",
        *,
        greet: bool = True,
        alpn: Optional[str] = "hito/1",
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        hello: Tuple[Tuple[int, bytes], ...] = (),
        seconds: float = 15.0,
        certificate: Optional[Tuple[str, str]] = None,
        source: str = "",
    ) -> None:
        context = ssl.create_default_context(cafile=server.ca_file)
        context.minimum_version = context.maximum_version = version
        if alpn is not None:
            context.set_alpn_protocols([alpn])
        if certificate is not None:
            context.load_cert_chain(*certificate)
        self._tcp = tcp(server, seconds, source)
        try:
            self._tls = context.wrap_socket(self._tcp, server_hostname="127.0.0.1")
        except BaseException:
            self._tcp.close()
            raise
        self._buffer = b""
        self.server_hello: Dict[int, bytes] = {}
        self._messages: Dict[int, bytes] = {}
        self.credit = 0
        """What may be sent on the connection."""
        if greet:
            fields = [*hello]
            if token:
                fields.append((8, token.encode()))
            self.send(HELLO, 0, 0, block(*fields))
            frame = self.frame()
            assert frame.kind == HELLO, frame
            self.server_hello = parse_block(frame.payload)[0]
            self.credit += _u32(self.server_hello.get(7), 1 << 20)

    def __enter__(self) -> "RawPeer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._tls.close()

    def raw(self, data: bytes) -> None:
        """Sends bytes as they are; a server that closed meanwhile is none of our trouble."""
        try:
            self._tls.sendall(data)
        except _CLOSED:
            pass

    def push(self, data: bytes) -> bool:
        """Sends as much as the server takes within the time limit; whether it took all."""
        try:
            self._tls.sendall(data)
            return True
        except (OSError, EOFError):
            return False

    def send(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        self.raw(frame_bytes(kind, flags, stream, payload))

    def frame(self) -> Frame:
        """The next frame; EOFError when the server has closed."""
        length, kind, flags, stream = _HEADER.unpack(self._read(_HEADER.size))
        frame = Frame(kind, flags, stream, self._read(length))
        if kind == CREDIT and stream == 0:
            self.credit += _u32(frame.payload, 0)
        return frame

    def call(
        self, stream: int, path: str, message: bytes = b"", *more: Tuple[int, bytes]
    ) -> None:
        """A unary call in one frame."""
        self.send(
            CALL, FLAG_HAS_MESSAGE | FLAG_END, stream, call_block(path, *more) + message
        )
        self.credit -= len(message)

    def end(self, stream: int) -> Ended:
        """Waits for the END of a stream; other streams' frames and credit are passed over."""
        while True:
            ended = self.ended()
            if ended.stream == stream:
                return ended

    def ended(self) -> Ended:
        """Waits for the END of any stream."""
        while True:
            frame = self.frame()
            assert frame.kind != GOAWAY, f"GOAWAY {frame.payload!r}"
            before = self._messages.pop(frame.stream, b"")
            if frame.kind == MESSAGE:
                self._messages[frame.stream] = before + frame.payload
            elif frame.kind == END:
                return parse_end(frame, before)

    def goaway(self) -> int:
        """Waits for the server to end the connection; the reason it gave, -1 where none."""
        reason = -1
        try:
            while True:
                frame = self.frame()
                if frame.kind == GOAWAY:
                    reason = struct.unpack_from(">IH", frame.payload)[1]
        except _CLOSED:
            return reason

    def answers(self, seconds: float) -> List[Frame]:
        """The frames that have come, and come within so long of each other; all up to the end where the
        server closed. Nothing can be read afterwards."""
        frames: List[Frame] = []
        self._tls.settimeout(seconds)
        try:
            while True:
                frames.append(self.frame())
        except (*_CLOSED, TimeoutError):
            return frames

    def send_message(self, stream: int, path: str, message: bytes) -> Ended:
        """A unary call of any size, within the server's credit; its END."""
        return _Upload(self, stream, path, message).run()

    def _read(self, count: int) -> bytes:
        while len(self._buffer) < count:
            data = self._tls.recv(65536)
            if not data:
                raise EOFError
            self._buffer += data
        result, self._buffer = self._buffer[:count], self._buffer[count:]
        return result


class _Upload:
    """Sends a message in fragments as the server grants credit."""

    def __init__(self, peer: RawPeer, stream: int, path: str, message: bytes) -> None:
        self._peer, self._stream, self._path, self._message = peer, stream, path, message
        self._stream_credit = _u32(peer.server_hello.get(6), 256 << 10)

    def run(self) -> Ended:
        self._peer.send(CALL, 0, self._stream, call_block(self._path))
        rest = self._message
        while rest:
            room = min(16384, self._stream_credit, self._peer.credit, len(rest))
            if room < min(1024, len(rest)):
                ended = self._wait_for_credit()
                if ended is not None:
                    return ended
                continue
            fragment, rest = rest[:room], rest[room:]
            flags = FLAG_MORE if rest else FLAG_END
            self._peer.send(MESSAGE, flags, self._stream, fragment)
            self._stream_credit -= room
            self._peer.credit -= room
        return self._peer.end(self._stream)

    def _wait_for_credit(self) -> Optional[Ended]:
        frame = self._peer.frame()
        if frame.kind == CREDIT:
            if frame.stream == self._stream:
                self._stream_credit += _u32(frame.payload, 0)
        elif frame.kind == END and frame.stream == self._stream:
            return parse_end(frame, b"")
        else:
            assert frame.kind != GOAWAY, frame
        return None


def _u32(value: Optional[bytes], default: int) -> int:
    return struct.unpack(">I", value)[0] if value else default


def tcp(server: HitoServer, seconds: float = 15.0, source: str = "") -> socket.socket:
    """A connection, from an address of this machine where one is named."""
    host, _, port = server.address.rpartition(":")
    own = (source, 0) if source else None
    connection = socket.create_connection((host, int(port)), seconds, own)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def is_closed(connection: socket.socket) -> bool:
    """Whether the server hangs up (after at most an alert) before the socket's time is up."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass
    return True
