"""The productivity report equals the Python function of the design notes over the same lake."""

from __future__ import annotations

import math
from typing import Any, Dict

import lake as lake_files
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hito import v1

import hito


async def some_work(client: hito.Client) -> str:
    """A few goals and tasks in different states; the cursor of the last write."""
    for number in range(3):
        made = await client.goals.create_goal(
            v1.CreateGoalRequest(
                title=f"Meta {number}", tasks=[v1.NewTask(title="Uno"), v1.NewTask(title="Dos")]
            )
        )
        for task in made.tasks[: number + 1]:
            last = await client.tasks.complete_task(v1.CompleteTaskRequest(task_id=task.id))
    return last.receipt.cursor


def as_the_notes_say(report: v1.GetProductivityResponse) -> Dict[str, Any]:
    has_mean = report.WhichOneof("avg_validation_score_presence") is not None
    return {
        "total_events": report.total_events,
        "goals_created": report.goals_created,
        "goals_completed": report.goals_completed,
        "tasks_completed": report.tasks_completed,
        "code_validated": report.code_validated,
        "avg_validation_score": report.avg_validation_score if has_mean else math.nan,
        "most_active_day": report.most_active_day,
        "events_by_type": {entry.type: entry.count for entry in report.events_by_type},
    }


async def test_the_report_equals_the_python_function_over_the_flushed_lake(
    server, admin, ana, connect, tmp_path
):
    client, root = await connect(server, ana), await connect(server, admin)
    cursor = await some_work(client)
    # What is in the lake is what has its place in the log: wait for the last write to have one.
    await client.events.read_events(v1.ReadEventsRequest(min_cursor=cursor))
    report = await client.analytics.get_productivity(v1.GetProductivityRequest(min_cursor=cursor))
    assert (report.goals_created, report.tasks_completed) == (3, 5)
    assert report.goals_completed == 2

    await root.server.flush_lake(v1.FlushLakeRequest())
    for row in lake_files.own_columns(server.lake, "goal", ["goal_id", "title", "status"]):
        assert row["goal_id"] == row["entity_id"] and row["title"] and row["status"]
    for row in lake_files.own_columns(server.lake, "task", ["task_id", "goal_id", "ordinal"]):
        assert row["task_id"] == row["entity_id"]
        assert row["goal_id"] is not None and row["ordinal"] is not None
    own = ["event_type", "display_name", "role", "language"]
    for row in lake_files.own_columns(server.lake, "user", own):
        # Of tokens there is no name.
        assert row["event_type"].startswith("user.token_") or (
            row["display_name"] and row["role"] and row["language"]
        )
    flushed = await client.analytics.get_productivity(v1.GetProductivityRequest())
    ours = as_the_notes_say(flushed)
    theirs = lake_files.report_of_the_notes(server.lake, tmp_path, ana.user_id, days=30)
    assert math.isnan(ours.pop("avg_validation_score"))
    assert math.isnan(theirs.pop("avg_validation_score"))
    assert ours == theirs
    before = as_the_notes_say(report)
    before.pop("avg_validation_score")
    assert before == ours, "exact before the flush too"
    counts = [(-entry.count, entry.type) for entry in flushed.events_by_type]
    assert counts == sorted(counts)


async def test_a_report_of_the_past_does_not_know_what_came_later(server, ana, connect):
    client = await connect(server, ana)
    cursor = await some_work(client)
    page = await client.events.read_events(v1.ReadEventsRequest(min_cursor=cursor, page_size=200))
    middle = page.events[len(page.events) // 2].created_at
    report = await client.analytics.get_productivity(v1.GetProductivityRequest(as_of=middle))
    earlier = [e for e in page.events if _micros(e.created_at) < _micros(middle)]
    assert report.total_events == len(earlier)
    nothing = await client.analytics.get_productivity(
        v1.GetProductivityRequest(as_of=Timestamp(seconds=1_000_000_000))
    )
    assert nothing.total_events == 0 and nothing.most_active_day == ""
    assert nothing.WhichOneof("avg_validation_score_presence") is None
    assert not nothing.events_by_type


@pytest.mark.parametrize("days", [-1, 3661])
async def test_a_span_that_is_not_allowed_is_refused(server, ana, connect, days):
    client = await connect(server, ana)
    with pytest.raises(hito.InvalidArgument):
        await client.analytics.get_productivity(v1.GetProductivityRequest(days=days))


async def test_a_flush_writes_what_waits_and_says_how_much(server, admin, ana, connect):
    client, root = await connect(server, ana), await connect(server, admin)
    made = await client.goals.create_goal(v1.CreateGoalRequest(title="Para el lago"))
    await client.events.read_events(v1.ReadEventsRequest(min_cursor=made.receipt.cursor))
    await root.server.flush_lake(v1.FlushLakeRequest())
    rows = lake_files.rows(server.lake)
    mine = [row for row in rows if row["entity_id"] == made.goal.id]
    assert [row["event_type"] for row in mine] == ["goal.created"]
    assert mine[0]["user_id"] == ana.user_id
    again = await root.server.flush_lake(v1.FlushLakeRequest())
    assert again.rows >= 0 and again.cursor
    rows = lake_files.rows(server.lake)
    assert len(rows) == len({row["event_id"] for row in rows})


def _micros(time: Timestamp) -> int:
    return time.seconds * 1_000_000 + time.nanos // 1000
