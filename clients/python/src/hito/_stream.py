"""Streams of answers, as the caller reads them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import AsyncIterable, Callable, Generic, NamedTuple, Optional, Sequence, Tuple, TypeVar

from google.protobuf.message import Message

from hito._call import Call
from hito._connection import Connection
from hito._interceptor import Interceptor, intercepted
from hito._log import CallLog, Log
from hito._method import Method
from hito._options import CallOptions
from hito._pool import Pool
from hito._response_info import Metadata
from hito._retry import Repeats, RetryPacer
from hito._token import CallToken, Tokens
from hito._wait import EndableWait
from hito.errors import CancelledCall, DeadlineExceeded, HitoError, Unauthenticated, Unavailable

Response = TypeVar("Response")
Opened = Tuple[Call, Optional[AsyncIterable[Message]]]
OpenCall = Callable[[Connection, CallOptions, Optional[float]], Opened]


class StreamSettings(NamedTuple):
    """What a stream needs of its channel."""

    pool: Pool
    pacer: RetryPacer
    method: Method
    interceptors: Sequence[Interceptor]
    may_repeat: bool
    """Also where it perhaps began."""
    repeat_time: float
    """For how long a call without a time of its own that does not wait for servers is repeated."""
    wait_for_ready: bool
    tokens: Optional[Tokens]
    log: Log


class ResponseStream(Generic[Response]):
    """An async iterator over the answers of one call.

    Leaving it (`break`, an error, cancelling the task) cancels the call as soon as the stream is
    closed or collected; `async with stream:` or `await stream.aclose()` says exactly when.
    """

    def __init__(
        self,
        settings: StreamSettings,
        open_call: OpenCall,
        decode: Callable[[bytes], Response],
        options: CallOptions,
    ) -> None:
        self._settings = settings
        self._open_call = open_call
        self._decode = decode
        self._loop = asyncio.get_running_loop()
        self._call: Optional[Call] = None
        self._sender: Optional[asyncio.Task[None]] = None
        self._is_begun = False
        self._is_opened = False
        self._is_started = False
        # By an attempt that has ended.
        self._was_started = False
        self._wait = EndableWait()
        self._log = settings.log.call(settings.method.path)
        self.is_token_refused = False
        """Whether the server ended it because of a token that the client can replace."""
        self._take(options)

    def __aiter__(self) -> "ResponseStream[Response]":
        return self

    async def __anext__(self) -> Response:
        if self._wait.is_ended:
            raise StopAsyncIteration
        try:
            if not self._is_opened:
                self._is_opened = True
                await self._intercepted()
            async with asyncio.timeout_at(self._deadline):
                message = await self._next()
            response = None if message is None else self._decode(message)
        except TimeoutError:
            late = DeadlineExceeded("the stream did not end in time")
            self._log.ended(late)
            await self.aclose()
            raise late from None
        except BaseException as error:
            if isinstance(error, HitoError) and self._was_started:
                # The last attempt may know of itself only.
                error.not_started = False
            self._log.ended(error)
            await self.aclose()
            raise
        if response is None:
            self._log.ended()
            await self.aclose()
            raise StopAsyncIteration
        self._is_begun = True
        return response

    @property
    def metadata(self) -> Metadata:
        """What the server said before its first answer; empty until that is there."""
        return {} if self._call is None else self._call.metadata

    @property
    def trailers(self) -> Metadata:
        """What the server said with the end of the call; empty until then."""
        return {} if self._call is None else self._call.trailers

    async def aclose(self) -> None:
        """Cancels the call, if it has not ended."""
        self._wait.end()
        self._log.ended(CancelledCall("the stream was closed"))
        if self._call is not None:
            self._call.cancel(CancelledCall("the stream was closed"))
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)

    async def __aenter__(self) -> "ResponseStream[Response]":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # A `break` out of `async for` only drops the stream: the server must hear of it.
        call = getattr(self, "_call", None)
        if call is not None and not self._wait.is_ended and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_give_up, call, self._sender, self._log)

    def _take(self, options: CallOptions) -> None:
        self._options = options
        self._deadline = (
            None if options.timeout is None else self._loop.time() + options.timeout
        )
        waits = self._settings.wait_for_ready
        if options.wait_for_ready is not None:
            waits = options.wait_for_ready
        self._token = CallToken(self._settings.tokens, options.token)
        repeat_time = None if waits else self._settings.repeat_time
        self._repeats = Repeats(self._settings.pacer, self._deadline, repeat_time)

    async def _intercepted(self) -> None:
        """Opens the call for the first time, with the client's interceptors around that."""

        async def proceed(options: CallOptions) -> "ResponseStream[Response]":
            if options is not self._options:
                self._take(options)
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._open()
            except TimeoutError:
                raise DeadlineExceeded(
                    "the stream did not begin in time", not_started=True
                ) from None
            return self

        settings = self._settings
        self._log.begun()
        await intercepted(settings.interceptors, settings.method, self._options, proceed)

    async def _open(self) -> None:
        pool, options = self._settings.pool, self._options
        while self._call is None:
            if self._token.is_provided:
                token = await self._wait.until(self._token.next(self._is_started))
                options = replace(options, token=token)
            connection = await self._wait.until(
                pool.connection(options.wait_for_ready), pool.release
            )
            try:
                self._call, requests = self._open_call(connection, options, self._deadline)
                self._is_started = True
            except Unavailable as error:
                await self._rest(error)
                continue
            if requests is not None:
                sending = send_all(self._call, requests)
                self._sender = asyncio.create_task(sending, name="hito send")

    async def _next(self) -> Optional[bytes]:
        while True:
            await self._open()
            assert self._call is not None
            try:
                if self._sender is None:
                    await self._call.flush()
                message = await self._call.receive()
                self._token.answered()
                return message
            except Unavailable as error:
                self._was_started = self._was_started or not error.not_started
                self._token.failed(error)
                await self._rest(error)
            except HitoError as error:
                is_repeated = self._token.failed(error) and self._is_repeatable
                is_refused = isinstance(error, Unauthenticated) and self._token.is_refused
                self.is_token_refused = is_refused and not is_repeated
                if not is_repeated:
                    raise
                self._log.repeated(error, 0.0)
            self._call = None

    @property
    def _is_repeatable(self) -> bool:
        # Its requests are read once.
        return not self._is_begun and self._sender is None

    async def _rest(self, error: Unavailable) -> None:
        """Waits before another attempt; raises `error` where there should be none."""
        may_repeat = self._is_repeatable and (self._settings.may_repeat or error.not_started)
        delay = self._repeats.delay(error, may_repeat, self._loop.time())
        self._log.repeated(error, delay)
        await self._wait.until(self._settings.pool.rest(delay))


async def send_all(call: Call, requests: AsyncIterable[Message]) -> None:
    """Sends a request stream; a failure of its source ends the call."""
    try:
        async for request in requests:
            await call.send(request.SerializeToString())
            if call.is_done:
                return
        call.half_close()
    except HitoError as error:
        call.cancel(error)
    except Exception as error:
        failure = CancelledCall(f"the request stream failed: {error!r}")
        failure.__cause__ = error
        call.cancel(failure)


def _give_up(call: Call, sender: "Optional[asyncio.Task[None]]", log: CallLog) -> None:
    log.ended(CancelledCall("the stream was dropped"))
    call.cancel()
    if sender is not None:
        sender.cancel()
