"""What a case of a server has: connections to it, tokens, and what the server was started with."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from .. import proto, tls, wire
from ..cases import Case, Failure, Registry, Skipped
from ..peer import Peer

REGISTRY = Registry()
case, table = REGISTRY.case, REGISTRY.table

CHECK = "hito.v1.HealthService/Check"
HEALTH_WATCH = "hito.v1.HealthService/Watch"
DESCRIPTORS = "hito.v1.ReflectionService/GetDescriptorSet"
SERVER_INFO = "hito.v1.ServerService/GetServerInfo"
CREATE_GOAL = "hito.v1.GoalService/CreateGoal"
GET_GOAL = "hito.v1.GoalService/GetGoal"
LIST_GOALS = "hito.v1.GoalService/ListGoals"
PROGRESS_WATCH = "hito.v1.ProgressService/Watch"
CONSUME = "hito.v1.EventService/Consume"
INGEST = "hito.v1.CourseService/IngestDocuments"
CREATE_USER = "hito.v1.UserService/CreateUser"
CREATE_TOKEN = "hito.v1.UserService/CreateToken"
REVOKE_TOKEN = "hito.v1.UserService/RevokeToken"

SERVING = b"\x08\x01"

# Of HELLO: credit for the largest reply of the contract, its own description, on each stream.
ROOM = (6, wire.u32(1 << 20))


class Target(NamedTuple):
    """The server under test."""

    host: str
    port: int
    ca_file: str
    token: str
    limits: Dict[str, float]
    """Seconds: `hello`, `idle_anonymous`, `keepalive_idle`, `keepalive_timeout`, `stall`."""
    slowest: float
    drain_command: str


class Drain:
    """Lets the cases of the drain phase begin it together."""

    def __init__(self, count: int, command: str) -> None:
        self._left, self._command = count, command
        self._begun = asyncio.Event()

    async def begin(self) -> None:
        """Returns when all cases are here and the server was told."""
        await self.leave()
        await self._begun.wait()

    async def leave(self) -> None:
        """One case less to wait for."""
        self._left -= 1
        if self._left == 0:
            process = await asyncio.create_subprocess_shell(self._command)
            if await process.wait() != 0:
                raise Failure(f"the command that begins the drain failed: {self._command}")
            self._begun.set()


class ServerTest:
    """Given to each case."""

    def __init__(self, target: Target, case: Case, drain: Optional[Drain] = None) -> None:
        self.target, self.case = target, case
        self._drain = drain
        self._has_drained = False
        self._peers: List[Peer] = []

    @property
    def token(self) -> str:
        if not self.target.token:
            raise Skipped("needs --token-file")
        return self.target.token

    def seconds(self, name: str) -> float:
        """What the server was started with; skips a case that would take too long."""
        value = self.target.limits[name]
        if value > self.target.slowest:
            raise Skipped(f"takes {value:g} s; --slowest allows {self.target.slowest:g}")
        return value

    async def tcp(self) -> Tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self.target.host, self.target.port)
        return reader, writer

    async def dial(
        self, alpn: Optional[str] = "hito/1", version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        split: str = "",
    ) -> Peer:  # fmt: skip
        """A connection after its TLS handshake."""
        reader, writer = await self.tcp()
        context = tls.client_context(self.target.ca_file, alpn, version)
        stream = tls.TLSStream(reader, writer, context, self.target.host)
        try:
            await stream.handshake()
        except BaseException:
            stream.abort()
            raise
        peer = Peer(stream, "client", split or self.case.split, self.case.name)
        self._peers.append(peer)
        return peer

    async def connect(
        self, *hello: wire.Field, token: Any = False, split: str = "",
    ) -> Peer:  # fmt: skip
        """A connection after HELLO; with the token where it is asked for."""
        peer = await self.dial(split=split)
        own = list(hello)
        if token:
            own.append((8, (self.token if token is True else token).encode()))
        await peer.send(wire.hello(*own))
        frame = await peer.expect(wire.HELLO, 0, skip=False)
        peer.hello = dict(wire.parse_block(frame.payload)[0])
        peer.credit = wire.number(peer.hello.get(7, wire.u32(1 << 20)))
        return peer

    async def known(self, *hello: wire.Field, split: str = "") -> Peer:
        """A connection whose token was accepted, on stream 1."""
        peer = await self.connect(*hello, token=True, split=split)
        await peer.call(1, GET_GOAL, proto.field(1, NO_GOAL))
        await peer.expect_status(1, wire.NOT_FOUND)
        return peer

    async def learner(self, name: str) -> Tuple[str, str]:
        """A new learner and a token: its secret and its id."""
        async with OneCall(self) as call:
            # Made once for a name and a run of the server; the key makes a repeat the same.
            made = await call(CREATE_USER, proto.field(2, name))
            user = proto.text(made, 1, 1)
            made = await call(CREATE_TOKEN, proto.field(1, user))
        return proto.text(made, 2), proto.text(made, 1, 1)

    async def drain(self) -> None:
        assert self._drain is not None
        self._has_drained = True
        await self._drain.begin()

    async def finish(self) -> None:
        for peer in self._peers:
            peer.kill()
        if self._drain is not None and not self._has_drained:
            await self._drain.leave()


NO_GOAL = "00000000-0000-4000-8000-000000000000"


class OneCall:
    """Calls that must work, on a connection of their own."""

    def __init__(self, test: ServerTest) -> None:
        self._test = test
        self._stream = -1

    async def __aenter__(self) -> "OneCall":
        self._peer = await self._test.connect(token=True, split="whole")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._peer.kill()

    async def __call__(self, path: str, message: bytes, *fields: wire.Field) -> bytes:
        self._stream += 2
        await self._peer.call(self._stream, path, message, *fields)
        end = await self._peer.expect_status(self._stream, wire.OK)
        return end.message or b""
