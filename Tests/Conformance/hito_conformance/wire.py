"""Frames and blocks of PROTOCOL.md, written from its text alone. It encodes what is wrong as gladly."""

from __future__ import annotations

import struct
import zlib
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

HELLO, CALL, MESSAGE, END, CANCEL, CREDIT, PING, PONG, GOAWAY, HEAD = range(1, 11)
KINDS = (
    "?", "HELLO", "CALL", "MESSAGE", "END", "CANCEL", "CREDIT", "PING", "PONG", "GOAWAY", "HEAD",
)  # fmt: skip

FLAG_END, FLAG_MORE, HAS_MESSAGE, COMPRESSED = 1, 2, 4, 8

REASONS = (
    "NO_ERROR", "PROTOCOL_ERROR", "FRAME_TOO_LARGE", "FLOW_CONTROL", "HELLO_TIMEOUT", "ABUSE",
    "KEEPALIVE_TIMEOUT", "INTERNAL", "IDLE", "MAX_AGE",
)  # fmt: skip
(NO_ERROR, PROTOCOL_ERROR, FRAME_TOO_LARGE, FLOW_CONTROL, HELLO_TIMEOUT, ABUSE,
 KEEPALIVE_TIMEOUT, INTERNAL_REASON, IDLE, MAX_AGE) = range(10)  # fmt: skip

STATUSES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
    "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
(OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS,
 PERMISSION_DENIED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED,
 INTERNAL, UNAVAILABLE, DATA_LOSS, UNAUTHENTICATED) = range(17)  # fmt: skip

STREAM_MAX = (1 << 31) - 1
_HEADER = struct.Struct(">IBBI")
HEADER_SIZE = _HEADER.size

Field = Tuple[int, bytes]


class Frame(NamedTuple):
    """One frame (W2.1)."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    def __str__(self) -> str:
        name = KINDS[self.kind] if self.kind < len(KINDS) else f"kind {self.kind}"
        if self.kind == GOAWAY and len(self.payload) >= 6:
            last, why = struct.unpack_from(">IH", self.payload)
            text = self.payload[6:].decode(errors="replace")
            return f"GOAWAY {reason_name(why)} (last stream {last}, {text!r})"
        if self.kind == END and self.payload:
            try:
                end = parse_end(self)
                return f"END status {end.status_name} {end.text!r} on stream {self.stream}"
            except (ValueError, struct.error):
                return f"END with a block that is wrong on stream {self.stream}"
        flags = f" flags {self.flags:#x}" if self.flags else ""
        return f"{name}{flags} of {len(self.payload)} bytes on stream {self.stream}"


class Ended(NamedTuple):
    """A server's END (W7.2)."""

    stream: int
    status: int
    text: str
    fields: Dict[int, bytes]
    trailers: List[Tuple[str, Union[str, bytes]]]
    message: Optional[bytes]

    @property
    def status_name(self) -> str:
        return STATUSES[self.status] if self.status < len(STATUSES) else str(self.status)

    @property
    def not_started(self) -> bool:
        return 8 in self.fields


def reason_name(number: int) -> str:
    return REASONS[number] if number < len(REASONS) else f"reason {number}"


def header(length: int, kind: int, flags: int = 0, stream: int = 0) -> bytes:
    return _HEADER.pack(length, kind, flags, stream)


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return header(len(payload), kind, flags, stream) + payload


def parse_header(data: bytes) -> Tuple[int, int, int, int]:
    return _HEADER.unpack(data)  # type: ignore[return-value]


def u16(value: int) -> bytes:
    return struct.pack(">H", value)


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


def u64(value: int) -> bytes:
    return struct.pack(">Q", value)


def number(value: bytes) -> int:
    return int.from_bytes(value, "big")


def field(tag: int, value: bytes) -> bytes:
    return struct.pack(">BH", tag, len(value)) + value


def block(*fields: Field) -> bytes:
    body = b"".join(field(tag, value) for tag, value in fields)
    return u16(len(body)) + body


def parse_block(payload: bytes) -> Tuple[List[Field], bytes]:
    """The fields and what follows; ValueError where the block is wrong (W3.3)."""
    if len(payload) < 2:
        raise ValueError("a block without its length")
    end = 2 + number(payload[:2])
    if end > len(payload):
        raise ValueError("a block that runs past its frame")
    fields, at = [], 2
    while at < end:
        if at + 3 > end:
            raise ValueError("a field that runs past its block")
        tag, size = struct.unpack_from(">BH", payload, at)
        at += 3
        if at + size > end:
            raise ValueError("a field that runs past its block")
        fields.append((tag, payload[at : at + size]))
        at += size
    return fields, payload[end:]


def metadata(key: str, value: Union[str, bytes]) -> Field:
    content = value if isinstance(value, bytes) else value.encode()
    return 6, bytes([len(key.encode())]) + key.encode() + content


def parse_metadata(value: bytes) -> Tuple[str, Union[str, bytes]]:
    """An entry; the value is bytes where the key ends with `-bin` (W5.3)."""
    if not value or len(value) < 1 + value[0]:
        raise ValueError("metadata that runs past its field")
    key, content = value[1 : 1 + value[0]].decode(), value[1 + value[0] :]
    return key, content if key.endswith("-bin") else content.decode()


def compressed(message: bytes, size: Optional[int] = None, encoding: int = 1) -> bytes:
    """A message as W6.9 has it; with a size or an encoding that is wrong where one is given."""
    head = struct.pack(">BI", encoding, len(message) if size is None else size)
    return head + zlib.compress(message)


def expanded(message: bytes) -> bytes:
    """What a compressed message is of; ValueError where it is none."""
    if len(message) < 6 or message[0] != 1:
        raise ValueError("no compressed message")
    try:
        data = zlib.decompress(message[5:])
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(data) != number(message[1:5]):
        raise ValueError(f"{len(data)} bytes, and not {number(message[1:5])}")
    return data


def parse_end(frame: Frame, before: Optional[bytes] = None) -> Ended:
    fields, rest = parse_block(frame.payload)
    known = {tag: value for tag, value in fields if tag != 6}
    message = rest if frame.flags & HAS_MESSAGE else before
    if rest and not frame.flags & HAS_MESSAGE:
        raise ValueError("bytes behind the block of an END without HAS_MESSAGE")
    return Ended(
        frame.stream, number(known.get(1, b"\0\0")), known.get(2, b"").decode(), known,
        [parse_metadata(value) for tag, value in fields if tag == 6], message,
    )  # fmt: skip


def hello(*fields: Field) -> bytes:
    return frame(HELLO, 0, 0, block(*fields))


def call(
    stream: int, path: str, message: Optional[bytes] = b"", *fields: Field,
    end: bool = True, more: bool = False, flags: int = 0,
) -> bytes:  # fmt: skip
    """A CALL; without HAS_MESSAGE where the message is None."""
    flags |= (FLAG_END if end else 0) | (FLAG_MORE if more else 0)
    flags |= 0 if message is None else HAS_MESSAGE
    return frame(CALL, flags, stream, block((1, path.encode()), *fields) + (message or b""))


def head(stream: int, *fields: Field) -> bytes:
    return frame(HEAD, 0, stream, block(*fields))


def end_ok(stream: int, message: Optional[bytes] = None, *fields: Field, flags: int = 0) -> bytes:
    flags |= 0 if message is None else HAS_MESSAGE
    return frame(END, flags, stream, block(*fields) + (message or b""))


def end_error(stream: int, status: int, text: str = "", *fields: Field) -> bytes:
    said = ((2, text.encode()),) if text else ()
    return frame(END, 0, stream, block((1, u16(status)), *said, *fields))


def goaway(last: int, reason: int, text: str = "") -> bytes:
    return frame(GOAWAY, 0, 0, u32(last) + u16(reason) + text.encode())


def credit(stream: int, amount: int) -> bytes:
    return frame(CREDIT, 0, stream, u32(amount))


def ping(data: bytes = b"12345678") -> bytes:
    return frame(PING, 0, 0, data)
