"""Makes calls: deadlines, retries, idempotency keys. What the generated stubs stand on."""

from __future__ import annotations

import asyncio
import uuid
from typing import AsyncIterable, Awaitable, Callable, Mapping, Optional, Type
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from hito import _wire
from hito._call import Call, unary_reply
from hito._connection import Connection
from hito._endpoint import Endpoints
from hito._method import Method
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
        metadata: Optional[Mapping[str, str]] = None,
    ) -> Response:
        """One request, one answer; repeated while the server is unavailable, within `timeout`."""
        # A key on every write: only that makes repeating it harmless (W14.2).
        key = idempotency_key or ("" if method.read_only else str(uuid.uuid4()))
        message = request.SerializeToString()

        async def attempt(connection: Connection, deadline: float) -> Response:
            header = self._header(method, deadline, key, metadata)
            call = connection.open(header, message, half_close=True)
            try:
                await call.flush()
                reply = await _one_reply(call)
            finally:
                call.cancel()
            return decode(response_type, reply)

        return await self._within_deadline(timeout, attempt, may_repeat=True)

    def server_stream(
        self,
        method: Method,
        request: Message,
        response_type: Type[Response],
        *,
        timeout: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        metadata: Optional[Mapping[str, str]] = None,
    ) -> "ResponseStream[Response]":
        """One request, many answers. The call begins with the first `anext`.

        A call that writes is not repeated by itself; its key lets the caller do so (W14.1).
        """
        message = request.SerializeToString()
        deadline = None if timeout is None else _now() + timeout

        def open_call(connection: Connection) -> Opened:
            header = self._header(method, deadline, idempotency_key or "", metadata)
            return connection.open(header, message, half_close=True), None

        return ResponseStream(
            open_call,
            self._endpoints.connection,
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
        metadata: Optional[Mapping[str, str]] = None,
    ) -> Response:
        """Many requests, one answer. Not repeated: the requests are read once.

        A key lets the caller repeat it (W14.1).
        """

        async def attempt(connection: Connection, deadline: Optional[float]) -> Response:
            header = self._header(method, deadline, idempotency_key or "", metadata)
            call = connection.open(header, None)
            sender = asyncio.create_task(send_all(call, requests), name="hito send")
            try:
                reply = await _one_reply(call)
            finally:
                call.cancel()
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)
            return decode(response_type, reply)

        if timeout is not None:
            return await self._within_deadline(timeout, attempt, may_repeat=False)
        return await attempt(await self._endpoints.connection(), None)

    def bidi_stream(
        self,
        method: Method,
        requests: AsyncIterable[Message],
        response_type: Type[Response],
        *,
        timeout: Optional[float] = None,
        metadata: Optional[Mapping[str, str]] = None,
    ) -> "ResponseStream[Response]":
        """Requests and answers, each at their own pace. The call begins with the first `anext`."""
        deadline = None if timeout is None else _now() + timeout

        def open_call(connection: Connection) -> Opened:
            return connection.open(self._header(method, deadline, "", metadata), None), requests

        return ResponseStream(
            open_call,
            self._endpoints.connection,
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

    async def close(self) -> None:
        await self._endpoints.close()

    def _header(
        self,
        method: Method,
        deadline: Optional[float],
        key: str,
        metadata: Optional[Mapping[str, str]],
    ) -> _wire.CallHeader:
        timeout_us = None if deadline is None else int((deadline - _now()) * 1e6)
        return _wire.CallHeader(method.path, timeout_us, key, metadata=metadata or {})

    async def _within_deadline(
        self,
        timeout: Optional[float],
        attempt: Callable[[Connection, float], Awaitable[Result]],
        may_repeat: bool,
    ) -> Result:
        seconds = self._timeout if timeout is None else timeout
        deadline = _now() + seconds
        failure: Optional[HitoError] = None
        backoff = Backoff()
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    connection = await self._endpoints.connection()
                    try:
                        return await attempt(connection, deadline)
                    except Unavailable as error:
                        failure = error
                        delay = self._delay(error, backoff, deadline, may_repeat)
                    await asyncio.sleep(delay)
        except TimeoutError:
            failure = failure or self._endpoints.failure
            why = f" (last failure: {failure.message})" if failure is not None else ""
            raise DeadlineExceeded(f"no answer within {seconds:g} s{why}") from failure

    def _delay(
        self, error: Unavailable, backoff: Backoff, deadline: float, may_repeat: bool
    ) -> float:
        """How long to wait before the next attempt; raises `error` where there should be none."""
        if error.is_lasting or not (may_repeat or error.not_started):
            raise error
        now = _now()
        delay = backoff.next(error.retry_delay) + self._pacer.delay(now)
        if now + delay >= deadline:
            raise error
        return delay


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
