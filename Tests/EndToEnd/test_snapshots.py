"""Code of learners and the verdicts of others, from the call to the lake."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import lake as lake_files
import pyarrow.parquet as parquet
import pytest
from history import read_all
from hito import v1
from test_reports import as_the_notes_say

import hito

PASSED, FAILED = v1.Verdict.VERDICT_PASSED, v1.Verdict.VERDICT_FAILED


@pytest.fixture(scope="session")
def grader(server):
    """An external grader."""
    return server.join("Grader", "service", external_id="grader-of-snapshots")


async def submitted(client, code: str = "print('hola')\n", task_id: str = ""):
    request = v1.CreateSnapshotRequest(
        file_path="app/main.py", code_content=code, task_id=task_id
    )
    return (await client.code_validation.create_snapshot(request)).snapshot


def a_verdict(snapshot, verdict=PASSED, score: float = 0.9) -> v1.RecordVerdictRequest:
    return v1.RecordVerdictRequest(
        snapshot_id=snapshot.id, verdict=verdict, score=score, feedback="Bien hecho",
        provenance=v1.Provenance(
            source="autograder", tool_versions={"ruff": "0.6.1"}, policy="default@1",
            code_hash=hashlib.sha256(snapshot.code_content.encode()).digest(),
        ),
    )  # fmt: skip


def validated_rows(lake: Path, user_id: str) -> list:
    """The `code.validated` rows of a learner, in the order of the log."""
    names = ["event_type", "user_id", "entity_id", "validation_score", "validation_passed",
             "language", "file_path", "task_id", "code_snapshot_id", "position"]  # fmt: skip
    found = []
    for file in sorted(lake.rglob("code_events*.parquet")):
        found += parquet.read_table(file, columns=names, partitioning=None).to_pylist()
    mine = [
        row for row in found
        if row["user_id"] == user_id and row["event_type"] == "code.validated"
    ]  # fmt: skip
    return sorted(mine, key=lambda row: row["position"])


async def test_a_verdict_reaches_the_watch_the_report_and_the_lake(
    server, admin, ana, grader, connect, tmp_path
):
    client, judge = await connect(server, ana), await connect(server, grader)
    root = await connect(server, admin)
    goal = await client.goals.create_goal(
        v1.CreateGoalRequest(title="Escribir código", tasks=[v1.NewTask(title="Hola")])
    )
    first = await submitted(client, task_id=goal.tasks[0].id)
    second = await submitted(client, "print('adiós')\n")
    assert (first.language, first.goal_id) == ("python", goal.goal.id)

    request = v1.WatchRequest(filter=v1.EventFilter(types=["code.validated"]))
    async with asyncio.timeout(30):
        async with client.progress.watch_resuming(request) as watch:
            assert not (await watch.__anext__()).HasField("event"), "caught up first"
            await judge.code_validation.record_verdict(a_verdict(first, score=0.9))
            last = await judge.code_validation.record_verdict(
                a_verdict(second, FAILED, score=0.4)
            )
            seen = []
            while len(seen) < 2:
                response = await watch.__anext__()
                if response.HasField("event"):
                    seen.append(response.event)
    assert [event.entity_id for event in seen] == [first.id, second.id]
    payload = json.loads(seen[0].payload_json)
    assert (payload["validation_passed"], payload["validation_score"]) == (True, 0.9)
    assert payload["task_id"] == goal.tasks[0].id and "code_content" not in payload
    assert payload["provenance"]["actor_id"] == grader.user_id

    report = await client.analytics.get_productivity(
        v1.GetProductivityRequest(min_cursor=last.receipt.cursor)
    )
    assert report.code_validated == 2
    assert report.avg_validation_score == pytest.approx(0.65, rel=1e-12)

    await root.server.flush_lake(v1.FlushLakeRequest())
    rows = validated_rows(server.lake, ana.user_id)
    assert [row["validation_score"] for row in rows] == [0.9, 0.4]
    assert [row["validation_passed"] for row in rows] == [True, False]
    assert [row["task_id"] for row in rows] == [goal.tasks[0].id, None]
    assert {row["language"] for row in rows} == {"python"}
    assert {row["file_path"] for row in rows} == {"app/main.py"}
    assert lake_files.opens_as_one_dataset(server.lake) >= 2
    flushed = await client.analytics.get_productivity(v1.GetProductivityRequest())
    theirs = lake_files.report_of_the_notes(server.lake, tmp_path, ana.user_id, days=30)
    assert as_the_notes_say(flushed) == theirs
    assert theirs["code_validated"] == 2


async def test_a_stored_verdict_reads_back_to_its_author(server, ana, grader, connect):
    client, judge = await connect(server, ana), await connect(server, grader)
    snapshot = await submitted(client, "x = 'ñ'\n")
    judged = await judge.code_validation.record_verdict(a_verdict(snapshot))
    read = await client.code_validation.get_snapshot(
        v1.GetSnapshotRequest(snapshot_id=snapshot.id, min_cursor=judged.receipt.cursor)
    )
    assert read.snapshot == judged.snapshot
    assert read.snapshot.code_content == "x = 'ñ'\n"
    assert read.snapshot.provenance.actor_id == grader.user_id
    assert read.snapshot.provenance.tool_versions == {"ruff": "0.6.1"}
    listed = await client.code_validation.list_snapshots(
        v1.ListSnapshotsRequest(verdict=PASSED)
    )
    assert [s.id for s in listed.snapshots] == [snapshot.id]
    assert listed.snapshots[0].code_content == ""
    log = await read_all(client, min_cursor=judged.receipt.cursor)
    assert [e.type for e in log if e.entity_id == snapshot.id] == [
        "code.submitted", "code.validated",
    ]  # fmt: skip


async def test_code_is_its_authors_until_it_is_shared_and_has_passed(
    server, ana, berta, grader, connect
):
    client, stranger = await connect(server, ana), await connect(server, berta)
    judge = await connect(server, grader)
    snapshot = await submitted(client)
    with pytest.raises(hito.PermissionDenied):
        await client.code_validation.record_verdict(a_verdict(snapshot))
    read = v1.GetSnapshotRequest(snapshot_id=snapshot.id)

    async def is_hidden() -> None:
        with pytest.raises(hito.NotFound):
            await stranger.code_validation.get_snapshot(read)
        # Learners judge nothing, whether it is there or not.
        with pytest.raises(hito.PermissionDenied):
            await stranger.code_validation.record_verdict(a_verdict(snapshot))

    await is_hidden()
    share = v1.SetSharingRequest(snapshot_id=snapshot.id, shared=True)
    await client.code_validation.set_sharing(share)
    await is_hidden()
    await judge.code_validation.record_verdict(a_verdict(snapshot))
    example = (await stranger.code_validation.get_snapshot(read)).snapshot
    assert example.code_content == snapshot.code_content
    assert (example.user_id, example.validation_feedback) == ("", "")
    assert not example.HasField("provenance") and example.verdict == PASSED
    assert example.WhichOneof("validation_score_presence") is None
    with pytest.raises(hito.PermissionDenied):
        await stranger.code_validation.record_verdict(a_verdict(snapshot, FAILED, 0.0))
    await judge.code_validation.record_verdict(a_verdict(snapshot, FAILED, 0.0))
    await is_hidden()


async def test_the_largest_file_is_stored_and_a_byte_more_is_not(server, ana, connect):
    client = await connect(server, ana)
    largest = "x" * (256 * 1024)
    stored = await submitted(client, largest)
    assert stored.code_content == largest
    with pytest.raises(hito.InvalidArgument):
        await submitted(client, largest + "x")
