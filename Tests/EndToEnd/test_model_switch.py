"""Another embedding model takes over while people search and write."""

from __future__ import annotations

import asyncio
from typing import Awaitable, Callable, List, Set

import notes_queries
from embedding_world import EMBEDDED, HASHED, VECTOR, World, a_goal, is_active
from history import eventually
from hito import v1
from hito_server import HitoServer
from psql import Session, SessionLost
from scripted_model import ScriptedModel

import hito


async def doubled(server: HitoServer) -> List[str]:
    session = await Session.open(server)
    try:
        return await session.run(
            """
            SELECT entity_id, chunk_number, user_id FROM embeddings
            GROUP BY entity_id, chunk_number, user_id HAVING count(*) > 1;
            SELECT tablename FROM pg_tables WHERE tablename LIKE 'embeddings_%';
            """
        )
    finally:
        await session.close()


async def test_another_model_takes_over_while_people_search_and_write(world, model):
    for number in range(70):
        await a_goal(world.lea, f"Meta numerada {number}")
    await world.uses(EMBEDDED)
    before = await world.status()
    assert (before.dimensions, before.next_model) == (512, "") and before.stored > 70
    await world.notes(512)

    # The first request is answered, the second one held back: the switch is in the middle.
    model.script_embeddings(model.embed)
    gate = model.hold_embeddings(200)
    await world.restart(model)
    await asyncio.to_thread(model.wait_for_embeddings, 2)

    async def half() -> bool:
        status = await world.status()
        return status.next_model == HASHED and 0 < status.next_model_progress < 1

    await eventually("half of the switch", half)
    status = await world.status()
    assert (status.model, status.dimensions) == (EMBEDDED, 512)
    meanwhile = await a_goal(world.lea, "Aprender a tocar la guitarra")
    found = await world.search(
        "play an instrument", mode=VECTOR, min_cursor=meanwhile.receipt.cursor
    )
    assert (found.model, found.method) == (EMBEDDED, "exact")
    assert found.hits[0].citation.entity_id == meanwhile.goal.id
    await world.notes(512)

    gate.set()
    await world.uses(HASHED)
    after = await world.status()
    assert (after.dimensions, after.stored) == (1536, before.stored + 1)
    assert not after.failures
    await world.notes(1536)
    found = await world.search("tocar la guitarra", mode=VECTOR)
    assert (found.model, found.method) == (HASHED, "exact")
    assert found.hits[0].citation.entity_id == meanwhile.goal.id
    assert await doubled(world.server) == []
    assert {request.body["model"] for request in model.embeddings} == {HASHED}
    log = world.server.log.read_text(errors="replace")
    assert "clave-secreta-del-proveedor" not in log
    assert all("clave-secreta-del-proveedor" in r.headers["authorization"]
               for r in model.embeddings)  # fmt: skip


async def test_vectors_of_the_encoder_before_are_searched_while_they_are_made_anew(world):
    await world.restart(None)
    await world.uses(EMBEDDED)
    before = (await world.status()).stored
    session = await Session.open(world.server)
    try:
        # As an earlier version left it; this server has not looked since.
        await session.run(
            """
            BEGIN;
            UPDATE embedding_models SET name = 'use-multilingual-3' WHERE state = 'active';
            UPDATE embeddings SET model = 'use-multilingual-3';
            COMMIT;
            """
        )
    finally:
        await session.close()
    async def former() -> bool:
        found = await world.search("una API con Flask", mode=VECTOR, entity_types=["goal"])
        assert found.hits[0].citation.entity_id == world.goal
        return found.model == "use-multilingual-3"

    await eventually("the earlier name to be seen", former)
    await world.restart(None)
    found = await world.search("una API con Flask", mode=VECTOR, entity_types=["goal"])
    assert found.hits[0].citation.entity_id == world.goal
    await world.uses(EMBEDDED)
    assert (await world.status()).stored == before
    assert await doubled(world.server) == []
    found = await world.search("una API con Flask", mode=VECTOR, entity_types=["goal"])
    assert (found.model, found.hits[0].citation.entity_id) == (EMBEDDED, world.goal)


async def under_load(world: World, provider: ScriptedModel | None, name: str) -> List[str]:
    """Switches while a client searches, writes and reads; the errors that they got."""
    errors: Set[str] = set()
    done = asyncio.Event()

    async def again(call: Callable[[], Awaitable[object]], pause: float = 0.02) -> None:
        while not done.is_set():
            try:
                await call()
            except (hito.HitoError, SessionLost) as error:
                errors.add(f"{call.__name__}: {error}")
            # The server has two cores, and vectors to make.
            await asyncio.sleep(pause)

    async def searching() -> None:
        assert (await world.search("aprender flask con python")).hits

    async def noting() -> None:
        assert (await notes_queries.ask(world.server, world.lea.id, world.goal)).goal

    async def writing() -> None:
        await a_goal(world.lea, "Una de muchas")

    async def coding() -> None:
        request = v1.CreateSnapshotRequest(file_path="a.py", code_content="x = 1\n")
        await world.lea.client.code_validation.create_snapshot(request)

    async def looking() -> None:
        await world.status()

    await world.restart(provider)
    async with asyncio.TaskGroup() as group:
        for call in (searching, searching, noting, writing, coding, coding):
            group.create_task(again(call))
        for _ in range(4):
            group.create_task(again(looking, pause=0.0))
        try:
            await eventually(f"{name} to be in use", lambda: is_active(world.server, name), 120)
        finally:
            done.set()
    return sorted(errors)


async def test_nobody_gets_an_error_while_the_models_change(world, model):
    await world.restart(model)
    await world.uses(HASHED)
    assert await under_load(world, None, EMBEDDED) == []
    assert await under_load(world, model, HASHED) == []


async def test_what_is_written_while_the_models_change_is_soon_found_by_meaning(world, model):
    for provider, name in ((None, EMBEDDED), (model, HASHED)):
        await under_load(world, provider, name)
        await world.uses(name)


async def test_a_server_that_is_killed_in_the_middle_of_a_switch_ends_it_later(world, model):
    await world.restart(None)
    await world.uses(EMBEDDED)
    await world.notes(512)
    gate = model.hold_embeddings(200)
    await world.restart(model)
    await asyncio.to_thread(model.wait_for_embeddings, 1)
    await world.restart(model, how="kill")
    made = await a_goal(world.lea, "Escrita en medio del cambio")
    gate.set()
    await world.uses(HASHED)
    await world.notes(1536)
    assert await doubled(world.server) == []
    found = await world.search("escrita en medio", mode=VECTOR)
    assert found.hits[0].citation.entity_id == made.goal.id
