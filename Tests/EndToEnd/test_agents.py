"""Goals that a model proposes: streamed step by step, held to the contract, stored once."""

from __future__ import annotations

import json

import pytest
from history import check, read_all
from hito import v1
from learning import (
    TUTORIAL, completed_goal, course, generate, goals_of, trace, validated_code,
)  # fmt: skip
from model_steps import DOUBLED, GOOD, TITLES, TWO_TASKS, proposal, says
from psql import Session

import hito

WISH = "Aprender FastAPI"
NODES = ["retrieve 1", "generate 1", "validate 1", "persist 1", "respond 1"]


async def test_a_goal_is_streamed_step_by_step_and_stored_with_its_tasks(lea, model):
    run = await generate(lea, WISH)
    assert run.nodes == NODES
    assert run.kinds == [
        "node_started", "context", "node_started", "token", "node_started", "findings",
        "node_started", "result",
    ]  # fmt: skip
    assert run.text == GOOD and run.findings == [[]] and run.citations == []
    result, wanted = run.result, json.loads(GOOD)
    assert result.planner == "model" and not result.receipt.replayed
    assert (result.goal.title, result.goal.description) == (wanted["title"], wanted["description"])
    assert result.goal.ai_feedback == wanted["ai_feedback"]
    assert list(result.goal.validation_criteria) == wanted["validation_criteria"]
    assert result.goal.user_id == lea.id
    assert [(t.title, t.ordinal) for t in result.tasks] == [
        (title, number) for number, title in enumerate(TITLES, result.tasks[0].ordinal)
    ]
    assert all(task.validation_criteria and task.description for task in result.tasks)
    # What was streamed is what is stored, and it can be found by meaning at once.
    read = await lea.client.goals.get_goal(
        v1.GetGoalRequest(goal_id=result.goal.id, min_cursor=result.receipt.cursor)
    )
    assert read.goal == result.goal and list(read.tasks) == list(result.tasks)
    found = await lea.client.retrieval.search(
        v1.SearchRequest(query="api con fastapi", mode="SEARCH_MODE_VECTOR",
                         min_cursor=result.receipt.cursor)
    )  # fmt: skip
    assert [hit.citation.entity_id for hit in found.hits] == [result.goal.id]


async def test_the_goal_and_the_end_of_its_run_are_one_transaction(thinking, lea, model):
    run = await generate(lea, WISH)
    session = await Session.open(thinking)
    try:
        units = await session.run(
            f"""
            SELECT count(*), count(DISTINCT xmin::text) FROM (
              SELECT xmin FROM goals WHERE id = '{run.result.goal.id}'
              UNION ALL SELECT xmin FROM tasks WHERE goal_id = '{run.result.goal.id}'
              UNION ALL SELECT xmin FROM agent_runs WHERE id = '{run.id}') rows;
            """
        )
    finally:
        await session.close()
    assert units == ["5|1"]


async def test_the_events_of_a_run_are_its_trace(lea, model):
    run = await generate(lea, WISH)
    events = await trace(lea, "ai.run_completed", run.id)
    assert [e.type for e in events] == [
        "ai.run_started", "ai.context_retrieved", "ai.replied", "ai.proposal_checked",
        "ai.run_completed",
    ]  # fmt: skip
    assert all(e.entity_type == "agent_run" and e.user_id == lea.id for e in events)
    payloads = [json.loads(e.payload_json) for e in events]
    assert payloads[0]["request"]["prompt"] == WISH and payloads[0]["model"] == "scripted"
    assert payloads[2]["text"] == GOOD and payloads[2]["prompt_tokens"] == 100
    assert payloads[4]["goal_id"] == run.result.goal.id
    log = await read_all(lea.client, min_cursor=run.result.receipt.cursor)
    check(log)
    made = [e.type for e in log if e.type.startswith(("goal.", "task."))]
    assert made == ["goal.created", "task.created", "task.created", "task.created"]


async def test_learning_fastapi_builds_on_a_completed_goal_a_course_and_validated_code(
    lea, judge, teacher, example, model
):
    """The notes' request, with everything that the notes' agent looks for."""
    goal = await completed_goal(lea, "Aprender Flask", "Hice una API REST en Python, con pruebas.")
    document = v1.CourseDocument(path="fastapi.md", content=TUTORIAL.encode())
    taught = await course(teacher, "Curso de FastAPI", document)
    await lea.client.courses.enrol(v1.EnrolRequest(course_id=taught))
    own = await validated_code(
        lea, judge, "app.py", "from fastapi import FastAPI\n\napp = FastAPI()  # Aprender FastAPI\n"
    )
    run = await generate(lea, "Aprender FastAPI: crear una API REST completa de usuarios")
    cited = {(c.entity_type, c.entity_id) for c in run.citations}
    assert {("goal", goal), ("course", taught)} <= cited
    assert {("code_snapshot", own), ("code_snapshot", example.id)} <= cited
    sections = [c for c in run.citations if c.entity_type == "course" and c.document_path]
    assert {c.anchor for c in sections} & {"instalar", "ruta", "probar"}
    assert all(c.document_path == "fastapi.md" and 0 < c.similarity <= 1 for c in sections)
    assert all(len(c.excerpt) <= 2000 and c.title for c in run.citations)
    assert list(run.result.citations) == run.citations
    # The model reads what was cited, and not whose the shared example is.
    (asked,) = model.chats
    for text in ("Aprender Flask", "pip install fastapi", "get_user_by_id", "app = FastAPI()"):
        assert text in asked.user
    assert example.author not in asked.text and "Autor" not in asked.text


async def test_a_broken_contract_is_repaired_and_the_findings_are_shown(lea, model):
    model.script(says(DOUBLED), says(proposal(title="TODO")), says(GOOD))
    run = await generate(lea, WISH)
    assert [rules and rules[0] for rules in run.findings] == ["task_duplicate", "placeholder", []]
    assert run.nodes == [
        "retrieve 1", "generate 1", "validate 1", "repair 2", "validate 2", "repair 3",
        "validate 3", "persist 1", "respond 1",
    ]  # fmt: skip
    first, second, third = model.chats
    assert "task_duplicate" not in first.user and "task_duplicate" in second.user
    assert TITLES[2] in second.user, "the repair shows the model what it said"
    assert "placeholder" in third.user and "task_duplicate" not in third.user
    assert run.result.planner == "model" and len(await goals_of(lea)) == 1


async def test_two_tasks_are_too_few_whatever_the_model_insists_on(lea, teacher, model):
    model.script(says(TWO_TASKS), says(GOOD))
    run = await generate(lea, WISH)
    assert len(run.result.tasks) == 3 and run.text == GOOD
    assert len(model.chats) == 2
    # One that insists is not believed: the goal is planned from what was found, and says so.
    document = v1.CourseDocument(path="fastapi.md", content=TUTORIAL.encode())
    taught = await course(teacher, "Otro curso de FastAPI", document)
    await lea.client.courses.enrol(v1.EnrolRequest(course_id=taught))
    model.script(*[says(TWO_TASKS)] * 6)
    run = await generate(lea, "Aprender FastAPI paso a paso", course_id=taught)
    assert run.result.planner == "retrieval" and 3 <= len(run.result.tasks) <= 5


async def test_after_two_repairs_the_model_is_not_asked_again(lea, model):
    model.script(*[says(DOUBLED)] * 4)
    with pytest.raises(hito.FailedPrecondition) as caught:
        await generate(lea, WISH)
    assert len(model.chats) == 3
    assert "task_duplicate" in str(caught.value)
    assert [v.field for v in caught.value.details.field_violations] == ["tasks[1]"]
    assert await goals_of(lea) == []
    await trace(lea, "ai.run_failed")


async def test_a_repeat_under_the_same_key_gives_the_same_goal(lea, model):
    first = await generate(lea, WISH, key="mi-clave")
    again = await generate(lea, WISH, key="mi-clave")
    assert again.id == first.id and again.result.goal == first.result.goal
    assert list(again.result.tasks) == list(first.result.tasks)
    assert again.kinds == first.kinds and again.text == first.text
    assert len(model.chats) == 1 and len(await goals_of(lea)) == 1
    with pytest.raises(hito.AlreadyExists) as caught:
        await generate(lea, "Otra cosa", key="mi-clave")
    assert caught.value.reason == v1.ErrorReason.ERROR_REASON_KEY_CONFLICT
