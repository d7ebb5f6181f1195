"""Frames and blocks of `hito/1` as bytes. Pure: no sockets, no clocks.

The clause numbers (W2.1) are those of Protos/PROTOCOL.md.
"""

from __future__ import annotations

import struct
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

HELLO, CALL, MESSAGE, END, CANCEL, CREDIT, PING, PONG, GOAWAY, HEAD = range(1, 11)

MINOR_VERSION = 1

FLAG_END, FLAG_MORE, FLAG_HAS_MESSAGE, FLAG_COMPRESSED = 0x01, 0x02, 0x04, 0x08

HEADER = struct.Struct(">IBBI")
HELLO_PAYLOAD_MAX = 8192
FRAME_PAYLOAD_MIN, FRAME_PAYLOAD_MAX = 16384, 1 << 20
CREDIT_MAX = (1 << 31) - 1
FRAGMENT_MIN = 1024
STREAM_ID_MAX = (1 << 31) - 1
METADATA_ENTRIES_MAX, METADATA_BYTES_MAX = 64, 8192
ENCODINGS_MAX = 16

Metadata = Mapping[str, Union[str, bytes]]
"""Keys that end with `-bin` have bytes, all others text."""

# GOAWAY reasons (W11.2).
NO_ERROR, PROTOCOL_ERROR, FRAME_TOO_LARGE, FLOW_CONTROL = 0, 1, 2, 3
HELLO_TIMEOUT, ABUSE, KEEPALIVE_TIMEOUT, INTERNAL, IDLE, MAX_AGE = 4, 5, 6, 7, 8, 9
DRAIN_REASONS = frozenset({NO_ERROR, IDLE, MAX_AGE})

_U16, _U32, _U64 = struct.Struct(">H"), struct.Struct(">I"), struct.Struct(">Q")
_FIELD = struct.Struct(">BH")
_GOAWAY = struct.Struct(">IH")

# What a server may send (W2.3, W2.4): kind -> allowed flags.
_SERVER_FLAGS = {
    HELLO: 0, MESSAGE: FLAG_MORE, END: FLAG_HAS_MESSAGE, CREDIT: 0, PING: 0, PONG: 0, GOAWAY: 0,
}  # fmt: skip
# The same since minor version 1.
_SERVER_FLAGS_1 = {
    **_SERVER_FLAGS, MESSAGE: FLAG_MORE | FLAG_COMPRESSED,
    END: FLAG_HAS_MESSAGE | FLAG_COMPRESSED, HEAD: 0,
}  # fmt: skip
_STREAM_ZERO = frozenset({HELLO, PING, PONG, GOAWAY})


class WireError(Exception):
    """The peer broke the protocol: the connection ends with GOAWAY and this reason."""

    def __init__(self, reason: int, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Frame(NamedTuple):
    """One frame (W2.1)."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def encode_frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return HEADER.pack(len(payload), kind, flags, stream) + payload


class FrameDecoder:
    """Cuts a stream of bytes into the frames that a server may send."""

    def __init__(self, payload_max: int) -> None:
        self._payload_max = payload_max
        self._buffer = bytearray()
        self._flags = _SERVER_FLAGS

    def agreed(self, minor_version: int) -> None:
        """Both sides speak this minor version."""
        if minor_version >= 1:
            self._flags = _SERVER_FLAGS_1

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Takes what arrived; yields the frames that are whole."""
        self._buffer += data
        offset = 0
        try:
            while len(self._buffer) - offset >= HEADER.size:
                length, kind, flags, stream = HEADER.unpack_from(self._buffer, offset)
                # Before waiting for the payload: nothing that is too long is ever buffered.
                self._check(length, kind, flags, stream)
                end = offset + HEADER.size + length
                if len(self._buffer) < end:
                    return
                payload = bytes(memoryview(self._buffer)[offset + HEADER.size : end])
                offset = end
                yield Frame(kind, flags, stream, payload)
        finally:
            del self._buffer[:offset]

    def _check(self, length: int, kind: int, flags: int, stream: int) -> None:
        if length > (HELLO_PAYLOAD_MAX if kind == HELLO else self._payload_max):
            raise WireError(FRAME_TOO_LARGE, f"frame of {length} bytes")
        allowed = self._flags.get(kind)
        if (
            allowed is None
            or flags & ~allowed
            or (kind == END and flags == FLAG_COMPRESSED)
        ):
            raise WireError(PROTOCOL_ERROR, f"frame kind {kind} with flags {flags}")
        on_connection = stream == 0 and (kind in _STREAM_ZERO or kind == CREDIT)
        on_call = stream % 2 == 1 and stream <= STREAM_ID_MAX and kind not in _STREAM_ZERO
        if not on_connection and not on_call:
            raise WireError(PROTOCOL_ERROR, f"frame kind {kind} on stream {stream}")
        fixed = {CREDIT: 4, PING: 8, PONG: 8}.get(kind, length)
        if length != fixed or (kind == MESSAGE and flags & FLAG_MORE and length == 0):
            raise WireError(PROTOCOL_ERROR, f"frame kind {kind} of {length} bytes")


def encode_block(fields: Iterable[Tuple[int, bytes]]) -> bytes:
    """A block (W3.1) of fields, in the order given."""
    body = b"".join(_FIELD.pack(tag, len(value)) + value for tag, value in fields)
    return _U16.pack(len(body)) + body


def decode_block(payload: bytes) -> Tuple[List[Tuple[int, bytes]], bytes]:
    """The fields of the block at the start of a payload, and what follows the block."""
    if len(payload) < 2:
        raise WireError(PROTOCOL_ERROR, "block without length")
    end = 2 + _U16.unpack_from(payload)[0]
    if end > len(payload):
        raise WireError(PROTOCOL_ERROR, "block runs past its frame")
    fields, offset = [], 2
    while offset < end:
        if offset + 3 > end:
            raise WireError(PROTOCOL_ERROR, "field runs past its block")
        tag, length = _FIELD.unpack_from(payload, offset)
        offset += 3
        if offset + length > end:
            raise WireError(PROTOCOL_ERROR, "field runs past its block")
        fields.append((tag, payload[offset : offset + length]))
        offset += length
    return fields, payload[end:]


class Hello(NamedTuple):
    """What a side says of itself (W4.2); the defaults are those of absent fields."""

    minor_version: int = 0
    agent: str = ""
    frame_payload_max: int = 16384
    message_max: int = 4 << 20
    streams_max: int = 100
    stream_credit: int = 256 << 10
    connection_credit: int = 1 << 20
    token: str = ""
    ping_interval_ms: int = 10_000
    server_id: str = ""
    encodings: bytes = b""


def encode_hello(hello: Hello) -> bytes:
    """The payload of a client's HELLO."""
    fields = [
        (1, _U16.pack(hello.minor_version)),
        (2, hello.agent.encode()[:128]),
        (3, _U32.pack(hello.frame_payload_max)),
        (4, _U32.pack(hello.message_max)),
        (6, _U32.pack(hello.stream_credit)),
        (7, _U32.pack(hello.connection_credit)),
    ]
    if hello.encodings:
        fields.append((11, hello.encodings))
    if hello.token:
        fields.append((8, _text("token", hello.token, 256)))
    return encode_block(fields)


_HELLO_NUMBERS = {
    1: ("minor_version", _U16), 3: ("frame_payload_max", _U32), 4: ("message_max", _U32),
    5: ("streams_max", _U32), 6: ("stream_credit", _U32), 7: ("connection_credit", _U32),
    9: ("ping_interval_ms", _U32),
}  # fmt: skip
_HELLO_TEXTS = {2: "agent", 10: "server_id"}


def decode_hello(payload: bytes) -> Hello:
    """A server's HELLO, checked (W4.4)."""
    fields, rest = decode_block(payload)
    if rest:
        raise WireError(PROTOCOL_ERROR, "bytes after the block of HELLO")
    values: Dict[str, Any] = {}
    for tag, value in fields:
        if tag in _HELLO_NUMBERS:
            name, number = _HELLO_NUMBERS[tag]
        elif tag in _HELLO_TEXTS:
            name, number = _HELLO_TEXTS[tag], None
        elif tag == 11:
            name, number = "encodings", None
            if len(value) > ENCODINGS_MAX:
                raise WireError(PROTOCOL_ERROR, "HELLO lists too many encodings")
        else:
            continue
        if name in values:
            raise WireError(PROTOCOL_ERROR, f"HELLO says {name} twice")
        if number:
            values[name] = _number(value, number)
        else:
            values[name] = value if tag == 11 else _strict_text(value, 128)
    hello = Hello(**values)
    if (
        not FRAME_PAYLOAD_MIN <= hello.frame_payload_max <= FRAME_PAYLOAD_MAX
        or hello.message_max < 16384
        or max(hello.stream_credit, hello.connection_credit) > CREDIT_MAX
    ):
        raise WireError(PROTOCOL_ERROR, "a limit in HELLO is out of its range")
    return hello


class CallHeader(NamedTuple):
    """What a CALL says besides its message (W5.2)."""

    path: str
    timeout_us: Optional[int] = None
    idempotency_key: str = ""
    traceparent: str = ""
    token: str = ""
    metadata: Metadata = {}


def encode_call(call: CallHeader) -> bytes:
    """The block of a CALL. ValueError where the caller's texts are not allowed (W5.2, W5.3)."""
    fields = [(1, _text("method path", call.path, 256))]
    if call.timeout_us is not None:
        fields.append((2, _U64.pack(max(0, call.timeout_us))))
    if call.idempotency_key:
        fields.append((3, _text("idempotency key", call.idempotency_key, 128)))
    if call.traceparent:
        fields.append((4, _text("traceparent", call.traceparent, 128)))
    if call.token:
        fields.append((5, _text("token", call.token, 256)))
    fields.extend((6, entry) for entry in _encode_metadata(call.metadata))
    return encode_block(fields)


class End(NamedTuple):
    """What a server's END says besides its message (W7.2)."""

    status: int = 0
    message: str = ""
    details: bytes = b""
    resume_cursor: str = ""
    trailers: Metadata = {}
    server_us: Optional[int] = None
    not_started: bool = False


def decode_end(payload: bytes, minor_version: int = MINOR_VERSION) -> Tuple[End, bytes]:
    """An END's block, and the message bytes after it. Bad text never hides the status (W3.4)."""
    fields, rest = decode_block(payload)
    seen: Dict[int, bytes] = {}
    trailers: Dict[str, Union[str, bytes]] = {}
    for tag, value in fields:
        if tag == 6:
            trailers.update([_decode_metadata(value, minor_version)])
        elif tag in (1, 2, 3, 4, 7, 8):
            if tag in seen:
                raise WireError(PROTOCOL_ERROR, f"END has field {tag} twice")
            seen[tag] = value
    if seen.get(8):
        raise WireError(PROTOCOL_ERROR, "END's field 8 carries bytes")
    end = End(
        status=_number(seen[1], _U16) if 1 in seen else 0,
        message=_lenient_text(seen.get(2, b"")),
        details=seen.get(3, b""),
        resume_cursor=_lenient_text(seen.get(4, b"")),
        trailers=trailers,
        server_us=_number(seen[7], _U64) if 7 in seen else None,
        not_started=8 in seen,
    )
    return end, rest


def decode_head(payload: bytes) -> Metadata:
    """A server's HEAD (W7.7): metadata before the first message of a call."""
    fields, rest = decode_block(payload)
    if rest:
        raise WireError(PROTOCOL_ERROR, "bytes after the block of HEAD")
    return dict(_decode_metadata(value, 1) for tag, value in fields if tag == 6)


class GoAway(NamedTuple):
    """The peer takes no more calls (W11.1)."""

    last_stream: int
    reason: int
    text: str

    @property
    def is_drain(self) -> bool:
        return self.reason in DRAIN_REASONS


def encode_goaway(last_stream: int, reason: int, text: str) -> bytes:
    return _GOAWAY.pack(last_stream, reason) + text.encode()[:512]


def decode_goaway(payload: bytes) -> GoAway:
    if len(payload) < _GOAWAY.size:
        raise WireError(PROTOCOL_ERROR, "short GOAWAY")
    last_stream, reason = _GOAWAY.unpack_from(payload)
    if reason > MAX_AGE:
        reason = INTERNAL
    return GoAway(last_stream, reason, _lenient_text(payload[_GOAWAY.size :][:512]))


def encode_credit(amount: int) -> bytes:
    return _U32.pack(amount)


def decode_credit(payload: bytes) -> int:
    amount: int = _U32.unpack(payload)[0]
    if amount == 0:
        raise WireError(PROTOCOL_ERROR, "CREDIT of nothing")
    return amount


def _number(value: bytes, number: struct.Struct) -> int:
    if len(value) != number.size:
        raise WireError(PROTOCOL_ERROR, "a number of a wrong width")
    result: int = number.unpack(value)[0]
    return result


def _strict_text(value: bytes, limit: int) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if len(value) > limit or "\0" in text:
        raise WireError(PROTOCOL_ERROR, "text that is not allowed")
    return text


def _lenient_text(value: bytes) -> str:
    return value.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _text(what: str, text: str, limit: int) -> bytes:
    value = text.encode()
    if not 1 <= len(value) <= limit or b"\0" in value:
        raise ValueError(f"{what}: 1 to {limit} bytes of UTF-8 without NUL")
    return value


_KEY_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_.-")


def _encode_metadata(metadata: Metadata) -> Iterator[bytes]:
    total = 0
    if len(metadata) > METADATA_ENTRIES_MAX:
        raise ValueError(f"more than {METADATA_ENTRIES_MAX} metadata entries")
    for key, content in metadata.items():
        if not 1 <= len(key) <= 64 or not _KEY_CHARACTERS.issuperset(key):
            raise ValueError(f"metadata key {key!r}: 1 to 64 of a-z 0-9 _ . -")
        if isinstance(content, bytes) != key.endswith("-bin"):
            raise ValueError(f"metadata {key!r}: keys that end with -bin have bytes, others text")
        value = content if isinstance(content, bytes) else content.encode()
        if isinstance(content, str) and b"\0" in value:
            raise ValueError(f"metadata {key!r} contains NUL")
        total += len(key) + len(value)
        if total > METADATA_BYTES_MAX:
            raise ValueError(f"more than {METADATA_BYTES_MAX} bytes of metadata")
        yield bytes([len(key)]) + key.encode() + value


def _decode_metadata(value: bytes, minor_version: int) -> Tuple[str, Union[str, bytes]]:
    if not value or len(value) < 1 + value[0]:
        raise WireError(PROTOCOL_ERROR, "metadata runs past its field")
    key, content = _lenient_text(value[1 : 1 + value[0]]), value[1 + value[0] :]
    if minor_version >= 1 and key.endswith("-bin"):
        return key, content
    return key, _lenient_text(content)
