"""How far everything is, told by any server for all of them."""

from __future__ import annotations

import asyncio
from typing import Iterator

import pytest
from conftest import _running
from hito import v1
from hito_server import HitoServer
from psql import Session


@pytest.fixture(scope="module")
def server() -> Iterator[HitoServer]:
    yield from _running({})


async def test_who_lives_is_not_hidden_by_any_number_of_dead(server, connect):
    root = await connect(server, server.admin())
    session = await Session.open(server)
    try:
        # A worker that is started again and again: each process has a name and an id of its own.
        await session.run(
            """
            INSERT INTO process_reports (process_id, process, pipeline, position, waiting, detail,
              last_error, unconfirmed, reported_at)
            SELECT gen_random_uuid(), 'a dead one ' || n, p, 1, 0, '', '', 0,
              clock_timestamp() - interval '1 minute'
            FROM generate_series(1, 1000) n, unnest(ARRAY['lake', 'relay', 'embeddings']) p;
            INSERT INTO process_reports (process_id, process, pipeline, position, waiting, detail,
              last_error, unconfirmed)
            SELECT gen_random_uuid(), 'one that lives', p, 2, 0, '', '', 0
            FROM unnest(ARRAY['lake', 'relay']) p;
            """
        )
        async with asyncio.timeout(5):
            shown = await root.server.get_pipelines(v1.GetPipelinesRequest())
        names = {pipeline.name for pipeline in shown.pipelines}
        assert {"lake@one that lives", "relay@one that lives"} <= names
        assert len(shown.pipelines) < 300
    finally:
        await session.close()
