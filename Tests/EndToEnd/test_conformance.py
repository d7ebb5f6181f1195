"""The conformance runner as a program: against our server and clients, and that it finds what is wrong."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import List
from xml.etree import ElementTree

import pytest
from certificates import Authority
from hito_server import REPOSITORY

FOLDER = REPOSITORY / "Tests" / "Conformance"
SECONDS = 540
# After expansion; see `runner.py server --list`.
SERVER_CASES, CLIENT_CASES = 900, 800


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=SECONDS, check=False
    )


def runner(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return run(str(FOLDER / "runner.py"), *arguments)


@pytest.mark.parametrize(
    "side, least", [("server", SERVER_CASES), ("python", CLIENT_CASES), ("swift", CLIENT_CASES)]
)
def test_ours_conform(side: str, least: int, tmp_path: Path):
    report = tmp_path / "junit.xml"
    done = run(str(FOLDER / "ours.py"), side, "--quiet", "--time-factor", "6", "--junit", str(report))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    figures = re.search(
        r"# (\d+) cases: (\d+) passed, 0 failed, (\d+) fail as known, 0 skipped, in ", done.stdout
    )
    assert figures, done.stdout[-2000:]
    cases, passed, known = map(float, figures.groups())
    assert cases == passed + known and passed >= least
    suite = ElementTree.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures")) == (str(int(cases)), "0")


def test_each_clause_has_a_case_or_a_reason():
    done = runner("clauses")
    assert done.returncode == 0, done.stdout


def test_a_client_that_does_nothing_does_not_conform(tmp_path: Path):
    program = tmp_path / "idle.py"
    program.write_text(
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    print(json.dumps({'id': json.loads(line)['id'], 'status': 0, 'messages': ['0801']}), flush=True)\n"
    )
    done = runner("client", "--run", "grpc/empty_unary/whole", "--", sys.executable, str(program))
    assert done.returncode == 1
    assert "not ok 1 - grpc/empty_unary/whole" in done.stdout


def test_a_known_failure_that_passes_is_an_error(tmp_path: Path):
    known = tmp_path / "known.txt"
    known.write_text("W10.1/zeros/*  it never answered\n")
    adapter = str(FOLDER / "adapters" / "python_client.py")
    options = ["client", "--run", "W10.1", "--known-failing", str(known), "--", sys.executable, adapter]
    done = runner(*options)
    assert done.returncode == 1
    assert "passes, and is listed as a known failure: it never answered" in done.stdout
    known.write_text("W99.9/none  it is no more\n")
    assert runner(*options).returncode == 2


@pytest.mark.parametrize(
    "mistake, case, reason",
    [
        ("pong", "W10.1/text/whole", "expected PONG b'hitoping', got PONG b'hitopinG'"),
        ("end", "W5.5/unary-in-one-frame/whole", "W7.2: status 99"),
        ("flags", "W5.5/unary-in-one-frame/whole", "W2.4: END with flags 0x1"),
        ("unknown", "W2.5/kind-0/whole", "expected GOAWAY PROTOCOL_ERROR, got end of file"),
    ],
)
def test_a_wrong_server_is_found_out(tmp_path: Path, mistake: str, case: str, reason: str):
    authority = Authority(tmp_path, "ca")
    with WrongServer(authority, mistake) as server:
        done = runner("server", "--address", server.address, "--ca", authority.files.certificate, "--run", case)
    assert done.returncode == 1, done.stdout
    assert reason in done.stdout


class WrongServer:
    """Greets, and makes one mistake."""

    def __init__(self, authority: Authority, mistake: str) -> None:
        self._mistake = mistake
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*authority.sign("server", "IP:127.0.0.1"))
        self._context.set_alpn_protocols(["hito/1"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._threads: List[threading.Thread] = []

    def __enter__(self) -> "WrongServer":
        thread = threading.Thread(target=self._serve, daemon=True)
        thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        try:
            tcp, _ = self._listener.accept()
            with self._context.wrap_socket(tcp, server_side=True) as peer:
                while True:
                    length, kind, _, stream = struct.unpack(">IBBI", _exactly(peer, 10))
                    self._answer(peer, kind, stream, _exactly(peer, length))
        except (OSError, EOFError):
            pass

    def _answer(self, peer: ssl.SSLSocket, kind: int, stream: int, payload: bytes) -> None:
        def send(kind: int, flags: int, stream: int, payload: bytes) -> None:
            peer.sendall(struct.pack(">IBBI", len(payload), kind, flags, stream) + payload)

        if kind == 1:
            send(1, 0, 0, b"\0\0")
        elif kind == 7:
            send(8, 0, 0, payload[:-1] + b"G" if self._mistake == "pong" else payload)
        elif kind == 2 and self._mistake == "end":
            send(4, 0, stream, b"\0\5\1\0\2\0\x63")
        elif kind == 2:
            send(4, 1, stream, b"\0\0")
        elif kind == 0:
            raise EOFError


def _exactly(peer: ssl.SSLSocket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
