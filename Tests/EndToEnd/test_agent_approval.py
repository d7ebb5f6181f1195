"""Proposals that wait for their learner: shown, edited, stored or dropped, and followed."""

from __future__ import annotations

import json

import pytest
from hito import v1
from learning import Person, Run, completed_goal, generate, goals_of, join, trace
from model_steps import GOOD, TITLES

import hito

APPROVE = v1.ProposalDecision.PROPOSAL_DECISION_APPROVE
REJECT = v1.ProposalDecision.PROPOSAL_DECISION_REJECT
WISH = "Aprender FastAPI"


async def propose(person: Person, key: str = "") -> Run:
    return await generate(person, WISH, key=key, require_approval=True)


async def resolve(
    person: Person, run: Run, decision: int = APPROVE, edited: v1.GoalProposal | None = None
) -> v1.GeneratedGoal:
    request = v1.ResolveProposalRequest(run_id=run.id, decision=decision, edited=edited)
    return (await person.client.goals.resolve_proposal(request)).result


async def watch(person: Person, run: Run, cursor: str = "") -> Run:
    request = v1.WatchRunRequest(run_id=run.id, cursor=cursor)
    return await Run.of(person.client.goals.watch_run(request))


async def test_a_proposal_is_shown_before_anything_is_stored(lea, model):
    await completed_goal(lea, "Aprender Flask", "Una API con FastAPI no, con Flask.")
    run = await propose(lea)
    assert run.nodes == ["retrieve 1", "generate 1", "validate 1"]
    proposal, said = run.proposal, json.loads(GOOD)
    assert (proposal.title, proposal.planner) == (said["title"], "model")
    assert [task.title for task in proposal.tasks] == list(TITLES)
    assert proposal.ai_feedback == said["ai_feedback"]
    assert list(proposal.citations) == run.citations != []
    assert len(await goals_of(lea)) == 1, "only the completed one"
    await trace(lea, "ai.proposal_made", run.id)

    result = await resolve(lea, run)
    assert [task.title for task in result.tasks] == list(TITLES)
    assert result.goal.ai_feedback == said["ai_feedback"] and result.planner == "model"
    assert list(result.citations) == run.citations
    read = await lea.client.goals.get_goal(v1.GetGoalRequest(goal_id=result.goal.id))
    assert read.goal == result.goal and list(read.tasks) == list(result.tasks)
    await trace(lea, "ai.run_completed", run.id)
    assert len(model.chats) == 1


async def test_a_proposal_is_stored_as_its_learner_edits_it(lea, model):
    run = await propose(lea)
    edited = v1.GoalProposal()
    edited.CopyFrom(run.proposal)
    edited.title = "FastAPI, pero a mi manera"
    edited.tasks[1].title = "cualquier cosa"
    edited.tasks.append(v1.NewTask(title="Enseñarlo a Berta"))
    edited.ai_feedback = "Soy el mejor"
    edited.planner = "learner"
    result = await resolve(lea, run, edited=edited)
    assert result.goal.title == "FastAPI, pero a mi manera"
    assert [task.title for task in result.tasks] == [
        TITLES[0], "cualquier cosa", TITLES[2], "Enseñarlo a Berta",
    ]  # fmt: skip
    # What the model said of it, and who planned it, is not the learner's to write.
    assert result.goal.ai_feedback == json.loads(GOOD)["ai_feedback"]
    assert result.planner == "model"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("edited.title", lambda p: p.ClearField("title")),
        ("edited.title", lambda p: setattr(p, "title", "x" * 201)),
        ("edited.title", lambda p: setattr(p, "title", "oculto \u202e aquí")),
        ("edited.description", lambda p: setattr(p, "description", "[x](javascript:alert(1))")),
        ("edited.tasks", lambda p: p.tasks.pop()),
        ("edited.tasks", lambda p: p.tasks.extend([v1.NewTask(title="Otra más")] * 3)),
        ("edited.tasks[0].title", lambda p: setattr(p.tasks[0], "title", "dos\nlíneas")),
    ],
    ids=["no title", "long", "hidden", "unsafe link", "two tasks", "six tasks", "two lines"],
)
async def test_edits_that_break_a_hard_rule_are_refused_and_the_proposal_waits_on(
    lea, model, field, change
):
    run = await propose(lea)
    edited = v1.GoalProposal()
    edited.CopyFrom(run.proposal)
    change(edited)
    with pytest.raises(hito.InvalidArgument) as caught:
        await resolve(lea, run, edited=edited)
    assert field in {violation.field for violation in caught.value.details.field_violations}
    assert await goals_of(lea) == []
    assert (await resolve(lea, run)).goal.title == run.proposal.title


async def test_a_rejected_proposal_leaves_nothing_but_its_trace(lea, model):
    run = await propose(lea, key="una")
    assert not (await resolve(lea, run, REJECT)).HasField("goal")
    assert await goals_of(lea) == []
    await trace(lea, "ai.proposal_rejected", run.id)
    for again in (APPROVE, REJECT):
        with pytest.raises(hito.FailedPrecondition) as caught:
            await resolve(lea, run, again)
        reason = v1.ErrorReason.ERROR_REASON_ILLEGAL_TRANSITION
        assert caught.value.reason == reason
    with pytest.raises(hito.FailedPrecondition, match="rejected"):
        await propose(lea, key="una")
    assert len(model.chats) == 1


async def test_a_proposal_is_resolved_once(lea, model):
    run = await propose(lea)
    request = v1.ResolveProposalRequest(run_id=run.id, decision=APPROVE)
    first = await lea.client.goals.resolve_proposal(request, idempotency_key="si")
    again = await lea.client.goals.resolve_proposal(request, idempotency_key="si")
    assert again.result.goal == first.result.goal
    with pytest.raises(hito.FailedPrecondition):
        await lea.client.goals.resolve_proposal(request)
    assert len(await goals_of(lea)) == 1


async def test_an_answer_that_is_none_is_refused(lea, model):
    run = await propose(lea)
    with pytest.raises(hito.InvalidArgument):
        await resolve(lea, run, v1.ProposalDecision.PROPOSAL_DECISION_UNSPECIFIED)
    with pytest.raises(hito.InvalidArgument):
        await resolve(lea, run, REJECT, edited=run.proposal)
    with pytest.raises(hito.NotFound):
        request = v1.ResolveProposalRequest(run_id=lea.id, decision=APPROVE)
        await lea.client.goals.resolve_proposal(request)


async def test_a_run_is_its_learner_s_alone(thinking, lea, judge, connect, model):
    other = await join(thinking, connect, "Otra")
    run = await propose(lea)
    with pytest.raises(hito.NotFound):
        await resolve(other, run)
    with pytest.raises(hito.NotFound):
        await watch(other, run)
    assert (await watch(judge, run)).proposal == run.proposal


async def test_a_run_can_be_watched_again_from_the_start_and_from_every_step(lea, model):
    run = await generate(lea, WISH)
    again = await watch(lea, run)
    assert again.kinds == run.kinds and again.text == run.text
    assert again.result == run.result
    for index, step in enumerate(again.steps):
        rest = await watch(lea, run, cursor=step.cursor)
        assert rest.steps == again.steps[index + 1 :]
    for step in run.steps[:-1]:
        assert (await watch(lea, run, cursor=step.cursor)).result == run.result
    with pytest.raises((hito.OutOfRange, hito.InvalidArgument)):
        await watch(lea, run, cursor="x")


async def test_a_watched_proposal_ends_the_watch_s_stream_and_its_goal_the_next_one(lea, model):
    run = await propose(lea)
    assert (await watch(lea, run)).proposal == run.proposal
    result = await resolve(lea, run)
    after = await watch(lea, run)
    assert after.result.goal == result.goal
    assert after.kinds[-2:] == ["node_started", "result"]
