"""The program's other subcommands against the running server."""

from __future__ import annotations

import json

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


def test_a_wrong_option_is_explained(server):
    for arguments in (("serve", "--nonsense"), ("nonsense",), ("serve", "--listen", "nowhere")):
        done = server.command(*arguments)
        assert done.returncode != 0
        assert done.stderr.strip(), "it says what to do"
        assert "Fatal" not in done.stderr and "crash" not in done.stderr.lower()
