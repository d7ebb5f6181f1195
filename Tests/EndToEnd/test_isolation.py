"""What one learner wrote never comes into another's prompts, streams, events or into logs."""

from __future__ import annotations

import asyncio

import injections
import pytest
from history import read_all
from hito import v1
from learning import (
    Person, Run, completed_goal, course, findable, generate, join, validated_code,
)  # fmt: skip
from model_steps import GOOD, hangs, proposal, says
from psql import Session, SessionLost

import hito

WISH = "Aprender FastAPI con una API de tareas"
SECRET = "La contraseña de Berta es ornitorrinco-violeta-47"
CODE = '''from fastapi import FastAPI

app = FastAPI()  # Aprender FastAPI con una API de tareas


@app.get("/tareas/{id}")
async def leer_tarea(id: str):
    return {"id": id}
'''


async def life(person: Person, judge: Person, teacher: Person, secret: str) -> set:
    """Everything that agents look for, nearly the same for everybody; the ids of what is theirs."""
    goal = await completed_goal(person, f"{WISH} {secret}", secret)
    code = await validated_code(
        person, judge, "app.py", f"# {secret}\n{CODE}", feedback=f"Bien. {secret}"
    )
    text = f"# {WISH}\n\n{secret}\n\n## Crear tareas\n\nUna API de tareas con FastAPI. {secret}\n"
    document = v1.CourseDocument(path="api.md", content=text.encode())
    taught = await course(teacher, f"Curso de {WISH}", document, description=secret)
    await person.client.courses.enrol(v1.EnrolRequest(course_id=taught))
    opened = await person.client.goals.create_goal(
        v1.CreateGoalRequest(title=f"Publicar la API {secret}", description=secret)
    )
    await findable(person, opened.receipt.cursor)
    return {goal, code, taught, opened.goal.id, person.id}


async def test_no_agent_shows_a_model_what_is_another_learner_s(
    thinking, lea, judge, teacher, connect, model
):
    berta = await join(thinking, connect, "Berta")
    hers = await life(lea, judge, teacher, "La de Lea es avestruz-verde-12")
    theirs = await life(berta, judge, teacher, SECRET)
    (own_course,) = [
        c.id
        for c in (
            await lea.client.courses.list_courses(v1.ListCoursesRequest(enrolled_only=True))
        ).courses
    ]
    assert own_course in hers
    model.script(says(proposal(title="TODO")), says(GOOD))
    run = await generate(lea, f"{WISH}, como la de Berta: ornitorrinco-violeta")
    advised = await Run.of(
        lea.client.courses.advise(
            v1.AdviseRequest(course_id=own_course, question="¿Y el ornitorrinco-violeta de Berta?")
        )
    )
    subject = v1.CodeText(language="python", content=CODE)
    commented = await Run.of(
        lea.client.code_validation.get_feedback(
            v1.GetFeedbackRequest(code=subject, question="¿Cuál es la contraseña de Berta?")
        )
    )
    assert len(model.chats) >= 3
    for one in (run, commented):
        cited = {citation.entity_id for citation in one.citations}
        assert cited and cited <= hers
    assert {c.entity_id for c in advised.citations} <= hers
    said = "\n".join(str(step) for one in (run, advised, commented) for step in one.steps)
    asked = "\n".join(request.text for request in model.chats)
    assert "avestruz-verde-12" in asked and "avestruz-verde-12" in said
    for text in (said, asked):
        assert "violeta-47" not in text, "only she says ornitorrinco-violeta, without its number"
        assert not [identity for identity in theirs if identity in text]
    events = await read_all(lea.client, v1.EventFilter(types=["ai.*"]))
    assert events and "violeta-47" not in "\n".join(event.payload_json for event in events)


async def test_what_is_said_of_a_duplicate_does_not_tell_of_other_learners(
    thinking, lea, connect, model
):
    """Berta has the very goal that is proposed to Lea."""
    berta = await join(thinking, connect, "Berta")
    theirs = (await generate(berta, WISH)).result.goal
    run = await generate(lea, WISH)
    assert run.findings == [[]] and run.result.goal.title == theirs.title
    assert run.result.goal.id != theirs.id


async def test_shared_code_is_shown_without_its_author_and_no_longer_once_taken_back(
    thinking, lea, judge, connect, model
):
    author = await join(thinking, connect, "Berta Ornitorrinco")
    shared = await validated_code(
        author, judge, "app.py", CODE, shared=True, feedback=f"Bien. {SECRET}"
    )
    run = await generate(lea, WISH)
    assert shared in {citation.entity_id for citation in run.citations}
    for text in (model.chats[-1].text, str(run.steps)):
        assert author.id not in text and "Ornitorrinco" not in text and judge.id not in text
    await author.client.code_validation.set_sharing(
        v1.SetSharingRequest(snapshot_id=shared, shared=False)
    )
    other = await join(thinking, connect, "Otra")
    run = await generate(other, WISH)
    assert shared not in {citation.entity_id for citation in run.citations}


async def test_neither_a_failed_nor_a_good_run_is_seen_by_others(thinking, lea, connect, model):
    berta = await join(thinking, connect, "Berta")
    run = await generate(berta, f"{WISH} {SECRET}")
    model.script(hangs(SECRET))
    left = Run(berta.client.goals.generate_goal(v1.GenerateGoalRequest(prompt=SECRET)))
    await left.follow(until="token")
    await left.leave()
    for run_id in (run.id, left.id):
        with pytest.raises(hito.NotFound):
            await Run.of(lea.client.goals.watch_run(v1.WatchRunRequest(run_id=run_id)))
    assert await read_all(lea.client, v1.EventFilter(types=["ai.*"])) == []
    events = await read_all(lea.client)
    assert SECRET not in "\n".join(event.payload_json for event in events)


async def test_logs_hold_no_text_of_learners_models_or_tokens(thinking, lea, judge, model):
    secrets = [f"canario-{number}-{lea.id}" for number in range(6)]
    goal, prompt, code, reply, question, feedback = secrets
    await completed_goal(lea, f"Meta {goal}", goal)
    await validated_code(lea, judge, "a.py", f"# {code}\nx = 1\n", feedback=feedback)
    model.script(says(GOOD.replace("paso a paso", reply)))
    await generate(lea, f"{WISH} {prompt}", language="es")
    model.script(says(f"{reply}"))
    subject = v1.CodeText(language="python", content=f"# {code}\nx = 1\n")
    request = v1.GetFeedbackRequest(code=subject, question=question)
    await Run.of(lea.client.code_validation.get_feedback(request))
    assert injections.leaks(thinking, [*secrets, lea.login.token]) == []


async def test_a_slow_statement_is_logged_without_the_texts_of_its_parameters(thinking, lea):
    """Made slow by a session that holds the table, until the database would log it."""
    secret = f"canario-lento-{lea.id}"
    holder, looker = await Session.open(thinking), await Session.open(thinking)
    try:
        await holder.run("BEGIN; LOCK TABLE goals IN ACCESS EXCLUSIVE MODE;")
        request = v1.CreateGoalRequest(title=secret, description=secret)
        writing = asyncio.create_task(lea.client.goals.create_goal(request))
        waited = """
            SELECT count(*) FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND now() - query_start > interval '700 milliseconds';
            """
        async with asyncio.timeout(20):
            while await looker.run(waited) == ["0"]:
                await asyncio.sleep(0.05)
        await holder.run("COMMIT;")
        await writing
    except SessionLost as error:
        raise AssertionError("the session that makes it slow was lost") from error
    finally:
        await holder.close()
        await looker.close()
    assert injections.leaks(thinking, [secret]) == []
