"""One call on a connection: what was sent, what came, how it ended."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Deque, Optional, Tuple

from hito import _compression, _wire
from hito._credit import ReceiveWindow, SendWindow
from hito.errors import HitoError, InternalError, ResourceExhausted, error_of

if TYPE_CHECKING:
    from hito._connection import Connection

_EMPTY_MESSAGES_MAX = 1024


class Call:
    """A stream. Made by `Connection.open`; used by one reader and one writer."""

    def __init__(self, connection: "Connection", stream: int) -> None:
        self.stream = stream
        self.resume_cursor = ""
        self.end: Optional[_wire.End] = None
        """The server's END, once the call ended with status 0."""
        self._connection = connection
        self._send_window = SendWindow(connection.peer.stream_credit)
        self._receive_window = ReceiveWindow(connection.own.stream_credit)
        self.metadata: _wire.Metadata = {}
        """What the server said before its first message."""
        self.trailers: _wire.Metadata = {}
        """What it said with the end of the call."""
        self._has_head = False
        self._is_compressed = False
        self._has_message = False
        self._message_flags = 0
        self._unsent = memoryview(b"")
        self._sending = False
        self._half_close = False
        # Whole messages with the credit that is owed for each.
        self._messages: Deque[Tuple[bytes, int]] = deque()
        self._partial = bytearray()
        self._empty_messages = 0
        self._error: Optional[HitoError] = None
        self._is_done = False
        self._changed: Optional[asyncio.Future[None]] = None
        self._sendable: Optional[asyncio.Future[None]] = None

    @property
    def is_done(self) -> bool:
        """Whether nothing more will arrive."""
        return self._is_done

    # Sending

    def begin(self, block: bytes, message: Optional[bytes], half_close: bool) -> None:
        """Writes the CALL frame with as much of the first message as fits."""
        if message is None:
            self._connection.write(_wire.CALL, 0, self.stream, block)
            return
        self._put(message, half_close)
        room = self._room(self._connection.peer.frame_payload_max - len(block))
        if self._unsent and room <= 0:
            self._connection.write(_wire.CALL, 0, self.stream, block)
        else:
            self._write_fragment(_wire.CALL, _wire.FLAG_HAS_MESSAGE, block, room)

    async def send(self, message: bytes) -> None:
        """Sends a message of a request stream; waits while there is no credit."""
        self._put(message, half_close=False)
        await self.flush()

    async def flush(self) -> None:
        """Sends what is left of the message; returns early when the call has ended."""
        while self._sending and not self._is_done:
            if self._connection.is_writable:
                room = self._room(self._connection.peer.frame_payload_max)
                if room > 0 or not self._unsent:
                    self._write_fragment(_wire.MESSAGE, 0, b"", room)
                    # What is queued goes to the socket now, which may say that it is enough.
                    await asyncio.sleep(0)
                    continue
            self._sendable = asyncio.get_running_loop().create_future()
            self._connection.wait_to_send(self._sendable)
            await self._sendable

    def half_close(self) -> None:
        """Says that no more messages follow."""
        if not self._is_done:
            self._connection.write(_wire.END, 0, self.stream)

    def _put(self, message: bytes, half_close: bool) -> None:
        if len(message) > self._connection.peer.message_max:
            maximum = self._connection.peer.message_max
            raise ResourceExhausted(
                f"the request has {len(message)} bytes, the server accepts {maximum}",
                not_started=True,
            )
        packed = _compression.pack(message) if self._connection.compresses else None
        self._message_flags = 0 if packed is None else _wire.FLAG_COMPRESSED
        self._unsent = memoryview(message if packed is None else packed)
        self._sending = True
        self._half_close = half_close

    def _room(self, frame_room: int) -> int:
        """What a fragment may carry now; 0 where that is too little for one (W9.2)."""
        credit = min(self._send_window.available, self._connection.send_credit.available)
        room = min(frame_room, credit)
        return room if room >= min(len(self._unsent), _wire.FRAGMENT_MIN) else 0

    def _write_fragment(self, kind: int, flags: int, block: bytes, room: int) -> None:
        # Of the first fragment of a message alone.
        flags, self._message_flags = flags | self._message_flags, 0
        fragment, self._unsent = self._unsent[:room], self._unsent[room:]
        self._send_window.take(len(fragment))
        self._connection.send_credit.take(len(fragment))
        self._sending = len(self._unsent) > 0
        if self._sending:
            flags |= _wire.FLAG_MORE
        elif self._half_close:
            flags |= _wire.FLAG_END
        self._connection.write(kind, flags, self.stream, block + bytes(fragment))

    def granted(self, amount: int) -> None:
        self._send_window.grant(amount)
        _wake(self._sendable)

    # Receiving

    async def receive(self) -> Optional[bytes]:
        """The next message; None at the end of a call that went well. Raises how it failed."""
        while not self._messages:
            if self._error is not None:
                raise self._error
            if self._is_done:
                return None
            self._changed = asyncio.get_running_loop().create_future()
            await self._changed
        message, owed = self._messages.popleft()
        self._empty_messages -= not message
        self._return_credit(owed)
        return message

    def cancel(self, error: Optional[HitoError] = None) -> None:
        """Gives the call up, if it has not ended; a reader that waits gets `error`."""
        if not self._is_done:
            self._error = error
            self._connection.write(_wire.CANCEL, 0, self.stream)
            self._finish()
        self._drop_messages()

    def head_received(self, metadata: _wire.Metadata) -> None:
        if self._has_head or self._messages or self._partial or self._has_message:
            raise _wire.WireError(_wire.PROTOCOL_ERROR, "HEAD that is not before the first message")
        self._has_head = True
        self.metadata = metadata

    def message_received(self, payload: bytes, is_last: bool, is_compressed: bool = False) -> None:
        self._receive_window.received(len(payload))
        if is_compressed and self._partial:
            raise _wire.WireError(_wire.PROTOCOL_ERROR, "COMPRESSED inside a message")
        if not self._partial:
            self._is_compressed = is_compressed
        self._has_message = True
        if len(self._partial) + len(payload) > self._connection.own.message_max:
            self._connection.consumed(len(payload))
            self.cancel(ResourceExhausted("the server sent a message above our limit"))
            return
        if not is_last:
            self._partial += payload
            # On arrival: a message larger than the window must not stall (W9.5).
            self._return_credit(len(payload))
            return
        message = bytes(self._partial) + payload if self._partial else payload
        self._partial.clear()
        failure = self._deliver(message, len(payload))
        if failure is not None:
            self.cancel(failure)
            return
        if not message:
            self._empty_messages += 1
        if self._empty_messages > _EMPTY_MESSAGES_MAX:
            self.cancel(ResourceExhausted("the server floods the call with empty messages"))
        _wake(self._changed)

    def _deliver(self, message: bytes, owed: int) -> Optional[HitoError]:
        """Puts a whole message where its reader finds it; why not, where it is not what it says."""
        if self._is_compressed:
            try:
                message = _compression.unpack(message, self._connection.own.message_max)
            except _compression.Refused as error:
                self._connection.consumed(owed)
                return InternalError(f"the server sent {error}")
        self._messages.append((message, owed))
        return None

    def end_received(
        self, end: _wire.End, message: Optional[bytes], is_compressed: bool = False
    ) -> None:
        if message is not None:
            self._receive_window.received(len(message))
            if end.status != 0 or self._partial:
                raise _wire.WireError(_wire.PROTOCOL_ERROR, "END with a message it may not have")
            self._is_compressed = is_compressed
            failure = self._deliver(message, len(message))
            if failure is not None:
                self.fail(failure)
                return
        elif end.status == 0 and self._partial:
            raise _wire.WireError(_wire.PROTOCOL_ERROR, "END inside a message")
        self.resume_cursor = end.resume_cursor
        self.trailers = end.trailers
        if end.status == 0:
            self.end = end
        else:
            self._error = error_of(
                end.status, end.message, end.details, end.resume_cursor, end.not_started
            )
        self._finish()

    def fail(self, error: HitoError) -> None:
        """The connection's end, or this side's fault."""
        if not self._is_done:
            self._error = error
            self._finish()

    def _finish(self) -> None:
        self._is_done = True
        self._connection.forget(self)
        _wake(self._changed)
        _wake(self._sendable)

    def _return_credit(self, amount: int) -> None:
        self._connection.consumed(amount)
        if not self._is_done:
            granted = self._receive_window.consumed(amount)
            if granted:
                credit = _wire.encode_credit(granted)
                self._connection.write(_wire.CREDIT, 0, self.stream, credit)

    def _drop_messages(self) -> None:
        while self._messages:
            self._connection.consumed(self._messages.popleft()[1])


def unary_reply(message: Optional[bytes], another: Optional[bytes]) -> bytes:
    """The one message of a unary reply (W7.6)."""
    if message is None or another is not None:
        raise InternalError("the server did not answer with exactly one message")
    return message


def _wake(future: "Optional[asyncio.Future[None]]") -> None:
    if future is not None and not future.done():
        future.set_result(None)
