"""A server behind a real PgBouncer: refused with advice where it shares sessions, at work where it does not."""

from __future__ import annotations

from typing import Iterator

import pytest
from external_database import VERSIONS, Database, PgBouncer
from history import Watcher, check, read_all
from hito import v1
from hito_server import HitoServer
from learning import join

ADVICE = ("pool_mode = session", "port 5432")


@pytest.fixture(scope="module", params=VERSIONS)
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    running = Database(request.param)
    try:
        running.create("pooled")
        yield running
    finally:
        running.remove()


@pytest.fixture
def bouncer(database: Database) -> Iterator[PgBouncer]:
    running = PgBouncer(database, "pooled")
    try:
        yield running
    finally:
        running.remove()


def server_with(url: str) -> HitoServer:
    server = HitoServer(environment={"HITO_DATABASE_URL": url})
    server.options = ["--database-connections", "4"]
    return server


@pytest.mark.parametrize("settings", [{}, {"server_round_robin": "1"}], ids=["last", "in turn"])
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_shares_sessions_is_refused_with_advice(database, mode, settings):
    bouncer = PgBouncer(database, "pooled", **settings)
    server = server_with(bouncer.url(mode))
    try:
        with pytest.raises(RuntimeError) as refusal:
            server.start()
        for advice in ADVICE:
            assert advice in str(refusal.value)
        doctor = server.command(
            "doctor", "--data-dir", str(server.data), "--database-url", bouncer.url(mode)
        )
        assert doctor.returncode == 1
        (line,) = [line for line in doctor.stdout.splitlines() if "pool_mode = session" in line]
        assert "fail" in line
        # Nothing was begun: not even the table of migrations is there.
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert database.run("pooled", tables) == "0"
        # And nothing that we set is left with sessions of others.
        assert database.run(
            "pooled", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        ) == "0"
    finally:
        server.remove()
        bouncer.remove()


def test_a_pool_without_a_session_for_us_is_told_from_a_wrong_one(database):
    bouncer = PgBouncer(database, "pooled", pool_size=1)
    server = server_with(bouncer.url("session"))
    try:
        with pytest.raises(RuntimeError, match="default_pool_size"):
            server.start()
    finally:
        server.remove()
        bouncer.remove()


async def test_a_pooler_that_keeps_sessions_works(database, bouncer, connect):
    server = server_with(bouncer.url("session"))
    try:
        server.start()
        ana = await join(server, connect, "Ana")
        watcher = Watcher(ana.client)
        for number in range(20):
            made = await ana.client.goals.create_goal(v1.CreateGoalRequest(title=f"Meta {number}"))
        log = await read_all(ana.client, min_cursor=made.receipt.cursor)
        check(log)
        await watcher.has(len(log))
        assert [e.id for e in watcher.events] == [e.id for e in log]
        await watcher.close()
        found = await ana.client.retrieval.search(
            v1.SearchRequest(query="Meta", min_cursor=made.receipt.cursor)
        )
        assert found.hits
        await ana.client.close()
        assert server.stop() == 0, server.tail()
    finally:
        server.remove()
