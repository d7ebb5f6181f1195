"""The services with more than the contract's methods: streams that are taken up again by themselves."""

from __future__ import annotations

import uuid
from typing import AsyncIterator, Callable, Optional

from hito._consume import Consumer
from hito._response_info import Metadata
from hito._resume import ResumingBatch, ResumingRevalidation, ResumingValidation, ResumingWatch
from hito._stream import ResponseStream
from hito.errors import HitoError
from hito.v1 import (
    CodeValidationServiceClient,
    ConsumeRequest,
    ConsumeResponse,
    EventServiceClient,
    JoinGroup,
    ProgressServiceClient,
    RevalidateRequest,
    RevalidateResponse,
    ValidateBatchRequest,
    ValidateBatchResponse,
    ValidateCodeRequest,
    ValidateCodeResponse,
    WatchRequest,
    WatchResponse,
    WatchValidationRequest,
)

# As they are told to a log.
_WATCH = "hito.v1.ProgressService/Watch"
_CONSUME = "hito.v1.EventService/Consume"
_VALIDATE = "hito.v1.CodeValidationService/WatchValidation"
_VALIDATE_BATCH = "hito.v1.CodeValidationService/ValidateBatch"
_REVALIDATE = "hito.v1.CodeValidationService/Revalidate"


class ProgressClient(ProgressServiceClient):
    """Live progress; `watch_resuming` is what programs want."""

    def watch_resuming(
        self,
        request: WatchRequest,
        *,
        metadata: Optional[Metadata] = None,
        on_interruption: Optional[Callable[[HitoError], None]] = None,
    ) -> ResumingWatch:
        """Watches for ever: reconnects and continues after the last response by itself."""

        def watch(current: WatchRequest) -> ResponseStream[WatchResponse]:
            return self.watch(current, metadata=metadata)

        return ResumingWatch(watch, request, self._channel.resting(_WATCH), on_interruption)


class EventClient(EventServiceClient):
    """The event log; `consume_resuming` is what consumers of groups want."""

    def consume_resuming(
        self,
        group: str,
        *,
        consumer: str = "",
        buffer_size: int = 0,
        auto_extend: bool = True,
        metadata: Optional[Metadata] = None,
        on_interruption: Optional[Callable[[HitoError], None]] = None,
    ) -> Consumer:
        """Consumes events of a group for ever: reconnects by itself.

        - `consumer`: its name, which no other consumer of the group may have; made by the server where
          it is empty.
        - `buffer_size`: how many events it has at a time; the server's usual number where 0.
        - `auto_extend`: whether an event is kept for as long as it is worked on. Without it, what is not
          settled in the group's time goes to another consumer.
        """

        def open_stream(requests: AsyncIterator[ConsumeRequest]) -> ResponseStream[ConsumeResponse]:
            return self.consume(requests, metadata=metadata)

        join = JoinGroup(group=group, consumer=consumer, buffer_size=buffer_size)
        rest = self._channel.resting(_CONSUME)
        return Consumer(open_stream, join, rest, auto_extend, on_interruption)


class CodeValidationClient(CodeValidationServiceClient):
    """Learners' code; the methods that end in `_resuming` are what programs want."""

    def validate_resuming(
        self,
        request: ValidateCodeRequest,
        *,
        idempotency_key: Optional[str] = None,
        metadata: Optional[Metadata] = None,
        on_interruption: Optional[Callable[[HitoError], None]] = None,
    ) -> ResumingValidation:
        """Validates code once, and follows it to its end: reconnects and continues by itself."""
        # The same for each attempt to begin: a lost reply begins no second validation.
        key = idempotency_key or str(uuid.uuid4())

        def begin() -> ResponseStream[ValidateCodeResponse]:
            return self.validate_code(request, idempotency_key=key, metadata=metadata)

        def watch(current: WatchValidationRequest) -> ResponseStream[ValidateCodeResponse]:
            return self.watch_validation(current, metadata=metadata)

        rest = self._channel.resting(_VALIDATE)
        return ResumingValidation(begin, watch, rest, on_interruption)

    def validate_batch_resuming(
        self,
        request: ValidateBatchRequest,
        *,
        idempotency_key: Optional[str] = None,
        metadata: Optional[Metadata] = None,
        on_interruption: Optional[Callable[[HitoError], None]] = None,
    ) -> ResumingBatch:
        """Validates a batch once, and follows it to its end: reconnects and continues by itself."""
        key = idempotency_key or str(uuid.uuid4())

        def begin(current: ValidateBatchRequest) -> ResponseStream[ValidateBatchResponse]:
            return self.validate_batch(current, idempotency_key=key, metadata=metadata)

        rest = self._channel.resting(_VALIDATE_BATCH)
        return ResumingBatch(begin, request, rest, on_interruption)

    def revalidate_resuming(
        self,
        request: RevalidateRequest,
        *,
        idempotency_key: Optional[str] = None,
        metadata: Optional[Metadata] = None,
        on_interruption: Optional[Callable[[HitoError], None]] = None,
    ) -> ResumingRevalidation:
        """Validates again once, and follows it to its end: reconnects and continues by itself."""
        key = idempotency_key or str(uuid.uuid4())

        def begin(current: RevalidateRequest) -> ResponseStream[RevalidateResponse]:
            return self.revalidate(current, idempotency_key=key, metadata=metadata)

        rest = self._channel.resting(_REVALIDATE)
        return ResumingRevalidation(begin, request, rest, on_interruption)
