"""The tables rebuilt from the log, and from the lake alone, after everything that callers can do and after
kills: no difference; and whatever is planted, damaged or missing is named (docs/rebuild.md)."""

from __future__ import annotations

import asyncio
import json
import random
import re
from typing import Any, Iterator, List

import pytest
from conftest import language_model
from history import read_all
from hito import v1
from hito_server import HitoServer
from learning import Person, ingest, join
from load import acknowledgements
from psql import Session
from rebuilding import differences, is_clean, replay
from test_crash import learners
from test_personal import TYPES, lived

KILLS = 2


@pytest.fixture(scope="module")
def server(provider: Any) -> Iterator[HitoServer]:
    running = HitoServer(
        environment={**language_model(provider), "HITO_TEST_VALIDATOR": "1"}
    )
    try:
        running.start()
        yield running
        assert running.stop() == 0, running.tail()
    finally:
        running.remove()


@pytest.fixture(scope="module")
def _world() -> List[Person]:
    """Filled by the first test that asks for `world`."""
    return []


@pytest.fixture
async def world(server, _world, connect, model) -> List[Person]:
    """Every type of event, submissions of several files, and a course of documents that changed."""
    if not _world:
        _world += await lived(server, connect, model)
        await submit(_world[0])
        await document(await join(server, connect, "Dora", "instructor"), _world[0])
    lea, admin, rut = _world
    return [
        Person(person.login, await connect(server, person.login)) for person in (lea, admin, rut)
    ]


async def submit(lea: Person) -> None:
    """The same file twice, an empty one, and one whose name and content are not plain."""
    files = [
        v1.SourceFile(path="main.py", content="# pass a b\nprint('ñ')\n"),
        v1.SourceFile(path="lib/a.py", content="x = 1\n"),
        v1.SourceFile(path="lib/ñ'\".py", content="x = 1\n"),
        v1.SourceFile(path="empty.py", content=""),
    ]
    submission = v1.Submission(files=files, main_path="main.py", language="python")
    request = v1.ValidateCodeRequest(submission=submission)
    async for _ in lea.client.code_validation.validate_code(request):
        pass


async def document(teacher: Person, learner: Person) -> None:
    """Chunks keep their numbers where sections stay, and take free ones where they do not."""
    made = await teacher.client.courses.create_course(v1.CreateCourseRequest(title="Cambios"))
    course = made.course.id
    await teacher.client.courses.enrol(v1.EnrolRequest(course_id=course, user_id=learner.id))
    await learner.client.courses.accept_enrolment(v1.AcceptEnrolmentRequest(course_id=course))
    chance = random.Random(7)
    sections = [f"## Parte {n}\n\nTexto de la parte {n}: it's {'x' * n}.\n" for n in range(12)]
    for _ in range(6):
        text = "# Curso\n\n" + "\n".join(chance.sample(sections, chance.randrange(1, 12)))
        await ingest(
            teacher, course,
            v1.CourseDocument(
                path="uno.md", format="DOCUMENT_FORMAT_MARKDOWN", content=text.encode()
            ),
        )  # fmt: skip


async def flushed(person: Person) -> None:
    await person.client.server.flush_lake(v1.FlushLakeRequest())


async def sql(server: HitoServer, script: str) -> List[str]:
    session = await Session.open(server)
    try:
        return await session.run(script)
    finally:
        await session.close()


async def test_every_type_of_event_rebuilds_what_the_tables_have(server, world):
    log = await read_all(world[1].client)
    assert {event.type for event in log} == set(TYPES), "what this test must make happen"
    is_clean(await replay(server))


async def test_the_lake_alone_rebuilds_the_same_and_the_events_too(server, world):
    await flushed(world[1])
    result = await replay(server, "--from", "lake")
    is_clean(result)
    assert re.search(r"^events +\d{3,} +0", result.stdout, re.MULTILINE), result.stdout


async def test_after_kills_under_load_and_while_others_write_nothing_differs(
    server, world, connect
):
    seed = random.randrange(1000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    writers = await learners(server, connect, 4, seed, 120.0)
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for writer in writers:
            group.create_task(writer.run(enough, tolerated=()))
        try:
            for _ in range(KILLS):
                await acknowledgements(writers, chance.randrange(20, 60))
                server.kill()
                await server.restart()
            await acknowledgements(writers, 20)
            # Now, with writers at work: both are of one moment.
            is_clean(await replay(server))
            is_clean(await replay(server, "--from", "lake"))
        finally:
            enough.set()
    is_clean(await replay(server))
    admin = await connect(server, server.admin(), timeout=60.0)
    await admin.server.flush_lake(v1.FlushLakeRequest())
    is_clean(await replay(server, "--from", "lake"))


async def test_a_kept_schema_is_continued_with_what_is_new(server, world):
    assert (await replay(server, "--into", "green", "--keep")).returncode == 0
    await world[0].client.goals.create_goal(v1.CreateGoalRequest(title="Después"))
    await read_all(world[1].client)
    result = await replay(server, "--into", "green", "--continue")
    is_clean(result)
    applied = re.search(r"^(\d+) events of the log applied", result.stderr, re.MULTILINE)
    assert applied and 1 <= int(applied[1]) < 20, result.stderr
    other = await replay(server, "--into", "green", "--continue", "--from", "lake")
    assert other.returncode == 1 and "another source" in other.stderr
    rows = await sql(server, "SELECT count(*) FROM green.goals WHERE title = 'Después';")
    assert rows == ["1"]
    # Whose rows are whose is as little to be seen there as anywhere else.
    reads = "SELECT has_schema_privilege('hito_app', 'green', 'USAGE');"
    assert await sql(server, reads) == ["f"]
    refused = await replay(server, "--into", "public")
    assert refused.returncode == 1 and "cannot be the name" in refused.stderr
    await sql(server, "CREATE SCHEMA theirs; CREATE TABLE theirs.t ();")
    refused = await replay(server, "--into", "theirs")
    assert refused.returncode == 1 and "no replay made it" in refused.stderr
    assert await sql(server, "SELECT count(*) FROM theirs.t;") == ["0"]
    # One that is not kept is not left behind, whether it ends well or not.
    assert (await replay(server)).returncode == 0
    left = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'hito_replay%';"
    assert await sql(server, left) == []
    await sql(server, "DROP SCHEMA green CASCADE; DROP SCHEMA theirs CASCADE;")


async def test_what_was_planted_is_named_and_put_right(server, world):
    goal, task, code = [
        (await sql(server, f"SELECT id FROM {table} ORDER BY id LIMIT 1;"))[0]
        for table in ("goals", "tasks", "code_snapshots")
    ]
    before = await sql(server, f"SELECT title, updated_at FROM goals WHERE id = '{goal}';")
    await sql(
        server,
        f"""
        UPDATE goals SET title = 'plantado', ai_feedback = 'x' WHERE id = '{goal}';
        UPDATE tasks SET ordinal = 77 WHERE id = '{task}';
        UPDATE code_snapshots SET code_content = 'plantado' WHERE id = '{code}';
        INSERT INTO users SELECT gen_random_uuid(), NULL, 'nadie', NULL, 'learner', 'es', 'UTC',
          true, 1, now(), now();
        DELETE FROM embeddings WHERE id = (
          SELECT id FROM embeddings WHERE entity_type = 'goal' ORDER BY id LIMIT 1);
        """,
    )
    result = await replay(server)
    assert result.returncode == 1 and "differ from what the events say" in result.stderr
    found = differences(result)
    assert f"goals {goal} differs in title, ai_feedback" in found
    assert f"tasks {task} differs in ordinal" in found
    assert f"code_snapshots {code} differs in code_content" in found
    assert sum("users" in line and "no event says so" in line for line in found) == 1
    assert sum(line.startswith("embeddings ") for line in found) == 1
    assert len(found) == 5, found

    refused = await replay(server, "--swap")
    assert refused.returncode == 1 and "nothing was put in place" in refused.stderr
    assert differences(await replay(server)) == found
    swapped = await replay(server, "--swap", "--differences", "5")
    assert swapped.returncode == 0 and "rows were put in place" in swapped.stderr, swapped.stderr
    is_clean(await replay(server))
    again = f"SELECT title, updated_at FROM goals WHERE id = '{goal}';"
    assert await sql(server, again) == before
    # Where nothing differs there is nothing to be put in place.
    clean = await replay(server, "--swap")
    assert clean.returncode == 0 and "0 rows were put in place" in clean.stderr


async def test_an_entity_is_shown_as_it_was(server, world):
    lea = world[0]
    made = await lea.client.goals.create_goal(v1.CreateGoalRequest(title="Antes"))
    title = v1.UpdateGoalRequest(goal_id=made.goal.id, goal=v1.Goal(title="Luego"))
    title.update_mask.paths.append("title")
    changed = await lea.client.goals.update_goal(title)
    log = await read_all(world[1].client, min_cursor=changed.receipt.cursor)
    events = [event for event in log if event.entity_id == made.goal.id]
    name = f"goal/{made.goal.id}"

    async def shown(*options: str) -> Any:
        result = await replay(server, "--entity", name, *options)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    assert (await shown())["title"] == "Luego"
    for moment in (events[0].cursor, made.receipt.cursor):
        then = await shown("--at", moment)
        assert (then["title"], then["version"]) == ("Antes", 1)
    early = await replay(server, "--entity", name, "--at", "2020-01-01T00:00:00Z")
    assert early.returncode == 1 and "at that time" in early.stderr
    for moment in ("no time", f"{made.receipt.cursor}x", "c3_AAAA", "9" * 18, "9" * 30):
        wrong = await replay(server, "--entity", name, "--at", moment)
        assert wrong.returncode in (1, 64) and moment in wrong.stderr, wrong.stderr
    for never in ("goal/0fffffff-ffff-7fff-bfff-ffffffffffff", f"task/{made.goal.id}"):
        wrong = await replay(server, "--entity", never)
        assert wrong.returncode == 1 and f"there is no {never}" in wrong.stderr
    for never in ("choir/x", f"choir/{made.goal.id}", "goal", "goal/", "goal/x/y"):
        assert (await replay(server, "--entity", never)).returncode == 64
    # The tables, as they were.
    result = await replay(server, "--at", made.receipt.cursor, "--into", "then")
    assert result.returncode == 0, result.stderr
    query = f"SELECT title FROM \"then\".goals WHERE id = '{made.goal.id}';"
    assert await sql(server, query) == ["Antes"]
    await sql(server, 'DROP SCHEMA "then" CASCADE;')


async def test_contents_that_are_missing_or_damaged_are_named(server, world):
    await flushed(world[1])
    code = "SELECT user_id, encode(code_hash, 'hex') FROM code_snapshots ORDER BY id LIMIT 1;"
    owner, digest = (await sql(server, code))[0].split("|")
    where = f"user_id = '{owner}' AND hash = '\\x{digest}'"
    read = f"SELECT encode(convert_to(content, 'UTF8'), 'hex') FROM event_blobs WHERE {where};"
    (content,) = await sql(server, read)
    try:
        await sql(server, f"UPDATE event_blobs SET content = 'other' WHERE {where};")
        result = await replay(server)
        assert result.returncode == 1
        assert f"{digest}, and what is there has another hash" in result.stderr
        await sql(server, f"DELETE FROM event_blobs WHERE {where};")
        result = await replay(server)
        assert result.returncode == 1 and f"{digest}, which is not there" in result.stderr
        assert re.search(r"event [0-9a-f-]{36} \(code\.\w+\) at position \d+", result.stderr)
        # The lake has its own.
        is_clean(await replay(server, "--from", "lake"))
    finally:
        text = f"convert_from('\\x{content}', 'UTF8')"
        values = f"'{owner}', '\\x{digest}', {text}"
        await sql(
            server,
            f"INSERT INTO event_blobs VALUES ({values}) ON CONFLICT (user_id, hash) "
            f"DO UPDATE SET content = excluded.content;",
        )
    is_clean(await replay(server))
    file = server.lake.parent / "blobs" / owner / digest
    kept = file.read_bytes()
    try:
        file.write_bytes(b"x")
        result = await replay(server, "--from", "lake")
        assert result.returncode == 1 and "another hash" in result.stderr
        file.unlink()
        result = await replay(server, "--from", "lake")
        assert result.returncode == 1 and "which is not there" in result.stderr
    finally:
        file.write_bytes(kept)
    is_clean(await replay(server, "--from", "lake"))


async def test_a_damaged_lake_is_an_error_and_none_is_another(server, world, tmp_path):
    await flushed(world[1])
    largest = max(server.lake.rglob("*.parquet"), key=lambda path: path.stat().st_size)
    kept = largest.read_bytes()
    try:
        damaged = bytearray(kept)
        damaged[len(kept) // 2] ^= 0xFF
        largest.write_bytes(bytes(damaged))
        result = await replay(server, "--from", "lake")
        assert result.returncode == 1 and largest.name in result.stderr
    finally:
        largest.write_bytes(kept)
    is_clean(await replay(server, "--from", "lake"))
    result = await replay(server, "--from", "lake", "--lake-dir", str(tmp_path / "none"))
    assert result.returncode == 1 and "there is no lake" in result.stderr
    assert not (tmp_path / "none").exists()


async def test_below_the_floor_the_log_is_read_from_the_lake(server, world, tmp_path):
    await flushed(world[1])
    (head,) = await sql(server, "SELECT max(position) FROM event_positions;")
    floor = int(head) // 2
    below = f"events e JOIN event_positions p ON p.seq = e.seq WHERE p.position <= {floor}"
    (entity,) = await sql(
        server,
        f"""
        SELECT e.entity_type || '/' || e.entity_id FROM events e
        JOIN event_positions p ON p.seq = e.seq WHERE e.entity_type = 'goal'
        GROUP BY e.entity_type, e.entity_id HAVING max(p.position) <= {floor} LIMIT 1;
        """,
    )
    before = await replay(server, "--entity", entity)
    # As retention does, but that nothing is a day old yet.
    await sql(
        server,
        f"""
        UPDATE event_floor SET position = {floor}, moved_at = now(),
          event_id = (SELECT e.id FROM {below} ORDER BY p.position DESC LIMIT 1),
          created_until = (SELECT max(e.created_at) FROM {below}),
          highest_id = (SELECT e.id FROM {below} ORDER BY e.id DESC LIMIT 1),
          log_id = (SELECT id FROM log_identity),
          epoch_id = (SELECT id FROM log_epochs ORDER BY number DESC LIMIT 1);
        DELETE FROM events e USING event_positions p WHERE p.seq = e.seq AND p.position <= {floor};
        """,
    )
    is_clean(await replay(server))
    is_clean(await replay(server, "--from", "lake"))
    after = await replay(server, "--entity", entity)
    assert after.returncode == 0 and after.stdout == before.stdout != ""
    result = await replay(server, "--lake-dir", str(tmp_path / "none"))
    assert result.returncode == 1 and "the lake that has them is not here" in result.stderr


async def test_a_wrong_event_is_named_and_nothing_is_guessed(server, world):
    """Last: the log keeps it for ever."""
    event = "0fffffff-ffff-7fff-bfff-ffffffffff01"
    await sql(
        server,
        f"""
        INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload,
          metadata, schema_version, created_at)
        VALUES ('{event}', 'choir.sang', 'goal', '{event}', 1, NULL, '{{}}', '{{}}', 2, now());
        """,
    )
    # Other systems' events are theirs.
    is_clean(await replay(server))
    for kind, payload, version, words in [
        ("goal.sung", "{}", 2, "of a type that this build does not know"),
        ("goal.created", "{}", 99, "of schema version 99"),
        ("goal.created", '{"created_at": 1}', 2, "'created_at', which is not a text"),
        ("goal.created", "{}", 2, "says nothing of 'created_at'"),
    ]:
        # As no caller can.
        await sql(
            server,
            f"""
            UPDATE events SET event_type = '{kind}', payload = '{payload}', schema_version = {version}
            WHERE id = '{event}';
            """,
        )
        result = await replay(server)
        assert result.returncode == 1 and words in result.stderr, result.stderr
        assert f"event {event} ({kind})" in result.stderr
