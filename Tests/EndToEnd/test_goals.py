"""Goals and tasks through the public surface: create, read, change, the rules of states."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from history import pages
from hito import v1

import hito

PENDING = v1.WorkStatus.WORK_STATUS_PENDING
IN_PROGRESS = v1.WorkStatus.WORK_STATUS_IN_PROGRESS
COMPLETED = v1.WorkStatus.WORK_STATUS_COMPLETED
ARCHIVED = v1.WorkStatus.WORK_STATUS_ARCHIVED


async def new_goal(client, tasks=0, title="Aprender Rust"):
    return await client.goals.create_goal(
        v1.CreateGoalRequest(
            title=title, tasks=[v1.NewTask(title=f"Tarea {n}") for n in range(tasks)]
        )
    )


async def test_a_goal_is_created_read_updated_and_deleted(server, ana, connect):
    client = await connect(server, ana)
    made = await client.goals.create_goal(
        v1.CreateGoalRequest(
            title="Aprender Swift",
            description="Concurrencia",
            validation_criteria=["compila", "pasa las pruebas"],
            tasks=[v1.NewTask(title="Leer", description="el libro"), v1.NewTask(title="Probar")],
        )
    )
    goal = made.goal
    assert goal.user_id == ana.user_id and goal.status == PENDING and goal.version == 1
    assert goal.progress_percentage == 0.0 and not made.receipt.replayed and made.receipt.cursor
    assert [(t.title, t.goal_id, t.status) for t in made.tasks] == [
        ("Leer", goal.id, PENDING), ("Probar", goal.id, PENDING),
    ]  # fmt: skip

    read = await client.goals.get_goal(
        v1.GetGoalRequest(goal_id=goal.id, min_cursor=made.receipt.cursor)
    )
    assert read.goal == goal and list(read.tasks) == list(made.tasks)

    updated = await client.goals.update_goal(
        v1.UpdateGoalRequest(
            goal_id=goal.id,
            goal=v1.Goal(title="Dominar Swift", description="no escrito"),
            update_mask=FieldMask(paths=["title", "validation_criteria"]),
            expected_version=1,
        )
    )
    assert updated.goal.title == "Dominar Swift" and updated.goal.version == 2
    assert updated.goal.description == "Concurrencia", "not in the mask"
    assert not updated.goal.validation_criteria, "in the mask and empty: cleared"

    await client.goals.delete_goal(v1.DeleteGoalRequest(goal_id=goal.id))
    for attempt in (
        client.goals.get_goal(v1.GetGoalRequest(goal_id=goal.id)),
        client.goals.delete_goal(v1.DeleteGoalRequest(goal_id=goal.id)),
        client.tasks.get_task(v1.GetTaskRequest(task_id=made.tasks[0].id)),
    ):
        with pytest.raises(hito.NotFound):
            await attempt


async def test_goals_are_listed_in_pages_and_filtered(server, ana, connect):
    client = await connect(server, ana)
    made = [await new_goal(client, title=f"Meta {n}") for n in range(7)]
    await client.goals.start_goal(v1.StartGoalRequest(goal_id=made[2].goal.id))
    last = await client.goals.archive_goal(v1.ArchiveGoalRequest(goal_id=made[3].goal.id))
    cursor = last.receipt.cursor

    def request(**more) -> v1.ListGoalsRequest:
        return v1.ListGoalsRequest(
            page=v1.PageRequest(page_size=2), min_cursor=cursor, **more
        )

    listed = [g.title async for g in pages(client.goals.list_goals, request(), "goals")]
    assert listed == ["Meta 6", "Meta 5", "Meta 4", "Meta 2", "Meta 1", "Meta 0"]
    begun = [
        g.title
        async for g in pages(client.goals.list_goals, request(statuses=[IN_PROGRESS]), "goals")
    ]
    assert begun == ["Meta 2"]
    archived = await client.goals.list_goals(request(statuses=[ARCHIVED]))
    assert [g.title for g in archived.goals] == ["Meta 3"]
    found = await client.goals.list_goals(request(title_contains="meta 5"))
    assert [g.title for g in found.goals] == ["Meta 5"]

    first = await client.goals.list_goals(request())
    other = request(statuses=[PENDING])
    other.page.page_token = first.page.next_page_token
    with pytest.raises(hito.InvalidArgument) as caught:
        await client.goals.list_goals(other)
    assert caught.value.reason == v1.ErrorReason.ERROR_REASON_BAD_PAGE_TOKEN
    for size in (-1, 201):
        with pytest.raises(hito.InvalidArgument):
            await client.goals.list_goals(
                v1.ListGoalsRequest(page=v1.PageRequest(page_size=size))
            )


async def test_tasks_drive_the_goal_there_and_back(server, ana, connect):
    client = await connect(server, ana)
    made = await new_goal(client, tasks=2)
    first, second = (task.id for task in made.tasks)

    started = await client.tasks.start_task(v1.StartTaskRequest(task_id=first))
    assert (started.task.status, started.goal.status) == (IN_PROGRESS, IN_PROGRESS)
    half = await client.tasks.complete_task(v1.CompleteTaskRequest(task_id=first))
    assert half.goal.progress_percentage == 50.0 and half.task.HasField("completed_at")
    done = await client.tasks.complete_task(v1.CompleteTaskRequest(task_id=second))
    assert done.goal.status == COMPLETED and done.goal.progress_percentage == 100.0

    back = await client.tasks.reopen_task(v1.ReopenTaskRequest(task_id=second))
    assert back.goal.status == IN_PROGRESS and back.goal.progress_percentage == 50.0
    assert not back.goal.HasField("completed_at")
    away = await client.tasks.archive_task(v1.ArchiveTaskRequest(task_id=second))
    assert away.goal.status == COMPLETED, "an archived task does not count"
    more = await client.tasks.create_task(
        v1.CreateTaskRequest(goal_id=made.goal.id, task=v1.NewTask(title="Otra"))
    )
    assert more.goal.status == IN_PROGRESS and more.goal.progress_percentage == 50.0
    less = await client.tasks.delete_task(v1.DeleteTaskRequest(task_id=more.task.id))
    assert less.goal.status == COMPLETED


async def test_a_goal_with_open_tasks_cannot_be_completed_by_hand(server, ana, connect):
    client = await connect(server, ana)
    made = await new_goal(client, tasks=1)
    with pytest.raises(hito.FailedPrecondition) as caught:
        await client.goals.complete_goal(v1.CompleteGoalRequest(goal_id=made.goal.id))
    assert caught.value.reason == v1.ErrorReason.ERROR_REASON_ILLEGAL_TRANSITION
    empty = await new_goal(client)
    done = await client.goals.complete_goal(v1.CompleteGoalRequest(goal_id=empty.goal.id))
    assert done.goal.progress_percentage == 100.0
    with pytest.raises(hito.FailedPrecondition):
        await client.goals.complete_goal(v1.CompleteGoalRequest(goal_id=empty.goal.id))


async def test_an_archived_goal_is_frozen_until_it_is_reopened(server, ana, connect):
    client = await connect(server, ana)
    made = await new_goal(client, tasks=1)
    await client.goals.archive_goal(v1.ArchiveGoalRequest(goal_id=made.goal.id))
    with pytest.raises(hito.FailedPrecondition, match="reopen"):
        await client.tasks.complete_task(v1.CompleteTaskRequest(task_id=made.tasks[0].id))
    reopened = await client.goals.reopen_goal(v1.ReopenGoalRequest(goal_id=made.goal.id))
    assert reopened.goal.status == PENDING, "it had not been started"
    await client.tasks.complete_task(v1.CompleteTaskRequest(task_id=made.tasks[0].id))


async def test_tasks_are_updated_listed_and_reordered(server, ana, connect):
    client = await connect(server, ana)
    made = await new_goal(client, tasks=3)
    order = [made.tasks[n].id for n in (2, 0, 1)]
    moved = await client.tasks.reorder_tasks(
        v1.ReorderTasksRequest(goal_id=made.goal.id, task_ids=order)
    )
    assert [task.id for task in moved.tasks] == order
    listed = await client.tasks.list_tasks(v1.ListTasksRequest(goal_id=made.goal.id))
    assert [task.id for task in listed.tasks] == order
    for wrong in (order[:2], [*order, order[0]], [order[0], order[0], order[1]]):
        with pytest.raises(hito.InvalidArgument):
            await client.tasks.reorder_tasks(
                v1.ReorderTasksRequest(goal_id=made.goal.id, task_ids=wrong)
            )
    task = await client.tasks.update_task(
        v1.UpdateTaskRequest(
            task_id=order[0],
            task=v1.GoalTask(description="con detalle"),
            update_mask=FieldMask(paths=["description"]),
        )
    )
    assert task.task.description == "con detalle" and task.task.title == "Tarea 2"
    mine = [
        t.id
        async for t in pages(
            client.tasks.list_tasks,
            v1.ListTasksRequest(page=v1.PageRequest(page_size=2)),
            "tasks",
        )
    ]
    assert sorted(mine) == sorted(order)


async def test_a_stale_version_is_refused_and_says_the_current_one(server, ana, connect):
    client = await connect(server, ana)
    made = await new_goal(client, tasks=1)
    await client.tasks.start_task(v1.StartTaskRequest(task_id=made.tasks[0].id))
    attempts = (
        client.goals.archive_goal(
            v1.ArchiveGoalRequest(goal_id=made.goal.id, expected_version=1)
        ),
        client.tasks.complete_task(
            v1.CompleteTaskRequest(task_id=made.tasks[0].id, expected_version=1)
        ),
        client.tasks.complete_task(
            v1.CompleteTaskRequest(task_id=made.tasks[0].id, expected_version=99)
        ),
    )
    for attempt in attempts:
        with pytest.raises(hito.Aborted) as caught:
            await attempt
        assert caught.value.reason == v1.ErrorReason.ERROR_REASON_STALE_VERSION
        assert caught.value.details.resource.current_version == 2


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        ("title", v1.CreateGoalRequest(title="")),
        ("title", v1.CreateGoalRequest(title="   ")),
        ("title", v1.CreateGoalRequest(title="x" * 201)),
        ("title", v1.CreateGoalRequest(title="dos\nlíneas")),
        ("description", v1.CreateGoalRequest(title="t", description="x" * 10_001)),
        ("tasks[1].title", v1.CreateGoalRequest(
            title="t", tasks=[v1.NewTask(title="a"), v1.NewTask()])),
        ("tasks", v1.CreateGoalRequest(title="t", tasks=[v1.NewTask(title="a")] * 201)),
        ("validation_criteria", v1.CreateGoalRequest(
            title="t", validation_criteria=["c"] * 21)),
        ("course_id", v1.CreateGoalRequest(title="t", course_id="not a uuid")),
    ],
)  # fmt: skip
async def test_a_goal_that_breaks_a_rule_names_the_field(server, ana, connect, field, request_):
    client = await connect(server, ana)
    with pytest.raises(hito.InvalidArgument) as caught:
        await client.goals.create_goal(request_)
    violations = [violation.field for violation in caught.value.details.field_violations]
    assert any(name.startswith(field) for name in violations), violations


async def test_texts_at_their_limits_come_back_unchanged(server, ana, connect):
    client = await connect(server, ana)
    title, description = "ñ" * 199 + "🎯", "línea\n\tcon «todo» 漢字\r\n" * 400
    made = await client.goals.create_goal(
        v1.CreateGoalRequest(title=title, description=description)
    )
    read = await client.goals.get_goal(v1.GetGoalRequest(goal_id=made.goal.id))
    assert (read.goal.title, read.goal.description) == (title, description)


@pytest.mark.parametrize("goal_id", ["", "x", "00000000-0000-0000-0000-00000000000g", "é" * 36])
async def test_an_id_that_is_no_id_is_refused(server, ana, connect, goal_id):
    client = await connect(server, ana)
    with pytest.raises(hito.InvalidArgument):
        await client.goals.get_goal(v1.GetGoalRequest(goal_id=goal_id))


@pytest.mark.parametrize("path", ["status", "id", "nothing", "title.x", "user_id"])
async def test_a_mask_names_only_fields_that_can_be_written(server, ana, connect, path):
    client = await connect(server, ana)
    made = await new_goal(client)
    with pytest.raises(hito.InvalidArgument):
        await client.goals.update_goal(
            v1.UpdateGoalRequest(
                goal_id=made.goal.id,
                goal=v1.Goal(title="x", status=COMPLETED),
                update_mask=FieldMask(paths=[path]),
            )
        )
