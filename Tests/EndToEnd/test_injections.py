"""Hostile texts are data: kept as they are or refused, fenced in prompts, and never logged."""

from __future__ import annotations

import hashlib
from typing import AsyncIterator, Iterator, List

import injections
import pytest
import pytest_asyncio
from conftest import _running, language_model
from hito import v1
from learning import (
    Person, Run, completed_goal, course, findable, generate, goals_of, ingest, join,
    validated_code,
)  # fmt: skip
from model_steps import GOOD, proposal, says
from psql import Session

import hito

GOOD_TITLE = "Aprender FastAPI con una API de tareas"
WISH = "Aprender FastAPI con una API"
DELETE = v1.DeleteGoalRequest


@pytest.fixture(scope="module")
def hostile(provider) -> Iterator:
    """A server whose callers may ask its model as often as they like."""
    limit = {"HITO_MODEL_CALLS_PER_MINUTE": "100000"}
    yield from _running({**language_model(provider), **limit}, ["--log-level", "trace"])


@pytest_asyncio.fixture
async def eva(hostile, connect) -> AsyncIterator[Person]:
    """Who writes all of it. Nothing of it is in a log afterwards."""
    yield await join(hostile, connect, "Eva")
    assert injections.leaks(hostile, injections.marks(injections.load())) == []


def known_delimiter(model) -> str:
    """One that an earlier prompt had, or any where none was."""
    return injections.delimiter(model.chats[-1]) if model.chats else "0123456789abcdef" * 2


@pytest.mark.parametrize("place", ["title", "description"])
async def test_a_goal_s_texts_are_kept_as_they_are_or_refused_by_their_field(eva, place):
    kept = 0
    for injection in injections.of(place):
        request = v1.CreateGoalRequest(**{"title": "Meta", place: injection.text})
        request.tasks.add(**{"title": "Paso", place: injection.text})
        try:
            made = await eva.client.goals.create_goal(request)
        except hito.InvalidArgument as error:
            assert injections.is_refused(error, place, f"tasks[0].{place}"), injection.id
            assert injection.text[:40] not in str(error), "errors do not repeat it"
            continue
        kept += 1
        read = await eva.client.goals.get_goal(v1.GetGoalRequest(goal_id=made.goal.id))
        assert getattr(read.goal, place) == injection.text, injection.id
        assert getattr(read.tasks[0], place) == injection.text, injection.id
    assert kept >= 15


async def test_code_is_kept_to_the_last_byte_or_refused(eva):
    kept = 0
    for injection in injections.of("code"):
        request = v1.CreateSnapshotRequest(file_path=f"{injection.id}.py")
        request.code_content = injection.text
        try:
            made = await eva.client.code_validation.create_snapshot(request)
        except hito.InvalidArgument as error:
            assert injections.is_refused(error, "code_content"), injection.id
            continue
        kept += 1
        wanted = v1.GetSnapshotRequest(snapshot_id=made.snapshot.id)
        read = await eva.client.code_validation.get_snapshot(wanted)
        assert read.snapshot.code_content == injection.text, injection.id
    assert kept >= 30


async def test_a_text_with_nul_is_refused_by_the_reason_for_it(eva):
    for request in (v1.CreateGoalRequest(title="a\0b"), v1.CreateGoalRequest(description="\0")):
        with pytest.raises(hito.InvalidArgument, match="NUL") as caught:
            await eva.client.goals.create_goal(request)
        assert caught.value.reason == v1.ErrorReason.ERROR_REASON_MALFORMED_MESSAGE


async def test_documents_are_kept_to_the_last_byte(hostile, eva, connect):
    teacher = await join(hostile, connect, "Ines", "instructor")
    made = await teacher.client.courses.create_course(v1.CreateCourseRequest(title="Hostil"))
    texts = {f"{i.id}.md": i.text.encode() for i in injections.of("document")}
    documents = [v1.CourseDocument(path=path, content=texts[path]) for path in sorted(texts)]
    done = await ingest(teacher, made.course.id, *documents)
    assert done.documents_changed == len(texts) > 40
    listed = await teacher.client.courses.list_documents(
        v1.ListDocumentsRequest(course_id=made.course.id, page=v1.PageRequest(page_size=200))
    )
    assert {d.path: d.content_hash for d in listed.documents} == {
        path: hashlib.sha256(content).digest() for path, content in texts.items()
    }
    session = await Session.open(hostile)
    try:
        stored = await session.run(
            f"""
            SELECT path || ' ' || encode(sha256(convert_to(content, 'UTF8')), 'hex')
            FROM course_documents WHERE course_id = '{made.course.id}' ORDER BY path;
            """
        )
    finally:
        await session.close()
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in texts.items()}
    assert sorted(stored) == sorted(f"{path} {digest}" for path, digest in hashes.items())
    await teacher.client.courses.delete_course(
        v1.DeleteCourseRequest(course_id=made.course.id)
    )


async def test_a_hostile_wish_stays_inside_its_fence_and_the_contract_holds(eva, model):
    asked, fences, instructions = 0, set(), set()
    for injection in injections.of("prompt"):
        text = injection.knowing(known_delimiter(model))
        try:
            run = await generate(eva, text, language="es")
        except hito.InvalidArgument as error:
            assert injections.is_refused(error, "prompt"), injection.id
            assert (
                len(text) > 4000 or injections.has_controls(text) or injections.is_invisible(text)
            ), injection.id
            continue
        asked += 1
        request = model.chats[-1]
        assert injections.sections(request) == ["learner_wish"], injection.id
        fence = injections.delimiter(request)
        fences.add(fence)
        instructions.add(request.system.replace(fence, ""))
        assert run.result.goal.title == GOOD_TITLE and len(run.result.tasks) == 3
        await eva.client.goals.delete_goal(DELETE(goal_id=run.result.goal.id))
    assert asked == len(model.chats) == len(fences) > 40, "each prompt has a fence of its own"
    assert len(instructions) == 1, "they are the same whoever asks for what"


@pytest.mark.parametrize("field", ["title", "ai_feedback"])
async def test_a_model_that_obeys_a_hostile_text_is_not_obeyed(eva, model, field):
    checked = 0
    hostile = injections.of("title") if field == "title" else injections.load()
    for injection in (i for i in hostile if i.refused):
        text = injection.knowing(known_delimiter(model))
        if len(text.encode()) > 1 << 20:
            continue  # No reply is read so far.
        model.script(says(proposal(**{field: text}), size=4000), says(GOOD))
        run = await generate(eva, WISH, language="es")
        assert run.result.planner == "model" and run.text == GOOD, injection.id
        assert run.result.goal.title == GOOD_TITLE, injection.id
        found = {f.field for f in run.steps_of("findings")[0].findings}
        # Of a reply that is far too long so much is kept as no goal is made of: it ends inside of its
        # object, and one of its tasks is none.
        assert found >= {field} or len(text) > 100_000 and found <= {"proposal", "tasks"}, injection.id
        assert injections.sections(model.chats[-1]) == ["learner_wish", "previous_reply"]
        checked += 1
        await eva.client.goals.delete_goal(DELETE(goal_id=run.result.goal.id))
    assert checked >= 20


async def test_hostile_sources_stay_inside_their_fence(hostile, eva, connect, model):
    """A completed goal, validated code and sections of a course that are about what is wished."""
    teacher = await join(hostile, connect, "Ines", "instructor")
    judge = await join(hostile, connect, "Juez", "admin")
    short = [i for i in injections.load() if len(i.text) < 4000 and "\0" not in i.text]
    documents = [
        v1.CourseDocument(path=f"{i.id}.md", content=f"# {WISH}\n\n{i.text}".encode())
        for i in short
    ]
    taught = await course(teacher, "Curso hostil de FastAPI", *documents)
    await eva.client.courses.enrol(v1.EnrolRequest(course_id=taught))
    code = await validated_code(eva, judge, "api.py", f"# {WISH}\n{short[0].text}\napp = 1\n")
    labels: List[str] = []
    for injection in short:
        text = injection.knowing(known_delimiter(model))
        try:
            goal = await completed_goal(eva, WISH, f"{WISH}: {text}")
        except hito.InvalidArgument:
            continue
        run = await generate(eva, WISH, language="es")
        labels += injections.sections(model.chats[-1])
        assert goal in {citation.entity_id for citation in run.citations}, injection.id
        assert run.result.goal.title == GOOD_TITLE
        await eva.client.goals.delete_goal(DELETE(goal_id=run.result.goal.id))
        await eva.client.goals.delete_goal(DELETE(goal_id=goal))
    assert {"goal", "document", "validated_code", "learner_wish"} == set(labels)
    # The other agents read the same sources.
    advise = v1.AdviseRequest(course_id=taught, question="¿Cómo aprendo FastAPI con una API?")
    advised = await Run.of(eva.client.courses.advise(advise))
    assert advised.citations and "document" in injections.sections(model.chats[-1])
    request = v1.GetFeedbackRequest(snapshot_id=code, question=short[1].text)
    await Run.of(eva.client.code_validation.get_feedback(request))
    assert {"facts", "code_path", "code", "question"} <= set(injections.sections(model.chats[-1]))


async def test_hostile_code_and_questions_stay_inside_their_fence(hostile, eva, connect, model):
    judge = await join(hostile, connect, "Juez", "admin")
    for injection in (i for i in injections.of("code") if len(i.text) < 2000):
        text = injection.knowing(known_delimiter(model))
        subject = v1.CodeText(language="python", content=text)
        request = v1.GetFeedbackRequest(code=subject, question=text)
        try:
            run = await Run.of(eva.client.code_validation.get_feedback(request))
        except hito.InvalidArgument as error:
            assert injections.is_refused(error, "question"), injection.id
            assert injections.has_controls(text), injection.id
            continue
        assert run.result.text
        labels = injections.sections(model.chats[-1])
        assert set(labels) >= {"facts", "code", "question"}, injection.id
    # What whoever judges writes is data as well.
    said = injections.load()[0].text
    code = await validated_code(eva, judge, "a.py", "x = 1\n", feedback=said, score=0.9)
    await findable(eva, "")
    await Run.of(
        eva.client.code_validation.get_feedback(v1.GetFeedbackRequest(snapshot_id=code))
    )
    assert "facts" in injections.sections(model.chats[-1]) and said in model.chats[-1].user
    assert await goals_of(eva) == []
