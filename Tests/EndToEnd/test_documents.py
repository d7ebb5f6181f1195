"""Documents of courses: taken in by the API, whole, once, and found by those who may read them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Dict, List

import pytest
import pytest_asyncio
from hito import v1
from hito_server import REPOSITORY
from learning import Person, findable, ingest, join

import hito

COURSE = REPOSITORY / "Tests" / "Data" / "course-es"


def documents(folder: Path = COURSE) -> List[v1.CourseDocument]:
    return [
        v1.CourseDocument(path=file.name, content=file.read_bytes(), language="es")
        for file in sorted(folder.glob("*.md"))
    ]


async def listed(person: Person, course_id: str) -> Dict[str, v1.DocumentInfo]:
    request = v1.ListDocumentsRequest(course_id=course_id, page=v1.PageRequest(page_size=200))
    page = await person.client.courses.list_documents(request)
    assert not page.page.next_page_token
    return {document.path: document for document in page.documents}


async def search(person: Person, query: str, course_id: str = "") -> List[v1.Citation]:
    found = await person.client.retrieval.search_course_documents(
        v1.SearchCourseDocumentsRequest(query=query, course_id=course_id)
    )
    return [hit.citation for hit in found.hits]


@pytest_asyncio.fixture
async def teaching(server, connect) -> Person:
    return await join(server, connect, "Ines", "instructor")


@pytest_asyncio.fixture
async def empty(teaching) -> str:
    made = await teaching.client.courses.create_course(v1.CreateCourseRequest(title="Git"))
    return made.course.id


@pytest_asyncio.fixture
async def full(teaching, empty) -> str:
    """A course with the five documents, all of which can be found by meaning."""
    done = await ingest(teaching, empty, *documents())
    await findable(teaching, done.receipt.cursor)
    return empty


async def test_documents_are_taken_in_with_their_sections(teaching, empty):
    done = await ingest(teaching, empty, *documents())
    assert (done.documents_received, done.documents_changed, done.documents_removed) == (5, 5, 0)
    assert done.receipt.cursor and not done.receipt.replayed
    await findable(teaching, done.receipt.cursor)
    stored = await listed(teaching, empty)
    assert {path: info.section_count for path, info in stored.items()} == {
        document.path: headings(document) for document in documents()
    }
    assert done.sections_changed == sum(info.section_count for info in stored.values())
    for document in documents():
        info = stored[document.path]
        assert info.content_hash == hashlib.sha256(document.content).digest()
        assert info.version == 1 and info.title
        assert info.embedded_section_count == info.section_count
    assert stored["03-ramas.md"].title == "Trabajar con ramas"


def headings(document: v1.CourseDocument) -> int:
    """Sections as an author counts them; a comment in a block of code is none."""
    prose = document.content.decode().split("```")[::2]
    lines = [line for part in prose for line in part.splitlines()]
    return sum(line.startswith(("# ", "## ")) for line in lines)


async def test_a_section_is_found_by_meaning_by_those_enrolled_only(
    server, teaching, full, connect
):
    enrolled = await join(server, connect, "Ana")
    stranger = await join(server, connect, "Berta")
    await enrolled.client.courses.enrol(v1.EnrolRequest(course_id=full))
    # Another language, and not a word in common.
    for question, path, anchor in (
        ("put away work in progress and bring it back later", "03-ramas.md", "stash"),
        ("resolve a merge conflict", "03-ramas.md", "conflicts"),
    ):
        cited = {(c.document_path, c.anchor): c for c in await search(enrolled, question)}
        found = cited[path, anchor]
        assert (found.entity_type, found.entity_id) == ("course", full) and found.excerpt
        assert found.similarity >= 0.3
        assert await search(stranger, question) == []
    with pytest.raises(hito.PermissionDenied):
        await search(stranger, "ramas", full)
    with pytest.raises(hito.PermissionDenied):
        await listed(stranger, full)
    assert len(await listed(enrolled, full)) == 5
    await enrolled.client.courses.leave(v1.LeaveRequest(course_id=full))
    assert await search(enrolled, "resolve a merge conflict") == []


async def test_a_block_of_code_stays_code(server, teaching, full):
    conflict = next(
        c for c in await search(teaching, "resolver un conflicto entre marcas", full)
        if c.anchor == "conflicts"
    )  # fmt: skip
    text = (COURSE / "03-ramas.md").read_text()
    block = text[text.index("```python") : text.index("## Dejar una unión")].strip()
    assert "<<<<<<< HEAD\ntotal = suma(precios)\n=======" in block
    assert block.removeprefix("```python\n").removesuffix("\n```") in conflict.excerpt


async def test_again_the_same_touches_nothing(teaching, full):
    before = await listed(teaching, full)
    again = await ingest(teaching, full, *documents())
    assert (again.documents_received, again.documents_changed) == (5, 0)
    assert again.sections_changed == again.documents_removed == 0
    assert await listed(teaching, full) == before


async def test_only_the_sections_that_changed_are_touched(server, teaching, full):
    changed = documents()
    text = changed[2].content.decode()
    changed[2].content = text.replace(
        "Borra el nombre; los cambios unidos se quedan.",
        "Borra la rama del ornitorrinco; sus cambios unidos se quedan.",
    ).encode()
    before = await listed(teaching, full)
    done = await ingest(teaching, full, *changed)
    assert (done.documents_changed, done.sections_changed) == (1, 1)
    await findable(teaching, done.receipt.cursor)
    after = await listed(teaching, full)
    assert after.pop("03-ramas.md").version == before.pop("03-ramas.md").version + 1 == 2
    assert after == before
    assert (await search(teaching, "ornitorrinco", full))[0].anchor == "delete-a-branch"
    # A section in the middle: those after it are where they were, only their places moved.
    changed[2].content = text.replace(
        "## Poner una rama al día", "## Mirar sin tocar { #look }\n\nMira el avestruz.\n\n"
        "## Poner una rama al día",
    ).encode()  # fmt: skip
    done = await ingest(teaching, full, *changed)
    assert (done.documents_changed, done.sections_changed) == (1, 2), "the new and the old text"
    await findable(teaching, done.receipt.cursor)
    assert (await search(teaching, "avestruz", full))[0].anchor == "look"
    assert await search(teaching, "ornitorrinco violeta", full) == []


async def test_a_document_that_is_left_out_stays_unless_all_are_replaced(teaching, full):
    done = await ingest(teaching, full, *documents()[:2])
    assert done.documents_removed == 0 and len(await listed(teaching, full)) == 5
    done = await ingest(teaching, full, *documents()[:2], replace_all=True)
    assert (done.documents_changed, done.documents_removed) == (0, 3)
    assert list(await listed(teaching, full)) == ["01-primeros-pasos.md", "02-leer-la-historia.md"]
    assert not [c for c in await search(teaching, "unir una rama", full) if c.anchor == "merge"]
    done = await ingest(teaching, full, replace_all=True)
    assert done.documents_removed == 2 and await listed(teaching, full) == {}


async def test_a_deleted_document_is_not_found_and_comes_back_whole(teaching, full):
    request = v1.DeleteDocumentRequest(course_id=full, path="03-ramas.md")
    await teaching.client.courses.delete_document(request)
    assert "03-ramas.md" not in await listed(teaching, full)
    found = await search(teaching, "guardar lo que está a medias", full)
    assert "03-ramas.md" not in {c.document_path for c in found}
    with pytest.raises(hito.NotFound):
        await teaching.client.courses.delete_document(request)
    done = await ingest(teaching, full, *documents())
    assert (done.documents_changed, done.sections_changed) == (1, headings(documents()[2]))
    await findable(teaching, done.receipt.cursor)
    assert (await listed(teaching, full))["03-ramas.md"].version == 3


BAD = {
    "binary": (v1.CourseDocument(path="foto.md", content=b"\xff\xd8\xff\xe0"), "not UTF-8"),
    "nul": (v1.CourseDocument(path="nul.md", content=b"a\0b"), "NUL"),
    "large": (v1.CourseDocument(path="grande.md", content=b"x" * (2 << 20 | 1)), "2 MiB"),
    "no path": (v1.CourseDocument(path="", content=b"x"), "path"),
    "path out of the course": (v1.CourseDocument(path="../a.md", content=b"x"), "path"),
    "absolute path": (v1.CourseDocument(path="/a.md", content=b"x"), "path"),
    "language": (v1.CourseDocument(path="fr.md", content=b"x", language="fr"), "language"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_document_is_refused_by_its_name_and_the_others_stay(
    teaching, empty, name
):
    document, why = BAD[name]
    with pytest.raises(hito.InvalidArgument) as caught:
        await ingest(teaching, empty, documents()[0], document, documents()[1])
    (violation,) = caught.value.details.field_violations
    said = f"{violation.field}: {violation.description}"
    assert (document.path or "#2") in said or "#2" in said
    assert why in said
    # Each document is a commit of its own; a repeat without the bad one continues.
    assert list(await listed(teaching, empty)) == ["01-primeros-pasos.md"]
    done = await ingest(teaching, empty, *documents())
    assert done.documents_changed == 4


async def test_documents_are_their_owner_s_to_change(server, full, connect):
    other = await join(server, connect, "Otro", "instructor")
    with pytest.raises(hito.HitoError) as caught:
        await ingest(other, full, *documents())
    assert caught.value.code in (hito.StatusCode.PERMISSION_DENIED, hito.StatusCode.NOT_FOUND)
    with pytest.raises(hito.HitoError) as caught:
        await other.client.courses.delete_document(
            v1.DeleteDocumentRequest(course_id=full, path="03-ramas.md")
        )
    assert caught.value.code in (hito.StatusCode.PERMISSION_DENIED, hito.StatusCode.NOT_FOUND)
    with pytest.raises(hito.NotFound):
        await ingest(other, other.id, *documents())


async def test_a_stream_says_first_what_it_goes_into(teaching, empty):
    async def without_start():
        yield v1.IngestDocumentsRequest(document=documents()[0])

    async def twice():
        for _ in range(2):
            yield v1.IngestDocumentsRequest(start=v1.IngestStart(course_id=empty))

    for requests in (without_start(), twice()):
        with pytest.raises(hito.InvalidArgument):
            await teaching.client.courses.ingest_documents(requests, timeout=20.0)
    assert await listed(teaching, empty) == {}
