"""A teacher, learners and all their material on a real server, put there through the public API."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import AsyncIterator, Dict, List, NamedTuple, Tuple

import corpus as corpora
from corpus import Corpus, Function, Goal
from hito_server import HitoServer, Login
from psql import Session
from rankers import Key, Text, goal_sentences

import hito
from hito import v1

TIMEOUT_SECONDS = 600.0
LEARNERS = {"es": "Ana", "en": "Amy", "heldout_es": "Eva", "heldout_en": "Eve"}
"""Each set of goals has a learner of its own."""


class Passage(NamedTuple):
    """A passage as it is stored."""

    entity_id: str
    path: str
    anchor: str
    title: str
    content: str


class Population:
    """Who is there, and what is whose."""

    def __init__(self, server: HitoServer) -> None:
        self.server = server
        self.courses: Dict[str, str] = {}
        """Ids by language."""
        self.goals: Dict[str, List[str]] = {}
        """Ids by set (a key of LEARNERS), in the order of the data set."""
        self.snapshots: List[str] = []
        self._clients: Dict[str, hito.Client] = {}
        self._passages: Dict[str, List[Passage]] = {}

    async def arrive(self) -> None:
        self._clients["admin"] = await self._connect(self.server.admin())
        learners = [(name, "learner") for name in LEARNERS.values()]
        for name, role in [("Inés", "instructor"), *learners]:
            login = await asyncio.to_thread(self.server.join, name, role)
            self._clients[name] = await self._connect(login)

    @property
    def admin(self) -> hito.Client:
        return self._clients["admin"]

    @property
    def teacher(self) -> hito.Client:
        return self._clients["Inés"]

    def learner(self, language: str) -> hito.Client:
        return self._clients[LEARNERS[language]]

    async def add_course(self, corpus: Corpus, language: str) -> None:
        """A course with the documents of one language."""
        made = await self.teacher.courses.create_course(
            v1.CreateCourseRequest(title=f"{corpus.title} ({language})", language=language)
        )
        course_id = made.course.id

        async def stream() -> AsyncIterator[v1.IngestDocumentsRequest]:
            yield v1.IngestDocumentsRequest(start=v1.IngestStart(course_id=course_id))
            for path in corpus.documents[language]:
                content = (corpus.folders[language] / path).read_bytes()
                yield v1.IngestDocumentsRequest(
                    document=v1.CourseDocument(path=path.as_posix(), content=content)
                )

        done = await self.teacher.courses.ingest_documents(stream())
        assert done.documents_received == len(corpus.documents[language])
        self.courses[language] = course_id

    async def add_identifiers(self) -> None:
        """A course of one document, whose sections name files, functions, versions and hosts."""
        made = await self.teacher.courses.create_course(
            v1.CreateCourseRequest(title="Identificadores", language="es")
        )
        sections, _ = corpora.identifiers()
        text = "# Notas\n\n" + "\n\n".join(f"## {title}\n\n{text}" for title, text in sections)

        async def stream() -> AsyncIterator[v1.IngestDocumentsRequest]:
            yield v1.IngestDocumentsRequest(start=v1.IngestStart(course_id=made.course.id))
            yield v1.IngestDocumentsRequest(
                document=v1.CourseDocument(path="notas.md", content=text.encode())
            )

        await self.teacher.courses.ingest_documents(stream())
        self.courses["identifiers"] = made.course.id

    async def add_goals(self, language: str, goals: List[Goal]) -> None:
        """One after the other: ids are made in order, and break ties in results."""
        client = self.learner(language)
        ids = []
        for goal in goals:
            made = await client.goals.create_goal(
                v1.CreateGoalRequest(title=goal.title, description=goal.description)
            )
            await client.goals.complete_goal(v1.CompleteGoalRequest(goal_id=made.goal.id))
            ids.append(made.goal.id)
        self.goals[language] = ids

    async def add_code(self, functions: List[Function]) -> None:
        """Ana's code, judged good by the administrator. The paths say nothing of the content."""
        for number, function in enumerate(functions, 1):
            made = await self.learner("es").code_validation.create_snapshot(
                v1.CreateSnapshotRequest(
                    file_path=f"exercise{number:02}.py", code_content=function.code
                )
            )
            await self.admin.code_validation.record_verdict(
                v1.RecordVerdictRequest(
                    snapshot_id=made.snapshot.id, verdict="VERDICT_PASSED", score=0.95
                )
            )
            self.snapshots.append(made.snapshot.id)

    async def settle(self) -> None:
        """Waits until everything has its vector, and reads the passages as they were embedded."""
        previous, seconds_left = -1, TIMEOUT_SECONDS
        while True:
            status = await self.admin.retrieval.get_embedding_status(v1.GetEmbeddingStatusRequest())
            assert not status.failures, status.failures
            if status.pending == 0:
                break
            if status.pending != previous:
                print(f"  {status.pending} passages wait for their vectors", file=sys.stderr)
            if status.pending != previous:
                seconds_left = TIMEOUT_SECONDS
            seconds_left -= 1
            assert seconds_left > 0, "no vectors are made any more"
            previous = status.pending
            await asyncio.sleep(1)
        await self._read_passages()

    async def _read_passages(self) -> None:
        # From the database, because the API shows only excerpts: BM25 and the model in Python must
        # see the very texts that the server searched.
        session = await Session.open(self.server)
        try:
            lines = await session.run(
                """SELECT json_build_array(entity_id, document_path, anchor, title, content)
                FROM passages ORDER BY entity_type, entity_id, chunk_number;""",
                seconds=60,
            )
        finally:
            await session.close()
        for line in lines:
            passage = Passage(*json.loads(line))
            self._passages.setdefault(passage.entity_id, []).append(passage)

    def sections(self, language: str) -> Dict[Tuple[str, str], Passage]:
        """The first passage of each section of a course."""
        sections: Dict[Tuple[str, str], Passage] = {}
        for passage in self._passages[self.courses[language]]:
            if passage.path:
                sections.setdefault((passage.path, passage.anchor), passage)
        return sections

    def course_texts(self, language: str) -> List[Text]:
        return [
            Text((passage.path, passage.anchor), passage.content)
            for passage in self._passages[self.courses[language]]
        ]

    def texts(self, ids: List[str]) -> List[Text]:
        """Of code."""
        return [Text((i,), passage.content) for i in ids for passage in self._passages[i]]

    def goal_texts(self, ids: List[str]) -> List[Text]:
        return [text._replace(embedded=goal_sentences(text.content)) for text in self.texts(ids)]

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    async def _connect(self, login: Login) -> hito.Client:
        return await self.server.connect(login, timeout=TIMEOUT_SECONDS)


async def populate(server: HitoServer, corpus: Corpus) -> Population:
    """Everything that the evaluation searches in."""
    people = Population(server)
    await people.arrive()
    for language in corpora.LANGUAGES:
        await people.add_course(corpus, language)
        await people.add_goals(language, corpora.goals(language))
        await people.add_goals(f"heldout_{language}", corpora.held_out_goals(language))
    await people.add_code(corpora.functions())
    await people.add_identifiers()
    await people.settle()
    return people


def key_of(hit: v1.SearchHit) -> Key:
    """What counts as one result, as the server counts."""
    citation = hit.citation
    if citation.entity_type == "course":
        return (citation.document_path, citation.anchor)
    return (citation.entity_id,)
