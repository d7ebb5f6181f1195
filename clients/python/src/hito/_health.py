"""What a server says of itself (clients/BEHAVIOUR.md, C1.8)."""

from __future__ import annotations

import asyncio
from typing import Callable, Optional

from google.protobuf.message import DecodeError

from hito import _wire
from hito._call import Call
from hito._connection import Connection
from hito._retry import Backoff
from hito.errors import HitoError, ResourceExhausted, Unavailable
from hito.v1 import server_pb2

_PATH = "hito.v1.HealthService/Watch"
_NOT_SERVING = (server_pb2.HEALTH_STATUS_NOT_SERVING, server_pb2.HEALTH_STATUS_DRAINING)


class HealthCheck:
    """Listens to what the server of one connection says. A server counts as one that serves until it
    says otherwise, and again when it says no more."""

    def __init__(
        self, connection: Connection, take: Callable[[], bool], tell: Callable[[bool], None]
    ) -> None:
        """`take`: a place for a call on the connection, if there is one."""
        self.connection = connection
        self._take = take
        self._tell = tell
        self._call: Optional[Call] = None
        self._backoff = Backoff()
        self._is_cancelled = False
        self.task = asyncio.create_task(self._run(), name="hito health")

    def cancel(self) -> None:
        # Who asks next says how the server is.
        self._is_cancelled = True
        if self._call is not None:
            self._call.cancel()
        self.task.cancel()

    async def _run(self) -> None:
        while self.connection.is_open:
            try:
                if self._take():
                    await self._listen()
            except (Unavailable, ResourceExhausted):
                pass
            except (HitoError, DecodeError):
                # A server that does not have the method is not asked again.
                return
            await asyncio.sleep(self._backoff.next())

    async def _listen(self) -> None:
        request = server_pb2.HealthWatchRequest().SerializeToString()
        header = _wire.CallHeader(_PATH, None)
        self._call = self.connection.open(header, request, half_close=True)
        try:
            await self._call.flush()
            while (message := await self._call.receive()) is not None:
                said = server_pb2.HealthCheckResponse.FromString(message)
                self._backoff.reset()
                self._tell(said.status not in _NOT_SERVING)
        finally:
            self._call.cancel()
            if not self._is_cancelled:
                self._tell(True)
