"""Backups are made while the server serves, are whole or not there, and come back as a new epoch."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List

import pytest
from external_database import Database
from history import eventually, read_all
from hito import v1
from hito_server import HitoServer, waiting
from load import Learner, acknowledgements
from psql import Session

import hito

TABLES = (
    "users courses enrolments goals tasks events event_positions embeddings passages code_snapshots"
    " tokens audit_entries log_seals installation log_identity schema_migrations"
).split()


@pytest.fixture
def restored() -> Iterator[HitoServer]:
    """A server on a data directory that is not there yet."""
    server = HitoServer()
    try:
        yield server
    finally:
        server.remove()


def command(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        arguments, capture_output=True, text=True, timeout=300, env={**os.environ, **environment}
    )


def backup(server: HitoServer, folder: Path, *options: str) -> None:
    done = command(server.program, "backup", str(folder), "--data-dir", str(server.data), *options)
    assert done.returncode == 0, done.stderr + done.stdout
    assert (folder / "MANIFEST").exists()


def restore(server: HitoServer, folder: Path, *options: str) -> None:
    done = command(server.program, "restore", str(folder), "--into", str(server.data), *options)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "epoch" in done.stdout


async def rows(server: HitoServer) -> Dict[str, str]:
    """How many rows each table has, and a hash of all of them."""
    session = await Session.open(server)
    try:
        return {
            table: (
                await session.run(
                    "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)),"
                    f" '') FROM {table} t;"
                )
            )[0]
            for table in TABLES
        }
    finally:
        await session.close()


async def titles(client: hito.Client) -> List[str]:
    page, token = [], ""
    while True:
        found = await client.goals.list_goals(
            v1.ListGoalsRequest(page=v1.PageRequest(page_size=200, page_token=token))
        )
        page += [goal.title for goal in found.goals]
        token = found.page.next_page_token
        if not token:
            return page


async def test_all_that_was_acknowledged_before_is_there_after_a_disaster(
    mortal, mortal_ana, restored, connect
):
    client = await connect(mortal, mortal_ana)
    learner = Learner(client, "Ana", seed=1, timeout=30)
    until = asyncio.Event()
    writing = asyncio.create_task(learner.run(until, ()))
    await acknowledgements([learner], 50)
    before = dict(learner.titles)
    folder = mortal.folder / "backup"
    await asyncio.to_thread(backup, mortal, folder)
    await acknowledgements([learner], 50)
    until.set()
    await writing
    lost = learner.last_cursor
    cursor = (await client.events.read_events(v1.ReadEventsRequest(page_size=200))).next_cursor
    # A second of one name is refused, and the first one stays as it is.
    again = command(mortal.program, "backup", str(folder), "--data-dir", str(mortal.data))
    assert again.returncode == 1 and "not empty" in again.stderr
    mortal.kill()
    await asyncio.to_thread(restore, restored, folder)
    await restored.restart()
    root = await connect(restored, restored.admin())
    other = await connect(restored, mortal_ana)
    assert set(before.values()) <= set(await titles(other))
    assert len(await titles(other)) < len(learner.titles)
    # What came after the backup is refused, with where to continue.
    with pytest.raises(hito.OutOfRange) as caught:
        await other.goals.list_goals(v1.ListGoalsRequest(min_cursor=lost))
    assert caught.value.reason == v1.ErrorReason.ERROR_REASON_LOG_FORKED
    await read_all(other)
    shown = restored.command("log", "status", "--data-dir", str(restored.data))
    assert "restored from the backup" in shown.stdout + shown.stderr
    verified = restored.command("audit", "verify", "--data-dir", str(restored.data))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    # It works: what is written now reaches the lake, which has nothing of what was lost.
    made = await other.goals.create_goal(v1.CreateGoalRequest(title="Después"))
    await root.server.flush_lake(v1.FlushLakeRequest())
    report = await other.analytics.get_productivity(
        v1.GetProductivityRequest(min_cursor=made.receipt.cursor)
    )
    assert report.goals_created == len(await titles(other))
    assert cursor
    exported = await root.server.list_audit_entries(
        v1.ListAuditEntriesRequest(kinds=[v1.AuditKind.AUDIT_KIND_EXPORT])
    )
    assert [e.method for e in exported.entries] == ["hito backup"]


async def test_every_row_comes_back_with_its_vectors(mortal, mortal_ana, restored, connect):
    if not mortal.is_running:
        await mortal.restart()
    client = await connect(mortal, mortal_ana)
    for title in ("Cultivar tomates", "Aprender Rust", "Tocar la guitarra", "Correr un maratón",
                  "Cocinar pan"):  # fmt: skip
        made = await client.goals.create_goal(v1.CreateGoalRequest(title=title))
        # Those that are completed are found.
        await client.goals.complete_goal(v1.CompleteGoalRequest(goal_id=made.goal.id))

    wish = v1.SearchSimilarGoalsRequest(query="Tocar la guitarra")

    async def is_found() -> bool:
        hits = (await client.retrieval.search_similar_goals(wish)).hits
        return bool(hits) and hits[0].citation.title == wish.query

    await eventually("vectors", is_found, 60)
    # Nothing runs that would write while rows are compared.
    await asyncio.to_thread(mortal.stop)
    folder = mortal.folder / "quiet"
    await asyncio.to_thread(backup, mortal, folder)
    await asyncio.to_thread(restore, restored, folder)
    await mortal.restart()
    await restored.restart()
    theirs, ours = await rows(mortal), await rows(restored)
    assert theirs["embeddings"].split()[0] != "0"
    # Each start writes seals and entries of its own.
    differing = {table for table in TABLES if theirs[table] != ours[table]}
    assert differing <= {"audit_entries", "log_seals"}
    # And are found as they were.
    found = [
        await (await connect(server, mortal_ana)).retrieval.search_similar_goals(wish)
        for server in (mortal, restored)
    ]
    assert found[0] == found[1] and found[0].hits[0].citation.title == "Tocar la guitarra", found


async def test_a_damaged_backup_is_refused_by_the_name_of_the_file(
    mortal, mortal_ana, restored, connect
):
    if not mortal.is_running:
        await mortal.restart()
    whole = mortal.folder / "whole"
    await asyncio.to_thread(backup, mortal, whole)
    table = max((whole / "postgres" / "base").rglob("[0-9]*"), key=lambda p: p.stat().st_size)
    lake = next((whole / "lake" / "events").rglob("*.parquet"))

    def refused(path: Path, wanted: str, damage) -> None:
        kept = path.read_bytes()
        damage(path, kept)
        done = command(
            restored.program, "restore", str(whole), "--into", str(restored.data)
        )
        assert done.returncode == 1 and wanted in done.stderr, done.stderr
        assert not restored.data.exists() and not Path(f"{restored.data}.partial").exists()
        path.write_bytes(kept)

    def flip(path: Path, kept: bytes) -> None:
        middle = len(kept) // 2
        path.write_bytes(kept[:middle] + bytes([kept[middle] ^ 1]) + kept[middle + 1 :])

    def remove(path: Path, kept: bytes) -> None:
        path.unlink()

    def cut(path: Path, kept: bytes) -> None:
        path.write_bytes(kept[: len(kept) // 2])

    def empty(path: Path, kept: bytes) -> None:
        path.write_bytes(b"")

    refused(table, str(table.relative_to(whole)), flip)
    refused(table, str(table.relative_to(whole)), remove)
    refused(lake, str(lake.relative_to(whole)), flip)
    refused(whole / "MANIFEST", "MANIFEST", flip)
    refused(whole / "MANIFEST", "no backup", remove)
    refused(whole / "tls" / "ca.pem", "tls/ca.pem", flip)
    for path in (table, lake, whole / "MANIFEST", whole / "postgres" / "backup_manifest"):
        for damage in (cut, empty):
            refused(path, str(path.relative_to(whole)), damage)
    wal = next((whole / "postgres" / "pg_wal").glob("0*"))
    refused(wal, "pg_wal", cut)
    # As it was, it is good.
    await asyncio.to_thread(restore, restored, whole)
    again = command(restored.program, "restore", str(whole), "--into", str(restored.data))
    assert again.returncode == 1 and "not empty" in again.stderr


async def test_a_moment_between_backup_and_disaster_is_reached(restored, connect):
    server = HitoServer()
    archive = server.folder / "wal"
    server.environment["HITO_WAL_ARCHIVE"] = str(archive)
    options = ("--wal-archive", str(archive))
    try:
        await server.restart()
        ana = await asyncio.to_thread(server.join, "Ana")
        client = await connect(server, ana)
        await client.goals.create_goal(v1.CreateGoalRequest(title="antes"))
        folder = server.folder / "backup"
        await asyncio.to_thread(backup, server, folder, *options)
        await client.goals.create_goal(v1.CreateGoalRequest(title="después del respaldo"))
        session = await Session.open(server, user="postgres")
        moment = (
            await session.run(
                "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
                " || 'Z';"
            )
        )[0]
        await client.goals.create_goal(v1.CreateGoalRequest(title="error"))
        segment = (await session.run("SELECT pg_walfile_name(pg_switch_wal());"))[0]
        await session.close()
        for _ in waiting(60, "the segment to be archived"):
            if (archive / segment).exists():
                break
            await asyncio.sleep(0.05)
        server.kill()
        await asyncio.to_thread(restore, restored, folder, *options, "--at", moment)
        await restored.restart()
        other = await connect(restored, ana)
        assert sorted(await titles(other)) == ["antes", "después del respaldo"]
        # A moment that the archive does not reach is no restore, nor one before the backup.
        for time, words in (
            ("2099-01-01T00:00:00Z", "archive"),
            ("2020-01-01T00:00:00Z", "before"),
        ):
            late = HitoServer()
            done = command(
                server.program, "restore", str(folder), "--into", str(late.data), *options,
                "--at", time,
            )  # fmt: skip
            assert done.returncode == 1 and not late.data.exists(), done.stderr
            assert not Path(f"{late.data}.partial").exists()
            assert words in done.stderr, done.stderr
            late.remove()
    finally:
        server.remove()


async def test_two_backups_into_one_folder_are_one(mortal, mortal_ana, connect):
    if not mortal.is_running:
        await mortal.restart()
    folder = mortal.folder / "twice"

    def begin() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [mortal.program, "backup", str(folder), "--data-dir", str(mortal.data)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    both = [begin(), begin()]
    ends = [await asyncio.to_thread(process.communicate, None, 300) for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], ends
    refused = next(end for process, end in zip(both, ends) if process.returncode)
    assert "another" in refused[1] or "not empty" in refused[1], refused
    # What there is is whole.
    target = HitoServer()
    try:
        await asyncio.to_thread(restore, target, folder)
    finally:
        target.remove()


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    running = Database(18)
    yield running
    running.remove()


async def test_another_servers_database_is_dumped_and_put_back(database, restored, connect):
    for name in ("source", "target"):
        database.create(name)
    database.run("postgres", "CREATE DATABASE bare OWNER hito")
    server = HitoServer(environment={"HITO_DATABASE_URL": database.url("source")})
    folder = server.folder / "dump"
    try:
        await server.restart()
        ana = await asyncio.to_thread(server.join, "Ana")
        client = await connect(server, ana)
        made = await client.goals.create_goal(v1.CreateGoalRequest(title="Aprender Go"))
        # What is still to be done would be done between the dump and the comparison.
        done = "SELECT count(*) > 0 AND NOT EXISTS (SELECT FROM events WHERE seq NOT IN (SELECT seq FROM"
        done += " event_positions)) FROM embeddings"
        for _ in waiting(30, "a vector, and a place for each event"):
            if database.run("source", done) == "t":
                break
            await asyncio.sleep(0.05)
        done = command(
            server.program, "backup", str(folder), "--data-dir", str(server.data),
            HITO_DATABASE_URL=database.url("source"),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert not list(folder.glob("*.service"))
        # Into a database without pgvector: nothing, and what to do.
        bare = command(
            server.program, "restore", str(folder), HITO_DATABASE_URL=database.url("bare")
        )
        assert bare.returncode == 1 and "lacks the extension vector" in bare.stderr
        done = command(
            server.program, "restore", str(folder), "--into", str(restored.data),
            HITO_DATABASE_URL=database.url("target"),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        for table in ("users", "goals", "events", "embeddings", "tokens", "event_positions"):
            query = f"SELECT count(*) || md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t"
            assert database.run("source", query) == database.run("target", query), table
        again = command(
            server.program, "restore", str(folder), HITO_DATABASE_URL=database.url("target")
        )
        assert again.returncode == 1 and "not empty" in again.stderr
        restored.environment["HITO_DATABASE_URL"] = database.url("target")
        await restored.restart()
        other = await connect(restored, ana)
        read = await other.goals.get_goal(v1.GetGoalRequest(goal_id=made.goal.id))
        assert read.goal.title == "Aprender Go"
        # Row-level security is as it was.
        state = "SELECT count(*) FROM pg_policies"
        assert database.run("source", state) == database.run("target", state)
    finally:
        server.remove()


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes a small disk")
async def test_a_full_disk_leaves_nothing_that_looks_like_a_backup(database, mortal, tmp_path):
    if not mortal.is_running:
        await mortal.restart()
    disk = tmp_path / "disk"
    disk.mkdir()
    if command("mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)).returncode != 0:
        pytest.skip("this container mounts nothing")
    try:
        # What is known to be too much is not begun.
        done = command(
            mortal.program, "backup", str(disk / "b"), "--data-dir", str(mortal.data)
        )
        assert done.returncode == 1 and "disk was full" in done.stderr, done.stderr
        assert list(disk.iterdir()) == []
        # What becomes too much on the way is removed.
        database.create("large")
        url = database.url("large")
        assert command(mortal.program, "migrate", "up", HITO_DATABASE_URL=url).returncode == 0
        database.run("large", "CREATE TABLE noise AS SELECT gen_random_uuid() FROM generate_series(1, 50000)")
        database.run("large", "GRANT SELECT ON noise TO hito")
        done = command(
            mortal.program, "backup", str(disk / "b"), "--data-dir", str(tmp_path / "none"),
            HITO_DATABASE_URL=url,
        )  # fmt: skip
        assert done.returncode == 1 and "disk was full" in done.stderr, done.stderr
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert shutil.disk_usage(mortal.folder).free > 0
