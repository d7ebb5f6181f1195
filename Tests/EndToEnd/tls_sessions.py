"""Tickets and early data, through the program `openssl s_client`."""

from __future__ import annotations

import base64
import re
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Sequence

from hito_server import HitoServer

_TICKET = "Post-Handshake New Session Ticket arrived"


def tickets(server: HitoServer) -> str:
    with tempfile.TemporaryDirectory() as folder:
        session = Path(folder) / "session.pem"
        first = _client(server, "-sess_out", str(session))
        hints = re.findall(r"ticket lifetime hint: (\d+)", first)
        again = _client(server, "-sess_in", str(session))
    answer = "accepted" if "\nReused, TLSv1.3" in again else "not accepted"
    return f"{first.count(_TICKET)} for each connection, good for {int(hints[-1]):,} s; {answer}"


def early_data(server: HitoServer) -> str:
    """Whether a ticket allows early data, and what happens to some that is sent all the same."""
    with tempfile.TemporaryDirectory() as folder:
        session, forged, data = (Path(folder) / name for name in ("session", "forged", "data"))
        output = _client(server, "-sess_out", str(session))
        allowed = {int(number) for number in re.findall(r"Max Early Data: (\d+)", output)}
        assert allowed == {0}, f"tickets allow early data: {allowed}"
        data.write_bytes(b"early")
        forged.write_text(_allow_early_data(session.read_text()))
        output = _client(server, "-sess_in", str(forged), "-early_data", str(data))
    answer = re.search(r"Early data was (.*)", output)
    return f"not offered; sent all the same: {answer.group(1) if answer else 'no answer'}"


def _client(server: HitoServer, *options: str) -> str:
    """What s_client prints about one connection that is closed once a ticket came."""
    command: Sequence[str] = (
        "openssl", "s_client", "-connect", server.address, "-CAfile", server.ca_file,
        "-verify_return_error", "-alpn", "hito/1", *options,
    )  # fmt: skip
    lines = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        # A server that sends no ticket would let us wait until it closes.
        clock = threading.Timer(5, process.stdin.close)
        clock.start()
        for line in process.stdout:
            lines.append(line)
            if line.startswith("read R BLOCK") and not process.stdin.closed:
                process.stdin.close()
        clock.cancel()
    return "".join(lines)


def _allow_early_data(pem: str) -> str:
    """The session as if its ticket had allowed 1,024 bytes: field 15 of OpenSSL's SSL_SESSION."""
    lines = pem.strip().splitlines()
    body = base64.b64decode("".join(lines[1:-1]))
    fields = b""
    field = b"\xaf\x04\x02\x02\x04\x00"
    rest = _contents(body)
    while rest:
        one, rest = _split(rest)
        # Fields are in the order of their tags, 0xa0 and up for those with a number.
        if field and one[0] > 0xAF:
            fields, field = fields + field, b""
        fields += one
    fields += field
    sequence = b"\x30\x82" + len(fields).to_bytes(2, "big") + fields
    return "\n".join([lines[0], base64.encodebytes(sequence).decode().strip(), lines[-1], ""])


def _split(data: bytes) -> "tuple[bytes, bytes]":
    """The first element of DER, and what follows it."""
    end = len(data) - len(_after_length(data)) + _length(data)
    return data[:end], data[end:]


def _contents(data: bytes) -> bytes:
    return _after_length(data)[: _length(data)]


def _length(data: bytes) -> int:
    if data[1] < 0x80:
        return data[1]
    return int.from_bytes(data[2 : 2 + (data[1] & 0x7F)], "big")


def _after_length(data: bytes) -> bytes:
    return data[2 if data[1] < 0x80 else 2 + (data[1] & 0x7F) :]
