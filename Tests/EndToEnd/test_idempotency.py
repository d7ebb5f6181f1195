"""Exactly-once effects: one key, one effect, however often it is sent."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from history import ids, pages, read_all
from hito import v1

import hito


def a_goal(title: str) -> v1.CreateGoalRequest:
    return v1.CreateGoalRequest(title=title, tasks=[v1.NewTask(title="Leer")])


async def titles(client) -> list:
    return [g.title async for g in pages(client.goals.list_goals, v1.ListGoalsRequest(), "goals")]


async def test_the_same_key_again_gives_the_reply_of_the_first_time(server, ana, connect):
    client = await connect(server, ana)
    key = str(uuid.uuid4())
    first = await client.goals.create_goal(a_goal("Una vez"), idempotency_key=key)
    again = await client.goals.create_goal(a_goal("Una vez"), idempotency_key=key)
    assert not first.receipt.replayed and again.receipt.replayed
    again.receipt.replayed = False
    assert again == first
    assert await titles(client) == ["Una vez"]
    log = await read_all(client, min_cursor=first.receipt.cursor)
    assert [e.type for e in log if e.type.startswith(("goal", "task"))] == [
        "goal.created", "task.created",
    ]  # fmt: skip


async def test_the_same_key_at_the_same_time_has_one_effect(server, ana, connect):
    clients = [await connect(server, ana) for _ in range(4)]
    key = str(uuid.uuid4())
    replies = await asyncio.gather(
        *(
            clients[n % 4].goals.create_goal(a_goal("A la vez"), idempotency_key=key)
            for n in range(16)
        )
    )
    assert len({reply.goal.id for reply in replies}) == 1
    assert sum(not reply.receipt.replayed for reply in replies) == 1
    assert await titles(clients[0]) == ["A la vez"]


async def test_the_same_key_for_another_request_is_a_conflict(server, ana, connect):
    client = await connect(server, ana)
    key = str(uuid.uuid4())
    await client.goals.create_goal(a_goal("Primera"), idempotency_key=key)
    with pytest.raises(hito.AlreadyExists) as caught:
        await client.goals.create_goal(a_goal("Segunda"), idempotency_key=key)
    assert caught.value.reason == v1.ErrorReason.ERROR_REASON_KEY_CONFLICT
    assert await titles(client) == ["Primera"]


async def test_a_key_is_the_caller_s_and_the_method_s_own(server, ana, berta, connect):
    client, other = await connect(server, ana), await connect(server, berta)
    key = str(uuid.uuid4())
    mine = await client.goals.create_goal(a_goal("Mía"), idempotency_key=key)
    theirs = await other.goals.create_goal(a_goal("Mía"), idempotency_key=key)
    assert theirs.goal.user_id == berta.user_id and not theirs.receipt.replayed
    started = await client.goals.start_goal(
        v1.StartGoalRequest(goal_id=mine.goal.id), idempotency_key=key
    )
    assert not started.receipt.replayed


async def test_a_refused_request_leaves_its_key_free(server, ana, connect):
    client = await connect(server, ana)
    key = str(uuid.uuid4())
    with pytest.raises(hito.InvalidArgument):
        await client.goals.create_goal(a_goal(""), idempotency_key=key)
    made = await client.goals.create_goal(a_goal("Ahora sí"), idempotency_key=key)
    assert not made.receipt.replayed


async def test_a_replay_is_the_old_reply_even_when_things_have_changed(server, ana, connect):
    client = await connect(server, ana)
    made = await client.goals.create_goal(a_goal("Cambia"))
    key = str(uuid.uuid4())
    request = v1.CompleteTaskRequest(task_id=made.tasks[0].id)
    first = await client.tasks.complete_task(request, idempotency_key=key)
    await client.tasks.reopen_task(v1.ReopenTaskRequest(task_id=made.tasks[0].id))
    again = await client.tasks.complete_task(request, idempotency_key=key)
    assert again.receipt.replayed and again.goal == first.goal
    read = await client.goals.get_goal(v1.GetGoalRequest(goal_id=made.goal.id))
    assert read.goal.progress_percentage == 0.0, "a replay has no effect"


async def test_a_key_survives_kill_9(mortal, mortal_ana, connect):
    client = await connect(mortal, mortal_ana)
    key = str(uuid.uuid4())
    first = await client.goals.create_goal(a_goal("Antes"), idempotency_key=key)
    mortal.kill()
    await mortal.restart()
    again = await client.goals.create_goal(a_goal("Antes"), idempotency_key=key, timeout=60.0)
    assert again.receipt.replayed and again.goal.id == first.goal.id
    log = await read_all(
        client, v1.EventFilter(goal_ids=[first.goal.id]), min_cursor=first.receipt.cursor
    )
    assert len(log) == 2 and len(set(ids(log))) == 2


async def test_what_was_written_is_read_by_its_receipt(server, ana, connect):
    writer, reader = await connect(server, ana), await connect(server, ana)
    for number in range(20):
        made = await writer.goals.create_goal(v1.CreateGoalRequest(title=f"Meta {number}"))
        cursor = made.receipt.cursor
        page = await reader.events.read_events(
            v1.ReadEventsRequest(
                filter=v1.EventFilter(goal_ids=[made.goal.id]), min_cursor=cursor
            )
        )
        assert [e.entity_id for e in page.events] == [made.goal.id]
        report = await reader.analytics.get_productivity(
            v1.GetProductivityRequest(min_cursor=cursor)
        )
        assert report.goals_created == number + 1


@pytest.mark.parametrize("cursor", ["x", "é" * 10, "0" * 500, "-1", "99999999999999999999"])
async def test_a_cursor_that_is_none_is_refused(server, ana, connect, cursor):
    client = await connect(server, ana)
    with pytest.raises((hito.OutOfRange, hito.InvalidArgument)):
        await client.goals.list_goals(v1.ListGoalsRequest(min_cursor=cursor))
    with pytest.raises((hito.OutOfRange, hito.InvalidArgument)):
        await client.progress.watch(v1.WatchRequest(after_cursor=cursor)).__anext__()
