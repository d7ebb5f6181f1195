"""What every frame of a peer must keep to, whatever the case is about: checked on each one that comes."""

from __future__ import annotations

from typing import Dict, Optional, Set

from . import wire
from .cases import Failure
from .wire import CALL, CANCEL, COMPRESSED, CREDIT, END, GOAWAY, HEAD, HELLO, MESSAGE, PING, PONG, Frame

_FLAGS = {
    "server": {HELLO: 0, MESSAGE: 2, END: 4, CREDIT: 0, PING: 0, PONG: 0, GOAWAY: 0},
    "client": {
        HELLO: 0, CALL: 7, MESSAGE: 3, END: 0, CANCEL: 0, CREDIT: 0, PING: 0, PONG: 0, GOAWAY: 0,
    },
}  # fmt: skip
# The same since minor version 1.
_FLAGS_1 = {
    "server": {**_FLAGS["server"], MESSAGE: 2 | COMPRESSED, END: 4 | COMPRESSED, HEAD: 0},
    "client": {**_FLAGS["client"], CALL: 7 | COMPRESSED, MESSAGE: 3 | COMPRESSED},
}  # fmt: skip
_ON_CONNECTION = {HELLO, PING, PONG, GOAWAY}
_SIZES = {CREDIT: 4, PING: 8, PONG: 8, CANCEL: 0}
_END_WIDTHS = {1: 2, 7: 8, 8: 0}
_END_LIMITS = {2: 1024, 3: 8192, 4: 512}
_HELLO_WIDTHS = {1: 2, 3: 4, 4: 4, 5: 4, 6: 4, 7: 4, 9: 4}
_HELLO_LIMITS = {2: 128, 8: 256, 10: 128}
_CALL_WIDTHS = {2: 8}
_CALL_LIMITS = {1: 256, 3: 128, 4: 128, 5: 256}


class Grants:
    """What one side let the other send, by the frames that it sent itself."""

    def __init__(self) -> None:
        self.frame_max, self.message_max, self.per_stream = 16384, 4 << 20, 262144
        self.connection = 1 << 20
        self.streams: Dict[int, int] = {}

    def hello(self, payload: bytes) -> None:
        try:
            fields = dict(wire.parse_block(payload)[0])
        except ValueError:
            return
        # A limit that nobody may ask for (W4.4) is no excuse for an answer without a frame.
        self.frame_max = max(16384, wire.number(fields.get(3, wire.u32(self.frame_max))))
        self.message_max = wire.number(fields.get(4, wire.u32(self.message_max)))
        self.per_stream = wire.number(fields.get(6, wire.u32(self.per_stream)))
        self.connection = wire.number(fields.get(7, wire.u32(self.connection)))

    def credit(self, stream: int, amount: int) -> None:
        if stream == 0:
            self.connection += amount
        else:
            self.streams[stream] = self.of(stream) + amount

    def of(self, stream: int) -> int:
        return self.streams.get(stream, self.per_stream)

    def take(self, stream: int, size: int) -> None:
        self.streams[stream] = self.of(stream) - size
        self.connection -= size


class Rules:
    """Judges the frames of a peer in the order that they come."""

    def __init__(self, role: str) -> None:
        self.role = role
        """Of the peer that is judged."""
        self.grants = Grants()
        self.opened: Set[int] = set()
        self.closed: Set[int] = set()
        self.half_closed: Set[int] = set()
        self._unfinished: Dict[int, int] = {}
        self._greeted = False
        self._ours = self._theirs = 0
        self._headed: Set[int] = set()
        self._begun: Set[int] = set()
        self._encodings = b""
        self._own_encodings: Dict[int, bytes] = {}
        self._last = 0
        self._error: Optional[Frame] = None

    def sent(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """Takes note of a frame of our own."""
        if kind == HELLO:
            self.grants.hello(payload)
            self._note_hello(payload)
        elif kind == CREDIT and len(payload) == 4:
            self.grants.credit(stream, wire.number(payload))
        elif kind == CALL:
            self.opened.add(stream)
            self._note_call(stream, payload)
        elif kind == END and self.role == "client":
            # What is on the way may still come.
            self.closed.add(stream)

    @property
    def minor_version(self) -> int:
        """What both sides speak."""
        return min(self._ours, self._theirs)

    def _note_hello(self, payload: bytes) -> None:
        try:
            fields = dict(wire.parse_block(payload)[0])
        except ValueError:
            return
        self._ours = wire.number(fields.get(1, b""))
        self._encodings = fields.get(11, b"")

    def _note_call(self, stream: int, payload: bytes) -> None:
        try:
            fields = dict(wire.parse_block(payload)[0])
        except ValueError:
            return
        if 7 in fields:
            self._own_encodings[stream] = fields[7]

    def header(self, length: int, kind: int, flags: int, stream: int) -> None:
        """Before the payload is waited for."""
        table = _FLAGS_1 if self.minor_version >= 1 else _FLAGS
        allowed = table[self.role].get(kind)
        if allowed is None:
            raise Failure(f"W2.5: kind {kind} from a {self.role}")
        if flags & ~allowed or flags & 3 == 3:
            raise Failure(f"W2.4: {wire.KINDS[kind]} with flags {flags:#x}")
        limit = 8192 if kind == HELLO else self.grants.frame_max
        if length > limit:
            raise Failure(f"W2.2: {wire.KINDS[kind]} of {length} bytes, at most {limit} are allowed")
        if length != _SIZES.get(kind, length):
            raise Failure(f"W2.3: {wire.KINDS[kind]} of {length} bytes")
        if (stream == 0) != (kind in _ON_CONNECTION) and kind != CREDIT:
            raise Failure(f"W2.3: {wire.KINDS[kind]} on stream {stream}")

    def frame(self, frame: Frame) -> None:
        if self._error is not None:
            raise Failure(f"W11.6: {frame} behind {self._error}")
        if not self._greeted and frame.kind not in (HELLO, GOAWAY):
            raise Failure(f"W4.1: the first frame is {frame}")
        if self._greeted and frame.kind == HELLO:
            raise Failure("W4.1: a second HELLO")
        handler = getattr(self, f"_{wire.KINDS[frame.kind].lower()}", None)
        if handler is not None:
            handler(frame)

    def _hello(self, frame: Frame) -> None:
        self._greeted = True
        fields = self._block(frame, _HELLO_WIDTHS, _HELLO_LIMITS, repeated=())
        self._theirs = wire.number(fields.get(1, b""))
        if len(fields.get(11, b"")) > 16:
            raise Failure("W4.2: more than 16 encodings")
        for tag in (3, 4):
            if tag in fields and wire.number(fields[tag]) < 16384:
                raise Failure(f"W4.4: HELLO's tag {tag} says {wire.number(fields[tag])}")
        for tag in (6, 7):
            if wire.number(fields.get(tag, b"")) > wire.STREAM_MAX:
                raise Failure(f"W4.4: HELLO's tag {tag} says {wire.number(fields[tag])}")

    def _goaway(self, frame: Frame) -> None:
        if not 6 <= len(frame.payload) <= 6 + 512:
            raise Failure(f"W11.1: GOAWAY of {len(frame.payload)} bytes")
        reason = wire.number(frame.payload[4:6])
        if reason >= len(wire.REASONS):
            raise Failure(f"W11.2: reason {reason}")
        if reason not in (wire.NO_ERROR, wire.IDLE, wire.MAX_AGE):
            self._error = frame

    def _credit(self, frame: Frame) -> None:
        if wire.number(frame.payload) == 0:
            raise Failure("W9.4: a CREDIT of nothing")
        if frame.stream and frame.stream not in self.opened:
            raise Failure(f"W5.9: CREDIT for stream {frame.stream}, which was never opened")

    def _call(self, frame: Frame) -> None:
        if frame.stream % 2 == 0 or frame.stream <= self._last or frame.stream > wire.STREAM_MAX:
            raise Failure(f"W5.1: CALL {frame.stream} after {self._last}")
        self._last = frame.stream
        self.opened.add(frame.stream)
        if frame.flags & 2 and not frame.flags & 4:
            raise Failure("W2.4: a CALL with MORE and without HAS_MESSAGE")
        fields = self._block(frame, _CALL_WIDTHS, _CALL_LIMITS, repeated=(6,))
        if not fields.get(1):
            raise Failure("W5.2: a CALL without a method")
        rest = wire.parse_block(frame.payload)[1]
        if rest and not frame.flags & 4:
            raise Failure("W5.4: bytes behind the block of a CALL without HAS_MESSAGE")
        self._message_bytes(frame, rest)

    def _message(self, frame: Frame) -> None:
        if frame.stream not in self.opened:
            raise Failure(f"W5.9: {frame}, which was never opened")
        if frame.stream in self.closed and self.role == "server":
            raise Failure(f"W7.1: {frame} behind its END")
        self._message_bytes(frame, frame.payload)

    def _head(self, frame: Frame) -> None:
        if frame.stream not in self.opened:
            raise Failure(f"W5.9: {frame}, which was never opened")
        if frame.stream in self._headed or frame.stream in self._begun or frame.stream in self.closed:
            raise Failure(f"W7.7: {frame} that is not the first on its stream")
        self._headed.add(frame.stream)
        self._block(frame, {}, {}, repeated=(6,))
        if wire.parse_block(frame.payload)[1]:
            raise Failure("W7.7: bytes behind the block of HEAD")

    def _message_bytes(self, frame: Frame, data: bytes) -> None:
        stream = frame.stream
        self._begun.add(stream)
        if frame.flags & COMPRESSED:
            if stream in self._unfinished:
                raise Failure(f"W6.9: {frame} inside a message")
            if frame.kind != MESSAGE and not frame.flags & 4:
                raise Failure(f"W2.4: {frame}, COMPRESSED without HAS_MESSAGE")
            if 1 not in self._own_encodings.get(stream, self._encodings):
                raise Failure(f"W6.9: {frame}, and nothing was listed that it may be")
        if stream in self.half_closed:
            raise Failure(f"W5.10: {frame} after the half-close")
        size = self._unfinished.pop(stream, 0) + len(data)
        if frame.flags & 2:
            if len(data) < 1024:
                raise Failure(f"W9.2: a fragment of {len(data)} bytes that is not the last")
            self._unfinished[stream] = size
        if size > self.grants.message_max:
            raise Failure(f"W6.4: a message of {size} bytes, allowed are {self.grants.message_max}")
        self.grants.take(stream, len(data))
        if self.grants.of(stream) < 0 or self.grants.connection < 0:
            raise Failure(f"W9.3: {frame} is more than was granted")
        if frame.flags & 1:
            self.half_closed.add(stream)

    def _end(self, frame: Frame) -> None:
        if frame.stream not in self.opened:
            raise Failure(f"W5.9: {frame}, which was never opened")
        if self.role == "client":
            if frame.payload:
                raise Failure("W7.5: a client's END with a payload")
            if frame.stream in self.half_closed:
                raise Failure("W5.10: END after the half-close")
            self.half_closed.add(frame.stream)
            return
        if frame.stream in self.closed:
            raise Failure(f"W7.1: a second END for stream {frame.stream}")
        self.closed.add(frame.stream)
        fields = self._block(frame, _END_WIDTHS, _END_LIMITS, repeated=(6,))
        status = wire.number(fields.get(1, b""))
        if status > 16:
            raise Failure(f"W7.2: status {status}")
        rest = wire.parse_block(frame.payload)[1]
        if rest and not frame.flags & 4:
            raise Failure("W7.2: bytes behind the block of an END without HAS_MESSAGE")
        if frame.flags & 4 and (status or frame.stream in self._unfinished):
            raise Failure("W7.3: END with a message that it may not have")
        if status == 0 and frame.stream in self._unfinished:
            raise Failure("W6.7: END with status 0 inside a message")
        if frame.flags & COMPRESSED and not frame.flags & 4:
            raise Failure(f"W2.4: {frame}, COMPRESSED without HAS_MESSAGE")
        if frame.flags & COMPRESSED and 1 not in self._own_encodings.get(frame.stream, self._encodings):
            raise Failure(f"W6.9: {frame}, and nothing was listed that it may be")
        if frame.flags & 4:
            self.grants.take(frame.stream, len(rest))
            if self.grants.of(frame.stream) < 0 or self.grants.connection < 0:
                raise Failure(f"W9.3: {frame} is more than was granted")

    def _block(
        self, frame: Frame, widths: Dict[int, int], limits: Dict[int, int], repeated: object
    ) -> Dict[int, bytes]:
        name = wire.KINDS[frame.kind]
        try:
            fields = wire.parse_block(frame.payload)[0]
            seen: Dict[int, bytes] = {}
            total = 0
            for tag, value in fields:
                if tag == 6 and repeated:
                    total += sum(map(len, wire.parse_metadata(value)))
                    continue
                if tag in seen and (tag in widths or tag in limits):
                    raise ValueError(f"tag {tag} twice")
                seen[tag] = value
                if len(value) != widths.get(tag, len(value)) or len(value) > limits.get(tag, 65535):
                    raise ValueError(f"tag {tag} of {len(value)} bytes")
                if tag in limits and not (name == "END" and tag == 3) and "\0" in value.decode():
                    raise ValueError(f"NUL in tag {tag}")
            if total > (2048 if name == "END" else 8192):
                raise ValueError(f"{total} bytes of metadata")
        except ValueError as error:
            raise Failure(f"W3: the block of {name}: {error}") from None
        return seen
