"""What a caller may say about one call, beside its request: the keywords of every generated method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, TypedDict

from hito._response_info import Metadata, ResponseInfo
from hito._retry import Hedging


class StreamOptions(TypedDict, total=False):
    """Of calls that cannot be repeated under a key."""

    timeout: Optional[float]
    """Seconds."""
    metadata: Optional[Metadata]
    token: Optional[str]
    """Instead of the client's."""
    traceparent: Optional[str]
    """W3C trace context."""
    wait_for_ready: Optional[bool]
    """Whether the call waits for a server within its time while none can be reached; None: as the
    client says."""


class KeyedStreamOptions(StreamOptions, total=False):
    """Of streams that write."""

    idempotency_key: Optional[str]
    """Lets the caller repeat the call (W14)."""


class ReplyOptions(StreamOptions, total=False):
    """Of calls that only read and have one reply."""

    response_info: Optional[ResponseInfo]
    """Has afterwards what the server said beside the reply."""


class KeyedReplyOptions(ReplyOptions, total=False):
    """Of calls that have one reply and may be repeated under a key."""

    idempotency_key: Optional[str]
    """Lets the caller repeat the call (W14)."""


class UnaryOptions(KeyedReplyOptions, total=False):
    """Of calls with one request and one reply."""

    hedging: Optional[Hedging]
    """Makes the call again beside the first where no reply comes; None: as the client says for calls
    that read. A call that writes needs an `idempotency_key` for it."""


@dataclass(frozen=True)
class CallOptions:
    """The same for calls of any kind, as interceptors see them."""

    timeout: Optional[float] = None
    metadata: Optional[Metadata] = None
    token: Optional[str] = None
    traceparent: Optional[str] = None
    wait_for_ready: Optional[bool] = None
    idempotency_key: Optional[str] = None
    response_info: Optional[ResponseInfo] = None
    hedging: Optional[Hedging] = None
