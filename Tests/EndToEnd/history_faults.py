"""What brings the faults of a plan about, by their names; each is over when its call returns."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from typing import Awaitable, Callable, Dict

from history import eventually
from history_plan import EMBEDDED_FAULTS, FAULTS
from history_world import Alone, Deployment
from history_writers import Ticker

LAST_SECONDS = 4.0
"""How long a fault lasts at most, where others write little meanwhile."""


class Nemesis:
    """Breaks a deployment and mends it again."""

    def __init__(self, deployment: Deployment, ticker: Ticker, chance: random.Random) -> None:
        self._place = deployment
        self._cluster = deployment.cluster
        self._ticker = ticker
        self._chance = chance
        self._ways: Dict[str, Callable[[int], Awaitable[None]]] = {
            "kill the leader": self._kill_leader,
            "kill the other server": self._kill_other,
            "kill a server that is just starting": self._kill_starting,
            "kill both servers": self._kill_both_servers,
            "kill PostgreSQL": self._kill_postgres,
            "kill a session's process": self._kill_session,
            "kill PostgreSQL and the leader": self._kill_both,
            "kill the standby": self._kill_standby,
            "fail over": self._fail_over,
            "restart PostgreSQL": self._restart_postgres,
            "stop the leader in order": self._stop_leader,
            "end the leader's sessions": self._end_sessions,
            "pause the leader until another leads": self._pause_leader,
            "part the leader from PostgreSQL": self._part_leader,
            "cut a server off": self._cut,
            "hold a server's packets back": self._hold,
            "pause the standby": self._pause_standby,
        }
        assert set(self._ways) == set(FAULTS)

    async def strike(self, fault: str, during: int) -> None:
        await self._ways[fault](during)

    async def _lasts(self, during: int) -> None:
        await self._ticker.more(during, LAST_SECONDS)

    async def _kill_leader(self, _: int) -> None:
        server = self._place.servers[await self._place.leader()]
        server.kill()
        await server.restart()

    async def _kill_other(self, _: int) -> None:
        server = self._place.servers[1 - await self._place.leader()]
        server.kill()
        await server.restart()

    async def _kill_starting(self, _: int) -> None:
        server = self._chance.choice(self._place.servers)
        server.kill()
        server.launch()
        await asyncio.sleep(self._chance.uniform(0.0, 0.5))
        server.kill()
        await server.restart()

    async def _kill_both_servers(self, during: int) -> None:
        servers = self._place.servers
        for server in servers:
            server.kill()
        await self._lasts(during // 4)
        await asyncio.gather(*(server.restart() for server in servers))

    async def _kill_postgres(self, _: int) -> None:
        await asyncio.to_thread(self._cluster.restart, self._cluster.primary)

    async def _kill_session(self, _: int) -> None:
        """PostgreSQL then ends all other sessions and recovers by itself."""
        where = "backend_type = 'client backend' AND datname = current_database()"
        session = await self._place.ready()
        try:
            pids = await session.run(
                f"SELECT pid FROM pg_stat_activity WHERE {where} AND pid <> pg_backend_pid();"
            )
        finally:
            await session.close()
        if pids:
            # One that has ended meanwhile needs no killing.
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(self._chance.choice(pids)), signal.SIGKILL)
        await (await self._place.ready()).close()

    async def _kill_both(self, _: int) -> None:
        server = self._place.servers[await self._place.leader()]
        self._cluster.primary.kill()
        server.kill()
        await asyncio.to_thread(self._cluster.primary.start)
        await server.restart()

    async def _kill_standby(self, _: int) -> None:
        """Until it is back no write is acknowledged."""
        await asyncio.to_thread(self._cluster.restart, self._cluster.standby)

    async def _fail_over(self, _: int) -> None:
        await asyncio.to_thread(self._cluster.fail_over)

    async def _restart_postgres(self, _: int) -> None:
        await asyncio.to_thread(self._cluster.primary.stop)
        await asyncio.to_thread(self._cluster.primary.start)

    async def _stop_leader(self, _: int) -> None:
        server = self._place.servers[await self._place.leader()]
        status = await asyncio.to_thread(server.stop)
        assert status == 0, f"the server ended with {status}\n{server.tail()}"
        await server.restart()

    async def _end_sessions(self, _: int) -> None:
        await self._place.end_sessions(await self._place.leader())

    async def _pause_leader(self, during: int) -> None:
        """It loses the lead without knowing, and goes on as if it had it."""
        number = await self._place.leader()
        server = self._place.servers[number]
        server.signal(signal.SIGSTOP)
        try:
            await self._place.end_sessions(number)
            await self._place.leader(besides=number)
            await self._lasts(during)
        finally:
            server.signal(signal.SIGCONT)

    async def _part_leader(self, during: int) -> None:
        """The same, by the network: its statements go nowhere until it learns that."""
        number = await self._place.leader()
        links = self._place.links[number]
        for link in links:
            link.part()
        try:
            await self._place.leader(besides=number)
            await self._lasts(during)
        finally:
            for link in links:
                link.heal()

    async def _cut(self, during: int) -> None:
        links = self._chance.choice(self._place.links)
        for link in links:
            link.cut()
        await self._lasts(during)
        for link in links:
            link.heal()

    async def _hold(self, during: int) -> None:
        links = self._chance.choice(self._place.links)
        for link in links:
            link.hold()
        await self._lasts(during)
        for link in links:
            link.release()

    async def _pause_standby(self, _: int) -> None:
        """Commits wait for it meanwhile."""
        pid = self._cluster.standby.process_of("walreceiver")
        if pid is None:
            return
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(self._chance.uniform(0.1, 1.5))
        os.kill(pid, signal.SIGCONT)

        async def follows() -> bool:
            return await asyncio.to_thread(self._cluster.is_synchronous)

        await eventually("the standby to follow", follows, 60.0)


class EmbeddedNemesis:
    """Breaks a server that has its PostgreSQL embedded; the server starts that again by itself."""

    def __init__(self, place: Alone) -> None:
        self._server = place.servers[0]
        self._ways: Dict[str, Callable[[], Awaitable[None]]] = {
            "kill the server": self._kill_server,
            "kill PostgreSQL": lambda: self._signal_postgres(signal.SIGKILL),
            "kill PostgreSQL and the server": self._kill_both,
            "restart PostgreSQL": lambda: self._signal_postgres(signal.SIGINT),
        }
        assert set(self._ways) == set(EMBEDDED_FAULTS)

    async def strike(self, fault: str, _: int) -> None:
        await self._ways[fault]()

    async def _kill_server(self) -> None:
        self._server.kill()
        await self._server.restart()

    async def _kill_both(self) -> None:
        os.kill(self._server.postmaster(), signal.SIGKILL)
        await self._kill_server()

    async def _signal_postgres(self, how: signal.Signals) -> None:
        before = self._server.postmaster()
        os.kill(before, how)

        async def is_another() -> bool:
            try:
                return self._server.postmaster() != before
            except (FileNotFoundError, IndexError, ValueError):
                return False

        await eventually("another PostgreSQL", is_another, 40.0)
