"""A rebuild that the database's disk has no room for: said in words, nothing is left of it, and what is live
goes on."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

import pytest
from external_database import VERSIONS, Database
from hito import v1
from hito_server import HitoServer
from rebuilding import is_clean, replay

import hito

DISK = "200m"
GOALS = 60
LEFT_BYTES = 256 * 1024


@pytest.fixture
def disk() -> Iterator[Path]:
    # Not below a private folder: PostgreSQL runs as another user.
    place = Path(tempfile.mkdtemp(prefix="hito-disk-", dir="/tmp"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", str(place)],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode != 0:
        place.rmdir()
        pytest.skip("this container mounts nothing")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes a small disk")
async def test_a_full_disk_ends_a_rebuild_and_nothing_else(disk: Path):
    database = Database(VERSIONS[0], data=disk / "data")
    server = HitoServer()
    try:
        database.create("narrow")
        url = database.url("narrow")
        server.environment["HITO_DATABASE_URL"] = url
        await server.restart()
        login = await asyncio.to_thread(server.join, "Ana")
        async with await hito.Client.connect(
            server.address, ca_file=server.ca_file, token=login.token
        ) as client:
            for number in range(GOALS):
                tasks = [v1.NewTask(title=f"Paso {n} {'x' * 150}") for n in range(8)]
                request = v1.CreateGoalRequest(
                    title=f"Meta {number}", description="d" * 3000, tasks=tasks
                )
                await client.goals.create_goal(request)
            is_clean(await replay(server, "--database-url", url))
            database.run("postgres", "CHECKPOINT")
            filler = disk / "filler"
            with filler.open("wb") as file:
                file.write(bytes(shutil.disk_usage(disk).free - LEFT_BYTES))
            result = await replay(server, "--database-url", url)
            assert result.returncode == 1, result.stdout
            assert "No space left on device" in result.stderr, result.stderr
            assert "no difference" not in result.stderr + result.stdout
            # Readers notice nothing, and of the rebuild nothing is there.
            page = await client.goals.list_goals(v1.ListGoalsRequest())
            assert len(page.goals) > 0
            filler.unlink()
            schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'hito_replay'"
            assert database.run("narrow", schemas) == "0"
            await client.goals.create_goal(v1.CreateGoalRequest(title="Después"))
            is_clean(await replay(server, "--database-url", url))
        assert await asyncio.to_thread(server.stop) == 0, server.tail()
    finally:
        server.remove()
        database.remove()
