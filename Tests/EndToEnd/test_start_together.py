"""Servers that start at the same moment on one database that is empty."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterator

import pytest
from hito_server import HitoServer

TURNS = 3
FEW_CONNECTIONS = ["--database-connections", "1"]
"""The servers of a test share the connections of one embedded PostgreSQL."""


@pytest.fixture
def host() -> Iterator[HitoServer]:
    """A server whose PostgreSQL has room for databases of others."""
    server = HitoServer()
    server.options = FEW_CONNECTIONS
    try:
        server.start()
        yield server
    finally:
        server.remove()


def psql(host: HitoServer, database: str, script: str) -> str:
    program = Path(os.readlink(f"/proc/{host.postmaster()}/exe")).with_name("psql")
    return subprocess.run(
        [str(program), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", str(host.data / "run"),
         "-U", "postgres", "-d", database, "-c", script],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout.strip()  # fmt: skip


def test_all_of_them_serve_and_there_is_one_admin(host):
    for turn in range(TURNS):
        name = f"together_{turn}"
        psql(host, "postgres", f"CREATE DATABASE {name} OWNER hito")
        psql(host, name, "CREATE EXTENSION vector")
        url = f"postgresql:///{name}?host={host.data}/run&user=hito"
        servers = [HitoServer(environment={"HITO_DATABASE_URL": url}) for _ in range(2)]
        try:
            for server in servers:
                server.options = FEW_CONNECTIONS
            with ThreadPoolExecutor(len(servers)) as threads:
                for started in [threads.submit(server.start) for server in servers]:
                    started.result()
            assert all(server.is_running for server in servers)
            counts = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM tokens)"
            assert psql(host, name, counts) == "1|1"
            tokens = [server.data / "admin.token" for server in servers]
            assert [file.exists() for file in tokens].count(True) == 1
            assert [server.stop() for server in servers] == [0, 0]
        finally:
            for server in servers:
                server.remove()
