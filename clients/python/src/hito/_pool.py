"""The connections of a client: gives each call one, makes them as they are needed, and has calls wait
for room. `PoolMachine` decides; this dials, wakes and keeps time."""

from __future__ import annotations

import asyncio
import random
import ssl
from typing import Dict, List, NamedTuple, Optional, Sequence

from hito import _wire
from hito._connection import CertificateRefused, Connection, Owner
from hito._health import HealthCheck
from hito._log import Log
from hito._pool_machine import Fail, PoolMachine, Step, Use, Wait, Want
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

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Settings(NamedTuple):
    """What every connection of a client has in common."""

    tls: ssl.SSLContext
    own: _wire.Hello
    server_name: Optional[str]
    keepalive: float
    connections_max: int = 4
    """To one address."""
    round_robin: bool = False
    health_check: bool = False
    wait_for_ready: bool = True
    """For calls that do not say it."""


class _Waiter:
    """A call that waits for its connection."""

    def __init__(self, want: Want) -> None:
        self.want = want
        self.future: "asyncio.Future[Connection]" = asyncio.get_running_loop().create_future()


class Pool(Owner):
    """Used on one event loop only."""

    def __init__(
        self, addresses: List[Address], settings: Settings, log: Log = Log(None)
    ) -> None:
        self.failure: Optional[Unavailable] = None
        """Why the last attempt found no server."""
        self._addresses = addresses
        self._settings = settings
        self._log = log
        self._machine = PoolMachine(
            len(addresses), in_turn=settings.round_robin, connections_max=settings.connections_max
        )
        self._loop = asyncio.get_running_loop()
        self._connections: Dict[int, Connection] = {}
        self._checks: Dict[int, HealthCheck] = {}
        """By address."""
        self._last_number = 0
        self._waiters: List[_Waiter] = []
        self._dials: Dict[int, "asyncio.Task[None]"] = {}
        self._timer: Optional[asyncio.TimerHandle] = None
        self._closed = asyncio.Event()

    # Calls

    async def connection(self, wait_for_ready: Optional[bool] = None) -> Connection:
        """A connection on which the caller has a place for one call, which `Connection.open` uses and
        `release` gives back. The caller bounds the time.

        Raises Unavailable when no address answers and the call does not wait for one.
        """
        waits = self._settings.wait_for_ready if wait_for_ready is None else wait_for_ready
        want = Want(waits)
        step = self._place(want)
        if isinstance(step, Use):
            self._dial()
            return self._connections[step.number]
        waiter = _Waiter(want)
        self._waiters.append(waiter)
        self._dial()
        if isinstance(step, Wait):
            self._arm(step.until)
        try:
            return await waiter.future
        except BaseException:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            elif waiter.future.done() and not waiter.future.cancelled():
                if waiter.future.exception() is None:
                    self.release(waiter.future.result())
            raise

    def connection_beside(self, used: Sequence[int]) -> Optional[Connection]:
        """A connection for a copy of a call that has those; None where none has room."""
        number = None if self._closed.is_set() else self._machine.place_beside(used)
        return None if number is None else self._connections[number]

    def release(self, connection: Connection) -> None:
        """The caller opens no call on it after all."""
        self.call_ended(connection)

    async def rest(self, seconds: float) -> None:
        """Waits before another attempt; no longer than the client is open."""
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            pass

    async def close(self) -> None:
        self._closed.set()
        if self._timer is not None:
            self._timer.cancel()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.future.done():
                waiter.future.set_exception(_closed())
        checks, self._checks = list(self._checks.values()), {}
        for check in checks:
            check.cancel()
        dials = list(self._dials.values())
        for dial in dials:
            dial.cancel()
        await asyncio.gather(*dials, *(check.task for check in checks), return_exceptions=True)
        await asyncio.gather(*(c.close() for c in list(self._connections.values())))

    # What connections tell

    def call_ended(self, connection: Connection) -> None:
        self._machine.call_ended(connection.number)
        self._serve(all=False)

    def served(self, connection: Connection) -> None:
        self._machine.served(connection.number)

    def retired(self, connection: Connection) -> None:
        number = connection.number
        self._machine.retired(number, self._loop.time(), random.random())
        place = connection.place
        check = self._checks.get(place)
        if check is not None and check.connection is connection:
            # A draining server waits for its calls to end.
            del self._checks[place]
            check.cancel()
            self._check(place)
        self._serve()

    def ended(self, connection: Connection) -> None:
        if self._connections.pop(connection.number, None) is not None:
            address, why = str(self._addresses[connection.place]), connection.end_reason
            self._log.tell(
                "warning" if why else "info", "disconnected",
                f"the connection to {address} has ended{': ' if why else ''}{why}",
                address=address, reason=why or "closed",
            )  # fmt: skip

    # Waiting

    def _place(self, want: Want) -> Step:
        if self._closed.is_set():
            raise _closed()
        step = self._machine.place(want, self._loop.time())
        if isinstance(step, Fail):
            raise self._unreachable()
        return step

    def _serve(self, all: bool = True) -> None:
        """Something has changed: in the order in which they came, each waiter gets what there is.

        Where there is more room and nothing else has changed (`all` is False), the first that must
        wait on is the last that is asked.
        """
        left: List[_Waiter] = []
        until: Optional[float] = None
        for place, waiter in enumerate(self._waiters):
            if not all and left:
                left += self._waiters[place:]
                break
            if waiter.future.done():
                continue
            try:
                step = self._place(waiter.want)
            except (Unavailable, CancelledCall) as error:
                waiter.future.set_exception(error)
                continue
            if isinstance(step, Use):
                waiter.future.set_result(self._connections[step.number])
            elif isinstance(step, Wait):
                left.append(waiter)
                if step.until is not None:
                    until = step.until if until is None else min(until, step.until)
        self._waiters = left
        self._dial()
        self._arm(until)

    def _arm(self, until: Optional[float]) -> None:
        if until is None or self._closed.is_set():
            return
        if self._timer is not None and not self._timer.cancelled():
            if self._timer.when() <= until:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(until, self._woken)

    def _woken(self) -> None:
        self._timer = None
        self._serve()

    def _unreachable(self) -> Unavailable:
        if self.failure is None:
            return Unavailable("no server answers", not_started=True)
        # A new one: the same error raised by several calls would grow with each.
        return Unavailable(self.failure.message, not_started=True)

    # Connecting

    def _dial(self) -> None:
        for place in self._machine.take_dials():
            task = self._loop.create_task(self._connect(place), name="hito dial")
            self._dials[place] = task

    async def _connect(self, place: int) -> None:
        settings, (host, port) = self._settings, self._addresses[place]
        address, began = str(self._addresses[place]), self._loop.time()
        self._log.tell("debug", "connecting", f"connecting to {address}", address=address)
        try:
            connection = await Connection.connect(
                host, port, settings.tls, settings.server_name or host, settings.own,
                settings.keepalive, self,
            )  # fmt: skip
        except Unavailable as error:
            self.failure = error
            self._log.tell(
                "warning", "connect_failed", error.message, address=address, reason=error.message
            )
            self._dials.pop(place, None)
            untrusted = isinstance(error, CertificateRefused)
            self._machine.dial_failed(place, untrusted, self._loop.time(), random.random())
            self._serve()
            return
        self._dials.pop(place, None)
        self._last_number += 1
        connection.number, connection.place = self._last_number, place
        self._connections[connection.number] = connection
        now = self._loop.time()
        self._log.tell(
            "info", "connected", f"connected to {address}", address=address,
            server_id=connection.peer.server_id, duration_ms=round((now - began) * 1000),
        )  # fmt: skip
        is_wanted = self._machine.dialled(
            place, connection.number, connection.peer.streams_max, now
        )
        if not connection.is_open or connection.is_draining:
            # It went between its HELLO and now.
            self.retired(connection)
            if connection.is_lost:
                self.ended(connection)
        elif is_wanted:
            self._check(place)
        self._serve()
        if not is_wanted:
            await connection.close()

    def _check(self, place: int) -> None:
        """Asks the server at an address how it is, unless it is asked already."""
        numbers = self._machine.connections(place)
        if not self._settings.health_check or place in self._checks or not numbers:
            return
        if self._closed.is_set():
            return

        def told(serving: bool) -> None:
            self._machine.says(place, serving)
            self._serve()

        connection = self._connections[numbers[0]]

        def take() -> bool:
            return self._machine.take(connection.number)

        self._checks[place] = HealthCheck(connection, take, told)


def _closed() -> CancelledCall:
    return CancelledCall("the client is closed", not_started=True)
