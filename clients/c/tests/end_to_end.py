#!/usr/bin/env python3
"""The C client against a real server (HITO_BINARY): tests/test_server.c, README.md, and a watch that outlives its server.

    end_to_end.py BUILD_FOLDER README_PROGRAM
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, Set

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
sys.path[:0] = [str(REPOSITORY / "Tests" / "EndToEnd"), str(REPOSITORY / "clients" / "python" / "src")]

from certificates import Authority  # noqa: E402
from hito import v1  # noqa: E402
from hito_server import HitoServer, Login  # noqa: E402

SECONDS = 180


def run(program: Path, arguments: List[str], **environment: str) -> None:
    """Runs a program that must end well."""
    own: Dict[str, str] = {**os.environ, **environment}
    subprocess.run([str(program), *arguments], env=own, check=True, timeout=SECONDS)


async def goals(server: HitoServer, login: Login, titles: List[str]) -> None:
    async with await server.connect(login) as client:
        for title in titles:
            await client.goals.create_goal(v1.CreateGoalRequest(title=title))


async def read_events(stream: asyncio.StreamReader, seen: List[str], count: int) -> None:
    """Until so many goals were seen."""
    while sum(1 for line in seen if " goal.created " in line) < count:
        line = (await stream.readline()).decode().strip()
        if not line:
            raise AssertionError(f"the watch ended after {seen}")
        seen.append(line)


async def follow(server: HitoServer, login: Login, program: Path) -> None:
    """A watch continues over kill -9 of its server, without loss and without doubles."""
    follower = await asyncio.create_subprocess_exec(
        str(program), server.address, server.ca_file, env={**os.environ, "HITO_TOKEN": login.token},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert follower.stdin is not None and follower.stdout is not None and follower.stderr is not None
    seen: List[str] = []
    try:
        await goals(server, login, [f"before {n}" for n in range(5)])
        await read_events(follower.stdout, seen, 5)
        for round in range(2):
            server.kill()
            await server.restart()
            await goals(server, login, [f"after {round} {n}" for n in range(5)])
            await read_events(follower.stdout, seen, 10 + 5 * round)
        follower.stdin.close()
        assert await follower.wait() == 0
        told = (await follower.stderr.read()).decode()
        assert told.count("interrupted") >= 2, told
    finally:
        if follower.returncode is None:
            follower.kill()
    ids = [line.split()[2] for line in seen]
    assert len(ids) == len(set(ids)), "an event came twice"
    assert set(ids) == await stored(server, login), "an event is missing"


async def stored(server: HitoServer, login: Login) -> Set[str]:
    """The ids of all events that the user may see."""
    found: Set[str] = set()
    async with await server.connect(login) as client:
        async for step in client.progress.watch(v1.WatchRequest(from_beginning=True)):
            if step.WhichOneof("step") == "mark" and step.mark == v1.SubscriptionMark.SUBSCRIPTION_MARK_CAUGHT_UP:
                return found
            if step.HasField("event"):
                found.add(step.event.id)
    raise AssertionError("the stream ended")


def mutual(build: Path, folder: Path) -> None:
    """A server that asks for a certificate of its client, and takes none of another authority."""
    authority = Authority(folder, "clients")
    own = authority.sign("c", "DNS:client.example")
    other = Authority(folder, "others").sign("c", "DNS:client.example")
    server = HitoServer()
    server.options = ["--tls-client-ca", authority.files.certificate]
    try:
        # It is there when its port file is, which needs no certificate.
        server.start()
        token = server.admin().token
        run(build / "tests" / "test_server", [], HITO_ADDRESS=server.address, HITO_CA=server.ca_file, HITO_TOKEN=token,
            HITO_CLIENT_CERTIFICATE=own.certificate, HITO_CLIENT_KEY=own.key,
            HITO_OTHER_CERTIFICATE=other.certificate, HITO_OTHER_KEY=other.key)  # fmt: skip
    finally:
        server.remove()


def main() -> None:
    build, readme = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = HitoServer()
        server.start()
        try:
            login = server.join("Ana")
            stranger = Authority(folder, "stranger")
            common = {"HITO_ADDRESS": server.address, "HITO_CA": server.ca_file, "HITO_TOKEN": login.token}
            run(build / "tests" / "test_server", [], HITO_OTHER_CA=stranger.files.certificate, **common)
            run(build / "tests" / "test_kinds", [], HITO_ADMIN=server.admin().token, **common)
            run(build / "tests" / "test_memory", [], **common)
            run(build / "examples" / "first_goal", [server.address, server.ca_file], **common)
            run(readme, [server.address, server.ca_file], **common)
            asyncio.run(asyncio.wait_for(follow(server, server.join("Eva"), build / "examples" / "follow"), SECONDS))
        finally:
            server.remove()
        mutual(build, folder)
    print("end to end: all passed")


main()
