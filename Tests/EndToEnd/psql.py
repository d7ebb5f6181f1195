"""Database sessions beside the servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import List, Sequence

from hito_server import HitoServer


class SessionLost(Exception):
    """The statement failed or the database went away; an open transaction is rolled back."""


class Session:
    """A `psql` that is told one script after the other, by default as the owner of the tables."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._scripts = 0

    @classmethod
    async def open(cls, server: HitoServer, user: str = "hito") -> "Session":
        """With the embedded PostgreSQL. Raises SessionLost while the database is down."""
        try:
            # Of the same installation as the server's PostgreSQL.
            postgres = Path(os.readlink(f"/proc/{server.postmaster()}/exe"))
        except (OSError, ValueError, IndexError):
            raise SessionLost("no PostgreSQL runs") from None
        command = [
            str(postgres.with_name("psql")), "-XqAt", "-v", "ON_ERROR_STOP=1",
            "-h", str(server.data / "run"), "-U", user, "-d", "hito",
        ]  # fmt: skip
        return await cls.start(command)

    @classmethod
    async def start(cls, command: Sequence[str]) -> "Session":
        """By any `psql` command that ends at the first error."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, limit=1 << 24,
        )  # fmt: skip
        session = cls(process)
        try:
            await session.run("SELECT 1;")
        except BaseException:
            await session.close()
            raise
        return session

    async def run(self, script: str, seconds: float = 20.0) -> List[str]:
        """The lines of the script's output, once all of it was done."""
        self._scripts += 1
        end = f"-- end of script {self._scripts}"
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        lines: List[str] = []
        try:
            async with asyncio.timeout(seconds):
                stdin.write(f"{script}\n\\echo '{end}'\n".encode())
                await stdin.drain()
                while line := (await stdout.readline()).decode():
                    if line.rstrip("\n") == end:
                        return lines
                    lines.append(line.rstrip("\n"))
                    if line.startswith(("WARNING:", "FATAL:")):
                        # That the server ends, or that a commit may be on one node only.
                        raise SessionLost(line)
        except (OSError, TimeoutError) as error:
            raise SessionLost(f"{error!r} after {lines[-3:]}") from None
        raise SessionLost("\n".join(lines[-3:]))

    def begin(self, part: str) -> None:
        """Sends the beginning of a script that `run` ends, as a slow client would."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{part}\n".encode())

    async def close(self) -> None:
        """Ends it; an open transaction is rolled back."""
        if self._process.returncode is None:
            # Not `Process.kill`, which may take the exit status from asyncio.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()
