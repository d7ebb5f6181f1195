"""What people see at a terminal: colours, widths, completion."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
from pathlib import Path
from typing import Dict

import pytest
from hito_server import HitoServer, Login, binary

ESCAPE = re.compile(r"\x1b\[[0-9;]*[mK]")


def surroundings(server: HitoServer, login: Login | None = None, **more: str) -> Dict[str, str]:
    own = {name: text for name, text in os.environ.items() if not name.startswith("HITO_")}
    own.pop("NO_COLOR", None)
    own.update(HITO_DATA_DIR=str(server.data), HITO_ADDRESS=server.address, TERM="xterm", **more)
    if login is not None:
        own["HITO_TOKEN"] = login.token
    return own


def typed(environment: Dict[str, str], columns: int, *arguments: str) -> str:
    """What a terminal of so many columns gets of a command, both of its streams."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [binary(), *arguments], stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
        env=environment,
    )  # fmt: skip
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # The other side is closed.
            break
        if not part:
            break
        shown += part
    os.close(leader)
    process.wait(60)
    return shown.decode().replace("\r\n", "\n")


def widest(text: str) -> int:
    lines = (line.rpartition("\r")[2] for line in ESCAPE.sub("", text).splitlines())
    return max(map(len, lines))


def test_colour_is_for_terminals_and_can_be_turned_off(server, ana):
    watch = ("watch", "--from", "beginning", "--limit", "1")
    wrong = ("call", "GetGoal", "{")
    for arguments, mark in ((watch, "\x1b[34muser.created"), (wrong, "\x1b[31merror:")):
        assert mark in typed(surroundings(server, ana), 120, *arguments)
        assert "\x1b[3" not in typed(surroundings(server, ana, NO_COLOR="1"), 120, *arguments)
        done = subprocess.run(
            [binary(), *arguments], capture_output=True, text=True, timeout=60, check=False,
            env=surroundings(server, ana),
        )  # fmt: skip
        assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_lists_and_reports_fit_the_terminal(server, ana, columns):
    report = typed(surroundings(server, ana), columns, "report")
    bars = [line for line in report.splitlines() if "▇" in line]
    assert bars and max(map(len, bars)) <= columns
    listed = typed(surroundings(server, ana), max(columns, 80), "call", "--list")
    assert widest(listed) <= max(columns, 80)


def test_the_list_of_methods_says_what_is_not_there_yet(server):
    done = subprocess.run(
        [binary(), "call", "--list"], capture_output=True, text=True, timeout=60, check=False,
        env=surroundings(server),
    )  # fmt: skip
    kinds = {line.split()[0]: " ".join(line.split()[1:3]) for line in done.stdout.splitlines()}
    assert kinds["AnalyticsService/GetForecast"] == "not yet"
    assert kinds["GoalService/CreateGoal"].startswith("writes")
    assert "answer UNIMPLEMENTED on this server" in done.stderr


def test_one_command_installs_the_completion(server, tmp_path: Path):
    environment = surroundings(server, HOME=str(tmp_path), SHELL="/bin/bash")
    environment = {k: v for k, v in environment.items() if not k.startswith(("XDG_", "ZDOTDIR"))}
    for shell in ("bash", "zsh", "fish"):
        for _ in range(2):
            done = subprocess.run(
                [binary(), "completion", "install", shell], capture_output=True, text=True,
                timeout=60, check=False, env=environment,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
    for rc in (".bashrc", ".zshrc"):
        assert (tmp_path / rc).read_text().count("# hito completion") == 1
    assert (tmp_path / ".config/fish/completions/hito.fish").exists()
    unknown = subprocess.run(
        [binary(), "completion", "install"], capture_output=True, text=True, timeout=60,
        check=False, env={**environment, "SHELL": "/bin/tcsh"},
    )  # fmt: skip
    assert unknown.returncode == 64 and "bash, zsh or fish" in unknown.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["hito", "call", "CreateGo"], "CreateGoal"),
        (["hito", "call", "CreateGoal", "--pick", "goal.ti"], "goal.title"),
        (["hito", "compl"], "completion"),
    ],
)
def test_bash_completes(server, tmp_path: Path, words, expected):
    (tmp_path / "hito").symlink_to(binary())
    environment = surroundings(server, HOME=str(tmp_path))
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    script = """
      source <(hito completion print bash)
      function=$(complete -p hito | sed -E 's/.*-F ([^ ]+) .*/\\1/')
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
      "$function" hito "${COMP_WORDS[$COMP_CWORD]}" "${COMP_WORDS[$COMP_CWORD - 1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        [shutil.which("bash") or "bash", "--norc", "-c", script, "bash", *words],
        capture_output=True, text=True, timeout=60, check=False, env=environment,
    )  # fmt: skip
    assert expected in [line.strip() for line in done.stdout.splitlines()], done.stderr


def test_what_takes_long_is_said_on_a_terminal(server):
    """The doctor tries the sandbox in every language, which takes seconds."""
    shown = typed(surroundings(server), 100, "doctor")
    assert re.search(r"\r… trying the sandbox and the tools of all languages  \d+ s", shown)
    after = shown.rpartition("\x1b[K")[2]
    assert "trying the sandbox" not in after, "nothing of it stays"
