"""The TLS scan of `make check`: what a server and our clients really accept, beside docs/tls.md.

Starts a server on the loopback interface, asks it one question after the other, prints a table, and
ends with 1 where a row differs from the table in the documentation. (sslyze cannot do this: it sends
no ALPN, and without `hito/1` every handshake is refused.)
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Iterator, List, Mapping, Sequence, Tuple

import tls_clients
import tls_sessions
from certificates import Authority
from client_hello import ALL_GROUPS, ALPN, KEY_SHARE, SUITES_1_3, SUITES_OLD, TLS_1_2, TLS_1_3
from client_hello import VERSIONS, Answer, Chosen, Refused, ask
from hito_server import REPOSITORY, HitoServer

PAGE = REPOSITORY / "docs" / "tls.md"
MARKER = "<!-- checked by make check: the TLS scan -->"
Row = Tuple[str, str]


def scan(server: HitoServer, authority: Authority, folder: Path) -> Iterator[Row]:
    address = server.address
    yield "protocol versions", versions(address)
    yield "cipher suites", summary(
        SUITES_1_3, lambda suite: ask(address, suites=[suite]), lambda chosen: chosen.suite
    )
    yield "key exchange", summary(
        ALL_GROUPS, lambda group: ask(address, groups=[group]), lambda chosen: chosen.group
    )
    yield "ALPN", application_protocols(address)
    yield "compression", said(ask(address, compression=b"\x01\x00"))
    yield "renegotiation", renegotiation(address)
    yield "session tickets", tls_sessions.tickets(server)
    yield "early data", tls_sessions.early_data(server)
    yield "development certificate", tls_clients.names(server)
    yield "client certificates (`--tls-client-ca`)", tls_clients.mutual(server, authority, folder)
    yield "`hito call` refuses", tls_clients.refusals(folder, tls_clients.swift_client(server))
    yield "the Python client refuses", tls_clients.refusals(folder, tls_clients.python_client)


def said(answer: Answer) -> str:
    return f"refused: {answer.reason}" if isinstance(answer, Refused) else "accepted"


def versions(address: str) -> str:
    older = {"SSL 3.0": 0x0300, "TLS 1.0": 0x0301, "TLS 1.1": 0x0302, "TLS 1.2": TLS_1_2}
    for name, number in older.items():
        # As those versions said it, and in the manner of TLS 1.3, where a list names the versions.
        old = ask(address, legacy_version=number, versions=(), suites=SUITES_OLD)
        for answer in (old, ask(address, versions=[number])):
            refusals = (Refused("protocol_version"), Refused("handshake_failure"))
            assert answer in refusals, f"{name}: {answer}"
    both = ask(address, versions=[TLS_1_2, TLS_1_3])
    assert isinstance(both, Chosen) and both.version == TLS_1_3, both
    return f"TLS 1.3; refused: {', '.join(older)}"


def summary(
    names: Mapping[str, int], question: Callable[[int], Answer], choice: Callable[[Chosen], object]
) -> str:
    """Which of them are accepted, each asked for alone."""
    accepted: List[str] = []
    refused: List[str] = []
    for name, number in names.items():
        answer = question(number)
        if isinstance(answer, Chosen):
            assert choice(answer) == number, f"asked for {name} alone, got {answer}"
            accepted.append(name)
        else:
            assert answer.reason == "handshake_failure", f"{name}: {answer}"
            refused.append(name)
    return f"{', '.join(accepted)}; refused: {', '.join(refused)}"


def application_protocols(address: str) -> str:
    assert isinstance(ask(address, alpn=["h2", "hito/1"]), Chosen)
    others: Sequence[Sequence[str]] = (["h2"], ["http/1.1"], ["hito/2"], ["HITO/1"], [])
    answers = {said(ask(address, alpn=names)) for names in others}
    return f"`hito/1`; any other and none {' and '.join(sorted(answers))}"


def renegotiation(address: str) -> str:
    """TLS 1.3 has none; a server that offered it would answer the client's signal."""
    answer = ask(address)
    assert isinstance(answer, Chosen)
    extra = set(answer.extensions) - {VERSIONS, KEY_SHARE, ALPN}
    return "not offered" if not extra else f"the server's hello has extensions {sorted(extra)}"


def promised() -> List[str]:
    """The table of the documentation, line by line."""
    _, marker, rest = PAGE.read_text().partition(MARKER)
    assert marker, f"{PAGE} has no line {MARKER}"
    lines = rest.lstrip().splitlines()
    end = next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return lines[:end]


def main() -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hito-tls-", dir="/tmp") as name:
        folder = Path(name)
        authority = Authority(folder, "clients")
        server = HitoServer()
        server.options = ["--tls-client-ca", authority.files.certificate]
        try:
            server.start()
            rows = list(scan(server, authority, folder))
            assert server.stop() == 0, server.tail()
        finally:
            server.remove()
    found = ["| what | answer |", "|---|---|", *(f"| {what} | {answer} |" for what, answer in rows)]
    print("\n".join(found))
    if found == promised():
        print(f"TLS: {len(rows)} rows are as docs/tls.md says ({time.monotonic() - began:.0f} s)")
        return 0
    for line in sorted(set(found) ^ set(promised())):
        print(f"TLS: {'found   ' if line in found else 'promised'}: {line}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
