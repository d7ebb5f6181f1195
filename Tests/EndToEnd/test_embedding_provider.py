"""An embedding provider that is slow, away or wrong: writes never wait for it, and it heals."""

from __future__ import annotations

import asyncio

import pytest
from embedding_world import HASHED, VECTOR, a_goal
from history import eventually
from hito import v1

import hito


async def test_min_cursor_waits_for_the_provider_s_vector(world, model):
    await world.restart(model)
    await world.uses(HASHED)
    model.clear()
    gate = model.hold_embeddings()
    made = await a_goal(world.lea, "Cantar en un coro de ornitorrincos")
    await asyncio.to_thread(model.wait_for_embeddings, 1)
    cursor = made.receipt.cursor
    waiting = asyncio.create_task(world.search("ornitorrincos", mode=VECTOR, min_cursor=cursor))
    # By words, and without waiting, it is found meanwhile.
    found = await world.search("ornitorrincos", mode="SEARCH_MODE_TEXT")
    assert [hit.citation.entity_id for hit in found.hits] == [made.goal.id]
    with pytest.raises(hito.DeadlineExceeded) as caught:
        request = v1.SearchRequest(query="ornitorrincos", min_cursor=cursor)
        await world.lea.client.retrieval.search(request, timeout=0.5)
    assert caught.value.details.lagging_part in ("embeddings", "")
    assert not waiting.done()
    gate.set()
    assert (await waiting).hits[0].citation.entity_id == made.goal.id


async def test_a_provider_that_is_away_delays_and_never_refuses_a_write(world, model):
    await world.restart(model)
    await world.uses(HASHED)
    with model.away():
        made = await a_goal(world.lea, "Bailar tangos con avestruces")

        async def said() -> bool:
            return bool((await world.status()).failures)

        await eventually("the failure to be shown", said, 30)
        status = await world.status()
        failure = next(f for f in status.failures if f.entity_id == made.goal.id)
        assert failure.entity_type == "goal" and failure.attempts >= 1
        assert failure.error and failure.next_attempt_us > 0
        for secret in ("clave-secreta", str(model.port), "avestruces"):
            assert secret not in failure.error
        assert status.pending >= 1
        found = await world.search("bailar tangos")
        assert found.method == "text" and found.hits[0].citation.entity_id == made.goal.id
        with pytest.raises(hito.DeadlineExceeded) as caught:
            request = v1.SearchRequest(query="tangos", min_cursor=made.receipt.cursor)
            await world.lea.client.retrieval.search(request, timeout=1.0)
        assert caught.value.details.lagging_part in ("embeddings", "")
        assert not (await world.lea.client.goals.get_goal(
            v1.GetGoalRequest(goal_id=made.goal.id, min_cursor=made.receipt.cursor)
        )).goal.HasField("completed_at")  # fmt: skip
    found = await world.lea.client.retrieval.search(
        v1.SearchRequest(query="bailar tangos", mode=VECTOR, min_cursor=made.receipt.cursor),
        timeout=60.0,
    )
    assert found.model == HASHED and found.hits[0].citation.entity_id == made.goal.id
    status = await world.status()
    assert (status.pending, len(status.failures)) == (0, 0)

    async def caught_up() -> bool:
        return (await world.status()).lag_events == 0

    await eventually("no lag", caught_up)


async def test_vectors_of_another_size_are_a_failure_with_a_name(world, model):
    await world.restart(model)
    await world.uses(HASHED)
    model.dimensions = 8
    try:
        made = await a_goal(world.lea, "Medir el tamaño de las cosas")

        async def said() -> bool:
            return made.goal.id in {f.entity_id for f in (await world.status()).failures}

        await eventually("the failure to be shown", said, 30)
        assert (await world.search("tamaño de las cosas")).method == "text"
    finally:
        model.dimensions = 1536
    found = await world.lea.client.retrieval.search(
        v1.SearchRequest(query="tamaño de las cosas", mode=VECTOR,
                         min_cursor=made.receipt.cursor), timeout=60.0,
    )  # fmt: skip
    assert found.hits[0].citation.entity_id == made.goal.id


async def test_a_server_starts_while_its_provider_is_away(world, model):
    await world.restart(model)
    await world.uses(HASHED)
    with model.away():
        await world.restart(model)
        found = await world.search("aprender flask con python")
        assert found.method == "text" and found.hits
        with pytest.raises((hito.Unavailable, hito.DeadlineExceeded)):
            request = v1.SearchRequest(query="flask", mode=VECTOR)
            await world.lea.client.retrieval.search(request, timeout=3.0)

    async def back() -> bool:
        return (await world.search("aprender flask con python")).method == "exact"

    await eventually("the provider to be asked again", back, 40)


async def test_a_text_without_a_vector_waits_alone(world, model):
    await world.restart(model)
    await world.uses(HASHED)

    def step(exchange) -> None:
        if any("imposible" in text for text in exchange.request.body["input"]):
            exchange.json(500, {"error": "failed to encode response: json: unsupported value: NaN"})
        else:
            model.embed(exchange)

    model.script_embeddings(*[step] * 1000)
    made = [await a_goal(world.lea, f"Contar hasta {number}") for number in ("uno", "dos", "tres")]
    bad = await a_goal(world.lea, "Contar hasta lo imposible")
    made += [await a_goal(world.lea, f"Contar hasta {number}") for number in ("seis", "siete")]

    async def alone() -> bool:
        status = await world.status()
        return status.pending == 1 and [f.entity_id for f in status.failures] == [bad.goal.id]

    await eventually("all others to have their vectors", alone, 60)
    found = await world.search("contar hasta siete", mode=VECTOR)
    assert found.hits[0].citation.entity_id == made[-1].goal.id
    model.clear()

    async def healed() -> bool:
        return not (await world.status()).pending

    await eventually("the text to be tried again", healed, 60)
