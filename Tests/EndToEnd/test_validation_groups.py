"""Batches and revalidations that outlive a kill -9 of the server, with a validator that does what comments say
(debug builds): nothing is told twice, left out or judged twice."""

from __future__ import annotations

from typing import Any, Iterator, List

import pytest
from conftest import _running
from hito import v1
from hito_server import HitoServer
from learning import join
from test_validation import FAILED, PASSED, SCRIPTED, a_suite, class_of, goal_with_task
from test_validation import set_tests, submission, validated

import hito


@pytest.fixture(scope="module")
def mortal() -> Iterator[HitoServer]:
    """A server that validates one at a time, to kill."""
    yield from _running(SCRIPTED, ["--validation-slots", "1"])


async def followed(
    running: Any, server: HitoServer, kill_after: List[int]
) -> List[Any]:
    """All that a resuming call gives, of which the server is killed after these numbers of answers."""
    answers: List[Any] = []
    async for answer in running:
        answers.append(answer)
        if len(answers) in kill_after:
            server.kill()
            await server.restart()
    return answers


# While submissions are taken, between that and the first end, and between ends.
@pytest.mark.parametrize("kill_after", [[1], [3], [6], [7, 9], [2, 5, 8]])
async def test_a_batch_is_resumed_after_the_server_was_killed(mortal, connect, kill_after):
    lea = await join(mortal, connect, "Lea")
    made = await goal_with_task(lea)
    await set_tests(lea, a_suite("one"), made.tasks[0].id)
    parts = [submission(f"# sleep 100\n# pass one\n# {n}", made.tasks[0].id) for n in range(5)]
    parts.insert(2, v1.Submission(files=[v1.SourceFile(path="../x.py")]))
    request = v1.ValidateBatchRequest(submissions=parts)
    running = lea.client.code_validation.validate_batch_resuming(request)
    answers = await followed(running, mortal, kill_after)
    assert running.interruptions >= len(kill_after)
    told = [(m.index, m.WhichOneof("step")) for m in answers]
    assert sorted(told) == sorted(
        [(n, word) for n in (0, 1, 3, 4, 5) for word in ("accepted", "finished")]
        + [(2, "refused")]
    )
    assert len({m.group_id for m in answers}) == 1
    for index in (0, 1, 3, 4, 5):
        of = [m for m in answers if m.index == index]
        assert of[0].accepted.run_id == of[1].finished.run_id
        assert of[1].finished.verdict == PASSED
    cursors = [m.cursor for m in answers]
    assert all(cursors) and len(set(cursors)) == len(cursors)
    listed = await lea.client.code_validation.list_validations(v1.ListValidationsRequest())
    assert len(listed.validations) == 5


async def test_cursors_of_groups_are_refused_where_they_do_not_belong(mortal, connect):
    lea = await join(mortal, connect, "Lea")
    calls = lea.client.code_validation
    request = v1.ValidateBatchRequest(submissions=[submission("x")])
    answers = [m async for m in calls.validate_batch(request, idempotency_key="a")]
    other = [m async for m in calls.validate_batch(request, idempotency_key="b")]
    # Nothing is left to say after the last one.
    last = v1.ValidateBatchRequest(submissions=request.submissions, cursor=answers[-1].cursor)
    assert [m async for m in calls.validate_batch(last, idempotency_key="a")] == []
    for cursor, key, error in [
        (answers[0].cursor, None, hito.InvalidArgument),
        (other[0].cursor, "a", hito.OutOfRange),
        (answers[0].cursor[:-1] + "!", "a", hito.OutOfRange),
        ("x", "a", hito.OutOfRange),
    ]:
        wrong = v1.ValidateBatchRequest(submissions=request.submissions, cursor=cursor)
        with pytest.raises(error):
            [m async for m in calls.validate_batch(wrong, idempotency_key=key)]
    without_key = [m async for m in calls.validate_batch(request)]
    assert [m.cursor for m in without_key] == ["", ""]


@pytest.mark.parametrize("kill_after", [[1], [3], [2, 4]])
async def test_a_revalidation_is_resumed_after_the_server_was_killed(mortal, connect, kill_after):
    teacher, lea, made = await class_of(mortal, connect)
    tasks = [made.tasks[0].id]
    for n in range(4):
        added = await lea.client.tasks.create_task(
            v1.CreateTaskRequest(goal_id=made.goal.id, task=v1.NewTask(title=f"tarea {n}"))
        )
        tasks.append(added.task.id)
    await set_tests(teacher, a_suite("one"), *tasks)
    code = "# sleep 100\n# pass one\n# fail two no"
    for task_id in tasks:
        before = (await validated(lea, submission(code, task_id)))[-1].result
        assert before.verdict == PASSED
    await set_tests(teacher, a_suite("one", "two"), *tasks)
    calls = teacher.client.code_validation
    preview = calls.revalidate_resuming(v1.RevalidateRequest(task_ids=tasks))
    answers = await followed(preview, mortal, kill_after)
    assert preview.interruptions >= len(kill_after)
    check(answers, applied=False)
    # What was written, and not told before the server died, is told as written.
    apply = v1.RevalidateRequest(preview_id=answers[0].group_id, apply=True)
    check(await followed(calls.revalidate_resuming(apply), mortal, kill_after), applied=True)


@pytest.mark.parametrize("kill_after", [[1], [2, 4]])
async def test_a_revalidation_for_good_knows_what_was_before(mortal, connect, kill_after):
    teacher, lea, made = await class_of(mortal, connect)
    tasks = [made.tasks[0].id]
    for n in range(4):
        added = await lea.client.tasks.create_task(
            v1.CreateTaskRequest(goal_id=made.goal.id, task=v1.NewTask(title=f"tarea {n}"))
        )
        tasks.append(added.task.id)
    await set_tests(teacher, a_suite("one"), *tasks)
    for task_id in tasks:
        await validated(lea, submission("# sleep 100\n# pass one\n# fail two no", task_id))
    await set_tests(teacher, a_suite("one", "two"), *tasks)
    calls = teacher.client.code_validation
    running = calls.revalidate_resuming(v1.RevalidateRequest(task_ids=tasks, apply=True))
    check(await followed(running, mortal, kill_after), applied=True)


def check(answers: List[Any], applied: bool) -> None:
    changes = [m.snapshot for m in answers[:-1]]
    assert len(changes) == 5 and len({c.snapshot_id for c in changes}) == 5
    for change in changes:
        assert (change.verdict_before, change.verdict_after) == (PASSED, FAILED)
        assert (change.score_before, change.score_after) == (1.0, 0.5)
        assert change.applied == applied and change.changed, change
    summary = answers[-1].summary
    assert summary.count == summary.newly_failed_count == 5
    assert summary.applied_count == (5 if applied else 0)
    assert summary.score_difference == -2.5
    assert len({m.group_id for m in answers}) == 1
