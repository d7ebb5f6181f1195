"""`hito top`: for people, for scripts, and for a terminal that must be as it was afterwards."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest
from hito_server import HitoServer, Login, waiting


def reach(server: HitoServer, login: Login):
    return ["--address", server.address, "--ca", server.ca_file, "--token", login.token]


def test_once_shows_methods_connections_and_pipelines(server, admin):
    found = server.command("top", *reach(server, admin), "--once", "--interval", "200ms")
    assert found.returncode == 0, found.stderr
    for words in ("calls/s", "METHODS", "ServerService/GetStatistics", "CONNECTIONS", "lake"):
        assert words in found.stdout, found.stdout
    assert "\x1b" not in found.stdout
    piped = server.command("top", *reach(server, admin), "--interval", "100ms")
    assert piped.returncode == 0 and "METHODS" in piped.stdout, "no terminal: as --once"


def test_json_is_what_the_contract_says(server, admin):
    found = server.command("top", *reach(server, admin), "--json")
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert told["statistics"]["server"]["serverId"]
    methods = {method["method"]: method for method in told["statistics"]["methods"]}
    assert methods["hito.v1.ServerService/GetStatistics"]["kind"] == "unary"
    connection = told["connections"]["connections"][0]
    assert connection["minorVersion"] == 1 and int(connection["creditLeft"]) > 0
    own = [c for c in told["calls"]["calls"] if c["method"].startswith("hito.v1.ServerService/")]
    assert any(call["phase"] == "CALL_PHASE_RUNNING" for call in own), told["calls"]
    assert {p["name"] for p in told["pipelines"]["pipelines"]} >= {"relay", "lake"}


def test_only_admins_may_look(server, ana):
    found = server.command("top", *reach(server, ana), "--once")
    assert found.returncode == 1 and "PERMISSION_DENIED" in found.stderr


def test_what_is_no_order_is_refused(server, admin):
    found = server.command("top", *reach(server, admin), "--sort", "colour")
    assert found.returncode == 64


class Terminal:
    """`hito top` on a terminal of its own."""

    def __init__(self, server: HitoServer, login: Login, columns=100, rows=40, **environment):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [server.program, "top", *reach(server, login), "--interval", "200ms"],
            stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
            env={**os.environ, "TERM": "xterm", **environment},
        )  # fmt: skip
        self.text = ""

    def read(self) -> str:
        while select.select([self.master], [], [], 0.02)[0]:
            self.text += os.read(self.master, 65536).decode(errors="replace")
        return self.text

    def wait_for(self, words: str, seconds: float = 30) -> None:
        for _ in waiting(seconds, f"{words!r} in {self.text[-400:]!r}"):
            if words in self.read():
                return

    def forget(self) -> None:
        self.read()
        self.text = ""

    def end(self) -> int:
        status = self.process.wait(20)
        self.read()
        return status

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminals():
    opened = []

    def open_terminal(*arguments, **options):
        opened.append(Terminal(*arguments, **options))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


@pytest.mark.parametrize("way", ["SIGINT", "SIGTERM", "q"])
def test_the_terminal_is_as_it_was_afterwards(server, admin, terminals, way):
    terminal = terminals(server, admin)
    terminal.wait_for("METHODS")
    assert termios.tcgetattr(terminal.slave) != terminal.before
    if way == "q":
        os.write(terminal.master, b"q")
    else:
        terminal.process.send_signal(getattr(signal, way))
    assert terminal.end() == 0
    assert termios.tcgetattr(terminal.slave) == terminal.before
    assert terminal.text.count("\x1b[?1049h") == terminal.text.count("\x1b[?1049l") == 1
    assert terminal.text.rstrip().endswith("\x1b[?1049l") and "\x1b[?25h" in terminal.text


def test_keys_choose_the_order(server, admin, terminals):
    terminal = terminals(server, admin)
    terminal.wait_for("by rate")
    os.write(terminal.master, b"p")
    terminal.wait_for("by p99")
    os.write(terminal.master, b"xyn")
    terminal.wait_for("by name")


@pytest.mark.parametrize("columns", [40, 200])
def test_it_fits_and_has_no_colour_where_none_is_wanted(server, admin, terminals, columns):
    terminal = terminals(server, admin, columns=columns, rows=20, NO_COLOR="1")
    terminal.wait_for("METHODS")
    terminal.forget()
    terminal.wait_for("\x1b[J")
    frame = terminal.text.split("\x1b[H")[-1].split("\x1b[J")[0]
    lines = [re.sub("\x1b\\[K", "", line) for line in frame.split("\r\n")]
    assert len(lines) <= 20 and all(len(line) <= columns for line in lines), lines
    assert not re.search("\x1b\\[[0-9]+m", terminal.text)


def test_a_server_that_goes_is_said_and_found_again(mortal, mortal_admin, terminals):
    terminal = terminals(mortal, mortal_admin)
    terminal.wait_for("METHODS")
    mortal.kill()
    terminal.wait_for("trying again")
    mortal.start()
    terminal.forget()
    began = time.monotonic()
    while time.monotonic() - began < 40:
        terminal.forget()
        terminal.wait_for("\x1b[J")
        terminal.wait_for("by rate")
        if "trying again" not in terminal.text:
            break
    assert "trying again" not in terminal.text
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 0
