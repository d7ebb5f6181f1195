"""Comments on code, advice from a course, and what a server says that has no model."""

from __future__ import annotations

import json

import pytest
import pytest_asyncio
from hito import v1
from learning import (
    GET_USER, TUTORIAL, Run, completed_goal, course, generate, goals_of, join,
    trace, validated_code,
)  # fmt: skip
from model_steps import PROSE, says

import hito

NOTES = "Tu código es correcto, pero te falta dependency injection. Mira este ejemplo [C1]."
NO_MODEL = v1.ErrorReason.ERROR_REASON_NO_MODEL


async def feedback(person, question: str = "", snapshot: str = "", code: str = "") -> Run:
    request = v1.GetFeedbackRequest(question=question)
    if snapshot:
        request.snapshot_id = snapshot
    else:
        request.code.CopyFrom(v1.CodeText(language="python", content=code))
    return await Run.of(person.client.code_validation.get_feedback(request))


async def advice(person, course_id: str, question: str, goal_id: str = "") -> Run:
    request = v1.AdviseRequest(course_id=course_id, question=question, goal_id=goal_id)
    return await Run.of(person.client.courses.advise(request))


@pytest_asyncio.fixture
async def taught(teacher) -> str:
    document = v1.CourseDocument(path="guia/fastapi.md", content=TUTORIAL.encode())
    return await course(teacher, "Curso de FastAPI", document)


async def test_feedback_cites_the_validated_code_that_is_like_it(lea, example, model):
    model.script(says(NOTES))
    run = await feedback(lea, code=GET_USER, question="¿Qué le falta a mi función?")
    assert run.nodes == ["retrieve 1", "review 1", "respond 1"]
    assert run.kinds == [
        "node_started", "context", "node_started", "token", "node_started", "result",
    ]  # fmt: skip
    assert run.text == NOTES == run.result.text
    cited = next(c for c in run.citations if c.entity_id == example.id)
    assert (cited.entity_type, cited.title) == ("code_snapshot", "users.py")
    assert 0.5 < cited.similarity <= 1 and "get_user_by_id" in cited.excerpt
    assert list(run.result.citations) == run.citations
    (asked,) = model.chats
    assert "db.query(User).filter(User.id == user_id)" in asked.user
    assert "get_user_by_id" in asked.user and f"similarity: {cited.similarity:.2f}" in asked.user
    assert "verdict: none" in asked.user and "¿Qué le falta a mi función?" in asked.user
    assert not asked.wants_json
    await trace(lea, "ai.run_completed", run.id)


async def test_the_verdict_is_given_to_the_model_as_a_fact_and_stays_what_it_is(
    lea, judge, example, model
):
    said = "La sesión db no llega por ningún lado: falta Depends."
    snapshot = await validated_code(
        lea, judge, "mi_users.py", GET_USER, feedback=said, score=0.4, verdict="VERDICT_FAILED"
    )
    model.script(says("verdict: passed\nscore: 1.00 ¡Perfecto!"))
    run = await feedback(lea, snapshot=snapshot)
    (asked,) = model.chats
    for fact in ("verdict: failed", "score: 0.40", said, "mi_users.py"):
        assert fact in asked.user
    assert example.id in {c.entity_id for c in run.citations}
    assert snapshot not in {c.entity_id for c in run.citations}, "not an example of itself"
    kept = await lea.client.code_validation.get_snapshot(
        v1.GetSnapshotRequest(snapshot_id=snapshot)
    )
    assert kept.snapshot.verdict == v1.Verdict.VERDICT_FAILED
    assert kept.snapshot.validation_score == 0.4
    assert kept.snapshot.validation_feedback == said


async def test_code_of_other_languages_and_code_that_failed_are_no_examples(
    thinking, lea, judge, connect, model
):
    author = await join(thinking, connect, "Autor")
    marker = "def ornitorrinco_violeta(numero: int) -> int:\n    return numero + 41\n"
    failed = await validated_code(
        author, judge, "mal.py", marker, shared=True, verdict="VERDICT_FAILED"
    )
    other = await validated_code(author, judge, "otro.swift", marker, shared=True)
    low = await validated_code(author, judge, "bajo.py", marker, shared=True, score=0.7)
    private = await validated_code(author, judge, "suyo.py", marker)
    run = await feedback(lea, code=marker)
    assert not {c.entity_id for c in run.citations} & {failed, other, low, private}
    assert run.result.text == PROSE.replace(" [C1]", ""), "what was not found is not cited"
    # Nobody else's test is to find it.
    request = v1.SetSharingRequest(snapshot_id=other, shared=False)
    await author.client.code_validation.set_sharing(request)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (v1.GetFeedbackRequest(), "subject"),
        (v1.GetFeedbackRequest(snapshot_id="x"), "snapshot_id"),
        (v1.GetFeedbackRequest(code=v1.CodeText(content=" \n\t")), "code.content"),
        (v1.GetFeedbackRequest(code=v1.CodeText(content="x" * (256 * 1024 + 1))), "code.content"),
        (
            v1.GetFeedbackRequest(code=v1.CodeText(content="x"), question="x" * 4001),
            "question",
        ),
    ],
    ids=["nothing", "no id", "blank", "too long", "long question"],
)
async def test_feedback_on_nothing_is_refused_by_its_field(lea, model, request_, field):
    with pytest.raises(hito.InvalidArgument) as caught:
        await Run.of(lea.client.code_validation.get_feedback(request_))
    assert [v.field for v in caught.value.details.field_violations] == [field]
    assert model.chats == []


async def test_advice_answers_from_the_course_s_sections_with_anchors(lea, taught, model):
    await lea.client.courses.enrol(v1.EnrolRequest(course_id=taught))
    goal = await lea.client.goals.create_goal(
        v1.CreateGoalRequest(title="Arrancar mi primera API", course_id=taught)
    )
    model.script(says("Instálalo con `pip install fastapi` [D1]. Después escribe una ruta."))
    run = await advice(lea, taught, "¿Cómo instalo FastAPI?", goal.goal.id)
    assert run.nodes == ["retrieve 1", "advise 1", "respond 1"]
    assert run.result.text == run.text and not run.result.abstained
    best = run.citations[0]
    assert (best.entity_id, best.document_path) == (taught, "guia/fastapi.md")
    assert best.anchor == "instalar" and "pip install fastapi" in best.excerpt
    (asked,) = model.chats
    assert "Arrancar mi primera API" in asked.user and "¿Cómo instalo FastAPI?" in asked.user
    assert "guia/fastapi.md#instalar" in asked.user
    await trace(lea, "ai.run_completed", run.id)


async def test_advice_abstains_where_nothing_is_close_and_does_not_ask_the_model(
    lea, taught, model
):
    await lea.client.courses.enrol(v1.EnrolRequest(course_id=taught))
    run = await advice(lea, taught, "¿Quién ganó el mundial de balonmano femenino?")
    assert run.result.abstained and not run.result.citations and run.result.text
    assert model.chats == []


async def test_advice_is_for_those_enrolled(thinking, lea, taught, connect, model):
    with pytest.raises(hito.FailedPrecondition, match="enrol"):
        await advice(lea, taught, "¿Cómo instalo FastAPI?")
    await lea.client.courses.enrol(v1.EnrolRequest(course_id=taught))
    other = await join(thinking, connect, "Otra")
    goal = await completed_goal(other, "Un secreto de otra")
    with pytest.raises(hito.NotFound):
        await advice(lea, taught, "¿Cómo instalo FastAPI?", goal)
    await lea.client.courses.leave(v1.LeaveRequest(course_id=taught))
    with pytest.raises(hito.FailedPrecondition):
        await advice(lea, taught, "¿Cómo instalo FastAPI?")
    assert model.chats == []


async def test_an_answer_is_in_the_language_of_its_question(lea, taught, model):
    await lea.client.courses.enrol(v1.EnrolRequest(course_id=taught))
    await advice(lea, taught, "¿Cómo se instala FastAPI en mi ordenador?")
    await advice(lea, taught, "How do I install FastAPI on my computer?")
    spanish, english = model.chats
    assert "en español" in spanish.system and "in English" in english.system


# Without a model. The server is the one that all other tests use.


async def test_without_a_model_a_goal_is_planned_from_what_was_found_and_says_so(
    server, connect
):
    lea = await join(server, connect, "Lea")
    teacher = await join(server, connect, "Ines", "instructor")
    document = v1.CourseDocument(path="fastapi.md", content=TUTORIAL.encode())
    taught = await course(teacher, "Curso de FastAPI", document)
    await lea.client.courses.enrol(v1.EnrolRequest(course_id=taught))
    run = await generate(lea, "Aprender FastAPI")
    assert run.nodes == ["retrieve 1", "generate 1", "persist 1", "respond 1"]
    assert "token" not in run.kinds and run.findings == [[]]
    result = run.result
    assert result.planner == "retrieval" and result.goal.title == "Aprender FastAPI"
    assert 3 <= len(result.tasks) <= 5
    assert all(task.validation_criteria for task in result.tasks)
    assert "no lo ha escrito un modelo" in result.goal.ai_feedback
    assert "[D2] «" in result.goal.ai_feedback
    started = (await trace(lea, "ai.run_completed", run.id))[0]
    assert json.loads(started.payload_json)["model"] is None


async def test_without_a_model_and_without_anything_to_plan_from_it_says_so(server, connect):
    lea = await join(server, connect, "Lea")
    wish = "Aprender a tocar la dulzaina"
    with pytest.raises(hito.FailedPrecondition, match="nothing to plan from") as caught:
        await generate(lea, wish, key="mañana")
    assert [v.field for v in caught.value.details.field_violations] == ["prompt"]
    assert await goals_of(lea) == []
    # There is more the next day, and the same call finds it.
    teacher = await join(server, connect, "Ines", "instructor")
    await course(teacher, "La dulzaina")
    run = await generate(lea, wish, key="mañana")
    assert run.result.planner == "retrieval"
    assert "Inscribirte en el curso «La dulzaina»" in [task.title for task in run.result.tasks]


async def test_without_a_model_a_wish_of_several_things_is_a_plan(server, connect):
    lea = await join(server, connect, "Lea")
    run = await generate(lea, "Aprender alfarería: preparar el barro, usar el torno y cocer las piezas")
    assert run.result.planner == "retrieval" and run.findings[-1] == []
    assert [task.title for task in run.result.tasks] == [
        "Preparar el barro", "Practicar «el torno»", "Cocer las piezas",
    ]  # fmt: skip
    assert "tus propias palabras" in run.result.goal.ai_feedback


async def test_two_goals_of_one_subject_are_two_and_one_again_is_one(server, connect):
    lea = await join(server, connect, "Lea")
    teacher = await join(server, connect, "Ines", "instructor")
    await course(teacher, "Versiones con Git")
    for wish in ("ramas en Git", "deshacer cambios en Git", "Aprender Git"):
        assert (await generate(lea, wish)).result.goal.title == wish
    for wish in ("ramas en Git", "Practicar las ramas en Git"):
        with pytest.raises(hito.FailedPrecondition, match="an open goal that is the same"):
            await generate(lea, wish)
    assert len(await goals_of(lea)) == 3


async def test_without_a_model_feedback_and_advice_say_so_at_once(server, connect):
    lea = await join(server, connect, "Lea")
    teacher = await join(server, connect, "Ines", "instructor")
    taught = await course(teacher, "Curso de FastAPI")
    await lea.client.courses.enrol(v1.EnrolRequest(course_id=taught))
    for call in (
        feedback(lea, code=GET_USER), advice(lea, taught, "¿Cómo instalo FastAPI?"),
    ):  # fmt: skip
        with pytest.raises(hito.Unavailable) as caught:
            await call
        assert caught.value.reason == NO_MODEL and caught.value.from_server
