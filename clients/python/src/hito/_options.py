"""What a caller may say about a client, and about one call beside its request: the keywords of every
generated method."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Literal, Optional, Sequence, TypedDict

from hito._interceptor import Interceptor
from hito._log import LogFunction
from hito._response_info import Metadata, ResponseInfo
from hito._retry import Hedging, RetryBudget
from hito._token import TokenProvider


class ClientOptions(TypedDict, total=False):
    """Of a client: the keywords of `connect`."""

    token: str
    """From `hito token create`."""
    token_provider: Optional[TokenProvider]
    """Instead of `token`: asked when the first call needs one, when the current one is about to expire
    (it may answer with a `Token` that says when), and once for a call whose token the server refuses. One
    question at a time is asked, for all calls. It makes no calls of the same client that need a token: they
    would wait for it."""
    token_timeout: float
    """Seconds that the provider may take; 10 unless said."""
    ca_file: Optional[str]
    """PEM file of the authority that signed the server's certificate; the system's authorities where none
    is given."""
    ssl_context: Optional[ssl.SSLContext]
    """Instead of `ca_file`."""
    client_certificate: Optional[str]
    """PEM file of a certificate of the client's own, and its chain, for servers that ask for one."""
    client_key: Optional[str]
    """PEM file of its key, where that is not in the same file."""
    server_name: Optional[str]
    """The name in the server's certificate, where it is not the host."""
    timeout: float
    """Seconds that a unary call may take, retries included, unless the call says otherwise; 30 unless
    said."""
    connect_timeout: float
    """Seconds for `connect`; 10 unless said."""
    wait_for_ready: bool
    """Calls wait for a server within their time while none can be reached, which is the default;
    otherwise they fail at once with `Unavailable`."""
    wait_for_connect: bool
    """The same for `connect`, within `connect_timeout`; not unless said."""
    balancing: Literal["pick_first", "round_robin"]
    """Calls go to the first address that answers, which is the default, or to all in turn."""
    connections_per_address: int
    """Another one is opened when the calls on those that there are reach what the server allows; 4 at
    most unless said."""
    health_check: bool
    """Servers are asked how they are, so that one that says that it does not serve gets no new calls
    while others do; not unless said."""
    keepalive: float
    """After so many seconds of silence a connection on which calls wait is asked for a sign of life, but
    no more often than the server wants to be; 10 unless said."""
    hedging: Optional[Hedging]
    """Unary calls that read are made again beside the first where no reply comes."""
    retry_budget: RetryBudget
    """How many repeats and copies all calls have together."""
    message_max: int
    """Bytes of a message that is accepted, 16 KiB at least; 4 MiB unless said."""
    compression: bool
    """Messages of 4 KiB and more go compressed, both ways, where the server reads that. It costs both sides
    processor time, and pays where the network is slow."""
    interceptors: Sequence[Interceptor]
    """Around each call, the first outermost."""
    log: Optional[LogFunction]
    """Is told what happens to the client; `hito.log_to` makes one of a standard logger."""
    agent: str
    """What the client calls itself."""


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
