"""`hito replay` beside a server, and what it says."""

from __future__ import annotations

import asyncio
import re
from subprocess import CompletedProcess
from typing import List

from hito_server import HitoServer

TABLES = [
    "users", "courses", "enrolments", "course_documents", "goals", "tasks", "code_snapshots",
    "snapshot_files", "passages", "embeddings",
]  # fmt: skip


async def replay(server: HitoServer, *options: str) -> "CompletedProcess[str]":
    data = ["--data-dir", str(server.data)]
    return await asyncio.to_thread(server.command, "replay", *options, *data)


def differences(result: "CompletedProcess[str]") -> List[str]:
    """What it says that differs, once every table was compared."""
    lines = result.stdout.splitlines()
    listed = [line for line in lines if re.match(r"\w+ +\d+ +\d+", line)]
    assert [line.split()[0] for line in listed][: len(TABLES)] == TABLES, result
    return lines[len(listed) + 1 :]


def is_clean(result: "CompletedProcess[str]") -> None:
    assert differences(result) == [] and result.returncode == 0, f"{result.stdout}{result.stderr}"
    assert "no difference" in result.stderr
