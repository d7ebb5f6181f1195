"""The services with more than the contract's methods, for callers that block."""

from __future__ import annotations

from typing import Callable, Optional

from hito._response_info import Metadata
from hito._services import CodeValidationClient, EventClient, ProgressClient
from hito.errors import HitoError
from hito.sync._channel import SyncChannel
from hito.sync._consume import SyncConsumer
from hito.sync._stream import (
    SyncResumingBatch,
    SyncResumingRevalidation,
    SyncResumingValidation,
    SyncResumingWatch,
)
from hito.v1 import (
    RevalidateRequest,
    SyncCodeValidationServiceClient,
    SyncEventServiceClient,
    SyncProgressServiceClient,
    ValidateBatchRequest,
    ValidateCodeRequest,
    WatchRequest,
)

OnInterruption = Callable[[HitoError], None]
"""Runs in the client's thread."""


class SyncProgressClient(SyncProgressServiceClient):
    """Live progress; `watch_resuming` is what programs want."""

    def __init__(self, channel: SyncChannel) -> None:
        super().__init__(channel)
        self._client = ProgressClient(channel.channel)

    def watch_resuming(
        self,
        request: WatchRequest,
        *,
        metadata: Optional[Metadata] = None,
        on_interruption: Optional[OnInterruption] = None,
    ) -> SyncResumingWatch:
        """Watches for ever: reconnects and continues after the last response by itself."""
        return SyncResumingWatch(
            self._channel.caller,
            lambda: self._client.watch_resuming(
                request, metadata=metadata, on_interruption=on_interruption
            ),
        )


class SyncEventClient(SyncEventServiceClient):
    """The event log; `consume_resuming` is what consumers of groups want."""

    def __init__(self, channel: SyncChannel) -> None:
        super().__init__(channel)
        self._client = EventClient(channel.channel)

    def consume_resuming(
        self,
        group: str,
        *,
        consumer: str = "",
        buffer_size: int = 0,
        auto_extend: bool = True,
        metadata: Optional[Metadata] = None,
        on_interruption: Optional[OnInterruption] = None,
    ) -> SyncConsumer:
        """Consumes events of a group for ever: reconnects by itself. The arguments are those of
        `hito.EventClient.consume_resuming`."""
        return SyncConsumer(
            self._channel.caller,
            lambda: self._client.consume_resuming(
                group, consumer=consumer, buffer_size=buffer_size, auto_extend=auto_extend,
                metadata=metadata, on_interruption=on_interruption,
            ),
        )  # fmt: skip


class SyncCodeValidationClient(SyncCodeValidationServiceClient):
    """Learners' code; the methods that end in `_resuming` are what programs want."""

    def __init__(self, channel: SyncChannel) -> None:
        super().__init__(channel)
        self._client = CodeValidationClient(channel.channel)

    def validate_resuming(
        self,
        request: ValidateCodeRequest,
        *,
        idempotency_key: Optional[str] = None,
        metadata: Optional[Metadata] = None,
        on_interruption: Optional[OnInterruption] = None,
    ) -> SyncResumingValidation:
        """Validates code once, and follows it to its end: reconnects and continues by itself."""
        return SyncResumingValidation(
            self._channel.caller,
            lambda: self._client.validate_resuming(
                request, idempotency_key=idempotency_key, metadata=metadata,
                on_interruption=on_interruption,
            ),
        )  # fmt: skip

    def validate_batch_resuming(
        self,
        request: ValidateBatchRequest,
        *,
        idempotency_key: Optional[str] = None,
        metadata: Optional[Metadata] = None,
        on_interruption: Optional[OnInterruption] = None,
    ) -> SyncResumingBatch:
        """Validates a batch once, and follows it to its end: reconnects and continues by itself."""
        return SyncResumingBatch(
            self._channel.caller,
            lambda: self._client.validate_batch_resuming(
                request, idempotency_key=idempotency_key, metadata=metadata,
                on_interruption=on_interruption,
            ),
        )  # fmt: skip

    def revalidate_resuming(
        self,
        request: RevalidateRequest,
        *,
        idempotency_key: Optional[str] = None,
        metadata: Optional[Metadata] = None,
        on_interruption: Optional[OnInterruption] = None,
    ) -> SyncResumingRevalidation:
        """Validates again once, and follows it to its end: reconnects and continues by itself."""
        return SyncResumingRevalidation(
            self._channel.caller,
            lambda: self._client.revalidate_resuming(
                request, idempotency_key=idempotency_key, metadata=metadata,
                on_interruption=on_interruption,
            ),
        )  # fmt: skip
