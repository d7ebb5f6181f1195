"""The program's other subcommands against the running server."""

from __future__ import annotations

import json
from datetime import datetime

from hito import v1


def test_version_says_what_it_is(server):
    done = server.command("version")
    assert done.returncode == 0 and done.stdout.strip()


async def test_a_token_made_on_the_command_line_works(server, connect):
    done = server.command(
        "token", "create", "--data-dir", str(server.data), "--user-name", "Dora",
        "--role", "learner", "--external-id", "dora-1", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    client = await connect(server, server.admin()._replace(token=answer["token"]))
    me = (await client.users.get_user(v1.GetUserRequest())).user
    assert (me.id, me.display_name, me.external_id) == (answer["user_id"], "Dora", "dora-1")
    assert me.role == v1.Role.ROLE_LEARNER


def test_doctor_finds_a_running_server_well(server):
    done = server.command(
        "doctor", "--data-dir", str(server.data), "--address", server.address, "--json"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ("isolation", "encoder", "schema", "server", "token"):
        assert part in done.stdout


def test_a_wrong_option_is_explained(server):
    for arguments in (("serve", "--nonsense"), ("nonsense",), ("serve", "--listen", "nowhere")):
        done = server.command(*arguments)
        assert done.returncode != 0
        assert done.stderr.strip(), "it says what to do"
        assert "Fatal" not in done.stderr and "crash" not in done.stderr.lower()


def test_settings_that_cannot_be_used_are_wrong_usage(server):
    for arguments in (("call", "--list", "--address", "host:port"), ("report", "--token", "a b")):
        done = server.command(*arguments)
        assert done.returncode == 64
        assert done.stderr.startswith("error: ") and arguments[-2] in done.stderr
    assert server.command("report", "--days", "0").returncode == 64


def test_a_data_directory_that_cannot_be_used_is_explained(server):
    for path in ("/proc/hito", str(server.log)):
        done = server.command("serve", "--data-dir", path)
        assert done.returncode == 1 and path in done.stderr


def test_a_scope_that_covers_nothing_is_refused(server):
    done = server.command(
        "token", "create", "--data-dir", str(server.data), "--user-name", "Eva", "--scope", "all"
    )
    assert done.returncode == 1 and "scopes[0]" in done.stderr and not done.stdout


def test_a_port_in_use_is_explained_and_json_logs_carry_the_date(server):
    data = server.folder / "second"
    done = server.command(
        "serve", "--data-dir", str(data), "--listen", server.address, "--log-format", "json"
    )
    assert done.returncode == 1
    assert f"cannot listen on {server.address}: another program" in done.stderr
    first = json.loads(done.stderr.splitlines()[0])
    assert datetime.fromisoformat(first["time"]).tzinfo is not None
    # The token works although the start failed later: it is in its file.
    assert (data / "admin.token").stat().st_mode & 0o777 == 0o600
