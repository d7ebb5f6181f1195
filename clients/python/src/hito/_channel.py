"""Makes calls: deadlines, retries, idempotency keys. What the generated stubs stand on."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import AsyncIterable, Awaitable, Callable, Coroutine, List, NamedTuple, Optional
from typing import TYPE_CHECKING, Sequence, Type, TypeVar

from google.protobuf.message import DecodeError, Message

from hito import _wire
from hito._call import Call, unary_reply
from hito._connection import Connection
from hito._hedging import hedged
from hito._interceptor import Interceptor, intercepted
from hito._log import CallLog, Log
from hito._method import Method
from hito._options import CallOptions
from hito._pool import Pool
from hito._response_info import ResponseInfo
from hito._retry import Hedging, Repeats, RetryBudget, RetryPacer
from hito._stream import Opened, ResponseStream, StreamSettings, send_all
from hito._token import CallToken, Tokens
from hito.errors import DeadlineExceeded, HitoError, InternalError, Unauthenticated, Unavailable

if TYPE_CHECKING:
    from typing import Unpack

    from hito._options import KeyedReplyOptions, KeyedStreamOptions, StreamOptions, UnaryOptions

Response = TypeVar("Response", bound=Message)


class _Unary(NamedTuple):
    """What the attempts of a unary call have in common."""

    method: Method
    options: CallOptions
    message: bytes
    key: str
    deadline: float
    log: CallLog


class Channel:
    """Where the generated clients send their calls. Used on one event loop only."""

    def __init__(
        self,
        pool: Pool,
        *,
        timeout: float,
        interceptors: Sequence[Interceptor] = (),
        hedging: Optional[Hedging] = None,
        budget: RetryBudget = RetryBudget(),
        wait_for_ready: bool = True,
        tokens: Optional[Tokens] = None,
        log: Log = Log(None),
    ) -> None:
        self._pool = pool
        self._timeout = timeout
        self._interceptors = tuple(interceptors)
        self._hedging = hedging
        self._pacer = RetryPacer(budget.burst, budget.per_second)
        self._wait_for_ready = wait_for_ready
        self._tokens = tokens
        self._log = log

    async def unary(
        self,
        method: Method,
        request: Message,
        response_type: Type[Response],
        **options: "Unpack[UnaryOptions]",
    ) -> Response:
        """One request, one answer; repeated while the server is unavailable, within `timeout`."""

        async def call(options: CallOptions) -> Response:
            return decode(response_type, await self._unary(method, request, options))

        return await intercepted(self._interceptors, method, CallOptions(**options), call)

    def server_stream(
        self,
        method: Method,
        request: Message,
        response_type: Type[Response],
        **options: "Unpack[KeyedStreamOptions]",
    ) -> "ResponseStream[Response]":
        """One request, many answers. The call begins with the first `anext`.

        A call that writes is not repeated by itself; its key lets the caller do so (W14.1).
        """
        message = request.SerializeToString()

        def open_call(
            connection: Connection, options: CallOptions, deadline: Optional[float]
        ) -> Opened:
            header = _header(method, options, deadline, options.idempotency_key)
            return connection.open(header, message, half_close=True), None

        return ResponseStream(
            self._stream_settings(method, method.read_only),
            open_call,
            lambda encoded: decode(response_type, encoded),
            CallOptions(**options),
        )

    async def client_stream(
        self,
        method: Method,
        requests: AsyncIterable[Message],
        response_type: Type[Response],
        **options: "Unpack[KeyedReplyOptions]",
    ) -> Response:
        """Many requests, one answer. Not repeated: the requests are read once.

        A key lets the caller repeat it (W14.1).
        """

        async def call(options: CallOptions) -> Response:
            return decode(response_type, await self._client_stream(method, requests, options))

        return await intercepted(self._interceptors, method, CallOptions(**options), call)

    def bidi_stream(
        self,
        method: Method,
        requests: AsyncIterable[Message],
        response_type: Type[Response],
        **options: "Unpack[StreamOptions]",
    ) -> "ResponseStream[Response]":
        """Requests and answers, each at their own pace. The call begins with the first `anext`."""

        def open_call(
            connection: Connection, options: CallOptions, deadline: Optional[float]
        ) -> Opened:
            return connection.open(_header(method, options, deadline, None), None), requests

        return ResponseStream(
            self._stream_settings(method, False),
            open_call,
            lambda encoded: decode(response_type, encoded),
            CallOptions(**options),
        )

    async def connect(self, timeout: float, wait_for_ready: bool) -> None:
        """Opens the first connection, so that mistakes show at once."""
        try:
            async with asyncio.timeout(timeout):
                self._pool.release(await self._pool.connection(wait_for_ready))
        except TimeoutError:
            raise Unavailable(f"no server answered within {timeout:g} s") from None

    def resting(self, path: str) -> "Callable[[float, HitoError], Awaitable[None]]":
        """Waits before a stream of that method is taken up again: within the bound for the repeats of all
        calls, and no longer than the client is open."""

        async def rest(seconds: float, error: HitoError) -> None:
            seconds += self._pacer.delay(_now())
            status, delay_ms = error.code.name, round(seconds * 1000)
            self._log.tell(
                "info", "watch_resumed",
                f"{path} is taken up again in {delay_ms} ms after {status}: {error.message}",
                method=path, status=status, delay_ms=delay_ms,
            )  # fmt: skip
            await self._pool.rest(seconds)

        return rest

    async def close(self) -> None:
        if self._tokens is not None:
            self._tokens.close()
        await self._pool.close()

    # Unary calls

    async def _unary(self, method: Method, request: Message, options: CallOptions) -> bytes:
        seconds = self._timeout if options.timeout is None else options.timeout
        hedging = self._hedging_of(method, options)
        # A key on every write: only that makes repeating it harmless (W14.2).
        key = options.idempotency_key or ("" if method.read_only else str(uuid.uuid4()))
        log = self._log.call(method.path)
        call = _Unary(
            method, options, request.SerializeToString(), key, _now() + seconds, log
        )  # fmt: skip
        log.begun()
        try:
            reply = await self._repeated(call, seconds, hedging)
        except BaseException as error:
            log.ended(error)
            raise
        log.ended()
        return reply

    async def _repeated(self, call: _Unary, seconds: float, hedging: Optional[Hedging]) -> bytes:
        repeats = Repeats(self._pacer, call.deadline)
        token = CallToken(self._tokens, call.options.token)
        failure: Optional[HitoError] = None
        is_started = False
        # Of an attempt that has ended.
        was_started = False
        try:
            async with asyncio.timeout_at(call.deadline):
                while True:
                    call = await self._with_token(call, token, is_started)
                    connection = await self._pool.connection(call.options.wait_for_ready)
                    is_started = True
                    try:
                        reply = await self._tried(call, connection, hedging)
                        token.answered()
                        return reply
                    except Unavailable as error:
                        token.failed(error)
                        failure = error
                        is_started = was_started = was_started or not error.not_started
                        delay = repeats.delay(error, True, _now())
                        call.log.repeated(error, delay)
                    except Unauthenticated as error:
                        if not token.failed(error):
                            raise
                        is_started = was_started = was_started or not error.not_started
                        failure, delay = error, 0.0
                        call.log.repeated(error, delay)
                        continue
                    except HitoError as error:
                        token.failed(error)
                        raise
                    await self._pool.rest(delay)
        except TimeoutError:
            raise self._too_late(seconds, failure, not is_started) from failure
        except HitoError as error:
            # The last attempt may know of itself only.
            error.not_started = error.not_started and not was_started
            raise

    async def _with_token(self, call: _Unary, token: CallToken, is_started: bool) -> _Unary:
        text = await token.next(is_started)
        if text == call.options.token:
            return call
        return call._replace(options=replace(call.options, token=text))

    async def _tried(
        self, call: _Unary, connection: Connection, hedging: Optional[Hedging]
    ) -> bytes:
        if hedging is None:
            return await self._attempt(call, connection)
        return await self._hedged(call, connection, hedging)

    async def _hedged(self, call: _Unary, connection: Connection, hedging: Hedging) -> bytes:
        used: List[int] = []
        # Places on connections of copies that have not begun.
        placed: List[Connection] = []

        def copy(connection: Connection) -> Coroutine[object, object, bytes]:
            used.append(connection.number)
            placed.append(connection)
            return begun(connection)

        async def begun(connection: Connection) -> bytes:
            placed.remove(connection)
            return await self._attempt(call, connection, is_copy=True)

        def beside() -> Optional[Coroutine[object, object, bytes]]:
            another = self._pool.connection_beside(used)
            if another is None:
                return None
            if not self._pacer.take_now(_now()):
                self._pool.release(another)
                return None
            call.log.hedged(len(used) + 1)
            return copy(another)

        try:
            return await hedged(hedging, copy(connection), beside)
        finally:
            for unused in placed:
                self._pool.release(unused)

    async def _attempt(
        self, call: _Unary, connection: Connection, is_copy: bool = False
    ) -> bytes:
        header = _header(call.method, call.options, call.deadline, call.key)
        opened = connection.open(header, call.message, half_close=True)
        try:
            await opened.flush()
            return await _one_reply(opened)
        finally:
            # Of a copy that another was faster than nothing is told.
            if opened.is_done or not is_copy:
                _tell(call.options.response_info, opened)
            opened.cancel()

    def _hedging_of(self, method: Method, options: CallOptions) -> Optional[Hedging]:
        hedging = options.hedging
        if hedging is None and method.read_only:
            hedging = self._hedging
        if hedging is None or hedging.copies <= 1:
            return None
        if not method.read_only and not options.idempotency_key:
            raise ValueError("a call that writes is hedged only under an idempotency_key of its own")
        return hedging

    # Streams

    async def _client_stream(
        self, method: Method, requests: AsyncIterable[Message], options: CallOptions
    ) -> bytes:
        log = self._log.call(method.path)
        log.begun()
        token = CallToken(self._tokens, options.token)
        try:
            reply = await self._sent(method, requests, options, token)
        except BaseException as error:
            if isinstance(error, HitoError):
                # Its requests were read once: the caller repeats it, under another token.
                token.failed(error)
            log.ended(error)
            raise
        token.answered()
        log.ended()
        return reply

    async def _sent(
        self,
        method: Method,
        requests: AsyncIterable[Message],
        options: CallOptions,
        token: CallToken,
    ) -> bytes:
        deadline = None if options.timeout is None else _now() + options.timeout
        is_started = False
        try:
            async with asyncio.timeout_at(deadline):
                options = replace(options, token=await token.next(is_started))
                connection = await self._pool.connection(options.wait_for_ready)
                is_started = True
                header = _header(method, options, deadline, options.idempotency_key)
                call = connection.open(header, None)
                sender = asyncio.create_task(send_all(call, requests), name="hito send")
                try:
                    return await _one_reply(call)
                finally:
                    call.cancel()
                    _tell(options.response_info, call)
                    sender.cancel()
                    await asyncio.gather(sender, return_exceptions=True)
        except TimeoutError:
            raise self._too_late(options.timeout or 0.0, None, not is_started) from None

    def _stream_settings(self, method: Method, may_repeat: bool) -> StreamSettings:
        return StreamSettings(
            self._pool, self._pacer, method, self._interceptors, may_repeat, self._timeout,
            self._wait_for_ready, self._tokens, self._log,
        )  # fmt: skip

    def _too_late(
        self, seconds: float, failure: Optional[HitoError], not_started: bool
    ) -> DeadlineExceeded:
        failure = failure or self._pool.failure
        why = f" (last failure: {failure.message})" if failure is not None else ""
        return DeadlineExceeded(f"no answer within {seconds:g} s{why}", not_started=not_started)


def _header(
    method: Method, options: CallOptions, deadline: Optional[float], key: Optional[str]
) -> _wire.CallHeader:
    timeout_us = None if deadline is None else int((deadline - _now()) * 1e6)
    return _wire.CallHeader(
        method.path, timeout_us, key or "", options.traceparent or "", options.token or "",
        options.metadata or {},
    )  # fmt: skip


def _tell(info: Optional[ResponseInfo], call: Call) -> None:
    if info is not None:
        info.metadata, info.trailers = call.metadata, call.trailers


async def _one_reply(call: Call) -> bytes:
    first = await call.receive()
    return unary_reply(first, await call.receive() if first is not None else None)


def decode(response_type: Type[Response], encoded: bytes) -> Response:
    try:
        return response_type.FromString(encoded)
    except DecodeError as error:
        raise InternalError(f"the server's answer is not a valid {response_type.__name__}") from error


def _now() -> float:
    return asyncio.get_running_loop().time()
