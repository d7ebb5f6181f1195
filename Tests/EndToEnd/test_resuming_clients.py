"""Clients that know two servers of one database, which are killed in turn and come back: their subscriptions go
on, without loss and without doubles (clients/BEHAVIOUR.md, C3)."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple

import pytest
from external_database import VERSIONS, Database
from history import Watcher, ids, read_all
from hito import v1
from hito_server import HitoServer, Login, binary

import hito

SOME_SECONDS = 90


class Pair(NamedTuple):
    servers: List[HitoServer]
    authorities: str
    """A file with those of both."""

    @property
    def addresses(self) -> List[str]:
        return [server.address for server in self.servers]

    async def connect(self, login: Login, **options: Any) -> hito.Client:
        return await hito.Client.connect(
            self.addresses, ca_file=self.authorities, token=login.token, **options
        )


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    database = Database(VERSIONS[-1])
    servers: List[HitoServer] = []
    try:
        database.create("shared")
        for number in range(2):
            url = database.url("shared", application_name=f"server{number}")
            server = HitoServer(environment={"HITO_DATABASE_URL": url})
            servers.append(server)
            server.options = ["--database-connections", "4"]
            server.start()
        authorities = tmp_path / "authorities.pem"
        authorities.write_text("".join(Path(server.ca_file).read_text() for server in servers))
        yield Pair(servers, str(authorities))
    finally:
        for server in servers:
            server.remove()
        database.remove()


class SwiftWatch:
    """`hito watch`, and the events that it has shown."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def begin(cls, pair: Pair, login: Login, limit: int) -> "SwiftWatch":
        own = {
            **os.environ, "HITO_ADDRESS": ",".join(pair.addresses), "HITO_CA": pair.authorities,
            "HITO_TOKEN": login.token,
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            binary(), "watch", "--from", "beginning", "--limit", str(limit), "--json", "--wait-for-server",
            env=own, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return cls(process)

    async def events(self) -> List[str]:
        """The ids of all, when the last has come."""
        out, told = await asyncio.wait_for(self._process.communicate(), SOME_SECONDS)
        assert self._process.returncode == 0, told.decode()
        assert b"reconnecting" in told, "its server was killed"
        steps = [json.loads(line) for line in out.splitlines()]
        return [step["event"]["id"] for step in steps if "event" in step]

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def test_subscriptions_continue_over_servers_that_are_killed_in_turn(pair: Pair):
    ana = pair.servers[0].join("Ana")
    writer = await pair.connect(ana)
    followers = [await pair.connect(ana, balancing=how) for how in ("pick_first", "round_robin")]
    async with asyncio.timeout(SOME_SECONDS):
        made = 0

        async def write() -> str:
            nonlocal made
            reply = None
            for _ in range(5):
                made += 1
                # Under one key, however often it is sent.
                reply = await writer.goals.create_goal(v1.CreateGoalRequest(title=f"Meta {made}"))
            assert reply is not None
            return reply.receipt.cursor

        cursor = await write()
        watchers = [Watcher(client) for client in followers]
        # The goals, and that she is there.
        swift = await SwiftWatch.begin(pair, ana, limit=50 + 1)
        try:
            for watcher in watchers:
                await watcher.has(made + 1)
            for victim in (0, 1, 0):
                pair.servers[victim].kill()
                await write()
                await write()
                await pair.servers[victim].restart()
                cursor = await write()
            log = await read_all(writer, min_cursor=cursor)
            assert made == 50
            assert [event.type for event in log] == ["user.created"] + ["goal.created"] * made
            for watcher in watchers:
                await watcher.has(len(log))
                assert ids(watcher.events) == ids(log)
            assert await swift.events() == ids(log)
            assert all(watcher.interruptions > 0 for watcher in watchers)
        finally:
            for watcher in watchers:
                await watcher.close()
            await swift.close()
            for client in (writer, *followers):
                await client.close()
