"""Makes calls: deadlines, retries, idempotency keys. What the generated stubs stand on."""

from __future__ import annotations

import asyncio
import uuid
from typing import AsyncIterable, Awaitable, Callable, Optional, Type
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from hito import _wire
from hito._call import Call, unary_reply
from hito._connection import Connection
from hito._endpoint import Endpoints
from hito._method import Method
from hito._response_info import Metadata, ResponseInfo
from hito._retry import Backoff, RetryPacer
from hito._stream import Opened, ResponseStream, send_all
from hito.errors import DeadlineExceeded, HitoError, InternalError, Unavailable

Response = TypeVar("Response", bound=Message)
Result = TypeVar("Result")


class Channel:
    """Where the generated clients send their calls. Used on one event loop only."""

    def __init__(self, endpoints: Endpoints, *, timeout: float) -> None:
        self._endpoints = endpoints
        self._timeout = timeout
        self._pacer = RetryPacer()

    async def unary(
        self,
        method: Method,
        request: Message,
        response_type: Type[Response],
        *,
        timeout: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        metadata: Optional[Metadata] = None,
        token: Optional[str] = None,
        traceparent: Optional[str] = None,
        response_info: Optional[ResponseInfo] = None,
    ) -> Response:
        """One request, one answer; repeated while the server is unavailable, within `timeout`."""
        # A key on every write: only that makes repeating it harmless (W14.2).
        key = idempotency_key or ("" if method.read_only else str(uuid.uuid4()))
        message = request.SerializeToString()

        seconds = self._timeout if timeout is None else timeout
        deadline = _now() + seconds

        async def attempt(connection: Connection) -> Response:
            header = self._header(method, deadline, key, metadata, token, traceparent)
            call = connection.open(header, message, half_close=True)
            try:
                await call.flush()
                reply = await _one_reply(call)
            finally:
                call.cancel()
                _tell(response_info, call)
            return decode(response_type, reply)

        return await self._repeating(attempt, seconds, deadline)

    def server_stream(
        self,
        method: Method,
        request: Message,
        response_type: Type[Response],
        *,
        timeout: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        metadata: Optional[Metadata] = None,
        token: Optional[str] = None,
        traceparent: Optional[str] = None,
    ) -> "ResponseStream[Response]":
        """One request, many answers. The call begins with the first `anext`.

        A call that writes is not repeated by itself; its key lets the caller do so (W14.1).
        """
        message = request.SerializeToString()
        deadline = None if timeout is None else _now() + timeout

        def open_call(connection: Connection) -> Opened:
            header = self._header(method, deadline, idempotency_key or "", metadata, token, traceparent)
            return connection.open(header, message, half_close=True), None

        return ResponseStream(
            open_call,
            self._endpoints,
            lambda encoded: decode(response_type, encoded),
            deadline,
            may_repeat=method.read_only,
        )

    async def client_stream(
        self,
        method: Method,
        requests: AsyncIterable[Message],
        response_type: Type[Response],
        *,
        timeout: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        metadata: Optional[Metadata] = None,
        token: Optional[str] = None,
        traceparent: Optional[str] = None,
        response_info: Optional[ResponseInfo] = None,
    ) -> Response:
        """Many requests, one answer. Not repeated: the requests are read once.

        A key lets the caller repeat it (W14.1).
        """

        deadline = None if timeout is None else _now() + timeout
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self._endpoints.connection()
                header = self._header(method, deadline, idempotency_key or "", metadata, token, traceparent)
                call = connection.open(header, None)
                sender = asyncio.create_task(send_all(call, requests), name="hito send")
                try:
                    reply = await _one_reply(call)
                finally:
                    call.cancel()
                    _tell(response_info, call)
                    sender.cancel()
                    await asyncio.gather(sender, return_exceptions=True)
        except TimeoutError:
            raise self._too_late(timeout or 0.0, None) from None
        return decode(response_type, reply)

    def bidi_stream(
        self,
        method: Method,
        requests: AsyncIterable[Message],
        response_type: Type[Response],
        *,
        timeout: Optional[float] = None,
        metadata: Optional[Metadata] = None,
        token: Optional[str] = None,
        traceparent: Optional[str] = None,
    ) -> "ResponseStream[Response]":
        """Requests and answers, each at their own pace. The call begins with the first `anext`."""
        deadline = None if timeout is None else _now() + timeout

        def open_call(connection: Connection) -> Opened:
            header = self._header(method, deadline, "", metadata, token, traceparent)
            return connection.open(header, None), requests

        return ResponseStream(
            open_call,
            self._endpoints,
            lambda encoded: decode(response_type, encoded),
            deadline,
            may_repeat=False,
        )

    async def connect(self, timeout: float, wait_for_ready: bool) -> None:
        """Opens the first connection, so that mistakes show at once."""
        try:
            async with asyncio.timeout(timeout):
                await self._endpoints.connection(wait_for_ready)
        except TimeoutError:
            raise Unavailable(f"no server answered within {timeout:g} s") from None

    async def rest(self, seconds: float) -> None:
        """Waits, no longer than the client is open."""
        await self._endpoints.rest(seconds)

    async def close(self) -> None:
        await self._endpoints.close()

    def _header(
        self,
        method: Method,
        deadline: Optional[float],
        key: str,
        metadata: Optional[Metadata],
        token: Optional[str],
        traceparent: Optional[str],
    ) -> _wire.CallHeader:
        timeout_us = None if deadline is None else int((deadline - _now()) * 1e6)
        return _wire.CallHeader(
            method.path, timeout_us, key, traceparent or "", token or "", metadata or {}
        )

    async def _repeating(
        self, attempt: Callable[[Connection], Awaitable[Result]], seconds: float, deadline: float
    ) -> Result:
        failure: Optional[HitoError] = None
        backoff = Backoff()
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    connection = await self._endpoints.connection()
                    try:
                        return await attempt(connection)
                    except Unavailable as error:
                        failure = error
                        delay = self._delay(error, backoff, deadline)
                    await self._endpoints.rest(delay)
        except TimeoutError:
            raise self._too_late(seconds, failure) from failure

    def _delay(self, error: Unavailable, backoff: Backoff, deadline: float) -> float:
        """How long to wait before the next attempt; raises `error` where there should be none."""
        if error.is_lasting:
            raise error
        now = _now()
        delay = backoff.next(error.retry_delay) + self._pacer.delay(now)
        if now + delay >= deadline:
            raise error
        return delay

    def _too_late(self, seconds: float, failure: Optional[HitoError]) -> DeadlineExceeded:
        failure = failure or self._endpoints.failure
        why = f" (last failure: {failure.message})" if failure is not None else ""
        return DeadlineExceeded(f"no answer within {seconds:g} s{why}")


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
