"""Journey 1: a goal and its tasks, watched live by others, through the death of the server."""

from __future__ import annotations

import asyncio

from history import Watcher, check, ids, read_all
from hito import v1


async def test_a_learner_s_journey_is_watched_live_and_survives_kill_9(
    mortal, mortal_ana, mortal_admin, connect
):
    client = await connect(mortal, mortal_ana)
    other = await connect(mortal, mortal_ana)
    admin = await connect(mortal, mortal_admin)

    created = await client.goals.create_goal(
        v1.CreateGoalRequest(
            title="Aprender FastAPI",
            description="Crear una API REST completa",
            tasks=[v1.NewTask(title=f"Paso {n}") for n in range(1, 5)],
        )
    )
    goal_id = created.goal.id
    of_goal = v1.EventFilter(goal_ids=[goal_id])
    watchers = [Watcher(other, of_goal), Watcher(admin, of_goal)]
    try:
        for watcher in watchers:
            await watcher.caught_up()
            await watcher.has(5)

        await client.tasks.start_task(v1.StartTaskRequest(task_id=created.tasks[0].id))
        await client.tasks.complete_task(v1.CompleteTaskRequest(task_id=created.tasks[0].id))
        mortal.kill()
        # Asked while nobody is there: the client waits, repeats under its key, and is answered.
        completing = asyncio.create_task(
            client.tasks.complete_task(
                v1.CompleteTaskRequest(task_id=created.tasks[1].id), timeout=90.0
            )
        )
        await mortal.restart()
        completed = await completing
        assert completed.goal.progress_percentage == 50.0
        await client.tasks.complete_task(v1.CompleteTaskRequest(task_id=created.tasks[2].id))
        last = await client.tasks.complete_task(
            v1.CompleteTaskRequest(task_id=created.tasks[3].id)
        )
        assert last.goal.status == v1.WorkStatus.WORK_STATUS_COMPLETED
        assert last.goal.progress_percentage == 100.0

        log = await read_all(client, of_goal, min_cursor=last.receipt.cursor)
        check(log)
        assert [event.type for event in log] == [
            "goal.created", *["task.created"] * 4,
            "task.started", "goal.started",
            "task.completed", "goal.progressed",
            "task.completed", "goal.progressed",
            "task.completed", "goal.progressed",
            "task.completed", "goal.completed",
        ]  # fmt: skip
        for watcher in watchers:
            await watcher.has(len(log))
            assert ids(watcher.events) == ids(log)
            check(watcher.events)
            assert watcher.interruptions >= 1, "the watch was meant to be broken"
    finally:
        for watcher in watchers:
            await watcher.close()


async def test_a_drained_server_hands_its_streams_on(mortal, mortal_ana, connect):
    client = await connect(mortal, mortal_ana)
    watcher = Watcher(client)
    try:
        await watcher.caught_up()
        assert await asyncio.to_thread(mortal.stop) == 0, mortal.tail()
        await mortal.restart()
        created = await client.goals.create_goal(
            v1.CreateGoalRequest(title="Después"), timeout=60.0
        )
        log = await read_all(client, min_cursor=created.receipt.cursor)
        await watcher.has(len(log))
        assert ids(watcher.events) == ids(log)
        check(log)
    finally:
        await watcher.close()
