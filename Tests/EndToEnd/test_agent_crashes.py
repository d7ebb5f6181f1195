"""Runs whose caller leaves or whose server is killed: no node is run twice, nothing is doubled."""

from __future__ import annotations

import asyncio
import threading

import pytest
from history import check, eventually, read_all
from hito import v1
from learning import Run, generate, goals_of, join, trace
from model_steps import DOUBLED, GOOD, PROSE, hangs, says, slow

import hito

WISH = "Aprender FastAPI"
FINISHED = [
    "ai.run_started", "ai.context_retrieved", "ai.replied", "ai.proposal_checked",
    "ai.run_completed",
]  # fmt: skip


def begin(person, wish: str = WISH, key: str = "", **fields) -> Run:
    request = v1.GenerateGoalRequest(prompt=wish, **fields)
    return Run(person.client.goals.generate_goal(request, idempotency_key=key or None))


async def arrived(model, count: int) -> list:
    return await asyncio.to_thread(model.wait_for_chats, count)


async def hung_up(request) -> None:
    assert await asyncio.to_thread(request.closed.wait, 20), "the model's call was not ended"


async def test_tokens_come_while_the_model_writes(lea, model):
    pieces = threading.Semaphore(0)
    model.script(slow(GOOD, pieces, size=len(GOOD) // 3 + 1))
    run = begin(lea)
    for count in range(1, 4):
        pieces.release()
        await run.follow(until="token")
        assert len(run.text) == min(len(GOOD), count * (len(GOOD) // 3 + 1))
    await run.follow()
    assert run.text == GOOD and run.result.planner == "model"


async def test_a_caller_who_leaves_ends_the_model_s_call_and_may_come_back(lea, model):
    model.script(hangs(GOOD[:100]), says(GOOD))
    run = begin(lea, key="vuelvo")
    await run.follow(until="token")
    (asked,) = await arrived(model, 1)
    await run.leave()
    await hung_up(asked)
    events = await trace(lea, "ai.run_cancelled", run.id)
    assert [e.type for e in events] == [
        "ai.run_started", "ai.context_retrieved", "ai.run_cancelled",
    ]  # fmt: skip
    assert await goals_of(lea) == []
    # The same call continues with the node that had not finished; what was found is not sought
    # again.
    again = await generate(lea, WISH, key="vuelvo")
    assert again.id == run.id and again.result.goal.id
    events = await trace(lea, "ai.run_completed", run.id)
    assert [e.type for e in events].count("ai.context_retrieved") == 1
    assert len(model.chats) == 2 and len(await goals_of(lea)) == 1


@pytest.mark.parametrize("how", ["task", "connection"])
async def test_however_the_caller_leaves_the_model_s_call_ends(thinking, lea, connect, model, how):
    model.script(hangs(GOOD[:100]))
    client = await connect(thinking, lea.login)
    run = Run(client.goals.generate_goal(v1.GenerateGoalRequest(prompt=WISH)))
    task = asyncio.create_task(run.follow())
    (asked,) = await arrived(model, 1)
    if how == "task":
        task.cancel()
    elif how == "connection":
        await client.close()
    with pytest.raises((asyncio.CancelledError, hito.HitoError)):
        await task
    await hung_up(asked)
    await trace(lea, "ai.run_cancelled", run.id)


async def test_a_run_whose_deadline_passes_is_cancelled_and_no_server_continues_it(
    thinking, connect, model
):
    """Many, because the deadline and what it interrupts race each other."""
    learners = [await join(thinking, connect, f"Lea-{number}") for number in range(24)]
    model.script(*[hangs()] * len(learners))

    begun = []

    async def late(person, seconds: float) -> None:
        request = v1.GenerateGoalRequest(prompt=WISH)
        run = Run(person.client.goals.generate_goal(request, timeout=seconds))
        with pytest.raises(hito.DeadlineExceeded):
            await run.follow()
        if run.steps:
            begun.append((person, run.id))

    # A few at a time: a server asks its model for four at once.
    for first in range(0, len(learners), 4):
        await asyncio.gather(*(late(learners[n], 0.3 + n / 50) for n in range(first, first + 4)))
    assert begun
    for person, run_id in begun:
        await trace(person, "ai.run_cancelled", run_id)
        assert await goals_of(person) == []


async def test_a_reader_who_leaves_a_watch_ends_nothing(thinking, lea, connect, model):
    gate = threading.Semaphore(0)
    model.script(slow(GOOD, gate, size=len(GOOD)))
    run = begin(lea)
    following = asyncio.create_task(run.follow())
    await arrived(model, 1)
    client = await connect(thinking, lea.login)
    watched = Run(client.goals.watch_run(v1.WatchRunRequest(run_id=run.id)))
    await watched.follow(until="context")
    await watched.leave()
    whole = Run(client.goals.watch_run(v1.WatchRunRequest(run_id=run.id)))
    task = asyncio.create_task(whole.follow())
    gate.release()
    await following
    await task
    assert whole.result == run.result and whole.text == GOOD


async def test_a_repeat_while_the_first_call_runs_follows_it(lea, model):
    gate = threading.Semaphore(0)
    model.script(slow(GOOD, gate, size=len(GOOD)))
    run = begin(lea, key="dos veces")
    first = asyncio.create_task(run.follow())
    await arrived(model, 1)
    second = asyncio.create_task(generate(lea, WISH, key="dos veces"))
    gate.release()
    again = await second
    await first
    assert again.id == run.id and again.result.goal == run.result.goal
    assert len(model.chats) == 1 and len(await goals_of(lea)) == 1


async def test_after_kill_9_in_the_middle_of_a_reply_the_run_ends_by_itself(
    mortal_thinking, connect, model
):
    lea = await join(mortal_thinking, connect, "Lea")
    model.script(hangs(GOOD[:200]))
    run = begin(lea, key="k")
    await run.follow(until="token")
    mortal_thinking.kill()
    with pytest.raises(hito.Unavailable):
        await run.follow()
    await mortal_thinking.restart()
    # No client calls: the server continues by itself. What was found was stored and is not sought
    # again.
    events = await trace(lea, "ai.run_completed", run.id)
    assert [e.type for e in events] == FINISHED
    assert len(model.chats) == 2, "the reply that was cut is asked for again, once"
    again = await generate(lea, WISH, key="k")
    assert again.id == run.id and again.text == GOOD
    (goal,) = await goals_of(lea)
    assert goal == again.result.goal and len(model.chats) == 2
    check(await read_all(lea.client))


async def test_after_kill_9_a_repeat_of_the_call_ends_the_run_too(
    mortal_thinking, connect, model
):
    lea = await join(mortal_thinking, connect, "Lea")
    model.script(hangs(), says(GOOD))
    run = begin(lea, key="k")
    reading = asyncio.create_task(run.follow())
    await arrived(model, 1)
    mortal_thinking.kill()
    with pytest.raises(hito.Unavailable):
        await reading
    restarting = asyncio.create_task(mortal_thinking.restart())
    # The call waits for the server, and takes the run over or follows who has it.
    again = await generate(lea, WISH, key="k")
    await restarting
    assert again.id == run.id and again.result.planner == "model"
    assert len(model.chats) == 2
    (goal,) = await goals_of(lea)
    assert goal.id == again.result.goal.id
    check(await read_all(lea.client, min_cursor=again.result.receipt.cursor))


async def test_a_recorded_reply_survives_kill_9_and_is_not_asked_for_again(
    mortal_thinking, connect, model
):
    lea = await join(mortal_thinking, connect, "Lea")
    model.script(says(DOUBLED), hangs(GOOD[:50]), says(GOOD))
    run = begin(lea, key="k")
    reading = asyncio.create_task(run.follow())
    await arrived(model, 2)
    mortal_thinking.kill()
    with pytest.raises(hito.Unavailable):
        await reading
    await mortal_thinking.restart()
    events = await trace(lea, "ai.run_completed", run.id)
    assert [e.type for e in events] == [
        *FINISHED[:4], "ai.replied", "ai.proposal_checked", "ai.run_completed",
    ]  # fmt: skip
    first, broken, resumed = model.chats
    assert "task_duplicate" not in first.user
    assert "task_duplicate" in broken.user and "task_duplicate" in resumed.user
    again = await generate(lea, WISH, key="k")
    assert again.findings == [["task_duplicate"], []] and len(model.chats) == 3
    assert len(await goals_of(lea)) == 1


async def test_a_proposal_waits_through_kill_9(mortal_thinking, connect, model):
    lea = await join(mortal_thinking, connect, "Lea")
    run = await generate(lea, WISH, key="k", require_approval=True)
    mortal_thinking.kill()
    await mortal_thinking.restart()
    again = await generate(lea, WISH, key="k", require_approval=True)
    assert again.proposal == run.proposal and len(model.chats) == 1
    approve = v1.ProposalDecision.PROPOSAL_DECISION_APPROVE
    request = v1.ResolveProposalRequest(run_id=run.id, decision=approve)
    result = (await lea.client.goals.resolve_proposal(request)).result
    assert [goal.id for goal in await goals_of(lea)] == [result.goal.id]


async def test_feedback_that_was_killed_continues_with_the_repeated_call(
    mortal_thinking, connect, model
):
    """Only its caller has the code: no other server continues it."""
    lea = await join(mortal_thinking, connect, "Lea")
    model.script(hangs(PROSE[:20] + "\n"))
    request = v1.GetFeedbackRequest(code=v1.CodeText(language="python", content="x = 1\n"))
    run = Run(lea.client.code_validation.get_feedback(request))
    await run.follow(until="token")
    mortal_thinking.kill()
    with pytest.raises(hito.Unavailable):
        await run.follow()
    await mortal_thinking.restart()
    again = await Run.of(lea.client.code_validation.get_feedback(request))
    assert again.result.text == PROSE.replace(" [C1]", "") and len(model.chats) == 2


async def test_a_drained_server_lets_its_runs_go_for_the_next_one(mortal_thinking, connect, model):
    lea = await join(mortal_thinking, connect, "Lea")
    model.script(hangs(GOOD[:200]), says(GOOD))
    run = begin(lea, key="k")
    await run.follow(until="token")
    reading = asyncio.create_task(run.follow())
    status = await asyncio.to_thread(mortal_thinking.stop)
    assert status == 0
    with pytest.raises(hito.HitoError):
        await reading
    await mortal_thinking.restart()
    await trace(lea, "ai.run_completed", run.id)

    async def there() -> bool:
        return len(await goals_of(lea)) == 1

    await eventually("the goal", there)
    assert len(model.chats) == 2
