"""Subscriptions and validations that outlive connections and servers."""

from __future__ import annotations

from typing import Awaitable, Callable, Generic, Optional, TypeVar

from hito._retry import Backoff
from hito._stream import ResponseStream
from hito._wait import EndableWait
from hito.errors import Aborted, CancelledCall, DeadlineExceeded, HitoError, ResourceExhausted
from hito.errors import Unavailable
from hito.v1 import progress_pb2, validation_pb2


Rest = Callable[[float, HitoError], Awaitable[None]]
"""Waits before a stream is taken up again, which failed so."""
Response = TypeVar(
    "Response",
    progress_pb2.WatchResponse,
    validation_pb2.ValidateCodeResponse,
    validation_pb2.ValidateBatchResponse,
    validation_pb2.RevalidateResponse,
)


class _Resuming(Generic[Response]):
    """An async iterator that opens its stream again when it breaks. Where to continue is the
    subclass's to know."""

    def __init__(
        self,
        rest: Rest,
        on_interruption: Optional[Callable[[HitoError], None]],
    ) -> None:
        self._rest = rest
        self._on_interruption = on_interruption
        self._stream: Optional[ResponseStream[Response]] = None
        self._backoff = Backoff()
        self._wait = EndableWait()
        self._has_given = False
        self.interruptions = 0
        """How often the stream broke and was taken up again."""

    def _open(self) -> ResponseStream[Response]:
        raise NotImplementedError

    def _received(self, response: Response) -> None:
        raise NotImplementedError

    def _refused(self, error: HitoError) -> None:
        """The stream broke with an error."""

    async def __anext__(self) -> Response:
        while not self._wait.is_ended:
            if self._stream is None:
                self._stream = self._open()
                self._has_given = False
            try:
                response = await self._stream.__anext__()
            except StopAsyncIteration:
                # A server has no reason to end it; one that does is asked again.
                await self._interrupted(Unavailable("the server ended the stream"))
                continue
            except HitoError as error:
                self._refused(error)
                # One that gave nothing was repeated by itself, under another token.
                is_renewed = self._has_given and self._stream.is_token_refused
                if self._wait.is_ended or not (passes(error) or is_renewed):
                    await self.aclose()
                    raise
                await self._interrupted(error)
                continue
            except BaseException:
                await self.aclose()
                raise
            self._backoff.reset()
            self._has_given = True
            self._received(response)
            return response
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Ends it."""
        self._wait.end()
        if self._stream is not None:
            await self._stream.aclose()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _interrupted(self, error: HitoError) -> None:
        self._stream = None
        self.interruptions += 1
        if self._on_interruption is not None:
            self._on_interruption(error)
        await self._wait.until(self._rest(self._backoff.next(error.retry_delay), error))


class ResumingWatch(_Resuming[progress_pb2.WatchResponse]):
    """An async iterator of `WatchResponse` that reconnects and continues after what it gave.

    Nothing is skipped or given twice: each attempt starts after the cursor of the last response.
    It ends by the caller only, or by an error that trying again would not mend (a revoked token,
    a bad filter, a log that lost events which were given: `OutOfRange` with the reason
    `ERROR_REASON_LOG_FORKED`, after which `cursor` is the last place that holds). A watch that
    starts live begins with its first response, the CAUGHT_UP mark.
    """

    def __init__(
        self,
        watch: Callable[[progress_pb2.WatchRequest], ResponseStream[progress_pb2.WatchResponse]],
        request: progress_pb2.WatchRequest,
        rest: Rest,
        on_interruption: Optional[Callable[[HitoError], None]] = None,
    ) -> None:
        super().__init__(rest, on_interruption)
        self._watch = watch
        self._request = progress_pb2.WatchRequest()
        self._request.CopyFrom(request)

    @property
    def cursor(self) -> str:
        """Where it stands; keep it to continue in another process (`after_cursor`)."""
        return self._request.after_cursor

    def __aiter__(self) -> "ResumingWatch":
        return self

    async def __aenter__(self) -> "ResumingWatch":
        return self

    def _open(self) -> ResponseStream[progress_pb2.WatchResponse]:
        return self._watch(self._request)

    def _received(self, response: progress_pb2.WatchResponse) -> None:
        if response.cursor:
            self._request.after_cursor = response.cursor

    def _refused(self, error: HitoError) -> None:
        # Behind what a filter passed over since the last response, or before what was lost.
        if error.resume_cursor:
            self._request.after_cursor = error.resume_cursor


class ResumingValidation(_Resuming[validation_pb2.ValidateCodeResponse]):
    """An async iterator of `ValidateCodeResponse` that begins a validation once and watches it on
    when the connection or the server is gone for a while. It ends after the response with
    `result`. Where another server had to begin anew, `attempt` goes up, and what was given of the
    attempt before is void."""

    def __init__(
        self,
        begin: Callable[[], ResponseStream[validation_pb2.ValidateCodeResponse]],
        watch: Callable[
            [validation_pb2.WatchValidationRequest],
            ResponseStream[validation_pb2.ValidateCodeResponse],
        ],
        rest: Rest,
        on_interruption: Optional[Callable[[HitoError], None]] = None,
    ) -> None:
        super().__init__(rest, on_interruption)
        self._begin = begin
        self._watch = watch
        self._request = validation_pb2.WatchValidationRequest()

    @property
    def run_id(self) -> str:
        """UUID of the validation; empty before the first response."""
        return self._request.run_id

    def __aiter__(self) -> "ResumingValidation":
        return self

    async def __aenter__(self) -> "ResumingValidation":
        return self

    def _open(self) -> ResponseStream[validation_pb2.ValidateCodeResponse]:
        return self._watch(self._request) if self.run_id else self._begin()

    def _received(self, response: validation_pb2.ValidateCodeResponse) -> None:
        if response.run_id:
            self._request.run_id = response.run_id
        if response.cursor:
            self._request.cursor = response.cursor
        if response.WhichOneof("step") == "result":
            self._wait.end()


class ResumingBatch(_Resuming[validation_pb2.ValidateBatchResponse]):
    """An async iterator of `ValidateBatchResponse` that asks for a batch once and continues after what
    it gave when the connection or the server is gone for a while. It ends when each submission was
    refused or has finished."""

    def __init__(
        self,
        begin: Callable[
            [validation_pb2.ValidateBatchRequest],
            ResponseStream[validation_pb2.ValidateBatchResponse],
        ],
        request: validation_pb2.ValidateBatchRequest,
        rest: Rest,
        on_interruption: Optional[Callable[[HitoError], None]] = None,
    ) -> None:
        super().__init__(rest, on_interruption)
        self._begin = begin
        self._request = validation_pb2.ValidateBatchRequest()
        self._request.CopyFrom(request)
        self._left = len(request.submissions)

    def __aiter__(self) -> "ResumingBatch":
        return self

    async def __aenter__(self) -> "ResumingBatch":
        return self

    def _open(self) -> ResponseStream[validation_pb2.ValidateBatchResponse]:
        return self._begin(self._request)

    def _received(self, response: validation_pb2.ValidateBatchResponse) -> None:
        if response.cursor:
            self._request.cursor = response.cursor
        if response.WhichOneof("step") in ("finished", "refused"):
            self._left -= 1
        if self._left <= 0:
            self._wait.end()


class ResumingRevalidation(_Resuming[validation_pb2.RevalidateResponse]):
    """An async iterator of `RevalidateResponse` that asks for a revalidation once and continues after
    what it gave when the connection or the server is gone for a while. It ends after the response
    with `summary`."""

    def __init__(
        self,
        begin: Callable[
            [validation_pb2.RevalidateRequest], ResponseStream[validation_pb2.RevalidateResponse]
        ],
        request: validation_pb2.RevalidateRequest,
        rest: Rest,
        on_interruption: Optional[Callable[[HitoError], None]] = None,
    ) -> None:
        super().__init__(rest, on_interruption)
        self._begin = begin
        self._request = validation_pb2.RevalidateRequest()
        self._request.CopyFrom(request)

    def __aiter__(self) -> "ResumingRevalidation":
        return self

    async def __aenter__(self) -> "ResumingRevalidation":
        return self

    def _open(self) -> ResponseStream[validation_pb2.RevalidateResponse]:
        return self._begin(self._request)

    def _received(self, response: validation_pb2.RevalidateResponse) -> None:
        if response.cursor:
            self._request.cursor = response.cursor
        if response.WhichOneof("step") == "summary":
            self._wait.end()


def passes(error: HitoError) -> bool:
    """Whether the same request can succeed later."""
    if isinstance(error, Unavailable):
        return not error.is_lasting
    passing = (ResourceExhausted, CancelledCall, DeadlineExceeded, Aborted)
    return error.from_server and isinstance(error, passing)
