"""docs/wireshark/hito.lua: what tshark makes of a captured run, and that it knows the whole contract."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
import uuid
from pathlib import Path
from typing import Any, Dict, List

import pytest
from captured import Capture
from hito import v1
from hito_server import REPOSITORY

import hito

LONG = "".join(f"meta {n * 7919 % 10007}; " for n in range(600))
DISSECTOR = REPOSITORY / "docs" / "wireshark" / "hito.lua"
PROTOS = REPOSITORY / "Protos"

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")


def tshark(capture: Path, keys: Path, *options: str) -> str:
    done = subprocess.run(
        [
            "tshark", "-r", str(capture), "-X", f"lua_script:{DISSECTOR}", "-o", f"tls.keylog_file:{keys}",
            "-o", f'uat:protobuf_search_paths:"{PROTOS}","TRUE"', *options,
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "lua" not in done.stderr.lower(), done.stderr
    return done.stdout


@needs_tshark
async def test_a_captured_run_is_read(server, ana, tmp_path: Path):
    context = ssl.create_default_context(cafile=server.ca_file)
    context.keylog_filename = str(tmp_path / "keys")
    host, _, port = server.address.rpartition(":")
    async with Capture((host, int(port))) as capture:
        client = await hito.Client.connect(
            f"127.0.0.1:{capture.port}", ssl_context=context, token=ana.token, agent="captured",
            compression=True,
        )  # fmt: skip
        async with client:
            made = await client.goals.create_goal(
                v1.CreateGoalRequest(title="Aprender a leer tramas", description=LONG),
                metadata={"x-case": "capture", "hito-echo-raw-bin": b"\0\xfe"},
            )
            with pytest.raises(hito.NotFound):
                await client.goals.get_goal(v1.GetGoalRequest(goal_id=str(uuid.uuid4())))
            # Larger than a frame: fragments, put together from several TLS records.
            await client.reflection.get_descriptor_set(v1.GetDescriptorSetRequest())
            async for response in client.progress.watch(v1.WatchRequest(from_beginning=True)):
                assert response.cursor
                break
    capture.write(tmp_path / "run.pcap")
    lines = tshark(tmp_path / "run.pcap", tmp_path / "keys", "-Y", "hito", "-T", "json", "--no-duplicate-keys")
    packets = [packet["_source"]["layers"] for packet in json.loads(lines)]
    values = found(packets)
    # HELLO, CALL, MESSAGE, END, CREDIT or CANCEL, GOAWAY.
    assert {"1", "2", "3", "4", "5", "9", "10"} <= set(values["hito.kind"])
    assert "hito-echo-raw-bin: 00FE" in values["hito.head.metadata"]
    assert "1" in values["hito.flags.compressed"]
    assert "captured" in values["hito.hello.agent"]
    assert values["hito.hello.token"] == [ana.token]
    assert {"hito.v1.GoalService/CreateGoal", "hito.v1.GoalService/GetGoal"} <= set(values["hito.call.method"])
    assert "x-case: capture" in values["hito.call.metadata"]
    assert "5" in values["hito.end.status"]
    # What the messages say, by the contract.
    text = json.dumps(packets)
    assert "Aprender a leer tramas" in text and text.count(LONG) >= 2 and made.goal.id in text
    assert "_ws.malformed" not in text and "hito.malformed" not in text
    shown = tshark(tmp_path / "run.pcap", tmp_path / "keys", "-Y", "hito", "-T", "fields", "-e", "_ws.col.Info")
    assert "CALL 1 hito.v1.GoalService/CreateGoal" in shown
    assert "NOT_FOUND" in shown and "GOAWAY NO_ERROR" in shown


def found(tree: Any) -> Dict[str, List[str]]:
    """Field names with all their values, wherever they are in the tree."""
    result: Dict[str, List[str]] = {}

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for name, value in node.items():
                for one in value if isinstance(value, list) else [value]:
                    if isinstance(one, str):
                        result.setdefault(name, []).append(one)
                    walk(one)
        elif isinstance(node, list):
            for one in node:
                walk(one)

    walk(tree)
    return result


def test_the_dissector_knows_the_messages_of_every_method():
    """Methods whose messages are not named after them are in its table, and no others."""
    odd = {}
    for page in (PROTOS / "hito" / "v1").glob("*.proto"):
        service = ""
        for line in page.read_text(encoding="utf-8").splitlines():
            if match := re.match(r"service (\w+)", line):
                service = match[1]
            rpc = re.match(r"  rpc (\w+)\((?:stream )?(\w+)\) returns \((?:stream )?(\w+)\)", line)
            if rpc and (rpc[2], rpc[3]) != (f"{rpc[1]}Request", f"{rpc[1]}Response"):
                odd[f"hito.v1.{service}/{rpc[1]}"] = (
                    None if rpc[2] == f"{rpc[1]}Request" else rpc[2],
                    None if rpc[3] == f"{rpc[1]}Response" else rpc[3],
                )
    table = re.findall(r'\["(hito\.v1\.\w+/\w+)"\] = \{ (nil|"\w+"), (nil|"\w+") \}', DISSECTOR.read_text())
    told = {path: tuple(None if name == "nil" else name.strip('"') for name in names) for path, *names in table}
    assert told == odd


def test_the_dissector_knows_every_field_of_the_specification():
    """Tags of HELLO, CALL and END, kinds, reasons and statuses."""
    page = (PROTOS / "PROTOCOL.md").read_text(encoding="utf-8")
    lua = DISSECTOR.read_text(encoding="utf-8")
    for place, (clause, kind) in enumerate((("W4.2", 1), ("W5.2", 2), ("W7.2", 4))):
        part = page.split(f"**{clause}**")[1].split("- **W")[0]
        tags = {int(tag) for tag in re.findall(r"^  \| (\d+) \|", part, re.MULTILINE)}
        own = lua.split("local BLOCKS = {")[1].split(f"  [{kind}] = {{\n")[1].split("\n  },")[0]
        assert {int(tag) for tag in re.findall(r"\[(\d+)\] = \{", own)} == tags, place
    for number, name in re.findall(r"^  \| (\d+) \| ([A-Z]+)[ |]", page.split("**W2.3**")[1].split("- **W")[0], re.MULTILINE):
        assert f'[{number}] = "{name}"' in lua
    for number, name in re.findall(r"(\d+) `?([A-Z][A-Z_]+)`?", page.split("**W11.2**")[1].split("Unknown")[0]):
        assert f'[{number}] = "{name}"' in lua
    for number, name in re.findall(r"(\d+) ([A-Z][A-Z_]+)", page.split("**W7.4**")[1].split("A client")[0]):
        assert f'[{number}] = "{name}"' in lua
