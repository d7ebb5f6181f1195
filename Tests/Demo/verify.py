"""Whether everything that was promised holds; every failure is an AssertionError."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from pathlib import Path
from typing import Callable

import lake as lake_files
from history import check, ids, read_all
from hito import v1
from journey import Journey

Say = Callable[[str], None]


async def verify(journey: Journey, say: Say) -> None:
    log = await read_all(journey.ana, min_cursor=journey.last_cursor)
    check(log)
    done = Counter(event.entity_id for event in log if event.type == "task.completed")
    assert done == Counter(journey.completed), "completed tasks are not in the log exactly once"
    say(f"✓ {len(log)} events in Ana's log, versions without a gap, nothing twice")

    for goal in journey.goals:
        read = await journey.ana.goals.get_goal(v1.GetGoalRequest(goal_id=goal.goal.id))
        stored = {
            task.id
            for task in read.tasks
            if task.status == v1.WorkStatus.WORK_STATUS_COMPLETED
        }
        assert stored == {task.id for task in goal.tasks} & set(journey.completed)
    say(f"✓ {len(journey.completed)} acknowledged completions are in the tables")

    for watcher in journey.watchers:
        expected = await read_all(watcher.client, watcher.event_filter)
        await watcher.has(len(expected))
        assert ids(watcher.events) == ids(expected), f"{watcher.name} missed or doubled events"
        assert watcher.interruptions > 0, f"{watcher.name} was not interrupted"
        say(
            f"✓ {watcher.name} saw {len(expected)} events live, in order, "
            f"through {watcher.interruptions} interruption(s)"
        )

    await lake_has_it_all(journey, say)


async def lake_has_it_all(journey: Journey, say: Say) -> None:
    """Every event of the log is in the Parquet files, once."""
    flushed = await journey.admin.server.flush_lake(v1.FlushLakeRequest())
    assert flushed.cursor
    rows = await asyncio.to_thread(lake_files.rows, journey.server.lake)
    everything = await read_all(journey.admin)
    in_lake = Counter(row["event_id"] for row in rows)
    assert in_lake == Counter(ids(everything)), "the lake and the log differ"
    kinds = Counter(event.type.split(".")[0] for event in everything)
    say(
        f"✓ {len(rows)} rows in {len(list(journey.server.lake.rglob('*.parquet')))} Parquet files: "
        + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    )


async def report_matches_the_notes(journey: Journey, folder: Path, say: Say) -> None:
    """The server's numbers against the Python function of the design notes, unchanged."""
    report = await journey.ana.analytics.get_productivity(v1.GetProductivityRequest())
    theirs = await asyncio.to_thread(
        lake_files.report_of_the_notes,
        journey.server.lake, folder, journey.ana_login.user_id, 30,
    )  # fmt: skip
    ours = {
        "total_events": report.total_events,
        "goals_created": report.goals_created,
        "goals_completed": report.goals_completed,
        "tasks_completed": report.tasks_completed,
        "code_validated": report.code_validated,
        "most_active_day": report.most_active_day,
        "events_by_type": {entry.type: entry.count for entry in report.events_by_type},
    }
    mean = theirs.pop("avg_validation_score")
    assert math.isnan(mean) and report.WhichOneof("avg_validation_score_presence") is None
    assert ours == theirs, f"the report says {ours}, pandas says {theirs}"
    say("✓ the same numbers as the Python function of the design notes over the Parquet files")
