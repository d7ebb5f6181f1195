"""Metadata both ways, bytes in metadata, compressed messages: the real server, Python and `hito call`."""

from __future__ import annotations

import base64
import os
import subprocess

import pytest
from hito_server import binary

import hito
from hito import v1

SAID = {"hito-echo-a": "uno", "hito-echo-trailer-b": "dos", "hito-echo-raw-bin": b"\0\xff\xfe", "other": "x"}
LONG = "".join(f"meta número {n * 7919 % 10007}; " for n in range(420))


async def test_metadata_comes_back_before_and_after_the_answer(server, connect, ana):
    client = await connect(server, ana)
    info = hito.ResponseInfo()
    await client.goals.list_goals(v1.ListGoalsRequest(), metadata=SAID, response_info=info)
    assert info.metadata == {"hito-echo-a": "uno", "hito-echo-raw-bin": b"\0\xff\xfe"}
    assert info.trailers == {"hito-echo-trailer-b": "dos"}
    info = hito.ResponseInfo()
    with pytest.raises(hito.InvalidArgument):
        request = v1.GetGoalRequest(goal_id="no id")
        await client.goals.get_goal(request, metadata=SAID, response_info=info)
    assert info.trailers["hito-echo-trailer-b"] == "dos"


async def test_compressed_messages_are_the_same_messages(server, connect, ana):
    client = await connect(server, ana, compression=True)
    plain = await connect(server, ana)
    made = await client.goals.create_goal(
        v1.CreateGoalRequest(title="Comprimida", description=LONG), idempotency_key="compressed-1"
    )
    assert made.goal.description == LONG
    # The same request to its key, however it comes.
    again = await plain.goals.create_goal(
        v1.CreateGoalRequest(title="Comprimida", description=LONG), idempotency_key="compressed-1"
    )
    assert again.goal.id == made.goal.id
    read = await client.goals.get_goal(v1.GetGoalRequest(goal_id=made.goal.id))
    assert read.goal.description == LONG


def test_the_command_line_sends_and_shows_metadata(server, ana):
    raw = base64.b64encode(b"\0\xff").decode()
    done = subprocess.run(
        [
            binary(), "call", "ListGoals", "--compress", "--trailers", "--metadata", "hito-echo-a=uno",
            "--metadata", f"hito-echo-trailer-raw-bin={raw}",
        ],
        env={
            **os.environ, "HITO_ADDRESS": server.address, "HITO_CA": server.ca_file, "HITO_TOKEN": ana.token,
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "hito-echo-a: uno" in done.stderr
    assert f"hito-echo-trailer-raw-bin: {raw}" in done.stderr


@pytest.mark.parametrize(
    "word, says", [("novalue", "KEY=VALUE"), ("k-bin=###", "base64"), ("=x", "KEY=VALUE")]
)
def test_metadata_that_is_none_is_refused_by_name(word, says):
    done = subprocess.run(
        [binary(), "call", "ListGoals", "--metadata", word],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 64 and "--metadata" in done.stderr and says in done.stderr
