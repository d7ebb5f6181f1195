"""Certificates and clients for the tests."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import AsyncIterator, Awaitable, Callable, Tuple

import pytest
import pytest_asyncio

import hito

Connect = Callable[..., Awaitable[hito.Client]]


class Certificates:
    """An authority and a certificate for 127.0.0.1 that it signed, made for this run."""

    def __init__(self, folder: Path) -> None:
        self.ca_file = str(folder / "ca.pem")
        self.ca_key = str(folder / "ca-key.pem")
        self._cert, self._key = str(folder / "cert.pem"), str(folder / "key.pem")
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        _openssl(
            "req", "-x509", *key, "-keyout", self.ca_key, "-out", self.ca_file,
            "-subj", "/CN=Test authority", "-days", "2",
            # Without it Python 3.13 trusts no authority.
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip
        _openssl(
            "req", "-x509", *key, "-keyout", self._key, "-out", self._cert, "-subj", "/CN=test",
            "-days", "2", "-addext", "subjectAltName=IP:127.0.0.1", "-CA", self.ca_file,
            "-CAkey", self.ca_key, "-addext", "basicConstraints=critical,CA:FALSE",
        )  # fmt: skip

    @property
    def own(self) -> Tuple[str, str]:
        """The files of certificate and key."""
        return self._cert, self._key

    def server_context(self, alpn: str = "hito/1") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._cert, self._key)
        context.set_alpn_protocols([alpn])
        return context


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls(certificates: Certificates) -> ssl.SSLContext:
    return certificates.server_context()


@pytest_asyncio.fixture
async def connect(certificates: Certificates) -> AsyncIterator[Connect]:
    """Connects clients that are closed at the end of the test."""
    clients = []

    async def connect(address: object, **options: object) -> hito.Client:
        client = await hito.Client.connect(
            address, ca_file=certificates.ca_file, **options  # type: ignore[arg-type]
        )
        clients.append(client)
        return client

    yield connect
    for client in clients:
        await client.close()
