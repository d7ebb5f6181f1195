"""One end of a connection in a case's hands: it says what the case wants, and judges what comes."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Callable, Dict, List, Optional, Tuple

from . import wire
from .cases import Failure
from .rules import Rules
from .tls import Closed, TLSStream
from .wire import CREDIT, END, GOAWAY, MESSAGE, PING, Ended, Frame


class Peer:
    """Frames over TLS. `role` is whom it plays; what it judges is the other side."""

    def __init__(self, stream: TLSStream, role: str, split: str, seed: str) -> None:
        self.stream = stream
        self.rules = Rules("server" if role == "client" else "client")
        self.split = split
        self.answers_pings = True
        self.credit = 1 << 20
        """What the other side takes on the connection."""
        self.stream_credits: Dict[int, int] = {}
        self.hello: Dict[int, bytes] = {}
        """Of the other side."""
        self.ending = ""
        """How the connection ended."""
        self.log: List[Frame] = []
        """All that came."""
        self.passed_calls: List[Frame] = []
        """CALLs that came while something else was waited for."""
        self._random = random.Random(seed)
        self._messages: Dict[int, bytes] = {}
        self._ended: Dict[int, Ended] = {}
        self._in = b""
        self._unsent = b""
        self._noted = b""
        if split == "random":
            stream.split_tcp = self._random

    # Saying

    async def send(self, *frames: bytes) -> None:
        """Sends bytes as the split of the case says; a peer that has closed is found out by reading."""
        data = b"".join(frames)
        self._note(data)
        if self.split == "merged":
            self._unsent += data
            return
        await self.stream.write_records(self._cut(data))

    async def flush(self) -> None:
        data, self._unsent = self._unsent, b""
        if data:
            await self.stream.write(data)

    async def call(
        self, stream: int, path: str, message: Optional[bytes] = b"", *fields: wire.Field,
        end: bool = True, more: bool = False, flags: int = 0,
    ) -> None:  # fmt: skip
        await self.send(wire.call(stream, path, message, *fields, end=end, more=more, flags=flags))
        self.credit -= len(message or b"")

    async def close(self) -> None:
        """Ends in order: close_notify, then TCP."""
        try:
            await self.flush()
            await self.stream.shutdown()
        finally:
            self.stream.writer.close()

    def kill(self) -> None:
        """As a process that died."""
        self.stream.abort()

    # Hearing

    async def frame(self) -> Frame:
        """The next frame that is not a PING; Closed at the end."""
        await self.flush()
        while True:
            length, kind, flags, stream = wire.parse_header(await self._read(wire.HEADER_SIZE))
            self.rules.header(length, kind, flags, stream)
            frame = Frame(kind, flags, stream, await self._read(length))
            self.log.append(frame)
            self.rules.frame(frame)
            if kind == CREDIT:
                amount = wire.number(frame.payload)
                if stream == 0:
                    self.credit += amount
                else:
                    self.stream_credits[stream] = self.stream_credits.get(stream, 0) + amount
            if kind == PING and self.answers_pings:
                await self.stream.write(wire.frame(wire.PONG, 0, 0, frame.payload))
                continue
            return frame

    async def until(self, what: str, found: Callable[[Frame], bool], skip: bool = True) -> Frame:
        """The next frame that is meant; where `skip` is False, nothing but CREDIT may come before."""
        try:
            while True:
                frame = await self.frame()
                if found(frame):
                    return frame
                if frame.kind == wire.CALL:
                    self.passed_calls.append(frame)
                if frame.kind == GOAWAY and frame.payload[4:6] not in (b"\0\0", b"\0\x08", b"\0\x09"):
                    raise Failure(f"expected {what}, got {frame}")
                if not skip and frame.kind != CREDIT:
                    raise Failure(f"expected {what}, got {frame}")
        except Closed as closed:
            raise Failure(f"expected {what}, got the end of the connection ({closed.how})") from None

    async def expect(self, kind: int, stream: Optional[int] = None, skip: bool = True) -> Frame:
        name = wire.KINDS[kind] + ("" if stream is None else f" on stream {stream}")

        def found(frame: Frame) -> bool:
            return frame.kind == kind and stream in (None, frame.stream)

        return await self.until(name, found, skip)

    async def ended(self, stream: int) -> Ended:
        """The END of a stream; those of others are kept until they are asked for."""
        while stream not in self._ended:
            frame = await self.until(
                f"END of stream {stream}",
                lambda frame: frame.kind == END or frame.kind == MESSAGE,
            )
            if frame.kind == MESSAGE:
                self._messages[frame.stream] = self._messages.get(frame.stream, b"") + frame.payload
            else:
                before = self._messages.pop(frame.stream, None)
                self._ended[frame.stream] = wire.parse_end(frame, before)
        return self._ended.pop(stream)

    async def expect_status(self, stream: int, *statuses: int) -> Ended:
        end = await self.ended(stream)
        if end.status not in statuses:
            names = " or ".join(wire.STATUSES[status] for status in statuses)
            raise Failure(f"expected END {names}, got END {end.status_name} {end.text!r}")
        return end

    async def expect_goaway(self, *reasons: int, last: Optional[int] = None) -> Frame:
        """A GOAWAY with a reason and the end of the connection in order (W11.6, W1.6)."""
        names = " or ".join(map(wire.reason_name, reasons))
        other = ""
        try:
            while True:
                frame = await self.frame()
                if frame.kind == GOAWAY:
                    break
                if frame.kind == END:
                    other = f"; before it {frame}"
        except Closed as closed:
            raise Failure(f"expected GOAWAY {names}, got {closed.how}{other}") from None
        if wire.number(frame.payload[4:6]) not in reasons:
            raise Failure(f"expected GOAWAY {names}, got {frame}")
        if last is not None and wire.number(frame.payload[:4]) != last:
            raise Failure(f"expected GOAWAY with last stream {last}, got {frame}")
        await self.expect_closed()
        return frame

    async def expect_closed(self, how: Tuple[str, ...] = ("close_notify",)) -> None:
        """Nothing but the end; what still comes is passed over."""
        while not self.ending:
            try:
                await self.frame()
            except Closed as closed:
                self.ending = closed.how
        if self.ending not in how:
            raise Failure(f"W1.6: expected {' or '.join(how)}, got {self.ending}")

    async def alive(self, data: bytes = b"alive?\0\0") -> None:
        """The connection still answers, and what was sent before has been taken in."""
        await self.send(wire.ping(data))
        frame = await self.until("PONG", lambda frame: frame.kind == wire.PONG)
        if frame.payload != data:
            raise Failure(f"W10.1: expected PONG {data!r}, got PONG {frame.payload!r}")

    async def quiet(self, seconds: float) -> List[Frame]:
        """What comes within a time; only where the absence of a frame is what is asked for."""
        end = time.monotonic() + seconds
        frames: List[Frame] = []
        while (left := end - time.monotonic()) > 0:
            try:
                frames.append(await asyncio.wait_for(self.frame(), left))
            except (asyncio.TimeoutError, Closed):
                break
        return frames

    async def _read(self, count: int) -> bytes:
        while len(self._in) < count:
            try:
                self._in += await self.stream.read()
            except Closed as closed:
                if self._in and closed.how == "close_notify":
                    raise Failure(f"W2.1: the connection ends inside a frame ({len(self._in)} bytes)")
                self.ending = closed.how
                raise
        data, self._in = self._in[:count], self._in[count:]
        return data

    def _cut(self, data: bytes) -> List[bytes]:
        if self.split == "whole":
            return [data]
        parts: List[bytes] = []
        # Large ones in larger pieces: a record costs its sender and its receiver.
        most = 1 if self.split == "bytes" else 200
        if len(data) > 4096:
            most = max(most, len(data) // 200)
        at = 0
        while at < len(data):
            size = most if self.split == "bytes" else self._random.randint(1, most)
            parts.append(data[at : at + size])
            at += size
        return parts

    def _note(self, data: bytes) -> None:
        """Tells the rules of the frames that we send, as far as they are frames."""
        self._noted += data
        while len(self._noted) >= wire.HEADER_SIZE:
            length, kind, flags, stream = wire.parse_header(self._noted[: wire.HEADER_SIZE])
            end = wire.HEADER_SIZE + length
            if len(self._noted) < end:
                return
            self.rules.sent(kind, flags, stream, self._noted[wire.HEADER_SIZE : end])
            self._noted = self._noted[end:]
