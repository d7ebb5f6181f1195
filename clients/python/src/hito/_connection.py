"""One TLS connection: frames in and out, calls, credit, keepalive, drain."""

from __future__ import annotations

import asyncio
import ssl
from typing import Dict, List, Optional, Type, cast

from hito import _compression, _wire
from hito._call import Call
from hito._credit import ReceiveWindow, SendWindow
from hito.errors import CancelledCall, HitoError, InternalError, Unavailable, Unimplemented

_ALPN = "hito/1"
_CONNECT_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 2.0
# How long an address of a name is tried before the next one is tried beside it.
_NEXT_ADDRESS_DELAY = 0.25
# Only control frames pass the transport's own pause; a peer that asks for this many never reads.
_WRITE_BUFFER_MAX = 8 << 20


class CertificateRefused(Unavailable):
    """The server showed a certificate that is not trusted: it will not be trusted later."""


class Owner:
    """Who is told what becomes of a connection."""

    def retired(self, connection: "Connection") -> None:
        """It takes no more calls, whether it was established or not."""

    def served(self, connection: "Connection") -> None:
        """The server has answered, for the first time."""

    def call_ended(self, connection: "Connection") -> None:
        """One of its calls has ended, or was not opened after all."""

    def ended(self, connection: "Connection") -> None:
        """It is no more."""


class Connection(asyncio.Protocol):
    """A connection that said HELLO. Used on one event loop only."""

    def __init__(self, own: _wire.Hello, keepalive: float, owner: Owner) -> None:
        self.number = 0
        """Its owner's, once it is established."""
        self.place = -1
        """The address that it is one to, of its owner's."""
        self.own = own
        self.peer = _wire.Hello()
        self.is_draining = False
        self.minor_version = 0
        """What both sides speak."""
        self.end_reason = ""
        """Why it ended; empty where this side left, or the server asked for that."""
        self.compresses = False
        """Whether large messages go out compressed."""
        self.send_credit = SendWindow(0)
        self._receive_credit = ReceiveWindow(own.connection_credit)
        self._decoder = _wire.FrameDecoder(own.frame_payload_max)
        self._keepalive = keepalive
        self._owner = owner
        self._is_retired = False
        self._has_served = False
        self._loop = asyncio.get_running_loop()
        self._hello: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._transport: Optional[asyncio.Transport] = None
        self._calls: Dict[int, Call] = {}
        self._next_stream = 1
        self._out: List[bytes] = []
        self.is_writable = True
        """Whether the socket takes more."""
        self._send_waiters: List[asyncio.Future[None]] = []
        self._failure: Optional[HitoError] = None
        self._received_at = self._loop.time()
        self._pinged_at: Optional[float] = None
        self._timer: Optional[asyncio.TimerHandle] = None

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int,
        tls: ssl.SSLContext,
        server_name: str,
        own: _wire.Hello,
        keepalive: float,
        owner: Owner,
    ) -> "Connection":
        """Connects, checks the certificate and the protocol, and exchanges HELLO."""
        connection = cls(own, keepalive, owner)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                await connection._loop.create_connection(
                    lambda: connection, host, port, ssl=tls, server_hostname=server_name,
                    ssl_shutdown_timeout=_CLOSE_TIMEOUT, happy_eyeballs_delay=_NEXT_ADDRESS_DELAY,
                )  # fmt: skip
                await connection._hello
        except ssl.SSLCertVerificationError as error:
            why = f"certificate refused: {error.verify_message}"
            raise _cannot(host, port, why, CertificateRefused) from error
        except ssl.SSLError as error:
            raise _cannot(host, port, f"TLS: {error.reason or error}") from error
        except TimeoutError as error:
            raise _cannot(host, port, "no answer in time") from error
        except OSError as error:
            # asyncio says nothing when the peer hangs up in the handshake.
            why = error.strerror or str(error) or "the peer ended the TLS handshake"
            raise _cannot(host, port, why) from error
        except HitoError as error:
            raise _cannot(host, port, error.message) from error
        finally:
            if not connection._hello.done():
                connection._hello.cancel()
            if connection._hello.cancelled() or connection._hello.exception() is not None:
                connection.abort()
        return connection

    # What the channel asks

    @property
    def is_open(self) -> bool:
        return not self._lost.done() and self._failure is None

    @property
    def is_lost(self) -> bool:
        return self._lost.done()

    def open(
        self, header: _wire.CallHeader, message: Optional[bytes], half_close: bool = False
    ) -> Call:
        """Opens a call for which there is a place and writes its first frame; `flush` the call for
        the rest."""
        try:
            call = self._open(header, message, half_close)
        except BaseException:
            self._owner.call_ended(self)
            raise
        self._next_stream += 2
        if self._next_stream > _wire.STREAM_ID_MAX:
            self._retire()
        return call

    def _open(
        self, header: _wire.CallHeader, message: Optional[bytes], half_close: bool
    ) -> Call:
        if not self.is_open or self.is_draining or self._next_stream > _wire.STREAM_ID_MAX:
            # Between the choice of the connection and now.
            raise Unavailable("the connection takes no more calls", not_started=True)
        if self.minor_version < 1 and any(key.endswith("-bin") for key in header.metadata):
            raise Unimplemented("the server is too old for metadata that is bytes", not_started=True)
        block = _wire.encode_call(header)
        call = Call(self, self._next_stream)
        self._calls[call.stream] = call
        try:
            call.begin(block, message, half_close)
        except BaseException:
            del self._calls[call.stream]
            raise
        return call

    async def close(self) -> None:
        """Ends the calls and the connection; returns when it is gone."""
        for call in list(self._calls.values()):
            call.cancel(CancelledCall("the client was closed"))
        if self.is_open:
            self._say_goodbye(_wire.NO_ERROR, "")
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await asyncio.shield(self._lost)
        except TimeoutError:
            self.abort()
            await self._lost

    def abort(self) -> None:
        """Ends the connection without a word."""
        if self._transport is None:
            self.connection_lost(None)
        else:
            self._transport.abort()

    # What calls ask

    def write(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        """Queues a frame; what one turn of the loop queues is written at once."""
        if self._transport is None or self._transport.is_closing():
            return
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(_wire.encode_frame(kind, flags, stream, payload))

    def wait_to_send(self, waiter: "asyncio.Future[None]") -> None:
        """`waiter` ends when there may be room again, or the connection has ended."""
        self._send_waiters = [other for other in self._send_waiters if not other.done()]
        self._send_waiters.append(waiter)

    def consumed(self, amount: int) -> None:
        granted = self._receive_credit.consumed(amount)
        if granted:
            self.write(_wire.CREDIT, 0, 0, _wire.encode_credit(granted))

    def forget(self, call: Call) -> None:
        """A call has ended."""
        if self._calls.pop(call.stream, None) is None:
            return
        if self.is_draining and not self._calls and self.is_open:
            self._say_goodbye(_wire.NO_ERROR, "")
        self._owner.call_ended(self)

    def served(self) -> None:
        """The server has answered a call."""
        if not self._has_served:
            self._has_served = True
            self._owner.served(self)

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        tls = transport.get_extra_info("ssl_object")
        if tls is None or tls.selected_alpn_protocol() != _ALPN:
            self._fail(Unavailable(f"the peer does not speak {_ALPN}"))
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=256 << 10)
        self.write(_wire.HELLO, 0, 0, _wire.encode_hello(self.own))

    def data_received(self, data: bytes) -> None:
        self._received_at = self._loop.time()
        self._pinged_at = None
        try:
            for frame in self._decoder.feed(data):
                if not self.is_open:
                    return
                self._frame_received(frame)
        except _wire.WireError as error:
            text = f"the server broke the protocol: {error}"
            self._fail(InternalError(text))
            self._say_goodbye(error.reason, str(error))

    def pause_writing(self) -> None:
        self.is_writable = False

    def resume_writing(self) -> None:
        self.is_writable = True
        self._wake_senders()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        if self._lost.done():
            return
        self._lost.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        if self._failure is not None or not self.is_draining:
            self.end_reason = "connection lost" if self._failure is None else self._failure.message
        self._fail(Unavailable(f"connection lost{f': {exc}' if exc else ''}"))
        self._wake_senders()
        self._owner.ended(self)

    # Frames

    def _frame_received(self, frame: _wire.Frame) -> None:
        if not self._hello.done():
            self._first_frame_received(frame)
        elif frame.kind in (_wire.MESSAGE, _wire.END):
            self._call_frame_received(frame)
        elif frame.kind == _wire.HEAD:
            self._head_received(frame)
        elif frame.kind == _wire.CREDIT:
            self._credit_received(frame)
        elif frame.kind == _wire.PING:
            self.write(_wire.PONG, 0, 0, frame.payload)
        elif frame.kind == _wire.GOAWAY:
            self._goaway_received(_wire.decode_goaway(frame.payload))
        elif frame.kind == _wire.HELLO:
            raise _wire.WireError(_wire.PROTOCOL_ERROR, "a second HELLO")

    def _first_frame_received(self, frame: _wire.Frame) -> None:
        if frame.kind == _wire.GOAWAY:
            refusal = _wire.decode_goaway(frame.payload)
            self._fail(Unavailable(refusal.text or f"refused with reason {refusal.reason}"))
        elif frame.kind == _wire.HELLO:
            self.peer = _wire.decode_hello(frame.payload)
            self.minor_version = min(self.own.minor_version, self.peer.minor_version)
            self._decoder.agreed(self.minor_version)
            listed = self.minor_version >= 1 and _compression.DEFLATE in self.peer.encodings
            self.compresses = listed and bool(self.own.encodings)
            self.send_credit.grant(self.peer.connection_credit)
            # Above the server's least interval: sooner counts as abuse (W10.2).
            self._keepalive = max(self._keepalive, self.peer.ping_interval_ms / 1000 * 1.1)
            self._timer = self._loop.call_later(self._keepalive, self._watch_over)
            self._hello.set_result(None)
        else:
            raise _wire.WireError(_wire.PROTOCOL_ERROR, "the first frame is not HELLO")

    def _call_frame_received(self, frame: _wire.Frame) -> None:
        end: Optional[_wire.End] = None
        message: Optional[bytes] = frame.payload
        if frame.kind == _wire.END:
            end, rest = _wire.decode_end(frame.payload, self.minor_version)
            message = rest if frame.flags & _wire.FLAG_HAS_MESSAGE else None
            if message is None and rest:
                raise _wire.WireError(_wire.PROTOCOL_ERROR, "bytes after the block of END")
        self._receive_credit.received(len(message or b""))
        call = self._calls.get(frame.stream)
        if call is None:
            self._check_opened(frame.stream)
            # Crossed with our CANCEL: only the connection's credit is owed (W9.6).
            self.consumed(len(message or b""))
        elif end is not None:
            self.served()
            call.end_received(end, message, bool(frame.flags & _wire.FLAG_COMPRESSED))
        else:
            self.served()
            call.message_received(
                frame.payload,
                not frame.flags & _wire.FLAG_MORE,
                bool(frame.flags & _wire.FLAG_COMPRESSED),
            )

    def _head_received(self, frame: _wire.Frame) -> None:
        metadata = _wire.decode_head(frame.payload)
        call = self._calls.get(frame.stream)
        if call is None:
            self._check_opened(frame.stream)
        else:
            call.head_received(metadata)

    def _credit_received(self, frame: _wire.Frame) -> None:
        if frame.stream != 0:
            call = self._calls.get(frame.stream)
            if call is None:
                # Ended, and then anything goes, also nothing (W5.9).
                self._check_opened(frame.stream)
            else:
                call.granted(_wire.decode_credit(frame.payload))
            return
        self.send_credit.grant(_wire.decode_credit(frame.payload))
        self._wake_senders()

    def _goaway_received(self, goaway: _wire.GoAway) -> None:
        self.is_draining = True
        # First: what ends here must not be given to a call that waits for room.
        self._retire()
        reason = goaway.text or f"reason {goaway.reason}"
        for call in [c for c in self._calls.values() if c.stream > goaway.last_stream]:
            call.fail(Unavailable(f"the server is going away: {reason}", not_started=True))
        if not goaway.is_drain:
            self._fail(Unavailable(f"the server ended the connection: {reason}"))
        if not self._calls:
            self._say_goodbye(_wire.NO_ERROR, "")

    def _check_opened(self, stream: int) -> None:
        if stream >= self._next_stream:
            raise _wire.WireError(_wire.PROTOCOL_ERROR, f"stream {stream} was never opened")

    def _wake_senders(self) -> None:
        waiters, self._send_waiters = self._send_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    # The end

    def _fail(self, error: HitoError) -> None:
        """No more calls; those under way end with `error`."""
        if self._failure is None:
            self._failure = error
        self._retire()
        if not self._hello.done():
            self._hello.set_exception(self._failure)
        for call in list(self._calls.values()):
            call.fail(self._failure)

    def _retire(self) -> None:
        if not self._is_retired:
            self._is_retired = True
            self._owner.retired(self)

    def _say_goodbye(self, reason: int, text: str) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self.write(_wire.GOAWAY, 0, 0, _wire.encode_goaway(0, reason, text))
        self._flush()
        self._transport.close()
        self.is_draining = True
        self._retire()

    def _flush(self) -> None:
        if self._transport is None or not self._out:
            return
        data = b"".join(self._out)
        self._out.clear()
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > _WRITE_BUFFER_MAX:
            self._fail(Unavailable("the server does not read"))
            self._transport.abort()

    def _watch_over(self) -> None:
        """Asks whether the server is still there when calls wait and nothing arrives (W10)."""
        now = self._loop.time()
        next_in = self._keepalive
        if self._pinged_at is not None:
            self._fail(Unavailable("the server does not answer any more"))
            self.abort()
            return
        if self._calls and now - self._received_at >= self._keepalive * 0.9:
            self._pinged_at = now
            self.write(_wire.PING, 0, 0, b"hitoping")
        self._timer = self._loop.call_later(next_in, self._watch_over)


def _cannot(
    host: str, port: int, why: str, kind: Type[Unavailable] = Unavailable
) -> Unavailable:
    return kind(f"cannot connect to {host}:{port}: {why}", not_started=True)
