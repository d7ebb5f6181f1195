"""One address: its connections, and when to dial again."""

from __future__ import annotations

import asyncio
import ssl
from typing import Callable, List, NamedTuple, Optional

from hito import _wire
from hito._connection import Connection
from hito._retry import Backoff
from hito.errors import CancelledCall, Unavailable


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """`host:port` or `[2001:db8::1]:port`."""
        host, separator, port = text.strip().rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            separator = ""
        if not separator or not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"{text!r} is not an address: say host:port, or [IPv6]:port")
        return cls(host, int(port))


class Settings(NamedTuple):
    """What every connection of a client has in common."""

    tls: ssl.SSLContext
    own: _wire.Hello
    server_name: Optional[str]
    keepalive: float
    connections_max: int


class Endpoint:
    """Keeps at most `connections_max` connections to one address; dials one at a time."""

    def __init__(
        self, address: Address, settings: Settings, on_change: Callable[[], None]
    ) -> None:
        self.address = address
        self.dial_at = 0.0
        """Not before this time of the loop's clock, because dialling failed."""
        self._settings = settings
        self._on_change = on_change
        self._connections: List[Connection] = []
        self._dialing: Optional[asyncio.Task[Connection]] = None
        self._backoff = Backoff()

    def ready(self) -> Optional[Connection]:
        """A connection that takes a call now."""
        return next((c for c in self._connections if c.takes_calls), None)

    @property
    def is_full(self) -> bool:
        """Whether every connection that may be opened is open and has no room."""
        usable = [c for c in self._connections if c.is_open and not c.is_draining]
        return len(usable) >= self._settings.connections_max

    async def dial(self) -> Connection:
        """Opens a connection; callers at the same time share one attempt."""
        if self._dialing is None:
            self._dialing = asyncio.create_task(self._connect(), name="hito dial")
            self._dialing.add_done_callback(self._dialed)
        task = self._dialing
        try:
            # The attempt outlives a caller that gives up: others wait for it too.
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise CancelledCall("the client was closed", not_started=True) from None
            raise

    async def close(self) -> None:
        if self._dialing is not None:
            self._dialing.cancel()
            await asyncio.gather(self._dialing, return_exceptions=True)
        await asyncio.gather(*(c.close() for c in list(self._connections)))

    async def _connect(self) -> Connection:
        settings, (host, port) = self._settings, self.address
        return await Connection.connect(
            host, port, settings.tls, settings.server_name or host, settings.own,
            settings.keepalive, self._connection_changed,
        )  # fmt: skip

    def _dialed(self, task: "asyncio.Task[Connection]") -> None:
        self._dialing = None
        if not task.cancelled():
            if task.exception() is None:
                self._backoff.reset()
                self._connections.append(task.result())
            else:
                self.dial_at = asyncio.get_running_loop().time() + self._backoff.next()
        self._on_change()

    def _connection_changed(self, connection: Connection) -> None:
        if not connection.is_open and connection in self._connections:
            self._connections.remove(connection)
        self._on_change()


class Endpoints:
    """Chooses where a call goes."""

    def __init__(
        self, addresses: List[Address], settings: Settings, round_robin: bool, wait_for_ready: bool
    ) -> None:
        self.failure: Optional[Unavailable] = None
        """Why the last attempt to connect failed."""
        self._changed = asyncio.Event()
        self._closed = asyncio.Event()
        self._endpoints = [Endpoint(a, settings, self._changed.set) for a in addresses]
        self._round_robin = round_robin
        self._wait_for_ready = wait_for_ready
        self._turn = 0

    async def connection(self, wait_for_ready: Optional[bool] = None) -> Connection:
        """A connection that takes a call now. The caller bounds the time.

        Raises Unavailable when no address answers and the client does not wait for one.
        """
        wait = self._wait_for_ready if wait_for_ready is None else wait_for_ready
        while True:
            if self._closed.is_set():
                raise CancelledCall("the client is closed", not_started=True)
            self._changed.clear()
            order = self._order()
            connection = self._ready(order) or await self._dial(order)
            if connection is not None and connection.takes_calls:
                return connection
            if connection is not None:
                continue
            if not any(endpoint.is_full for endpoint in order) and not wait:
                raise self.failure or Unavailable("no server answers", not_started=True)
            await self._pause(order)

    async def rest(self, seconds: float) -> None:
        """Waits before another attempt; no longer than the client is open."""
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            pass

    async def close(self) -> None:
        self._closed.set()
        self._changed.set()
        await asyncio.gather(*(endpoint.close() for endpoint in self._endpoints))

    def _ready(self, order: List[Endpoint]) -> Optional[Connection]:
        # In turn, only the first counts: the others come when it is theirs, or when it fails.
        for endpoint in order[:1] if self._round_robin else order:
            if (connection := endpoint.ready()) is not None:
                return connection
        return None

    async def _dial(self, order: List[Endpoint]) -> Optional[Connection]:
        """The first connection that is there or can be had; None where there is none now."""
        for endpoint in order:
            if (connection := endpoint.ready()) is not None:
                return connection
            if endpoint.is_full or endpoint.dial_at > asyncio.get_running_loop().time():
                continue
            try:
                return await endpoint.dial()
            except Unavailable as error:
                self.failure = error
                if endpoint is order[0] and not self._round_robin:
                    self._turn += 1
        return None

    async def _pause(self, order: List[Endpoint]) -> None:
        """Waits until a connection changes, or the first address may be dialled again."""
        waits = [endpoint.dial_at for endpoint in order if not endpoint.is_full]
        try:
            async with asyncio.timeout_at(min(waits, default=None)):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _order(self) -> List[Endpoint]:
        turn = self._turn % len(self._endpoints)
        if self._round_robin:
            self._turn += 1
        return self._endpoints[turn:] + self._endpoints[:turn]
