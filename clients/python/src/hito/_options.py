"""What a caller may say about one call, beside its request: the keywords of every generated method."""

from __future__ import annotations

from typing import Optional, TypedDict

from hito._response_info import Metadata, ResponseInfo


class StreamOptions(TypedDict, total=False):
    """Of calls that cannot be repeated under a key."""

    timeout: Optional[float]
    """Seconds."""
    metadata: Optional[Metadata]
    token: Optional[str]
    """Instead of the client's."""
    traceparent: Optional[str]
    """W3C trace context."""


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
