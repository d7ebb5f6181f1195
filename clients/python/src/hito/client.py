"""The client: connections to a server and one typed property per service."""

from __future__ import annotations

import ssl
from functools import cached_property
from typing import TYPE_CHECKING, Optional, Sequence, Union

from hito import _compression, _wire
from hito._channel import Channel
from hito._log import Log
from hito._options import ClientOptions
from hito._pool import Address, Pool, Settings
from hito._retry import RetryBudget
from hito._services import CodeValidationClient, EventClient, ProgressClient
from hito._token import Tokens
from hito.v1 import (
    AnalyticsServiceClient,
    CourseServiceClient,
    GoalServiceClient,
    HealthServiceClient,
    PrivacyServiceClient,
    ReflectionServiceClient,
    RetrievalServiceClient,
    ServerServiceClient,
    TaskServiceClient,
    UserServiceClient,
)

if TYPE_CHECKING:
    from typing import Unpack

VERSION = "0.1.0"


class Client:
    """A client of one Hito deployment. Use it on one event loop; `async with` closes it.

    It keeps connections open and shares them between calls; one client per program is enough.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @classmethod
    async def connect(
        cls, address: Union[str, Sequence[str]], **options: "Unpack[ClientOptions]"
    ) -> "Client":
        """Connects to `host:port`, or to any of several. What can be said beside it is in
        `ClientOptions`.

        Raises `Unavailable` when no server answers.
        """
        unknown = set(options) - set(ClientOptions.__annotations__)
        if unknown:
            raise TypeError(f"connect has no option {', '.join(sorted(unknown))}")
        texts = address.split(",") if isinstance(address, str) else list(address)
        wait_for_connect = options.get("wait_for_connect", False)
        log = Log(options.get("log"))
        channel = _channel([Address.parse(text) for text in texts], _settings(options), log, options)
        client = cls(channel)
        try:
            await channel.connect(options.get("connect_timeout", 10.0), wait_for_connect)
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


def _settings(options: ClientOptions) -> Settings:
    token = options.get("token", "")
    if token and options.get("token_provider") is not None:
        raise ValueError("give token or token_provider, not both")
    compression = options.get("compression", False)
    own = _wire.Hello(
        minor_version=_wire.MINOR_VERSION, agent=options.get("agent", f"hito-python/{VERSION}"),
        token=token, message_max=max(16 << 10, options.get("message_max", 4 << 20)),
        encodings=bytes([_compression.DEFLATE]) if compression else b"",
    )  # fmt: skip
    _wire.encode_hello(own)  # A token that cannot be sent is the caller's mistake.
    return Settings(
        tls=_tls(options),
        own=own,
        server_name=options.get("server_name"),
        keepalive=max(0.01, options.get("keepalive", 10.0)),
        connections_max=max(1, options.get("connections_per_address", 4)),
        round_robin=options.get("balancing", "pick_first") == "round_robin",
        health_check=options.get("health_check", False),
        wait_for_ready=options.get("wait_for_ready", True),
    )


def _channel(
    addresses: Sequence[Address], settings: Settings, log: Log, options: ClientOptions
) -> Channel:
    provider = options.get("token_provider")
    timeout = options.get("token_timeout", 10.0)
    return Channel(
        Pool(list(addresses), settings, log), timeout=options.get("timeout", 30.0),
        interceptors=options.get("interceptors", ()), hedging=options.get("hedging"),
        budget=options.get("retry_budget", RetryBudget()), wait_for_ready=settings.wait_for_ready,
        tokens=None if provider is None else Tokens(provider, timeout, log), log=log,
    )  # fmt: skip


def _tls(options: ClientOptions) -> ssl.SSLContext:
    ca_file: Optional[str] = options.get("ca_file")
    context = options.get("ssl_context")
    if context is None:
        context = ssl.create_default_context(cafile=ca_file)
    elif ca_file is not None:
        raise ValueError("give ca_file or ssl_context, not both")
    certificate, key = options.get("client_certificate"), options.get("client_key")
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["hito/1"])
    return context
