"""`hito ingest`, and servers that are killed while documents come."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import List

import pytest
import pytest_asyncio
from history import check, eventually, read_all
from hito import v1
from hito_server import HitoServer
from learning import Person, join
from psql import Session
from test_documents import COURSE, documents, listed, search

import hito


@pytest_asyncio.fixture
async def teaching(server, connect) -> Person:
    return await join(server, connect, "Ines", "instructor")


async def a_course(person: Person, title: str = "Git") -> str:
    request = v1.CreateCourseRequest(title=title)
    return (await person.client.courses.create_course(request)).course.id


async def command(
    server: HitoServer, person: Person, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        server.command, "ingest", *arguments, "--address", server.address,
        "--ca", server.ca_file, "--token", person.login.token,
    )  # fmt: skip


def counts(done: "subprocess.CompletedProcess[str]") -> List[int]:
    """Documents, changed, removed and sections of what the command prints."""
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.rsplit(maxsplit=1)[0].strip() for line in lines] == [
        "documents", "changed", "removed", "sections changed",
    ]  # fmt: skip
    return [int(line.split()[-1]) for line in lines]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(COURSE, tmp_path / "curso"))


async def test_a_folder_is_taken_in_and_can_be_found_when_the_command_ends(server, teaching):
    course = await a_course(teaching)
    done = await command(server, teaching, course, str(COURSE), "--language", "es")
    stored = await listed(teaching, course)
    assert counts(done) == [5, 5, 0, sum(info.section_count for info in stored.values())]
    assert list(stored) == [document.path for document in documents()]
    assert all(info.embedded_section_count == info.section_count for info in stored.values())
    # Progress is on standard error, to the end of both parts.
    assert "5/5 documents sent" in done.stderr
    total = sum(info.section_count for info in stored.values())
    assert f"{total}/{total} sections can be found by meaning" in done.stderr
    assert "stash" in {c.anchor for c in await search(teaching, "guardar algo para luego")}


async def test_again_only_what_changed_is_touched(server, teaching, folder):
    course = await a_course(teaching)
    await command(server, teaching, course, str(folder), "--no-wait")
    assert counts(await command(server, teaching, course, str(folder))) == [5, 0, 0, 0]
    file = folder / "05-deshacer.md"
    file.write_text(file.read_text() + "\n## Una sección nueva { #nueva }\n\nDel avestruz.\n")
    (folder / "01-primeros-pasos.md").unlink()
    (folder / "mas" / "notas").mkdir(parents=True)
    (folder / "mas" / "notas" / "pista.txt").write_text("Una pista.\n")
    (folder / "mas" / "foto.png").write_bytes(b"\x89PNG\0")
    (folder / ".oculto.md").write_text("# Nada\n")
    (folder / "fuera.md").symlink_to("/etc/hostname")
    assert counts(await command(server, teaching, course, str(folder))) == [5, 2, 0, 2]
    assert len(await listed(teaching, course)) == 6
    done = await command(server, teaching, course, str(folder), "--replace-all")
    assert counts(done) == [5, 0, 1, 0]
    assert list(await listed(teaching, course))[-1] == "mas/notas/pista.txt"
    assert (await search(teaching, "avestruz", course))[0].anchor == "nueva"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("binario.md", b"\xff\xd8\xff\xe0\x10JFIF", "not UTF-8"),
        ("nul.txt", b"a\0b", "NUL"),
        ("grande.md", b"x" * (2 << 20 | 1), "2 MiB"),
    ],
    ids=["binary", "nul", "too large"],
)
async def test_what_is_no_document_is_named_and_ends_the_command(
    server, teaching, folder, name, content, why
):
    course = await a_course(teaching)
    (folder / name).write_bytes(content)
    done = await command(server, teaching, course, str(folder))
    assert done.returncode != 0 and not done.stdout
    assert name in done.stderr and why in done.stderr and "error: " in done.stderr
    assert "Fatal" not in done.stderr
    # What came before it is there, whole; the rest comes with a repeat.
    (folder / name).unlink()
    assert counts(await command(server, teaching, course, str(folder)))[0] == 5
    assert len(await listed(teaching, course)) == 5


async def test_what_is_no_folder_or_no_course_is_said(server, teaching, folder, tmp_path, connect):
    course = await a_course(teaching)
    empty = tmp_path / "vacio"
    empty.mkdir()
    for path in (tmp_path / "nada", folder / "03-ramas.md", empty):
        done = await command(server, teaching, course, str(path))
        assert done.returncode == 1 and str(path) in done.stderr and not done.stdout
    for wrong in ("x", teaching.id):
        done = await command(server, teaching, wrong, str(folder))
        assert done.returncode != 0 and "error: " in done.stderr
    other = await join(server, connect, "Otro", "instructor")
    done = await command(server, other, course, str(folder))
    assert done.returncode != 0 and "error: " in done.stderr
    assert await listed(teaching, course) == {}


async def whole_and_once(server: HitoServer, course: str) -> None:
    """Every passage and vector of the course is there once, and none is left of nothing."""
    session = await Session.open(server)
    try:
        doubled = await session.run(
            f"""
            SELECT 'vector', chunk_number FROM embeddings
            WHERE entity_id = '{course}' AND NOT is_copy GROUP BY chunk_number HAVING count(*) > 1;
            SELECT 'passage', document_path, anchor, content FROM passages
            WHERE entity_id = '{course}' GROUP BY document_path, anchor, content
            HAVING count(*) > 1;
            SELECT 'orphan', chunk_number FROM embeddings e WHERE entity_id = '{course}'
            AND NOT EXISTS (SELECT FROM passages p WHERE p.entity_id = e.entity_id
              AND p.chunk_number = e.chunk_number AND p.content_hash = e.content_hash);
            SELECT 'waiting', count(*) FROM passages WHERE entity_id = '{course}' AND waits
            HAVING count(*) > 0;
            """
        )
    finally:
        await session.close()
    assert doubled == []


async def test_after_kill_9_in_the_middle_a_repeat_makes_it_whole(mortal, connect):
    teaching = await join(mortal, connect, "Ines", "instructor")
    course = await a_course(teaching)
    for kept in range(1, 5):
        more = asyncio.Event()

        async def requests():
            yield v1.IngestDocumentsRequest(start=v1.IngestStart(course_id=course))
            for document in documents()[:kept]:
                yield v1.IngestDocumentsRequest(document=document)
            await more.wait()

        call = asyncio.create_task(teaching.client.courses.ingest_documents(requests()))

        async def arrived() -> bool:
            return len(await listed(teaching, course)) == kept

        await eventually(f"{kept} documents", arrived)
        mortal.kill()
        with pytest.raises(hito.Unavailable):
            await call
        await mortal.restart()
        stored = await listed(teaching, course)
        assert list(stored) == [document.path for document in documents()[:kept]]
        assert all(info.version == 1 for info in stored.values())
    done = await command(mortal, teaching, course, str(COURSE))
    assert counts(done)[:3] == [5, 1, 0]
    await whole_and_once(mortal, course)
    log = await read_all(teaching.client, v1.EventFilter(course_ids=[course]))
    check(log)
    types = [event.type for event in log if event.type.startswith("course.document")]
    assert types == ["course.document_added"] * 5, types


async def test_a_command_whose_server_is_killed_says_so_and_a_repeat_ends_it(
    mortal, connect, tmp_path
):
    teaching = await join(mortal, connect, "Ines", "instructor")
    course = await a_course(teaching)
    many = tmp_path / "mucho"
    many.mkdir()
    text = (COURSE / "03-ramas.md").read_text()
    for number in range(60):
        (many / f"{number:02}.md").write_text(text.replace("rama", f"rama{number}"))
    running = asyncio.create_task(command(mortal, teaching, course, str(many)))

    async def some() -> bool:
        return len(await listed(teaching, course)) >= 3

    await eventually("the first documents", some)
    mortal.kill()
    done = await running
    assert done.returncode != 0 and "error: " in done.stderr and not done.stdout
    await mortal.restart()
    kept = len(await listed(teaching, course))
    done = await command(mortal, teaching, course, str(many))
    assert counts(done)[:3] == [60, 60 - kept, 0]
    await whole_and_once(mortal, course)
    stored = await listed(teaching, course)
    assert {info.version for info in stored.values()} == {1} and len(stored) == 60
