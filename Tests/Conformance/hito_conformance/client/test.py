"""What a case of a client has: servers that it plays, and the program under test."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from .. import proto, tls, wire
from ..cases import Case, Failure, Registry, TimeFactor
from ..peer import Peer
from ..program import Answer, Program, Result
from ..tls import Closed

REGISTRY = Registry()
case, table = REGISTRY.case, REGISTRY.table

CHECK = "hito.v1.HealthService/Check"
HEALTH_WATCH = "hito.v1.HealthService/Watch"
GET_GOAL = "hito.v1.GoalService/GetGoal"
CREATE_GOAL = "hito.v1.GoalService/CreateGoal"
GENERATE_GOAL = "hito.v1.GoalService/GenerateGoal"
INGEST = "hito.v1.CourseService/IngestDocuments"
CONSUME = "hito.v1.EventService/Consume"
PROGRESS_WATCH = "hito.v1.ProgressService/Watch"
KINDS = {HEALTH_WATCH: "server_stream", GENERATE_GOAL: "server_stream", PROGRESS_WATCH: "server_stream",
         INGEST: "client_stream", CONSUME: "bidi"}  # fmt: skip

SERVING = b"\x08\x01"


class Certificates(NamedTuple):
    """Made for one run: an authority, a certificate for 127.0.0.1, one for another host, and a stranger's."""

    ca: str
    good: Tuple[str, str]
    other_host: Tuple[str, str]
    stranger: Tuple[str, str]

    @classmethod
    def make(cls, folder: Path) -> "Certificates":
        _authority(folder, "ca")
        _authority(folder, "stranger-ca")
        return cls(
            str(folder / "ca.pem"), _signed(folder, "good", "ca", "IP:127.0.0.1"),
            _signed(folder, "other", "ca", "DNS:other.example"),
            _signed(folder, "strange", "stranger-ca", "IP:127.0.0.1"),
        )  # fmt: skip


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _authority(folder: Path, name: str) -> None:
    _openssl("req", "-x509", *_KEY, "-keyout", str(folder / f"{name}-key.pem"), "-out", str(folder / f"{name}.pem"),
             "-subj", f"/CN=Conformance {name}", "-days", "2",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip


def _signed(folder: Path, name: str, authority: str, host: str) -> Tuple[str, str]:
    certificate, key = str(folder / f"{name}.pem"), str(folder / f"{name}-key.pem")
    _openssl("req", "-x509", *_KEY, "-keyout", key, "-out", certificate, "-subj", "/CN=conformance", "-days", "2",
             "-addext", f"subjectAltName={host}", "-addext", "basicConstraints=critical,CA:FALSE",
             "-CA", str(folder / f"{authority}.pem"), "-CAkey", str(folder / f"{authority}-key.pem"))  # fmt: skip
    return certificate, key


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Server:
    """A port, and the connections that were made to it."""

    def __init__(self, test: "ClientTest", context: ssl.SSLContext) -> None:
        self._test, self._context = test, context
        self._accepted: "asyncio.Queue[Peer | BaseException]" = asyncio.Queue()
        self.refused: List[BaseException] = []
        """Handshakes that failed."""
        self.count = 0
        """Connections so far."""

    async def listen(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def accept(self) -> Peer:
        """The next connection, after its TLS handshake."""
        got = await self._accepted.get()
        if isinstance(got, BaseException):
            raise Failure(f"expected a TLS handshake, got {got}")
        return got

    async def refusal(self) -> BaseException:
        """The failure of a handshake."""
        got = await self._accepted.get()
        if not isinstance(got, BaseException):
            raise Failure("expected the handshake to fail")
        return got

    async def greeted(self, *hello: wire.Field) -> Peer:
        """The next connection, after both HELLOs."""
        peer = await self.accept()
        await greet(peer, *hello)
        return peer

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count += 1
        stream = tls.TLSStream(reader, writer, self._context, None)
        try:
            await stream.handshake()
            peer = Peer(stream, "server", self._test.case.split, self._test.case.name)
        except (ssl.SSLError, OSError, Closed) as error:
            self._accepted.put_nowait(error)
            stream.abort()
            return
        self._test.peers.append(peer)
        self._accepted.put_nowait(peer)

    def close(self) -> None:
        self._server.close()


class Called(NamedTuple):
    """A call that has arrived, its requests whole."""

    stream: int
    path: str
    fields: Dict[int, bytes]
    metadata: List[Tuple[str, str]]
    messages: List[bytes]
    is_half_closed: bool


class ClientTest:
    """Given to each case."""

    def __init__(self, program: Program, certificates: Certificates, case: Case) -> None:
        self.program, self.certificates, self.case = program, certificates, case
        self.peers: List[Peer] = []
        self._servers: List[Server] = []
        self._clients = 0

    async def server(
        self, certificate: Optional[Tuple[str, str]] = None, alpn: Optional[str] = "hito/1",
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, port: int = 0,
    ) -> Server:  # fmt: skip
        context = tls.server_context(*(certificate or self.certificates.good), alpn, version)
        server = Server(self, context)
        await server.listen(port)
        self._servers.append(server)
        return server

    def client(self, *addresses: str, **options: Any) -> "UnderTest":
        """Begins to open a client."""
        self._clients += 1
        name = f"{self.case.name} {self._clients}"
        answer = self.program.ask(
            op="open", client=name, addresses=list(addresses), ca_file=self.certificates.ca, **options
        )
        return UnderTest(self, name, answer)

    async def flush(self) -> None:
        """What is merged is sent before an answer is waited for."""
        for peer in self.peers:
            await peer.flush()

    async def connected(self, *hello: wire.Field, **options: Any) -> Tuple["UnderTest", Peer, Server]:
        """A client with one connection to one server."""
        server = await self.server()
        client = self.client(server.address, **options)
        accepted = asyncio.create_task(server.greeted(*hello))
        opened = asyncio.create_task(client.ready())
        # A client that connects with its first call opens before it connects.
        await asyncio.wait({accepted, opened}, return_when=asyncio.FIRST_COMPLETED)
        if not accepted.done():
            opened.result()
            first = client.call(CHECK)
            peer = await accepted
            got = await next_call(peer)
            await peer.send(wire.end_ok(got.stream, SERVING))
            await first.result()
            peer.log.clear()
            return client, peer, server
        peer = await accepted
        await opened
        return client, peer, server

    async def finish(self) -> None:
        for peer in self.peers:
            peer.kill()
        for server in self._servers:
            server.close()
        closing = [self.program.ask(op="close", client=f"{self.case.name} {n + 1}") for n in range(self._clients)]
        await asyncio.gather(*(answer.reply() for answer in closing), return_exceptions=True)

    @property
    def _peers(self) -> List[Peer]:
        return self.peers


class UnderTest:
    """One client of the program."""

    def __init__(self, test: ClientTest, name: str, opening: Answer) -> None:
        self._test, self._program = test, test.program
        self._name, self.opening = name, opening
        opening.before = test.flush

    async def ready(self) -> None:
        result = await self.opening.result()
        if result.status != wire.OK:
            raise Failure(f"expected a client, got {name(result.status)} {result.text!r}")

    async def cannot(self, *statuses: int) -> Result:
        """The client finds no server: at once, or with its first call."""
        result = await self.opening.result()
        if result.status == wire.OK:
            result = await self.call(CHECK, timeout_ms=1500).result()
        return expect(result, *statuses)

    def call(
        self, path: str, *messages: bytes, kind: str = "", timeout_ms: Optional[int] = -1, **more: Any
    ) -> Answer:
        """Begins a call. A unary one without a message has an empty one."""
        if timeout_ms == -1:
            timeout_ms = int(8000 * TimeFactor.value)
        kind = kind or KINDS.get(path, "unary")
        sent = messages or ((b"",) if kind in ("unary", "server_stream") else ())
        answer = self._program.ask(
            op="call", client=self._name, method=path, kind=kind, timeout_ms=timeout_ms,
            messages=[message.hex() for message in sent], **more,
        )  # fmt: skip
        answer.before = self._test.flush
        return answer

    async def cancel(self, call: Answer) -> None:
        await self._program.ask(op="cancel", call=call.number).reply()

    async def resume(self, call: Answer) -> None:
        """Has a reader that paused (`pause_after`) read again."""
        await self._program.ask(op="resume", call=call.number).reply()

    def close(self) -> Answer:
        return self._program.ask(op="close", client=self._name)


async def greet(peer: Peer, *hello: wire.Field) -> None:
    """Exchanges HELLO; what the client says is kept."""
    frame = await peer.expect(wire.HELLO, 0, skip=False)
    peer.hello = dict(wire.parse_block(frame.payload)[0])
    peer.credit = wire.number(peer.hello.get(7, wire.u32(1 << 20)))
    await peer.send(wire.hello(*hello))
    await peer.flush()


async def next_call(peer: Peer, messages: Optional[int] = None) -> Called:
    """The next CALL with all of its requests; with so many messages where the client does not half-close."""
    if peer.passed_calls:
        frame = peer.passed_calls.pop(0)
    else:
        frame = await peer.until("CALL", lambda frame: frame.kind == wire.CALL)
    fields, rest = wire.parse_block(frame.payload)
    known = {tag: value for tag, value in fields if tag != 6}
    whole: List[bytes] = []
    pending = rest if frame.flags & wire.HAS_MESSAGE else None
    flags = frame.flags
    if rest and not flags & wire.FLAG_END:
        await peer.send(*(wire.credit(place, max(1024, len(rest))) for place in (frame.stream, 0)))
    while True:
        if pending is not None and not flags & wire.FLAG_MORE:
            whole.append(pending)
            pending = None
        if flags & wire.FLAG_END or messages is not None and len(whole) >= messages:
            break
        after = await peer.until(
            f"MESSAGE or END of stream {frame.stream}",
            lambda got: got.stream == frame.stream and got.kind in (wire.MESSAGE, wire.END),
        )
        if after.kind == wire.END:
            flags = wire.FLAG_END
            break
        pending = (pending or b"") + after.payload
        flags = after.flags
        # As a server grants: on arrival, which is the same for all of these cases.
        if after.payload and not flags & wire.FLAG_END:
            await peer.send(wire.credit(frame.stream, max(1024, len(after.payload))))
        if after.payload:
            await peer.send(wire.credit(0, max(1024, len(after.payload))))
    return Called(
        frame.stream, known.get(1, b"").decode(), known,
        [wire.parse_metadata(value) for tag, value in fields if tag == 6], whole,
        bool(flags & wire.FLAG_END),
    )  # fmt: skip


def name(status: int) -> str:
    return wire.STATUSES[status] if 0 <= status < len(wire.STATUSES) else str(status)


def expect(result: Result, *statuses: int) -> Result:
    if result.status not in statuses:
        names = " or ".join(map(name, statuses))
        raise Failure(f"expected the client to say {names}, it says {name(result.status)} {result.text!r}")
    return result


def equal(what: str, expected: object, got: object) -> None:
    if expected != got:
        raise Failure(f"expected {what} {_short(expected)}, got {_short(got)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 120 else f"{text[:120]}… ({len(text)} characters)"


def goal(title: str) -> bytes:
    """A response of GetGoal and CreateGoal: a goal with a title."""
    return proto.field(1, proto.field(4, title))


def details(*, retry_delay_us: int = 0, reason: int = 0, part: str = "") -> wire.Field:
    """ErrorDetails as END's tag 3."""
    encoded = b""
    if reason:
        encoded += proto.field(1, reason)
    if retry_delay_us:
        encoded += proto.field(3, retry_delay_us)
    if part:
        encoded += proto.field(6, part)
    return 3, encoded
