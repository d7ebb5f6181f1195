"""Certificates that change under a running server."""

from __future__ import annotations

import signal
import socket
import ssl

from history import eventually
from hito import v1


def _served_certificate(server) -> str:
    host, _, port = server.address.rpartition(":")
    context = ssl.create_default_context(cafile=server.ca_file)
    context.set_alpn_protocols(["hito/1"])
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=host) as peer:
            return ssl.DER_cert_to_PEM_cert(peer.getpeercert(binary_form=True))


async def test_new_certificates_are_read_on_sighup_and_open_connections_stay(mortal, connect):
    client = await connect(mortal)
    before = _served_certificate(mortal)
    certificate = mortal.data / "tls" / "server.pem"

    # Without its certificate a server makes another one of the same authority.
    certificate.unlink()
    mortal.signal(signal.SIGHUP)

    async def is_new() -> bool:
        return _served_certificate(mortal) != before

    await eventually("a new certificate", is_new)
    assert certificate.exists()
    assert mortal.is_running
    # The connection from before continues.
    await client.health.check(v1.HealthCheckRequest())

    # Files that are no good change nothing.
    after = _served_certificate(mortal)
    (mortal.data / "tls" / "server.key").write_text("no key")
    mortal.signal(signal.SIGHUP)

    async def is_logged() -> bool:
        return "the certificates stay as they are" in mortal.tail(200)

    await eventually("a line in the log", is_logged)
    assert _served_certificate(mortal) == after
