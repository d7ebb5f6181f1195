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


DEAD = "127.0.0.1:1"


def reach(server, login, *arguments):
    """Options that reach the server by its second address: nothing listens at the first."""
    return (*arguments, "--address", f"{DEAD},{server.address}", "--ca", server.ca_file,
            "--token", login.token)  # fmt: skip


async def test_the_first_address_that_answers_is_used_by_every_command(server, ana, ines, tmp_path):
    made = server.command(*reach(server, ana, "call", "CreateGoal", '{"title": "Meta"}'))
    assert made.returncode == 0, made.stderr
    cursor = json.loads(made.stdout)["receipt"]["cursor"]
    watched = server.command(
        *reach(server, ana, "watch", "--from", "beginning", "--limit", "1", "--json")
    )
    assert json.loads(watched.stdout)["event"]["userId"] == ana.user_id, watched.stderr
    report = server.command(*reach(server, ana, "report", "--json", "--min-cursor", cursor))
    assert json.loads(report.stdout)["goalsCreated"] == "1", report.stderr
    course = server.command(*reach(server, ines, "call", "CreateCourse", '{"title": "Curso"}'))
    (tmp_path / "uno.md").write_text("# Uno\n\nTexto.\n")
    identifier = json.loads(course.stdout)["course"]["id"]
    done = server.command(*reach(server, ines, "ingest", identifier, str(tmp_path), "--no-wait"))
    assert done.returncode == 0 and "documents" in done.stdout, done.stderr


def test_a_server_that_is_nowhere_is_said_with_all_its_addresses(server):
    for command in (("call", "--list"), ("report",), ("watch",)):
        done = server.command(
            *command, "--address", f"{DEAD},127.0.0.1:2", "--ca", server.ca_file, "--token", "x"
        )
        if "--list" in command:
            assert done.returncode == 0 and "no server answers" in done.stderr
        else:
            assert done.returncode == 69, done.stderr
            assert f"{DEAD},127.0.0.1:2" in done.stderr and "hint:" in done.stderr


def test_an_untrusted_server_is_not_waited_for(server, tmp_path):
    other = tmp_path / "data"
    config = server.command("config", "--data-dir", str(other))
    assert config.returncode == 0
    done = server.command(
        "call", "GetServerInfo", "--address", server.address, "--ca", "system",
        "--wait-for-server", "--timeout", "20s",
    )  # fmt: skip
    assert done.returncode == 1 and "error: UNAVAILABLE" in done.stderr


def test_a_call_carries_its_trace_and_shows_its_trailers(server, ana):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    done = server.command(
        *reach(server, ana, "call", "GetUser", "--trailers", "--traceparent", trace)
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["user"]["id"] == ana.user_id
    refused = server.command(*reach(server, ana, "call", "GetUser", "--traceparent", "x" * 999))
    assert refused.returncode == 1 and "traceparent" in refused.stderr
