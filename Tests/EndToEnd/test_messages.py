"""What the program says to people who make mistakes, and what it ends with."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, List, Optional

import psql
import pytest
from hito_server import HitoServer, Login, binary

USAGE, UNAVAILABLE, OUTPUT = 64, 69, 74


def run(
    server: HitoServer, *arguments: str, login: Optional[Login] = None, **options: Any
) -> "subprocess.CompletedProcess[str]":
    """With this server's data directory and address in the environment."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("HITO_")}
    own.update(HITO_DATA_DIR=str(server.data), HITO_ADDRESS=server.address)
    if login is not None:
        own["HITO_TOKEN"] = login.token
    if not {"stdout", "stderr"} & options.keys():
        options["capture_output"] = True
    return subprocess.run(
        [binary(), *arguments], text=True, timeout=60, check=False, env=own, **options
    )


# Commands that work on the database of a folder, and make none there.


@pytest.mark.parametrize(
    "arguments",
    [
        ("migrate", "status"), ("migrate", "up"), ("token", "list"), ("log", "status"), ("replay",),
        ("token", "create", "--user-name", "Eva"), ("audit", "head"), ("backup", "never"),
    ],
)  # fmt: skip
def test_no_command_but_serve_makes_a_database(server, tmp_path: Path, arguments):
    for folder in (tmp_path / "empty", tmp_path / "typo"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        done = run(server, *arguments, "--data-dir", str(folder))
        assert done.returncode == USAGE, done.stdout
        assert f"no database in {folder}" in done.stderr and "--data-dir" in done.stderr
        assert not done.stdout
    assert list((tmp_path / "empty").iterdir()) == [] and not (tmp_path / "typo").exists()


def test_an_empty_data_directory_is_no_default(server):
    for arguments in (("token", "list"), ("config",), ("call", "--list")):
        done = run(server, *arguments, "--data-dir", "")
        assert done.returncode == USAGE and "--data-dir is empty" in done.stderr


# Words


def test_a_server_that_is_not_trusted_is_running(server):
    done = run(server, "call", "GetServerInfo", "--ca", "system")
    assert done.returncode == 1
    assert done.stderr.count("certificate was refused") == 1 and "--ca" in done.stderr
    assert "is the server running" not in done.stderr


def test_a_token_without_the_scope_needs_no_other_role(server):
    made = run(server, "token", "create", "--user-name", "Eva", "--scope", "read")
    login = Login("Eva", "", made.stdout.strip())
    done = run(server, "call", "CreateGoal", '{"title": "Meta"}', login=login)
    assert done.returncode == 1 and "--scope" in done.stderr
    assert "token of a role" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "--as-of", "yesterday"), "--as-of wants a time"),
        (("audit", "list", "--from", "soon"), "--from wants a time"),
        (("audit", "--until", "later"), "--until wants a time"),
        (("serve", "--listen", "nowhere"), "error: --listen must be"),
        (("call", "--list", "--address", "host:port"), "error: --address must be"),
        (("restore", "/nowhere"), "give --into, or --database-url"),
        (("cal",), "did you mean `hito call`?"),
        (("reprot",), "did you mean `hito report`?"),
        (("token", "creat"), "did you mean `hito token create`?"),
        (("help", "reprot"), "did you mean `hito report`?"),
        (("help", "token", "creat"), "did you mean `hito token create`?"),
        (("groups", "create", "g", "--settle-seconds", "nan"), "--settle-seconds must be"),
        (("groups", "create", "g", "--settle-seconds", "1e300"), "--settle-seconds must be"),
        (("groups", "create", "g", "--settle-seconds=-1"), "--settle-seconds must be"),
        (("audit", "verfy"), "did you mean `hito audit verify`?"),
        (("watch", "--type", "gaol.*"), "did you mean goal.*"),
        (("watch", "--type", "goal.creatd"), "did you mean goal.created"),
        (("groups", "create", "g", "--type", "taks.*"), "did you mean task.*"),
        (("token", "create", "--user-name", "E", "--time-zone", "Europe/Madrd"), "Europe/Madrid?"),
    ],
)
def test_a_mistake_is_named_by_its_own_option_or_command(server, arguments, said):
    done = run(server, *arguments)
    assert done.returncode == USAGE and said in done.stderr, done.stderr
    assert "Usage: hito <subcommand>" not in done.stderr


def test_types_of_other_systems_can_be_watched(server, ana):
    done = run(
        server, "watch", "--type", "external.badge_won", "--type", "user.*", "--from", "beginning",
        "--limit", "1", login=ana,
    )  # fmt: skip
    assert done.returncode == 0 and "user.created" in done.stdout, done.stderr


def test_nobody_answers_in_plain_words(server):
    done = run(server, "call", "GetServerInfo", "--address", "127.0.0.1:1")
    assert done.returncode == UNAVAILABLE
    assert "cannot connect to 127.0.0.1:1 (Connection refused)" in done.stderr
    done = run(server, "call", "GetServerInfo", "--address", "nowhere.invalid:1")
    assert done.returncode == UNAVAILABLE and "no host of that name" in done.stderr


@pytest.mark.parametrize("name", ["time-zone", "expires"])
def test_help_shows_defaults_as_they_are_typed(server, name):
    text = " ".join(run(server, "token", "create", "--help").stdout.split())
    assert "DurationArgument(" not in text and "(default: 90d)" in text


def test_the_log_names_things_in_words(server):
    log = server.log.read_text()
    assert "RecoveryReport(" not in log and "[IPv4]" not in log
    assert "opened the lake" in log


# Input and output


def test_what_cannot_be_read_is_said(server, ana, tmp_path: Path):
    closed = run(
        server, "call", "CreateGoal", "-", login=ana, preexec_fn=lambda: os.close(0)
    )
    assert closed.returncode != 0 and "standard input is closed" in closed.stderr
    folder = run(server, "call", "CreateGoal", "@/", login=ana)
    assert folder.returncode == USAGE and "Is a directory" in folder.stderr
    nothing = run(server, "call", "CreateGoal", "@/nowhere", login=ana)
    assert nothing.returncode == USAGE and "No such file or directory" in nothing.stderr
    for done in (closed, folder, nothing):
        assert "Domain" not in done.stderr


def test_a_named_pipe_is_waited_for_aloud(server, ana, tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    own = {**os.environ, "HITO_DATA_DIR": str(server.data), "HITO_ADDRESS": server.address,
           "HITO_TOKEN": ana.token}  # fmt: skip
    with subprocess.Popen(
        [binary(), "call", "CreateGoal", f"@{pipe}"], stderr=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, env=own,
    ) as process:  # fmt: skip
        assert process.stderr is not None and process.stdout is not None
        said = process.stderr.readline()
        if "is a named pipe: waiting" not in said:
            process.kill()  # it would be waited for
        assert "is a named pipe: waiting" in said
        pipe.write_text('{"title": "Por la tubería"}')
        assert json.loads(process.stdout.read())["goal"]["title"] == "Por la tubería"
    assert process.returncode == 0


def test_a_byte_order_mark_is_no_mistake(server, ana, tmp_path: Path):
    text = b'\xef\xbb\xbf{"title": "Con marca"}'
    file = tmp_path / "goal.json"
    file.write_bytes(text)
    for request, options in ((f"@{file}", {}), ("-", {"input": text.decode()})):
        done = run(server, "call", "CreateGoal", request, login=ana, **options)
        assert done.returncode == 0, done.stderr


def test_a_full_device_is_said(server, ana):
    with open("/dev/full", "w") as full:
        for arguments in (("report",), ("call", "--list"), ("version",), ("token", "list")):
            done = run(server, *arguments, login=ana, stdout=full, stderr=subprocess.PIPE)
            assert done.returncode == OUTPUT, arguments
            assert done.stderr.rstrip().endswith(
                "error: cannot write to standard output: No space left on device"
            )


def test_help_that_cannot_be_written_is_no_success(server):
    with open("/dev/full", "w") as full:
        for arguments in (("--help",), ("--version",), ("help", "call"), ("audit", "list", "-h"), ()):
            done = run(server, *arguments, stdout=full, stderr=subprocess.PIPE)
            assert done.returncode == OUTPUT, arguments
            assert done.stderr == "error: cannot write to standard output: No space left on device\n"


def test_the_audit_names_its_kinds(server, ana):
    assert run(server, "call", "CreateCourse", '{"title": "x"}', login=ana).returncode == 1
    # What is noted is written every five seconds.
    end = time.monotonic() + 30
    rows: List[List[str]] = []
    while not rows and time.monotonic() < end:
        done = run(server, "audit", "list", "--kind", "refusal", "--limit", "200")
        rows = [line.split() for line in done.stdout.splitlines()[1:]]
        time.sleep(0.2)
    assert rows and {row[2] for row in rows} == {"refusal"}, done.stdout


def test_a_token_that_cannot_be_shown_is_revoked(server):
    with open("/dev/full", "w") as full:
        for extra in ((), ("--json",)):
            done = run(
                server, "token", "create", "--user-name", "Eva", "--label", "lost", *extra,
                stdout=full, stderr=subprocess.PIPE,
            )  # fmt: skip
            assert done.returncode == OUTPUT and "the token was revoked" in done.stderr
    listed = run(server, "token", "list", "--json").stdout.splitlines()
    lost = [token for token in map(json.loads, listed) if token["label"] == "lost"]
    assert [token["state"] for token in lost] == ["revoked", "revoked"]


async def test_doctor_shows_zones_that_never_were(server, ana):
    session = await psql.Session.open(server)
    try:
        for zone in ("Mars/Base", "UTC"):
            await session.run(f"UPDATE users SET time_zone = '{zone}' WHERE id = '{ana.user_id}';")
            done = run(server, "doctor", "--json")
            findings = {one["subject"]: one for one in json.loads(done.stdout)["findings"]}
            assert findings["time zones"]["verdict"] == "ok"
            users = findings["users' zones"]
            assert users["verdict"] == ("ok" if zone == "UTC" else "warn")
            assert zone == "UTC" or f"Mars/Base: 1, such as {ana.user_id}" in users["text"]
    finally:
        await session.close()
