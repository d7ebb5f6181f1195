"""Streams of answers for callers that block."""

from __future__ import annotations

import threading
from typing import Any, AsyncIterator, Callable, Coroutine, Generic, Optional, Protocol, TypeVar

from hito._resume import ResumingBatch, ResumingRevalidation, ResumingValidation, ResumingWatch
from hito._response_info import Metadata
from hito._stream import ResponseStream
from hito.sync._thread import Caller
from hito.v1 import progress_pb2, validation_pb2

Response = TypeVar("Response")
Response_co = TypeVar("Response_co", covariant=True)
Self = TypeVar("Self", bound="SyncStream[Any]")


class Source(Protocol[Response_co]):
    """What a stream reads: an async iterator that can be closed."""

    def __anext__(self) -> Coroutine[Any, Any, Response_co]: ...

    async def aclose(self) -> None: ...


class SyncStream(Generic[Response]):
    """An iterator over responses; `with` ends it.

    Each `next` takes one response, and what is not taken stays with the server: it sends no more than the
    credit of the stream allows. Several threads may iterate over it, each response comes to one of
    them; `close` may be called by another thread than that which waits.
    """

    def __init__(self, caller: Caller, open_source: Callable[[], Source[Response]]) -> None:
        self._caller = caller
        self._turn = threading.Lock()
        self._source: Source[Response] = caller.call(open_source)

    def __iter__(self: Self) -> Self:
        return self

    def __next__(self) -> Response:
        with self._turn:
            try:
                return self._caller.run(self._source.__anext__())
            except StopAsyncIteration:
                raise StopIteration from None

    def close(self) -> None:
        """Cancels the call, if it has not ended."""
        self._caller.finish(self._source.aclose())

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # A `break` out of `for` only drops the stream: the server must hear of it.
        source: Optional[Source[Response]] = getattr(self, "_source", None)
        if source is not None:
            self._caller.post(source.aclose)


class SyncResponseStream(SyncStream[Response]):
    """An iterator over the answers of one call."""

    _source: ResponseStream[Response]

    @property
    def metadata(self) -> Metadata:
        """What the server said before its first answer; empty until that is there."""
        return self._source.metadata

    @property
    def trailers(self) -> Metadata:
        """What the server said with the end of the call; empty until then."""
        return self._source.trailers


class SyncResumingWatch(SyncStream[progress_pb2.WatchResponse]):
    """`hito.ResumingWatch` for callers that block."""

    _source: ResumingWatch

    @property
    def cursor(self) -> str:
        """Where it stands; keep it to continue in another process (`after_cursor`)."""
        return self._source.cursor

    @property
    def interruptions(self) -> int:
        """How often the stream broke and was taken up again."""
        return self._source.interruptions


class SyncResumingValidation(SyncStream[validation_pb2.ValidateCodeResponse]):
    """`hito.ResumingValidation` for callers that block."""

    _source: ResumingValidation

    @property
    def run_id(self) -> str:
        """UUID of the validation; empty before the first response."""
        return self._source.run_id

    @property
    def interruptions(self) -> int:
        """How often the stream broke and was taken up again."""
        return self._source.interruptions


class SyncResumingBatch(SyncStream[validation_pb2.ValidateBatchResponse]):
    """`hito.ResumingBatch` for callers that block."""

    _source: ResumingBatch

    @property
    def interruptions(self) -> int:
        """How often the stream broke and was taken up again."""
        return self._source.interruptions


class SyncResumingRevalidation(SyncStream[validation_pb2.RevalidateResponse]):
    """`hito.ResumingRevalidation` for callers that block."""

    _source: ResumingRevalidation

    @property
    def interruptions(self) -> int:
        """How often the stream broke and was taken up again."""
        return self._source.interruptions
