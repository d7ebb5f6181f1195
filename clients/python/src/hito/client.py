"""The client: connections to a server and one typed property per service."""

from __future__ import annotations

import ssl
import uuid
from functools import cached_property
from typing import AsyncIterator, Callable, Literal, Optional, Sequence, Union

from hito import _compression, _wire
from hito._channel import Channel
from hito._consume import Consumer
from hito._interceptor import Interceptor
from hito._pool import Address, Pool, Settings
from hito._response_info import Metadata
from hito._resume import ResumingBatch, ResumingRevalidation, ResumingValidation, ResumingWatch
from hito._retry import Hedging, RetryBudget
from hito._stream import ResponseStream
from hito.errors import HitoError
from hito.v1 import (
    AnalyticsServiceClient,
    CodeValidationServiceClient,
    ConsumeRequest,
    ConsumeResponse,
    CourseServiceClient,
    EventServiceClient,
    GoalServiceClient,
    HealthServiceClient,
    JoinGroup,
    PrivacyServiceClient,
    ProgressServiceClient,
    ReflectionServiceClient,
    RetrievalServiceClient,
    RevalidateRequest,
    RevalidateResponse,
    ServerServiceClient,
    TaskServiceClient,
    UserServiceClient,
    ValidateBatchRequest,
    ValidateBatchResponse,
    ValidateCodeRequest,
    ValidateCodeResponse,
    WatchRequest,
    WatchResponse,
    WatchValidationRequest,
)

VERSION = "0.1.0"


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
            stream = self.watch(current, metadata=metadata)
            assert isinstance(stream, ResponseStream)
            return stream

        return ResumingWatch(watch, request, self._channel.rest, on_interruption)


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
            stream = self.consume(requests, metadata=metadata)
            assert isinstance(stream, ResponseStream)
            return stream

        join = JoinGroup(group=group, consumer=consumer, buffer_size=buffer_size)
        return Consumer(open_stream, join, self._channel.rest, auto_extend, on_interruption)


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
            stream = self.validate_code(request, idempotency_key=key, metadata=metadata)
            assert isinstance(stream, ResponseStream)
            return stream

        def watch(current: WatchValidationRequest) -> ResponseStream[ValidateCodeResponse]:
            stream = self.watch_validation(current, metadata=metadata)
            assert isinstance(stream, ResponseStream)
            return stream

        return ResumingValidation(begin, watch, self._channel.rest, on_interruption)

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
            stream = self.validate_batch(current, idempotency_key=key, metadata=metadata)
            assert isinstance(stream, ResponseStream)
            return stream

        return ResumingBatch(begin, request, self._channel.rest, on_interruption)

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
            stream = self.revalidate(current, idempotency_key=key, metadata=metadata)
            assert isinstance(stream, ResponseStream)
            return stream

        return ResumingRevalidation(begin, request, self._channel.rest, on_interruption)


class Client:
    """A client of one Hito deployment. Use it on one event loop; `async with` closes it.

    It keeps connections open and shares them between calls; one client per program is enough.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @classmethod
    async def connect(
        cls,
        address: Union[str, Sequence[str]],
        *,
        token: str = "",
        ca_file: Optional[str] = None,
        ssl_context: Optional[ssl.SSLContext] = None,
        server_name: Optional[str] = None,
        timeout: float = 30.0,
        connect_timeout: float = 10.0,
        wait_for_ready: bool = True,
        wait_for_connect: bool = False,
        balancing: Literal["pick_first", "round_robin"] = "pick_first",
        connections_per_address: int = 4,
        health_check: bool = False,
        keepalive: float = 10.0,
        hedging: Optional[Hedging] = None,
        retry_budget: RetryBudget = RetryBudget(),
        message_max: int = 4 << 20,
        compression: bool = False,
        interceptors: Sequence[Interceptor] = (),
        agent: str = f"hito-python/{VERSION}",
    ) -> "Client":
        """Connects to `host:port`, or to any of several.

        - `ca_file`: PEM file of the authority that signed the server's certificate; the system's
          authorities where none is given. `server_name`: the name in the certificate, where it is
          not the host.
        - `timeout`: seconds that a unary call may take, retries included, unless the call says
          otherwise.
        - `wait_for_ready`: calls wait for a server within their time while none can be reached;
          otherwise they fail at once with `Unavailable`. `wait_for_connect` is the same for this
          method, within `connect_timeout`.
        - `balancing`: calls go to the first address that answers, or to all in turn.
          `connections_per_address`: another one is opened when the calls on those that there are
          reach what the server allows. `health_check`: servers are asked how they are, so that one
          that says that it does not serve gets no new calls while others do.
        - `keepalive`: after so many seconds of silence a connection on which calls wait is asked for
          a sign of life, but no more often than the server wants to be.
        - `hedging`: unary calls that read are made again beside the first where no reply comes.
          `retry_budget`: how many repeats and copies all calls have together.
        - `message_max`: bytes of a message that is accepted, 16 KiB at least.
        - `interceptors`: around each call, the first outermost.
        - `compression`: messages of 4 KiB and more go compressed, both ways, where the server reads
          that. It costs both sides processor time, and pays where the network is slow.

        Raises `Unavailable` when no server answers.
        """
        texts = address.split(",") if isinstance(address, str) else list(address)
        settings = Settings(
            tls=_tls(ca_file, ssl_context),
            own=_wire.Hello(
                minor_version=_wire.MINOR_VERSION, agent=agent, token=token,
                message_max=max(16 << 10, message_max),
                encodings=bytes([_compression.DEFLATE]) if compression else b"",
            ),
            server_name=server_name,
            keepalive=max(0.01, keepalive),
            connections_max=max(1, connections_per_address),
            round_robin=balancing == "round_robin",
            health_check=health_check,
            wait_for_ready=wait_for_ready,
        )  # fmt: skip
        _wire.encode_hello(settings.own)  # A token that cannot be sent is the caller's mistake.
        channel = Channel(
            Pool([Address.parse(text) for text in texts], settings), timeout=timeout,
            interceptors=interceptors, hedging=hedging, budget=retry_budget,
            wait_for_ready=wait_for_ready,
        )  # fmt: skip
        client = cls(channel)
        try:
            await client._channel.connect(connect_timeout, wait_for_connect)
        except BaseException:
            await client.close()
            raise
        return client

    async def close(self) -> None:
        """Cancels the calls under way and closes the connections."""
        await self._channel.close()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @cached_property
    def users(self) -> UserServiceClient:
        return UserServiceClient(self._channel)

    @cached_property
    def courses(self) -> CourseServiceClient:
        return CourseServiceClient(self._channel)

    @cached_property
    def goals(self) -> GoalServiceClient:
        return GoalServiceClient(self._channel)

    @cached_property
    def tasks(self) -> TaskServiceClient:
        return TaskServiceClient(self._channel)

    @cached_property
    def progress(self) -> ProgressClient:
        return ProgressClient(self._channel)

    @cached_property
    def events(self) -> EventClient:
        return EventClient(self._channel)

    @cached_property
    def analytics(self) -> AnalyticsServiceClient:
        return AnalyticsServiceClient(self._channel)

    @cached_property
    def code_validation(self) -> CodeValidationClient:
        return CodeValidationClient(self._channel)

    @cached_property
    def retrieval(self) -> RetrievalServiceClient:
        return RetrievalServiceClient(self._channel)

    @cached_property
    def health(self) -> HealthServiceClient:
        return HealthServiceClient(self._channel)

    @cached_property
    def reflection(self) -> ReflectionServiceClient:
        return ReflectionServiceClient(self._channel)

    @cached_property
    def server(self) -> ServerServiceClient:
        return ServerServiceClient(self._channel)

    @cached_property
    def privacy(self) -> PrivacyServiceClient:
        return PrivacyServiceClient(self._channel)


def _tls(ca_file: Optional[str], context: Optional[ssl.SSLContext]) -> ssl.SSLContext:
    if context is None:
        context = ssl.create_default_context(cafile=ca_file)
    elif ca_file is not None:
        raise ValueError("give ca_file or ssl_context, not both")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["hito/1"])
    return context
