"""Whatever people write is sealed in the log and the lake, and whoever reads the log sees it all the same
(ADR 0018). The test's codec hides texts without protecting them; debug builds only."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, Iterator, List

import pyarrow.parquet as parquet
import pytest
from conftest import language_model
from google.protobuf.field_mask_pb2 import FieldMask
from history import Watcher, check, read_all
from hito import v1
from hito_server import REPOSITORY, HitoServer
from learning import Person, Run, completed_goal, generate, ingest, join, trace, validated_code
from model_steps import TITLES, hangs, proposal, says, status
from psql import Session
from test_reports import as_the_notes_say

import hito

SECRET = "zq7secreto"
WISH = f"Aprender FastAPI {SECRET}"
DESCRIPTION = f"Crear una API REST completa con pruebas: {SECRET}"
GOOD = proposal(title=f"{WISH} de noche", description=DESCRIPTION)
CODEC = "HITO_TEST_PERSONAL_CODEC"
TYPES = re.findall(
    r'case \w+ = "(\w+\.\w+)"',
    (REPOSITORY / "Sources/Domain/Events/StoredEvent.swift").read_text(),
)


@pytest.fixture(scope="module")
def sealing(provider: Any) -> Iterator[HitoServer]:
    server = HitoServer(environment={**language_model(provider), CODEC: "marks", "HITO_TEST_VALIDATOR": "1"})
    try:
        server.start()
        yield server
        assert server.stop() == 0, server.tail()
    finally:
        server.remove()


async def teaching(teacher: Person, lea: Person, other: Person) -> str:
    """Everything that happens to courses; the one that stays."""
    courses = teacher.client.courses
    made = await courses.create_course(
        v1.CreateCourseRequest(
            title=WISH, description=SECRET, technologies=["fastapi"], metadata={"$personal": SECRET}
        )
    )
    course = made.course.id
    await courses.update_course(
        v1.UpdateCourseRequest(
            course_id=course, course=v1.Course(description=f"{SECRET} dos"),
            update_mask=FieldMask(paths=["description"]),
        )
    )  # fmt: skip
    text = f"# {WISH}\n\nFastAPI sirve para crear una API. {SECRET}\n"
    for version in (text, f"{text}\nMás.\n"):
        document = v1.CourseDocument(
            path=f"{SECRET}.md", format="DOCUMENT_FORMAT_MARKDOWN", content=version.encode()
        )
        await ingest(teacher, course, document)
    await ingest(teacher, course, replace_all=True)
    await ingest(teacher, course, document)
    for learner in (lea, other):
        invite = v1.EnrolRequest(course_id=course, user_id=learner.id)
        await courses.enrol(invite)
    await lea.client.courses.accept_enrolment(v1.AcceptEnrolmentRequest(course_id=course))
    await other.client.courses.decline_enrolment(v1.DeclineEnrolmentRequest(course_id=course))
    await courses.enrol(v1.EnrolRequest(course_id=course, user_id=other.id))
    await courses.leave(v1.LeaveRequest(course_id=course, user_id=other.id))
    await other.client.courses.enrol(v1.EnrolRequest(course_id=course))
    await other.client.courses.leave(v1.LeaveRequest(course_id=course))
    gone = (await courses.create_course(v1.CreateCourseRequest(title=WISH))).course.id
    await courses.archive_course(v1.ArchiveCourseRequest(course_id=gone))
    await courses.reopen_course(v1.ReopenCourseRequest(course_id=gone))
    await courses.delete_course(v1.DeleteCourseRequest(course_id=gone))
    return course


async def learning(lea: Person, course: str) -> None:
    """Everything that happens to goals and tasks."""
    goals, tasks = lea.client.goals, lea.client.tasks
    made = await goals.create_goal(
        v1.CreateGoalRequest(
            title=WISH, description=SECRET, validation_criteria=[SECRET], course_id=course,
            tasks=[
                v1.NewTask(title=SECRET, description=SECRET, validation_criteria=[SECRET])
                for _ in range(3)
            ],
        ),
        idempotency_key=f"{SECRET}-key", metadata={"correlation-id": f"{SECRET}-id"},
    )  # fmt: skip
    goal, (one, two, three) = made.goal.id, (task.id for task in made.tasks)
    title = FieldMask(paths=["title"])
    await goals.update_goal(
        v1.UpdateGoalRequest(goal_id=goal, goal=v1.Goal(title=f"{WISH} 2"), update_mask=title)
    )
    await tasks.update_task(
        v1.UpdateTaskRequest(task_id=one, task=v1.GoalTask(title=f"{SECRET} 2"), update_mask=title)
    )
    await tasks.reorder_tasks(v1.ReorderTasksRequest(goal_id=goal, task_ids=[two, one, three]))
    await tasks.start_task(v1.StartTaskRequest(task_id=one))
    await tasks.complete_task(v1.CompleteTaskRequest(task_id=one))
    await tasks.reopen_task(v1.ReopenTaskRequest(task_id=one))
    await tasks.archive_task(v1.ArchiveTaskRequest(task_id=two))
    await tasks.delete_task(v1.DeleteTaskRequest(task_id=three))
    await tasks.complete_task(v1.CompleteTaskRequest(task_id=one))
    await goals.reopen_goal(v1.ReopenGoalRequest(goal_id=goal))
    await goals.archive_goal(v1.ArchiveGoalRequest(goal_id=goal))
    await goals.delete_goal(v1.DeleteGoalRequest(goal_id=goal))
    await completed_goal(lea, f"{WISH} 3", SECRET)


async def coding(lea: Person, judge: Person) -> None:
    code = f"# {SECRET}\ndef fastapi():\n    return 1\n"
    made = await validated_code(lea, judge, f"{SECRET}.py", code, shared=True, feedback=SECRET)
    await lea.client.code_validation.set_sharing(
        v1.SetSharingRequest(snapshot_id=made, shared=False)
    )


async def validating(lea: Person) -> None:
    """Everything that happens to tests of tasks and validations."""
    calls = lea.client.code_validation
    made = await lea.client.goals.create_goal(
        v1.CreateGoalRequest(title=WISH, tasks=[v1.NewTask(title=SECRET)])
    )
    tasks = [made.tasks[0].id]
    suite = v1.TestSuite(
        language="python", kind="TEST_KIND_UNITTEST",
        files=[v1.SourceFile(path=f"{SECRET}.py", content=SECRET)],
        tests=[v1.ExpectedTest(id=SECRET, title=SECRET)],
    )  # fmt: skip

    def request(code: str) -> v1.ValidateCodeRequest:
        file = v1.SourceFile(path=f"{SECRET}.py", content=code)
        return v1.ValidateCodeRequest(submission=v1.Submission(files=[file], task_id=tasks[0]))

    await calls.set_task_tests(v1.SetTaskTestsRequest(task_ids=tasks, suite=suite))
    code = f"# pass {SECRET} {SECRET}\n# diagnose {SECRET}"
    assert SECRET in str([message async for message in calls.validate_code(request(code))])
    await calls.clear_task_tests(v1.ClearTaskTestsRequest(task_ids=tasks))
    [message async for message in calls.validate_code(request(f"# diagnose {SECRET}"))]
    slow = calls.validate_code(request("# sleep 60000"))
    first = await slow.__anext__()
    await calls.cancel_validation(v1.CancelValidationRequest(run_id=first.run_id))
    [message async for message in slow]


async def asking(lea: Person, others: List[Person], model: Any) -> None:
    """Every way in which a run ends."""
    model.script(says(proposal((TITLES[0],) * 3, title=WISH)), *[says(GOOD)] * 2)
    assert SECRET in (await generate(lea, WISH)).result.goal.title
    for person, decision in zip(others, ("REJECT", "APPROVE")):
        model.clear()
        model.script(*[says(GOOD)] * 2)
        run = await generate(person, WISH, require_approval=True)
        assert SECRET in run.proposal.title
        await person.client.goals.resolve_proposal(
            v1.ResolveProposalRequest(run_id=run.id, decision=f"PROPOSAL_DECISION_{decision}")
        )
    model.clear()
    model.script(status(400))
    code = v1.CodeText(language="python", content=f"x = '{SECRET}'\n")
    feedback = v1.GetFeedbackRequest(code=code, question=SECRET)
    with pytest.raises(hito.HitoError):
        await Run.of(lea.client.code_validation.get_feedback(feedback))
    model.script(hangs(GOOD[:40]))
    run = Run(lea.client.goals.generate_goal(v1.GenerateGoalRequest(prompt=WISH)))
    await run.follow(until="token")
    await run.leave()
    await trace(lea, "ai.run_cancelled", run.id)


async def elsewhere(service: Person, lea: Person) -> None:
    """What another system says, and a token that is made and taken back."""
    said = v1.ExternalEvent(
        type="external.received", source="lms", external_id="1", user_id=lea.id,
        payload_json=json.dumps({"text": f"{SECRET} FastAPI"}),
    )  # fmt: skip
    await service.client.events.publish_events(v1.PublishEventsRequest(events=[said]))
    made = await lea.client.users.create_token(v1.CreateTokenRequest(label=SECRET))
    await lea.client.users.revoke_token(v1.RevokeTokenRequest(token_id=made.token.id))


async def lived(server: HitoServer, connect: Any, model: Any) -> List[Person]:
    """A world in which every type of event happens; a learner of it, an admin, and a learner without a past."""
    admin = Person(server.admin(), await connect(server, server.admin()))
    teacher = await join(server, connect, f"Ines-{SECRET}", "instructor")
    lea = await join(server, connect, f"Lea-{SECRET}")
    other = await join(server, connect, f"Otra-{SECRET}")
    await lea.client.users.update_user(
        v1.UpdateUserRequest(
            user=v1.User(display_name=SECRET, email=f"{SECRET}@example.org"),
            update_mask=FieldMask(paths=["display_name", "email"]),
        )
    )
    course = await teaching(teacher, lea, other)
    await learning(lea, course)
    await coding(lea, admin)
    await validating(lea)
    others = [await join(server, connect, f"{name}-{SECRET}") for name in ("Pia", "Quim", "Rut")]
    await asking(lea, others, model)
    await elsewhere(await join(server, connect, f"Servicio-{SECRET}", "service"), lea)
    out = await admin.client.users.deactivate_user(v1.DeactivateUserRequest(user_id=other.id))
    # Everything has its place in the log.
    await read_all(admin.client, min_cursor=out.receipt.cursor)
    return [lea, admin, others[2]]


def told(events: List[v1.Event]) -> int:
    return sum(SECRET in event.payload_json for event in events)


async def lake_text(server: HitoServer, admin: Person) -> str:
    await admin.client.server.flush_lake(v1.FlushLakeRequest())
    files = sorted(server.lake.rglob("*.parquet"))
    assert files
    return "\n".join(str(parquet.read_table(f, partitioning=None).to_pydict()) for f in files)


async def test_no_text_is_in_log_or_lake_and_every_reader_has_it(sealing, connect, model):
    lea, admin, rut = await lived(sealing, connect, model)
    watcher = Watcher(admin.client)
    log = await read_all(admin.client)
    try:
        await watcher.has(len(log))
        assert [e.payload_json for e in watcher.events] == [e.payload_json for e in log]
    finally:
        await watcher.close()
    check(log)
    assert {event.type for event in log} == set(TYPES), "what this test must make happen"
    assert told(log) > 60
    # One of the course's attributes looks as if it were sealed.
    assert sum("$personal" in event.payload_json for event in log) == 2
    course = next(e for e in log if e.type == "course.created")
    assert json.loads(course.payload_json)["metadata"]["$personal"] == SECRET
    assert any(SECRET in e.metadata_json for e in log), "the correlation of a call"

    session = await Session.open(sealing)
    try:
        stored = "\n".join(await session.run("SELECT payload, metadata FROM events;"))
    finally:
        await session.close()
    for text in (stored, await lake_text(sealing, admin)):
        assert text.count('"$personal"') > 100
        for word in (SECRET, "FastAPI"):
            assert word not in text, text[text.index(word) - 300 :][:400]

    report = v1.GetProductivityRequest()
    counted = as_the_notes_say(await lea.client.analytics.get_productivity(report))
    assert counted["avg_validation_score"] == pytest.approx((0.95 + 1) / 2)
    assert counted["goals_created"] > 2

    # A run that was sealed by one process is taken up by the next.
    model.script(hangs(GOOD[:40]), *[says(GOOD)] * 2)
    run = Run(rut.client.goals.generate_goal(v1.GenerateGoalRequest(prompt=WISH)))
    await run.follow(until="token")
    sealing.kill()
    await sealing.restart()
    finished = await trace(rut, "ai.run_completed", run.id)
    assert json.loads(finished[-1].payload_json)["proposal"]["title"] == f"{WISH} de noche"

    # Without the keys there are placeholders, and all the rest.
    before = await read_all(admin.client)
    counted = as_the_notes_say(await lea.client.analytics.get_productivity(report))
    assert sealing.stop() == 0
    sealing.environment[CODEC] = "forgotten"
    await asyncio.to_thread(sealing.start)
    log = await read_all(admin.client)
    assert [event.cursor for event in log] == [event.cursor for event in before]
    assert told(log) == 0 and any("[forgotten]" in event.payload_json for event in log)
    kept = [json.loads(event.payload_json).get("status") for event in log]
    assert kept == [json.loads(event.payload_json).get("status") for event in before]
    assert as_the_notes_say(await lea.client.analytics.get_productivity(report)) == counted
