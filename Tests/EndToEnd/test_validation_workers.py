"""Validations that servers take and workers run, on one database, with a validator that does what comments say
(debug builds)."""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any, Iterator, List

import pytest
from external_database import Database
from hito import v1
from hito_server import HitoServer
from learning import join
from test_validation import PASSED, SCRIPTED, a_suite, goal_with_task, kept
from test_validation import set_tests, submission, until, validated, watched


@pytest.fixture(scope="module")
def shared_database() -> Iterator[Database]:
    database = Database(18)
    try:
        yield database
    finally:
        database.remove()


@pytest.fixture(scope="module")
def servers(shared_database: Database) -> Iterator[List[HitoServer]]:
    """Two servers that run no code."""
    shared_database.create("judged")
    servers = []
    for number in range(2):
        url = shared_database.url("judged", application_name=f"server{number}")
        server = HitoServer(environment={**SCRIPTED, "HITO_DATABASE_URL": url})
        server.options = ["--database-connections", "4", "--validate-here", "no"]
        servers.append(server)
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.remove()


def worker_of(servers: List[HitoServer], database: Database) -> "subprocess.Popen[bytes]":
    server = servers[0]
    url = database.url("judged", application_name="worker")
    log = (server.folder / "worker.log").open("ab")
    return subprocess.Popen(
        [server.program, "work", "--roles", "validate", "--validation-slots", "1"],
        env={**server._environment(), "HITO_DATABASE_URL": url}, stdout=log, stderr=log,
    )  # fmt: skip


async def test_a_worker_runs_what_servers_take_and_another_takes_over(
    servers, shared_database, connect
):
    [first] = [s for s in servers if (s.data / "admin.token").exists()]
    lea = await join(first, connect, "Lea")
    made = await goal_with_task(lea)
    await set_tests(lea, a_suite("one"), made.tasks[0].id)
    code = "# sleep 1500\n# pass one"
    task = asyncio.create_task(validated(lea, submission(code, made.tasks[0].id)))
    other = next(s for s in servers if s is not first)
    client = await connect(other, lea.login)

    async def listed() -> List[Any]:
        answer = await client.code_validation.list_validations(v1.ListValidationsRequest())
        return list(answer.validations)

    [run] = await until(listed, bool)
    assert run.status == v1.ValidationStatus.VALIDATION_STATUS_QUEUED
    watching = asyncio.create_task(watched(client, run.run_id))
    worker = worker_of(servers, shared_database)
    running = v1.ValidationStatus.VALIDATION_STATUS_RUNNING
    await until(listed, lambda runs: runs[0].status == running)
    worker.kill()
    worker.wait()
    worker = worker_of(servers, shared_database)
    try:
        messages = await asyncio.wait_for(task, 60)
        assert messages[-1].result.verdict == PASSED and messages[-1].attempt == 2
        assert kept(await watching) == kept(messages)
    finally:
        worker.terminate()
        assert worker.wait(40) == 0
