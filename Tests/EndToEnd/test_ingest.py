"""`hito ingest`, and servers that are killed while documents come."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List

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


REFUSED = {
    "binario.md": (b"\xff\xd8\xff\xe0\x10JFIF", "not UTF-8"),
    "grande.md": (b"x" * (2 << 20 | 1), "2 MiB"),
    "hondo.html": (b"<div>" * 300, "deep"),
    "nul.txt": (b"a\0b", "NUL"),
}


def refused(done: "subprocess.CompletedProcess[str]") -> Dict[str, str]:
    lines = [line for line in done.stderr.splitlines() if line.startswith("refused: ")]
    return dict(line.removeprefix("refused: ").split(": ", 1) for line in lines)


async def test_every_file_is_tried_and_each_refusal_is_named(server, teaching, folder):
    course = await a_course(teaching)
    for name, (content, _) in REFUSED.items():
        (folder / name).write_bytes(content)
    (folder / "nada.md").symlink_to("nowhere.md")
    os.mkfifo(folder / "tubo.md")
    name = os.fsencode(folder) + b"/a\xf1o.md"
    with open(name, "wb") as file:
        file.write(b"x")
    done = await command(server, teaching, course, str(folder))
    assert done.returncode == 65 and "error: 7 of 12 documents were refused" in done.stderr
    said = refused(done)
    for name, (_, why) in REFUSED.items():
        assert why in said.pop(name)
    assert said == {
        "nada.md": "a link to nothing", "tubo.md": "is no file",
        "a\\xF1o.md": "its name is not UTF-8",
    }  # fmt: skip
    assert "Fatal" not in done.stderr
    rows = dict(line.rsplit(maxsplit=1) for line in done.stdout.splitlines())
    assert rows["documents"] == rows["changed"] == "5" and rows["refused"] == "7"
    assert list(await listed(teaching, course)) == [document.path for document in documents()]
    # A refused document keeps what was stored of it, whoever refuses it.
    for name in ("01-primeros-pasos.md", "02-leer-la-historia.md"):
        (folder / name).write_bytes(REFUSED["binario.md"][0] if name[1] == "1" else b"a\0b")
    (folder / "03-ramas.md").unlink()
    done = await command(server, teaching, course, str(folder), "--replace-all")
    assert done.returncode == 65
    assert len(await listed(teaching, course)) == 4
    assert "03-ramas.md" not in await listed(teaching, course)


async def test_strict_stores_all_or_nothing(server, teaching, folder):
    course = await a_course(teaching)
    (folder / "zeta.html").write_bytes(REFUSED["hondo.html"][0])
    done = await command(server, teaching, course, str(folder), "--strict")
    assert done.returncode == 65 and not done.stdout
    assert list(refused(done)) == ["zeta.html"] and "--strict" in done.stderr
    assert await listed(teaching, course) == {}
    (folder / "zeta.html").unlink()
    assert counts(await command(server, teaching, course, str(folder), "--strict"))[0] == 5


async def test_texts_of_other_encodings_are_converted_and_said(server, teaching, tmp_path):
    course = await a_course(teaching)
    text = "Año: programación básica\n"
    (tmp_path / "a.txt").write_bytes(f"Avestruz. {text}".encode("latin-1"))
    (tmp_path / "b.md").write_bytes(b"\xff\xfe" + f"Ballena. {text}".encode("utf-16-le"))
    page = f'<meta charset="windows-1252"><h1>€</h1><p>Cebra. {text}'
    (tmp_path / "c.html").write_bytes(page.encode("cp1252"))
    (tmp_path / "d.md").write_text(f"Delfín. {text}")
    done = await command(server, teaching, course, str(tmp_path))
    assert counts(done)[:2] == [4, 4]
    notes = [line for line in done.stderr.splitlines() if "converted to UTF-8 from" in line]
    assert [note.split()[1] for note in notes] == ["a.txt:", "b.md:", "c.html:"]
    assert "Windows-1252 (Latin-1)" in notes[0] and "UTF-16LE" in notes[1]
    for animal in ("avestruz", "ballena", "cebra", "delfín"):
        excerpt = (await search(teaching, animal, course))[0].excerpt
        assert f"{animal.capitalize()}. Año: programación básica" in excerpt


async def test_links_are_named_and_those_within_are_followed(server, teaching, folder, tmp_path):
    course = await a_course(teaching)
    (tmp_path / "fuera").mkdir()
    (tmp_path / "fuera" / "x.md").write_text("fuera")
    (folder / "fuera.md").symlink_to(tmp_path / "fuera" / "x.md")
    (folder / "otra").symlink_to(tmp_path / "fuera")
    (folder / "dentro.md").symlink_to("03-ramas.md")
    done = await command(server, teaching, course, str(folder))
    assert counts(done)[0] == 6
    assert "skipped: fuera.md: a link that leads out of the folder" in done.stderr
    assert "skipped: otra: a link to a folder" in done.stderr
    assert "fuera.md" not in await listed(teaching, course)
    done = await command(server, teaching, course, str(folder), "--strict")
    assert done.returncode == 65 and "fuera.md" in refused(done)


async def test_what_all_documents_would_be_refused_for_is_said_once(
    server, teaching, folder, tmp_path
):
    course = await a_course(teaching)
    for flags in ((), ("--dry-run",), ("--strict",)):
        done = await command(server, teaching, course, str(folder), "--language", "fr", *flags)
        assert done.returncode == 64 and not refused(done) and not done.stdout
        assert "--language must be es or en, and not 'fr'" in done.stderr
    deep = folder.joinpath(*["d"] * 105)
    deep.mkdir(parents=True)
    done = await command(server, teaching, course, str(folder), "--no-wait")
    (why,) = refused(done).values()
    assert done.returncode == 65 and why == "folders more than 100 within each other"
    assert await listed(teaching, course)


async def test_replacing_all_by_nothing_needs_a_yes(server, teaching, folder, tmp_path):
    course = await a_course(teaching)
    empty, other = tmp_path / "vacio", tmp_path / "otro"
    empty.mkdir()
    other.mkdir()
    (other / "z.md").write_text("# Otro")
    # Nothing is stored that could go.
    assert counts(await command(server, teaching, course, str(empty), "--replace-all"))[2] == 0
    await command(server, teaching, course, str(folder), "--no-wait")
    for wrong in (empty, other):
        done = await command(server, teaching, course, str(wrong), "--replace-all")
        assert done.returncode == 1 and not done.stdout
        assert "--yes" in done.stderr and "--dry-run" in done.stderr
        assert "  03-ramas.md" in done.stderr.splitlines()
        assert len(await listed(teaching, course)) == 5
    done = await command(server, teaching, course, str(empty), "--replace-all", "--yes")
    assert counts(done)[2] == 5 and await listed(teaching, course) == {}


async def test_a_dry_run_says_what_would_be_and_does_nothing(server, teaching, folder):
    course = await a_course(teaching)
    await command(server, teaching, course, str(folder), "--no-wait")
    before = [(info.path, info.version) for info in (await listed(teaching, course)).values()]
    (folder / "05-deshacer.md").write_text("# Otro")
    (folder / "01-primeros-pasos.md").unlink()
    (folder / "zeta.md").write_text("# Z")
    for flags, gone in ((("--replace-all",), ["01-primeros-pasos.md"]), ((), [])):
        done = await command(server, teaching, course, str(folder), "--dry-run", *flags)
        assert done.returncode == 0
        lines = [line.split("  ") for line in done.stdout.splitlines()]
        paths = {}
        for what, path in (line for line in lines if line[-1].endswith(".md")):
            paths.setdefault(what, []).append(path)
        assert paths.pop("would add") == ["zeta.md"]
        assert paths.pop("would change") == ["05-deshacer.md"]
        assert paths.pop("would remove", []) == gone and not paths
    (folder / "nul.md").write_bytes(b"a\0b")
    done = await command(server, teaching, course, str(folder), "--dry-run")
    assert done.returncode == 65 and list(refused(done)) == ["nul.md"]
    after = await listed(teaching, course)
    assert [(info.path, info.version) for info in after.values()] == before


async def test_what_a_document_says_is_found_and_cited(server, teaching, tmp_path):
    course = await a_course(teaching)
    (tmp_path / "titulo.md").write_text(
        "---\ntitle: Configuración del entorno de Erlang\n---\n\nDescárgalo y ponlo en la ruta.\n"
    )
    (tmp_path / "hojas.md").write_text("# Referencia\n\n## conectar()\n\n## Obsoleto\n")
    (tmp_path / "tabla.html").write_text(
        "<h1>Horas</h1><table><tr><th>Quién</th><th>Lunes</th><th>Martes</th></tr>"
        "<tr><td>Berta</td><td></td><td>9</td></tr></table>"
    )
    assert counts(await command(server, teaching, course, str(tmp_path)))[0] == 3
    for question in ("Erlang", "configuración del entorno"):
        citation = (await search(teaching, question, course))[0]
        assert citation.document_path == "titulo.md"
        assert citation.title == "Configuración del entorno de Erlang"
    for question, anchor in (("conectar()", "conectar"), ("Obsoleto", "obsoleto")):
        citation = (await search(teaching, question, course))[0]
        assert (citation.document_path, citation.anchor) == ("hojas.md", anchor)
        assert citation.title.lower().startswith(anchor)
    assert "Berta |  | 9" in (await search(teaching, "Berta", course))[0].excerpt


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
