"""What other accounts of the machine can reach of the server's files."""

from __future__ import annotations

import grp
import json
import os
import stat

import pytest
from hito_server import HitoServer

GROUP = grp.getgrgid(1 if os.geteuid() == 0 else os.getegid()).gr_name


def mode(path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def own_server():
    server = HitoServer()
    try:
        yield server
    finally:
        server.remove()


def doctor(server: HitoServer):
    done = server.command(
        "doctor", "--data-dir", str(server.data), "--address", server.address, "--json"
    )
    return done.returncode, json.dumps(json.loads(done.stdout))


def expect_closed(server: HitoServer) -> None:
    for folder in (".", "tls", "lake", "lake/events", "lake/manifest"):
        assert mode(server.data / folder) & 0o027 == 0, folder
    for lock in ("lock", "lake/manifest/lock", "admin.token", "tls/server.key", "tls/ca.key"):
        assert mode(server.data / lock) == 0o600, lock


def test_a_server_closes_its_directory_and_doctor_says_when_it_is_open(own_server):
    own_server.start()
    expect_closed(own_server)
    assert doctor(own_server)[0] == 0
    opened = {"": 0o755, "lock": 0o644, "lake": 0o755, "lake/manifest/lock": 0o644}
    for name, bits in opened.items():
        path = own_server.data / name
        before = mode(path)
        path.chmod(bits)
        status, text = doctor(own_server)
        assert status == 1 and f"chmod {'600' if 'lock' in name else '750'} {path}" in text
        path.chmod(before)
    assert doctor(own_server)[0] == 0
    assert own_server.stop() == 0
    for name, bits in {**opened, "tls": 0o755}.items():
        (own_server.data / name).chmod(bits)
    own_server.start()
    expect_closed(own_server)
    own_server.join("Ada")


def test_a_reading_group_may_read_the_lake_and_nothing_else(own_server):
    own_server.environment["HITO_READING_GROUP"] = GROUP
    own_server.start()
    number = grp.getgrnam(GROUP).gr_gid
    for folder in (".", "lake", "lake/events", "tls"):
        facts = os.stat(own_server.data / folder)
        assert (stat.S_IMODE(facts.st_mode), facts.st_gid) == (0o750, number), folder
    expect_closed(own_server)
    own_server.join("Ada")
    assert own_server.stop() == 0
    files = list(own_server.lake.rglob("*.parquet"))
    assert files
    for file in files:
        assert (mode(file), file.stat().st_gid) == (0o640, number)


def test_a_group_that_does_not_exist_ends_the_start(own_server):
    done = own_server.command(
        "serve", "--data-dir", str(own_server.data), "--reading-group", "no-such-group"
    )
    assert done.returncode == 64 and "reading-group" in done.stderr
    assert not own_server.data.exists()
