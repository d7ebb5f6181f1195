"""Validations from the call to the lake, with a validator that does what comments say (debug builds): what is
shown to whom, what is resumed where, and what is refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Iterator, List

import pyarrow.parquet as parquet
import pytest
from conftest import _running
from history import eventually, read_all
from hito import v1
from hito_server import HitoServer
from learning import Person, join

import hito

SCRIPTED = {"HITO_TEST_VALIDATOR": "1"}
SECRET = "geheimnis-zweiundvierzig"
PASSED, FAILED = v1.Verdict.VERDICT_PASSED, v1.Verdict.VERDICT_FAILED


@pytest.fixture(scope="module")
def judging() -> Iterator[HitoServer]:
    """A server that validates, which nobody kills."""
    yield from _running(SCRIPTED)


@pytest.fixture(scope="module")
def mortal_judging() -> Iterator[HitoServer]:
    """A server that validates one at a time, to kill."""
    yield from _running(SCRIPTED, ["--validation-slots", "1"])


def submission(content: str, task_id: str = "", **others: str) -> v1.Submission:
    files = [v1.SourceFile(path="main.py", content=content)]
    files += [v1.SourceFile(path=f"{name}.py", content=text) for name, text in others.items()]
    return v1.Submission(task_id=task_id, files=files, main_path="main.py")


def a_suite(*ids: str, completes_task: bool = False) -> v1.TestSuite:
    """Tests by id; what begins with `hidden` is, and says the secret."""
    return v1.TestSuite(
        language="python", kind=v1.TestKind.TEST_KIND_UNITTEST, completes_task=completes_task,
        files=[v1.SourceFile(path="test_main.py", content=f"# {SECRET}\n" + "\n".join(ids))],
        tests=[
            v1.ExpectedTest(
                id=f"{id}-{SECRET}" if id.startswith("hidden") else id,
                title=f"{id} {SECRET}" if id.startswith("hidden") else id,
                hidden=id.startswith("hidden"), weight=1,
            )
            for id in ids
        ],
    )  # fmt: skip


async def goal_with_task(person: Person, course_id: str = "") -> v1.CreateGoalResponse:
    return await person.client.goals.create_goal(
        v1.CreateGoalRequest(
            title="Aprender", tasks=[v1.NewTask(title="uno")], course_id=course_id
        )
    )


async def class_of(server: HitoServer, connect: Any) -> tuple:
    """An instructor, a learner enrolled in a course of theirs, and the learner's goal in it."""
    teacher = await join(server, connect, "Ines", "instructor")
    learner = await join(server, connect, "Lea")
    course = (
        await teacher.client.courses.create_course(v1.CreateCourseRequest(title="Curso"))
    ).course
    await learner.client.courses.enrol(v1.EnrolRequest(course_id=course.id))
    made = await goal_with_task(learner, course.id)
    return teacher, learner, made


async def set_tests(person: Person, suite: v1.TestSuite, *task_ids: str) -> v1.SetTaskTestsResponse:
    return await person.client.code_validation.set_task_tests(
        v1.SetTaskTestsRequest(task_ids=task_ids, suite=suite)
    )


async def validated(person: Person, what: v1.Submission, **fields: Any) -> List[Any]:
    request = v1.ValidateCodeRequest(submission=what, **fields)
    return [m async for m in person.client.code_validation.validate_code(request)]


async def watched(client: hito.Client, run_id: str, cursor: str = "") -> List[Any]:
    request = v1.WatchValidationRequest(run_id=run_id, cursor=cursor)
    return [m async for m in client.code_validation.watch_validation(request)]


async def until(answers: Any, holds: Any) -> Any:
    """What is answered once it holds."""
    found = []

    async def attempt() -> bool:
        found[:] = [await answers()]
        return holds(found[0])

    await eventually("an answer that holds", attempt)
    return found[0]


def without_code(message: Any) -> str:
    """What a message says, but for the code that its reader wrote."""
    copy = type(message).FromString(message.SerializeToString())
    if isinstance(copy, v1.ValidateCodeResponse) and copy.HasField("result"):
        copy.result.code_content = ""
    return str(copy)


def kept(messages: List[Any]) -> List[Any]:
    """Those that a stream which comes back shows again."""
    return [m for m in messages if m.WhichOneof("step") != "queued"]


async def test_a_submission_is_judged_and_completes_its_task(judging, connect):
    lea = await join(judging, connect, "Lea")
    made = await goal_with_task(lea)
    await set_tests(lea, a_suite("one", "two", completes_task=True), made.tasks[0].id)
    wrong = await validated(lea, submission("# pass one\n# fail two zwei", made.tasks[0].id))
    last = wrong[-1]
    assert last.result.verdict == FAILED and last.result.validation_score == 0.5
    assert [t.message for t in last.validation.report.tests] == ["", "zwei"]
    task = await lea.client.tasks.get_task(v1.GetTaskRequest(task_id=made.tasks[0].id))
    assert task.task.status == v1.WorkStatus.WORK_STATUS_PENDING
    right = await validated(
        lea, submission("# pass one\n# pass two\n# diagnose zu lang", made.tasks[0].id, util="u")
    )
    assert right[-1].result.verdict == PASSED
    names = [m.WhichOneof("step") for m in kept(right)]
    assert names == ["started", "test", "test", "diagnostic", "stage_finished", "result"]
    task = await lea.client.tasks.get_task(v1.GetTaskRequest(task_id=made.tasks[0].id))
    assert task.task.status == v1.WorkStatus.WORK_STATUS_COMPLETED
    stored = await lea.client.code_validation.get_snapshot(
        v1.GetSnapshotRequest(snapshot_id=right[-1].result.id)
    )
    assert [f.path for f in stored.snapshot.files] == ["util.py"]
    types = [e.type for e in await read_all(lea.client)]
    assert types.count("code.validated") == 2 and types.count("task.completed") == 1
    compared = await lea.client.code_validation.compare_snapshots(
        v1.CompareSnapshotsRequest(
            earlier_snapshot_id=last.result.id, snapshot_id=right[-1].result.id
        )
    )
    assert [(f.path, f.change) for f in compared.files] == [
        ("main.py", v1.FileChange.FILE_CHANGE_CHANGED),
        ("util.py", v1.FileChange.FILE_CHANGE_ADDED),
    ]
    assert [d.message for d in compared.new_diagnostics] == ["zu lang"]
    changed, added = compared.files
    line = v1.LineChange
    kinds = [entry.change for entry in changed.lines]
    assert kinds.count(line.LINE_CHANGE_REMOVED) == changed.removed_lines > 0
    assert kinds.count(line.LINE_CHANGE_ADDED) == changed.added_lines
    assert all(entry.change == line.LINE_CHANGE_ADDED for entry in added.lines)
    assert added.lines and added.removed_lines == 0


async def test_hidden_tests_are_shown_to_those_who_oversee_and_nobody_else(
    judging, connect, tmp_path
):
    teacher, lea, made = await class_of(judging, connect)
    task_id = made.tasks[0].id
    await set_tests(teacher, a_suite("one", "hidden"), task_id)
    code = f"# pass one\n# fail hidden-{SECRET} {SECRET}\n"
    # The code knows the id here, so that it can say what happens; nothing else may say it.
    messages = await validated(lea, submission(code, task_id))
    for message in messages:
        assert SECRET not in without_code(message)
    run_id = messages[-1].run_id
    calls = lea.client.code_validation
    shown = [
        *await watched(lea.client, run_id),
        await calls.get_validation(v1.GetValidationRequest(run_id=run_id)),
        await calls.list_validations(v1.ListValidationsRequest(task_id=task_id)),
        await calls.get_task_tests(v1.GetTaskTestsRequest(task_id=task_id, with_history=True)),
        *[e for e in await read_all(lea.client)],
        *[e for e in await read_all(teacher.client)],
    ]
    for answer in shown:
        assert SECRET not in without_code(answer)
    cut = await calls.get_task_tests(v1.GetTaskTestsRequest(task_id=task_id))
    assert cut.tests.is_cut and not cut.tests.suite.files
    assert [t.id for t in cut.tests.suite.tests] == ["one", "hidden-2"]
    # The instructor sees all of it.
    whole = await teacher.client.code_validation.get_validation(
        v1.GetValidationRequest(run_id=run_id)
    )
    assert [t.message for t in whole.validation.report.tests] == ["", SECRET]
    tests = await teacher.client.code_validation.get_task_tests(
        v1.GetTaskTestsRequest(task_id=task_id)
    )
    assert SECRET in tests.tests.suite.files[0].content and not tests.tests.is_cut
    # Nor do the lake and the log.
    admin = await connect(judging, judging.admin())
    await admin.server.flush_lake(v1.FlushLakeRequest())
    for file in judging.lake.rglob("*_events*.parquet"):
        text = json.dumps(parquet.read_table(file, partitioning=None).to_pylist(), default=str)
        assert SECRET not in text, file
    assert SECRET not in judging.log.read_text(errors="replace")


async def test_a_learner_replaces_no_tests_of_an_instructor(judging, connect):
    teacher, lea, made = await class_of(judging, connect)
    task_id = made.tasks[0].id
    await set_tests(lea, a_suite("own"), task_id)
    await set_tests(teacher, a_suite("one"), task_id)
    calls = lea.client.code_validation
    with pytest.raises(hito.PermissionDenied):
        await set_tests(lea, a_suite("easy"), task_id)
    with pytest.raises(hito.PermissionDenied):
        await calls.clear_task_tests(v1.ClearTaskTestsRequest(task_ids=[task_id]))
    found = await calls.get_task_tests(
        v1.GetTaskTestsRequest(task_id=task_id, with_history=True)
    )
    assert found.tests.version == 2 and [h.version for h in found.history] == [2, 1]
    stranger = await join(judging, connect, "Otro", "instructor")
    for refused in [
        set_tests(stranger, a_suite("x"), task_id),
        stranger.client.code_validation.get_task_tests(v1.GetTaskTestsRequest(task_id=task_id)),
        stranger.client.code_validation.clear_task_tests(
            v1.ClearTaskTestsRequest(task_ids=[task_id])
        ),
    ]:
        with pytest.raises(hito.NotFound):
            await refused
    # All or none of them.
    other = await goal_with_task(stranger)
    with pytest.raises(hito.NotFound):
        await set_tests(teacher, a_suite("two"), task_id, other.tasks[0].id)
    again = await set_tests(teacher, a_suite("one"), task_id)
    assert again.changed_count == 0


async def test_strangers_are_refused_by_every_method(judging, connect):
    lea, bob = await join(judging, connect, "Lea"), await join(judging, connect, "Bob")
    made = await goal_with_task(lea)
    await set_tests(lea, a_suite("one"), made.tasks[0].id)
    run = (await validated(lea, submission("# pass one", made.tasks[0].id)))[-1]
    calls = bob.client.code_validation
    own = (await validated(bob, submission("x")))[-1].result.id
    with pytest.raises(hito.NotFound):
        await watched(bob.client, run.run_id)
    request = v1.ValidateCodeRequest(snapshot_id=run.result.id)
    with pytest.raises(hito.NotFound):
        [m async for m in calls.validate_code(request)]
    with pytest.raises(hito.NotFound):
        await validated(bob, submission("x", made.tasks[0].id))
    for refused in [
        calls.get_validation(v1.GetValidationRequest(run_id=run.run_id)),
        calls.cancel_validation(v1.CancelValidationRequest(run_id=run.run_id)),
        calls.get_task_tests(v1.GetTaskTestsRequest(task_id=made.tasks[0].id)),
        calls.compare_snapshots(
            v1.CompareSnapshotsRequest(earlier_snapshot_id=own, snapshot_id=run.result.id)
        ),
    ]:
        with pytest.raises(hito.NotFound):
            await refused
    listed = await calls.list_validations(v1.ListValidationsRequest(snapshot_id=run.result.id))
    assert not listed.validations


async def test_a_batch_answers_each_submission(judging, connect):
    lea = await join(judging, connect, "Lea")
    made = await goal_with_task(lea)
    await set_tests(lea, a_suite("one"), made.tasks[0].id)
    parts = [submission(f"# pass one\n# {n}", made.tasks[0].id) for n in range(4)]
    parts.insert(2, v1.Submission(files=[v1.SourceFile(path="../x.py")]))
    request = v1.ValidateBatchRequest(submissions=parts)
    calls = lea.client.code_validation
    answers = [m async for m in calls.validate_batch(request, idempotency_key="b")]
    words = {m.index: m.WhichOneof("step") for m in answers}
    assert words == {0: "finished", 1: "finished", 2: "refused", 3: "finished", 4: "finished"}
    assert all(m.finished.verdict == PASSED for m in answers if m.HasField("finished"))
    again = [m async for m in calls.validate_batch(request, idempotency_key="b")]
    assert {m.finished.run_id for m in again if m.HasField("finished")} == {
        m.finished.run_id for m in answers if m.HasField("finished")
    }
    listed = await calls.list_validations(
        v1.ListValidationsRequest(group_id=answers[0].group_id)
    )
    assert len(listed.validations) == 4
    with pytest.raises(hito.InvalidArgument):
        too_many = v1.ValidateBatchRequest(submissions=[submission("x")] * 101)
        [m async for m in calls.validate_batch(too_many)]


async def test_new_tests_are_previewed_and_then_applied(judging, connect):
    teacher, lea, made = await class_of(judging, connect)
    task_id = made.tasks[0].id
    await set_tests(teacher, a_suite("one"), task_id)
    before = (await validated(lea, submission("# pass one\n# fail two no", task_id)))[-1].result
    assert before.verdict == PASSED
    suite = await set_tests(teacher, a_suite("one", "two"), task_id)
    calls = teacher.client.code_validation

    async def revalidated(**fields: Any) -> tuple:
        request = v1.RevalidateRequest(**fields)
        answers = [m async for m in calls.revalidate(request)]
        return [m.snapshot for m in answers[:-1]], answers[-1].summary, answers[-1].group_id

    [change], summary, group = await revalidated(task_ids=[task_id])
    assert (change.verdict_before, change.verdict_after) == (PASSED, FAILED)
    assert (change.score_before, change.score_after, change.applied) == (1.0, 0.5, False)
    assert summary.newly_failed_count == 1 and summary.score_difference == -0.5
    snapshot = v1.GetSnapshotRequest(snapshot_id=before.id)
    now = (await lea.client.code_validation.get_snapshot(snapshot)).snapshot
    assert now.verdict == PASSED and now.version == before.version
    [applied], summary, _ = await revalidated(preview_id=group, apply=True)
    assert applied.applied and summary.applied_count == 1
    now = (await lea.client.code_validation.get_snapshot(snapshot)).snapshot
    assert now.verdict == FAILED and now.validation_score == 0.5
    # Applied once: the snapshot has changed since the preview.
    [again], _, _ = await revalidated(preview_id=group, apply=True)
    assert not again.applied and "changed" in again.reason
    [same], summary, _ = await revalidated(suite_id=suite.suite_id, apply=True)
    assert not same.changed and same.applied and summary.changed_count == 0
    history = await calls.list_validations(v1.ListValidationsRequest(snapshot_id=before.id))
    assert [v.preview for v in history.validations] == [False, True, False]
    for refused in [
        {}, {"snapshot_id": before.id, "suite_id": suite.suite_id}, {"snapshot_id": "x"},
        {"preview_id": group},
    ]:
        with pytest.raises(hito.InvalidArgument):
            await revalidated(**refused)
    stranger = await join(judging, connect, "Otro", "instructor")
    with pytest.raises(hito.NotFound):
        request = v1.RevalidateRequest(snapshot_id=before.id)
        [m async for m in stranger.client.code_validation.revalidate(request)]
    with pytest.raises(hito.PermissionDenied):
        request = v1.RevalidateRequest(snapshot_id=before.id)
        [m async for m in lea.client.code_validation.revalidate(request)]


async def test_a_running_validation_is_cancelled(judging, connect):
    lea = await join(judging, connect, "Lea")
    request = v1.ValidateCodeRequest(submission=submission("# sleep 60000"))
    stream = lea.client.code_validation.validate_code(request)
    first = await stream.__anext__()
    calls = lea.client.code_validation

    async def status() -> int:
        found = await calls.get_validation(v1.GetValidationRequest(run_id=first.run_id))
        return found.validation.status

    await until(status, lambda s: s == v1.ValidationStatus.VALIDATION_STATUS_RUNNING)
    await calls.cancel_validation(v1.CancelValidationRequest(run_id=first.run_id))
    rest = [m async for m in stream]
    assert rest[-1].validation.status == v1.ValidationStatus.VALIDATION_STATUS_CANCELLED
    # The place is free again.
    assert (await validated(lea, submission("x")))[-1].HasField("validation")


async def test_a_stream_is_resumed_after_the_server_was_killed(mortal_judging, connect):
    lea = await join(mortal_judging, connect, "Lea")
    made = await goal_with_task(lea)
    await set_tests(lea, a_suite("one", "two", "three"), made.tasks[0].id)
    code = "# pass one\n# sleep 1500\n# pass two\n# pass three"
    request = v1.ValidateCodeRequest(submission=submission(code, made.tasks[0].id))
    stream = lea.client.code_validation.validate_code(request, idempotency_key="k")
    # One more waits behind it.
    queued = asyncio.create_task(validated(lea, submission("# pass one", made.tasks[0].id)))
    seen = []
    async for message in stream:
        seen.append(message)
        if message.WhichOneof("step") == "test":
            break
    queued.cancel()
    mortal_judging.kill()
    await mortal_judging.restart()
    client = await connect(mortal_judging, lea.login)
    cursor = kept(seen)[-1].cursor
    rest = await watched(client, seen[0].run_id, cursor)
    assert rest[-1].result.verdict == PASSED and rest[-1].attempt == 2
    assert [m.test.id for m in rest if m.HasField("test")] == ["one", "two", "three"]
    whole = await watched(client, seen[0].run_id)
    assert whole == kept(seen) + rest
    # The call itself, repeated, is shown the same validation.
    again = [
        m async for m in client.code_validation.validate_code(request, idempotency_key="k")
    ]
    assert kept(again) == whole

    async def ended() -> List[Any]:
        listed = await client.code_validation.list_validations(v1.ListValidationsRequest())
        return [v.status for v in listed.validations]

    done = v1.ValidationStatus.VALIDATION_STATUS_COMPLETED
    await until(ended, lambda found: found and all(s == done for s in found))
    types = [e.type for e in await read_all(client)]
    assert types.count("code.validated") == len(await ended())


async def test_a_learner_s_queue_is_bounded_and_others_are_served(mortal_judging, connect):
    lea = await join(mortal_judging, connect, "Lea")
    bob = await join(mortal_judging, connect, "Bob")
    calls = lea.client.code_validation
    blocker = calls.validate_code(v1.ValidateCodeRequest(submission=submission("# sleep 60000")))
    first = await blocker.__anext__()

    async def running() -> int:
        found = await calls.get_validation(v1.GetValidationRequest(run_id=first.run_id))
        return found.validation.status

    await until(running, lambda s: s == v1.ValidationStatus.VALIDATION_STATUS_RUNNING)

    async def begin(number: int) -> str:
        request = v1.ValidateCodeRequest(submission=submission(f"x{number}"))
        stream = calls.validate_code(request)
        try:
            await stream.__anext__()
        except hito.ResourceExhausted as error:
            return str(error)
        finally:
            await stream.aclose()
        return ""

    refusals: List[str] = []
    for _ in range(5):
        refusals += await asyncio.gather(*(begin(n) for n in range(50)))
    assert sum(not r for r in refusals) == 200
    assert all("validations that wait" in r for r in refusals if r)
    stream = bob.client.code_validation.validate_code(
        v1.ValidateCodeRequest(submission=submission("y"))
    )
    assert (await stream.__anext__()).queued.position <= 2
    await calls.cancel_validation(v1.CancelValidationRequest(run_id=first.run_id))
    rest = [m async for m in stream]
    assert rest[-1].validation.status == v1.ValidationStatus.VALIDATION_STATUS_COMPLETED
