"""Two servers of one database, for the matrix: they are killed in turn and come back."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Optional, Tuple

from external_database import VERSIONS, Database
from history import read_all
from hito import v1
from hito_server import HitoServer, Login
from matrix_checker import Event

import hito


@dataclass
class Pair:
    """Of servers, with what clients need to know of them."""

    folder: Path
    servers: List[HitoServer] = field(default_factory=list)
    kills: int = 0
    _database: Optional[Database] = None

    def start(self) -> None:
        database = self._database = Database(VERSIONS[-1])
        database.create("shared")
        for number in range(2):
            url = database.url("shared", application_name=f"server{number}")
            server = HitoServer(environment={"HITO_DATABASE_URL": url})
            self.servers.append(server)
            server.options = ["--database-connections", "6"]
            server.start()
        authorities = "".join(Path(server.ca_file).read_text() for server in self.servers)
        Path(self.ca_file).write_text(authorities)

    def remove(self) -> None:
        for server in self.servers:
            server.remove()
        if self._database is not None:
            self._database.remove()

    @property
    def ca_file(self) -> str:
        return str(self.folder / "authorities.pem")

    @property
    def addresses(self) -> str:
        return ",".join(server.address for server in self.servers)

    async def kill_in_turn(self, seconds: float, down: float, up: float) -> None:
        """For so long: one is killed and stays down for a while, then both are there for a while."""
        end = time.monotonic() + seconds
        await asyncio.sleep(up)
        while time.monotonic() < end:
            victim = self.servers[self.kills % 2]
            self.kills += 1
            await asyncio.to_thread(victim.kill)
            await asyncio.sleep(down)
            await victim.restart()
            await asyncio.sleep(up)

    async def read_log(self, login: Login, cursors: List[str]) -> Tuple[List[Event], List[str]]:
        """The log as this user sees it, not before these places, and the titles of the goals created."""
        async with await hito.Client.connect(
            self.addresses.split(","), ca_file=self.ca_file, token=login.token, timeout=60.0
        ) as client:
            for cursor in cursors:
                await client.goals.list_goals(v1.ListGoalsRequest(min_cursor=cursor))
            events = await read_all(client)
        titles = [json.loads(e.payload_json)["title"] for e in events if e.type == "goal.created"]
        return [Event(e.cursor, e.id, e.entity_id, e.version, e.type) for e in events], titles
