"""A small world of which everything can be found, on a server whose embedding model changes."""

from __future__ import annotations

import asyncio
from typing import Any, Dict, NamedTuple, Set

import notes_queries
import pytest
from history import eventually
from hito import v1
from hito_server import HitoServer
from learning import (
    GET_USER_BY_ID, TUTORIAL, Person, completed_goal, course, findable, join, validated_code,
)  # fmt: skip
from psql import Session
from scripted_model import ScriptedModel

HASHED, EMBEDDED = "hashed-words", "use-multilingual-3-int8"
VECTOR = v1.SearchMode.SEARCH_MODE_VECTOR
CODE: Set[str] = set()
"""The ids of all validated code there is."""


class World(NamedTuple):
    """A learner's small world, of which each query of the notes finds something."""

    server: HitoServer
    lea: Person
    root: Person
    goal: str
    course: str

    async def status(self) -> v1.GetEmbeddingStatusResponse:
        request = v1.GetEmbeddingStatusRequest()
        return await self.root.client.retrieval.get_embedding_status(request)

    async def search(self, query: str, **fields: object) -> v1.SearchResponse:
        return await self.lea.client.retrieval.search(v1.SearchRequest(query=query, **fields))

    async def uses(self, model: str) -> None:
        async def complete() -> bool:
            return not (await self.status()).pending

        await eventually(f"{model} to be in use", lambda: is_active(self.server, model), 120)
        await eventually(f"{model} to have all vectors", complete)
        status = await self.status()
        assert (status.model, status.next_model) == (model, "")

    async def restart(self, provider: ScriptedModel | None, how: str = "stop") -> None:
        self.server.environment = {} if provider is None else environment(provider)
        await asyncio.to_thread(self.server.kill if how == "kill" else self.server.stop)
        await self.server.restart()

    async def notes(self, dimensions: int) -> None:
        """The queries of the notes find all of it, with vectors of so many numbers."""
        answers = await notes_queries.ask(self.server, self.lea.id, self.goal)
        assert answers.dimensions == dimensions
        assert answers.goal[0] == self.goal and answers.course == [self.course]
        # The notes ask for the code of everybody.
        assert answers.code_snapshot and set(answers.code_snapshot) <= CODE
        assert answers.similarities[0] == pytest.approx(1.0, abs=1e-5)
        assert all(-1.0001 <= number <= 1.0001 for number in answers.similarities)


def environment(provider: ScriptedModel) -> Dict[str, str]:
    return {
        "HITO_EMBEDDING_URL": provider.url, "HITO_EMBEDDING_MODEL": HASHED,
        "HITO_EMBEDDING_DIMENSIONS": "1536", "HITO_EMBEDDING_MIN_SIMILARITY": "0.1",
        "HITO_EMBEDDING_KEY": "clave-secreta-del-proveedor",
    }  # fmt: skip


async def make(changing: HitoServer, connect: Any) -> World:
    lea = await join(changing, connect, "Lea")
    root = await join(changing, connect, "Root", "admin")
    teacher = await join(changing, connect, "Ines", "instructor")
    goal = await completed_goal(lea, "Aprender Flask", "Una API con Flask en Python")
    document = v1.CourseDocument(path="fastapi.md", content=TUTORIAL.encode())
    taught = await course(teacher, "Curso de FastAPI", document, description="API con Python")
    enrolled = await lea.client.courses.enrol(v1.EnrolRequest(course_id=taught))
    await findable(lea, enrolled.receipt.cursor)
    code = await validated_code(lea, root, "users.py", GET_USER_BY_ID)
    CODE.add(code)
    return World(changing, lea, root, goal, taught)


async def is_active(server: HitoServer, name: str) -> bool:
    """What the database says, whatever the server does."""
    session = await Session.open(server)
    try:
        query = "SELECT name FROM embedding_models WHERE state = 'active';"
        return await session.run(query) == [name]
    finally:
        await session.close()


async def a_goal(person: Person, title: str) -> v1.CreateGoalResponse:
    return await person.client.goals.create_goal(v1.CreateGoalRequest(title=title))
