"""Who trusts whom: names, authorities and dates, seen from clients and from the server."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Callable, Dict, List, Optional

from certificates import Authority, Certificate
from hito import v1
from hito_server import HitoServer
from raw_peer import RawPeer

import hito

CHECK = "hito.v1.HealthService/Check"
Client = Callable[[str, str], None]
"""Calls the server at an address, trusting an authority; whatever becomes of it."""


def names(server: HitoServer) -> str:
    """For which names and addresses the development certificate is good."""
    host, _, port = server.address.rpartition(":")
    good: List[str] = []
    for name in ("localhost", "127.0.0.1", "::1", "127.0.0.2", "example.org"):
        context = ssl.create_default_context(cafile=server.ca_file)
        context.set_alpn_protocols(["hito/1"])
        with socket.create_connection((host, int(port)), timeout=10) as plain:
            try:
                context.wrap_socket(plain, server_hostname=name).close()
                good.append(name)
            except ssl.SSLCertVerificationError:
                pass
    return f"for {', '.join(good)}"


def mutual(server: HitoServer, authority: Authority, folder: Path) -> str:
    """What becomes of callers with each kind of certificate, where the server asks for one."""
    callers: Dict[str, Optional[Certificate]] = {
        "none": None,
        "of its authority": authority.sign("client", "DNS:client"),
        "expired": authority.sign("late", "DNS:late", days=-1),
        "of another authority": Authority(folder, "strangers").sign("stranger", "DNS:stranger"),
    }
    accepted: List[str] = []
    refused: List[str] = []
    for kind, certificate in callers.items():
        try:
            with RawPeer(server, certificate=certificate) as peer:
                peer.call(1, CHECK)
                assert peer.end(1).status == 0
            accepted.append(kind)
        except (ssl.SSLError, ConnectionError, EOFError):
            refused.append(kind)
    return f"accepted: {', '.join(accepted)}; refused: {', '.join(refused)}"


def refusals(folder: Path, client: Client) -> str:
    """Which wrong servers a client refuses; the right one must pass."""
    trusted = _authority(folder, "trusted")
    servers = {
        "the right one": trusted.sign("right", "IP:127.0.0.1"),
        "another name": trusted.sign("name", "DNS:example.org"),
        "an expired certificate": trusted.sign("expired", "IP:127.0.0.1", days=-1),
        "another authority": _authority(folder, "unknown").sign("other", "IP:127.0.0.1"),
    }
    refused = []
    for kind, certificate in servers.items():
        with _Listener(certificate) as listener:
            client(listener.address, trusted.files.certificate)
        if not listener.handshakes:
            refused.append(f"no connection to {kind}")
        elif not any(listener.handshakes):
            refused.append(kind)
    return ", ".join(refused)


def swift_client(server: HitoServer) -> Client:
    def call(address: str, authority: str) -> None:
        subprocess.run(
            [server.program, "call", "HealthService/Check", "--address", address,
             "--ca", authority, "--timeout", "3s"],
            capture_output=True, timeout=60, check=False, env={**os.environ, "HITO_TOKEN": "t"},
        )  # fmt: skip

    return call


def python_client(address: str, authority: str) -> None:
    async def call() -> None:
        async with await hito.Client.connect(address, ca_file=authority, timeout=3.0) as client:
            await client.health.check(v1.HealthCheckRequest())

    try:
        asyncio.run(call())
    except (hito.HitoError, OSError):
        pass


def _authority(folder: Path, name: str) -> Authority:
    count = len(list(folder.iterdir()))
    return Authority(folder, f"{name}-{count}")


class _Listener:
    """A server that shakes hands and hangs up; `handshakes` says how each of them ended.

    A client that refuses a certificate says so before the handshake is complete.
    """

    def __init__(self, certificate: Certificate) -> None:
        self.handshakes: List[bool] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        self._context.set_alpn_protocols(["hito/1"])
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "_Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would leave `accept` waiting.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(20)
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            plain.settimeout(10)
            try:
                with self._context.wrap_socket(plain, server_side=True):
                    self.handshakes.append(True)
            except (ssl.SSLError, OSError):
                self.handshakes.append(False)
                plain.close()
