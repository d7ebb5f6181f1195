"""Streams of answers, as the caller reads them."""

from __future__ import annotations

import asyncio
from typing import AsyncIterable, Callable, Generic, Optional, Tuple, TypeVar

from google.protobuf.message import Message

from hito._call import Call
from hito._connection import Connection
from hito._endpoint import Endpoints
from hito._response_info import Metadata
from hito._retry import Backoff
from hito._wait import EndableWait
from hito.errors import CancelledCall, DeadlineExceeded, HitoError, Unavailable

Response = TypeVar("Response")
Opened = Tuple[Call, Optional[AsyncIterable[Message]]]


class ResponseStream(Generic[Response]):
    """An async iterator over the answers of one call.

    Leaving it (`break`, an error, cancelling the task) cancels the call as soon as the stream is
    closed or collected; `async with stream:` or `await stream.aclose()` says exactly when.
    """

    def __init__(
        self,
        open_call: Callable[[Connection], Opened],
        endpoints: Endpoints,
        decode: Callable[[bytes], Response],
        deadline: Optional[float],
        may_repeat: bool,
    ) -> None:
        self._open_call = open_call
        self._endpoints = endpoints
        self._decode = decode
        self._deadline = deadline
        self._may_repeat = may_repeat
        self._loop = asyncio.get_running_loop()
        self._call: Optional[Call] = None
        self._sender: Optional[asyncio.Task[None]] = None
        self._is_begun = False
        self._wait = EndableWait()

    def __aiter__(self) -> "ResponseStream[Response]":
        return self

    async def __anext__(self) -> Response:
        if self._wait.is_ended:
            raise StopAsyncIteration
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._next()
            response = None if message is None else self._decode(message)
        except TimeoutError:
            await self.aclose()
            raise DeadlineExceeded("the stream did not end in time") from None
        except BaseException:
            await self.aclose()
            raise
        if response is None:
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
            self._loop.call_soon_threadsafe(_give_up, call, self._sender)

    async def _next(self) -> Optional[bytes]:
        backoff = Backoff()
        while True:
            if self._call is None:
                connection = await self._wait.until(self._endpoints.connection())
                self._call, requests = self._open_call(connection)
                if requests is not None:
                    sending = send_all(self._call, requests)
                    self._sender = asyncio.create_task(sending, name="hito send")
            try:
                if self._sender is None:
                    await self._call.flush()
                return await self._call.receive()
            except Unavailable as error:
                delay = self._delay(error, backoff)
            self._call = None
            await self._wait.until(self._endpoints.rest(delay))

    def _delay(self, error: Unavailable, backoff: Backoff) -> float:
        """How long to wait before another attempt; raises `error` where there should be none."""
        # Its requests are read once.
        is_repeatable = not self._is_begun and self._sender is None
        if error.is_lasting or not is_repeatable or not (self._may_repeat or error.not_started):
            raise error
        # Where it continues is the caller's to say: the same request might begin elsewhere.
        if error.resume_cursor:
            raise error
        delay = backoff.next(error.retry_delay)
        if self._deadline is not None and self._loop.time() + delay >= self._deadline:
            raise error
        return delay


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


def _give_up(call: Call, sender: "Optional[asyncio.Task[None]]") -> None:
    call.cancel()
    if sender is not None:
        sender.cancel()
