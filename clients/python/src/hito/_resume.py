"""A subscription that outlives connections and servers."""

from __future__ import annotations

from typing import Awaitable, Callable, Optional

from hito._retry import Backoff
from hito._stream import ResponseStream
from hito._wait import EndableWait
from hito.errors import Aborted, CancelledCall, DeadlineExceeded, HitoError, ResourceExhausted
from hito.errors import Unavailable
from hito.v1 import progress_pb2


class ResumingWatch:
    """An async iterator of `WatchResponse` that reconnects and continues after what it gave.

    Nothing is skipped or given twice: each attempt starts after the cursor of the last response.
    It ends by the caller only, or by an error that trying again would not mend (a revoked token,
    a bad filter, a log that lost events which were given: `OutOfRange` with the reason
    `ERROR_REASON_LOG_FORKED`, after which `cursor` is the last place that holds). A watch that starts live begins with its first response, the CAUGHT_UP mark.
    """

    def __init__(
        self,
        watch: Callable[[progress_pb2.WatchRequest], ResponseStream[progress_pb2.WatchResponse]],
        request: progress_pb2.WatchRequest,
        rest: Callable[[float], Awaitable[None]],
        on_interruption: Optional[Callable[[HitoError], None]] = None,
    ) -> None:
        self._watch = watch
        self._request = progress_pb2.WatchRequest()
        self._request.CopyFrom(request)
        self._rest = rest
        self._on_interruption = on_interruption
        self._stream: Optional[ResponseStream[progress_pb2.WatchResponse]] = None
        self._backoff = Backoff()
        self._wait = EndableWait()
        self.interruptions = 0
        """How often the stream broke and was taken up again."""

    @property
    def cursor(self) -> str:
        """Where it stands; keep it to continue in another process (`after_cursor`)."""
        return self._request.after_cursor

    def __aiter__(self) -> "ResumingWatch":
        return self

    async def __anext__(self) -> progress_pb2.WatchResponse:
        while not self._wait.is_ended:
            if self._stream is None:
                self._stream = self._watch(self._request)
            try:
                response = await self._stream.__anext__()
            except StopAsyncIteration:
                # A server has no reason to end a subscription; one that does is asked again.
                await self._interrupted(Unavailable("the server ended the subscription"))
                continue
            except HitoError as error:
                # Behind what a filter passed over since the last response, or before what was lost.
                if error.resume_cursor:
                    self._request.after_cursor = error.resume_cursor
                if self._wait.is_ended or not _passes(error):
                    await self.aclose()
                    raise
                await self._interrupted(error)
                continue
            except BaseException:
                await self.aclose()
                raise
            self._backoff.reset()
            if response.cursor:
                self._request.after_cursor = response.cursor
            return response
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Ends the subscription."""
        self._wait.end()
        if self._stream is not None:
            await self._stream.aclose()

    async def __aenter__(self) -> "ResumingWatch":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _interrupted(self, error: HitoError) -> None:
        self._stream = None
        self.interruptions += 1
        if self._on_interruption is not None:
            self._on_interruption(error)
        await self._wait.until(self._rest(self._backoff.next(error.retry_delay)))


def _passes(error: HitoError) -> bool:
    """Whether the same request can succeed later."""
    if isinstance(error, Unavailable):
        return not error.is_lasting
    passing = (ResourceExhausted, CancelledCall, DeadlineExceeded, Aborted)
    return error.from_server and isinstance(error, passing)
