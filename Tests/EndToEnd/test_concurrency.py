"""Many at once: nobody's write is lost, nobody wins twice."""

from __future__ import annotations

import asyncio

from google.protobuf.field_mask_pb2 import FieldMask
from history import check, read_all
from hito import v1

import hito


async def test_tasks_completed_at_the_same_time_all_count(server, ana, connect):
    clients = [await connect(server, ana) for _ in range(3)]
    made = await clients[0].goals.create_goal(
        v1.CreateGoalRequest(title="Juntos", tasks=[v1.NewTask(title=f"{n}") for n in range(24)])
    )
    replies = await asyncio.gather(
        *(
            clients[n % 3].tasks.complete_task(v1.CompleteTaskRequest(task_id=task.id))
            for n, task in enumerate(made.tasks)
        )
    )
    shares = sorted(reply.goal.progress_percentage for reply in replies)
    assert len(set(shares)) == 24 and shares[-1] == 100.0
    last = max(replies, key=lambda reply: reply.goal.version)
    log = await read_all(
        clients[0], v1.EventFilter(goal_ids=[made.goal.id]), min_cursor=last.receipt.cursor
    )
    check(log)
    assert [e.type for e in log].count("goal.completed") == 1
    assert [e.type for e in log].count("task.completed") == 24


async def test_of_those_who_read_the_same_version_one_wins(server, ana, connect):
    clients = [await connect(server, ana) for _ in range(3)]
    made = await clients[0].goals.create_goal(v1.CreateGoalRequest(title="Disputada"))
    results = await asyncio.gather(
        *(
            clients[n % 3].goals.update_goal(
                v1.UpdateGoalRequest(
                    goal_id=made.goal.id,
                    goal=v1.Goal(title=f"Versión de {n}"),
                    update_mask=FieldMask(paths=["title"]),
                    expected_version=1,
                )
            )
            for n in range(12)
        ),
        return_exceptions=True,
    )
    won = [r for r in results if not isinstance(r, BaseException)]
    assert len(won) == 1 and won[0].goal.version == 2
    lost = [r for r in results if isinstance(r, BaseException)]
    assert all(isinstance(r, hito.Aborted) for r in lost), lost
    read = await clients[0].goals.get_goal(v1.GetGoalRequest(goal_id=made.goal.id))
    assert read.goal.title == won[0].goal.title


async def test_tasks_added_at_the_same_time_have_each_their_place(server, ana, connect):
    client = await connect(server, ana)
    made = await client.goals.create_goal(v1.CreateGoalRequest(title="Crece"))
    await asyncio.gather(
        *(
            client.tasks.create_task(
                v1.CreateTaskRequest(goal_id=made.goal.id, task=v1.NewTask(title=f"{n}"))
            )
            for n in range(20)
        )
    )
    listed = await client.tasks.list_tasks(v1.ListTasksRequest(goal_id=made.goal.id))
    assert sorted(int(task.title) for task in listed.tasks) == list(range(20))
    assert len({task.ordinal for task in listed.tasks}) == 20
