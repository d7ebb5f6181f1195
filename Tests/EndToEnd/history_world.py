"""Where histories happen: two servers on a PostgreSQL that has a synchronous standby, or one server
with its own PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from history import eventually
from hito_server import HitoServer, Login, waiting
from network_link import Link
from postgres_node import Node
from psql import Session, SessionLost

import hito

SEQUENCER = 0x6869_746F_0002
"""The advisory lock of who gives events their positions."""
SECONDS = 60.0
"""How long whatever must come again is waited for."""
SYNCHRONOUS = {"synchronous_standby_names": "*"}
"""An acknowledged write is on both nodes, so that a failover loses none."""


AS_SYSTEM = "SET hito.scope = 'system';"
"""As the servers' own work: row-level security lets it write."""


async def prepared(session: Session, setup: str) -> Session:
    try:
        await session.run(f"SET lock_timeout = '5s'; {setup}")
    except BaseException:
        await session.close()
        raise
    return session


class Cluster:
    """A primary and its standby. Calls block; sessions do not."""

    def __init__(self, is_durable: bool = False) -> None:
        # Socket paths are limited to 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="hito-pg-", dir="/tmp"))
        self.folder.chmod(0o755)
        # What kill -9 of processes does is the same without waiting for the disk.
        settings = {**SYNCHRONOUS, "fsync": "on" if is_durable else "off"}
        self.nodes = [Node(self.folder, name, settings) for name in ("a", "b")]
        self._primary = 0

    @property
    def primary(self) -> Node:
        return self.nodes[self._primary]

    @property
    def standby(self) -> Node:
        return self.nodes[1 - self._primary]

    def create(self) -> None:
        self.primary.create()
        self.primary.start()
        for sql in [
            "CREATE ROLE hito LOGIN NOINHERIT", "CREATE ROLE hito_app LOGIN",
            "CREATE ROLE hito_reader NOLOGIN",
            "GRANT hito_reader TO hito", "CREATE DATABASE other",
        ]:  # fmt: skip
            self.primary.query(sql)
        self.standby.follow(self.primary)

    def make_database(self, name: str) -> None:
        self.primary.query(f"CREATE DATABASE {name} OWNER hito")
        self.primary.query("CREATE EXTENSION vector", name)
        # A standby that does not have it yet would end the search of clients for a host.
        written = self.primary.query("SELECT pg_current_wal_lsn()")
        replayed = f"SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= '{written}'"
        for _ in waiting(SECONDS, f"the standby to have {name}\n{self.standby.tail()}"):
            if self.primary.query(replayed) == "1":
                break

    def restart(self, node: Node) -> None:
        node.kill()
        node.start()

    def is_synchronous(self) -> bool:
        """Whether all that is committed now is on the standby."""
        flushed = self.primary.query("SELECT pg_current_wal_flush_lsn()")
        return self.primary.query(
            "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
            f" AND state = 'streaming' AND flush_lsn >= '{flushed}'"
        ) == "1"  # fmt: skip

    def fail_over(self) -> None:
        """The primary's machine goes; the standby takes writes, and gets a standby of its own."""
        for _ in waiting(SECONDS, f"the standby to follow\n{self.standby.tail()}"):
            if self.is_synchronous():
                break
        self.primary.destroy()
        self.standby.promote()
        self._primary = 1 - self._primary
        self.standby.follow(self.primary)

    def leader(self, database: str) -> str:
        """The name (`application_name`) of who gives positions; empty: nobody."""
        return self.primary.query(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            f" WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {SEQUENCER >> 32}"
            f" AND l.objid = {SEQUENCER & 0xFFFF_FFFF} AND a.datname = '{database}' LIMIT 1"
        )

    async def session(self, user: str, database: str, setup: str = "") -> Session:
        return await prepared(await Session.start(self.primary.psql(database, user)), setup)

    def remove(self) -> None:
        for node in self.nodes:
            node.stop()
        if not os.environ.get("HITO_E2E_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


class Place:
    """Servers on one database, and sessions beside them."""

    bystanders: Sequence[str] = ("other", "app", "owner")
    """Whose sessions hold transactions open."""
    has_two_phases = True
    """Whether transactions can be prepared."""

    def __init__(self) -> None:
        self.servers: List[HitoServer] = []

    async def start(self) -> None:
        raise NotImplementedError

    async def open_session(self, who: str) -> Session:
        """As `app` (the application's role), `owner`, `superuser`, or in the database `other`.
        Raises SessionLost while there is none."""
        raise NotImplementedError

    async def connect(self, login: Login, first: int = 0, is_only: bool = False) -> hito.Client:
        """A client that begins at one of the servers, and may stay with it."""
        others = [number for number in range(len(self.servers)) if number != first]
        order = [first] if is_only else [first, *others]
        return await hito.Client.connect(
            [self.servers[number].address for number in order],
            ca_file=self.servers[0].ca_file, token=login.token, wait_for_connect=True,
            connect_timeout=60.0, timeout=60.0,
        )  # fmt: skip

    async def ready(self) -> Session:
        """A session, once the database takes them."""
        found: List[Session] = []

        async def opens() -> bool:
            with contextlib.suppress(SessionLost):
                found.append(await self.open_session("superuser"))
            return bool(found)

        await eventually("a session with the database", opens, SECONDS)
        return found[0]

    async def stop(self) -> List[int]:
        """The exit status of each server."""
        return [await asyncio.to_thread(server.stop) for server in self.servers]

    async def remove(self) -> None:
        for server in self.servers:
            await asyncio.to_thread(server.remove)


class Alone(Place):
    """One server with its PostgreSQL embedded."""

    bystanders = ("app", "owner")
    has_two_phases = False

    async def start(self) -> None:
        self.servers.append(HitoServer())
        await self.servers[0].restart()

    async def open_session(self, who: str) -> Session:
        user = {"app": "hito_app", "owner": "hito", "superuser": "postgres"}[who]
        session = await Session.open(self.servers[0], user)
        return await prepared(session, AS_SYSTEM)


class Deployment(Place):
    """Two servers on a database of their own, each over links of its own."""

    def __init__(self, cluster: Cluster, database: str) -> None:
        super().__init__()
        self.cluster = cluster
        self.database = database
        self.links: List[List[Link]] = []
        """Of each server, to each node."""
        self.environment: Dict[str, str] = {}
        """What the servers are started with besides."""

    async def start(self) -> None:
        await asyncio.to_thread(self.cluster.make_database, self.database)
        for number in range(2):
            links = [await Link(node.socket).open() for node in self.cluster.nodes]
            self.links.append(links)
            hosts = ",".join(f"127.0.0.1:{link.port}" for link in links)
            url = f"postgresql://hito@{hosts}/{self.database}?application_name=server{number}"
            server = HitoServer(environment={**self.environment, "HITO_DATABASE_URL": url})
            server.options = ["--database-connections", "8"]
            self.servers.append(server)
            if number > 0:
                # One authority: clients go from one to the other.
                shutil.copytree(self.servers[0].data / "tls", server.data / "tls")
            await server.restart()

    async def open_session(self, who: str) -> Session:
        if who == "other":
            return await self.cluster.session("postgres", "other")
        user = {"app": "hito_app", "owner": "hito", "superuser": "postgres"}[who]
        return await self.cluster.session(user, self.database, AS_SYSTEM)

    async def leader(self, besides: Optional[int] = None) -> int:
        """Which server gives positions, once one does; another one than `besides`."""
        found: List[int] = []

        async def leads() -> bool:
            name = await asyncio.to_thread(self.cluster.leader, self.database)
            if name.startswith("server") and name != f"server{besides}":
                found.append(int(name.removeprefix("server")))
            return bool(found)

        await eventually(f"a leader besides {besides}", leads, SECONDS)
        return found[0]

    async def end_sessions(self, number: int) -> None:
        """What a timeout of the network does on PostgreSQL's side."""
        sql = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            f" WHERE application_name = 'server{number}' AND datname = '{self.database}'"
        )
        await asyncio.to_thread(self.cluster.primary.query, sql)

    async def remove(self) -> None:
        for link in itertools.chain(*self.links):
            link.heal()
        await super().remove()
        for link in itertools.chain(*self.links):
            await link.close()
