"""What learners have done before an agent is asked, and what the agent's steps say."""

from __future__ import annotations

import itertools
from typing import Any, AsyncIterator, List, NamedTuple

from history import check, eventually, pages, read_all
from hito import v1
from hito_server import HitoServer, Login

import hito

_numbers = itertools.count(1)

# The notes' example of feedback: a file, and one like it that was validated.
GET_USER = '''async def get_user(user_id: str):
    user = db.query(User).filter(User.id == user_id).first()
    return user
'''
GET_USER_BY_ID = '''async def get_user_by_id(id: str, db: Session = Depends(get_db)):
    """Busca un usuario con FastAPI por su id."""
    return db.query(User).filter(User.id == id).first()
'''
TUTORIAL = """# Aprender FastAPI

FastAPI sirve para crear una API en Python.

## Instalar FastAPI { #instalar }

Para aprender FastAPI se instala con pip y se arranca con uvicorn.

```sh
pip install fastapi
uvicorn main:app --reload
```

## Escribir una ruta { #ruta }

Una ruta de FastAPI es una función con un decorador que dice su camino.

## Probar la API { #probar }

Las pruebas de FastAPI usan un cliente que llama a las rutas sin red.
"""


async def join(server: HitoServer, connect: Any, name: str, role: str = "learner") -> "Person":
    """A new person with a client."""
    login = server.join(name, role, external_id=f"{name}-p{next(_numbers)}".lower())
    return Person(login, await connect(server, login))


class Person(NamedTuple):
    login: Login
    client: hito.Client

    @property
    def id(self) -> str:
        return self.login.user_id


async def completed_goal(person: Person, title: str, description: str = "") -> str:
    made = await person.client.goals.create_goal(
        v1.CreateGoalRequest(title=title, description=description)
    )
    await person.client.goals.complete_goal(v1.CompleteGoalRequest(goal_id=made.goal.id))
    return made.goal.id


async def ingest(
    person: Person, course_id: str, *documents: v1.CourseDocument, replace_all: bool = False
) -> v1.IngestDocumentsResponse:
    async def requests() -> AsyncIterator[v1.IngestDocumentsRequest]:
        start = v1.IngestStart(course_id=course_id, replace_all=replace_all)
        yield v1.IngestDocumentsRequest(start=start)
        for document in documents:
            yield v1.IngestDocumentsRequest(document=document)

    return await person.client.courses.ingest_documents(requests(), timeout=60.0)


async def course(
    teacher: Person, title: str, *documents: v1.CourseDocument, description: str = ""
) -> str:
    """A course with documents, all of which can be found by meaning."""
    made = await teacher.client.courses.create_course(
        v1.CreateCourseRequest(title=title, description=description)
    )
    cursor = made.receipt.cursor
    if documents:
        cursor = (await ingest(teacher, made.course.id, *documents)).receipt.cursor
    await findable(teacher, cursor)
    return made.course.id


async def validated_code(
    author: Person, judge: Person, path: str, code: str, shared: bool = False,
    feedback: str = "¡Bien hecho! Usa la inyección de dependencias.", score: float = 0.95,
    verdict: str = "VERDICT_PASSED",
) -> str:  # fmt: skip
    """A file of code with a verdict, which can be found by meaning."""
    made = await author.client.code_validation.create_snapshot(
        v1.CreateSnapshotRequest(file_path=path, code_content=code)
    )
    await judge.client.code_validation.record_verdict(
        v1.RecordVerdictRequest(
            snapshot_id=made.snapshot.id, verdict=verdict, score=score, feedback=feedback
        )
    )
    if shared:
        await author.client.code_validation.set_sharing(
            v1.SetSharingRequest(snapshot_id=made.snapshot.id, shared=True)
        )
    await findable(author, made.receipt.cursor)
    return made.snapshot.id


async def findable(person: Person, cursor: str) -> None:
    await person.client.retrieval.search(v1.SearchRequest(query="x", min_cursor=cursor))


class Run:
    """What the stream of a run has said so far."""

    def __init__(self, stream: hito.ResponseStream[Any]) -> None:
        self._stream = stream
        self.steps: List[Any] = []

    @classmethod
    async def of(cls, stream: hito.ResponseStream[Any]) -> "Run":
        """The whole run."""
        run = cls(stream)
        await run.follow()
        return run

    async def follow(self, until: str = "") -> "Run":
        """Reads on to the end, or to the first step of a kind."""
        async for step in self._stream:
            self.steps.append(step)
            if until and step.WhichOneof("step") == until:
                break
        return self

    async def leave(self) -> None:
        """Hangs up."""
        await self._stream.aclose()

    @property
    def id(self) -> str:
        assert len({step.run_id for step in self.steps}) == 1
        return self.steps[0].run_id

    @property
    def kinds(self) -> List[str]:
        """The kinds of the steps, several tokens as one."""
        kinds = [step.WhichOneof("step") for step in self.steps]
        return [kind for kind, _ in itertools.groupby(kinds)]

    @property
    def nodes(self) -> List[str]:
        return [f"{node.node} {node.attempt}" for node in self.steps_of("node_started")]

    @property
    def citations(self) -> List[v1.Citation]:
        return [c for context in self.steps_of("context") for c in context.citations]

    @property
    def text(self) -> str:
        """What the model wrote since its last node began."""
        text = ""
        for step in self.steps:
            kind = step.WhichOneof("step")
            text = "" if kind == "node_started" and _writes(step) else text
            text += step.token.text if kind == "token" else ""
        return text

    @property
    def findings(self) -> List[List[str]]:
        """The broken rules of each check."""
        return [[f.rule for f in checked.findings] for checked in self.steps_of("findings")]

    @property
    def result(self) -> Any:
        assert self.steps[-1].WhichOneof("step") == "result", self.kinds
        return self.steps[-1].result

    @property
    def proposal(self) -> v1.GoalProposal:
        assert self.steps[-1].WhichOneof("step") == "proposal", self.kinds
        return self.steps[-1].proposal

    def steps_of(self, kind: str) -> List[Any]:
        return [getattr(s, kind) for s in self.steps if s.WhichOneof("step") == kind]


def _writes(step: Any) -> bool:
    return step.node_started.node in ("generate", "repair", "review", "advise")


async def generate(person: Person, prompt: str, key: str = "", **fields: Any) -> Run:
    request = v1.GenerateGoalRequest(prompt=prompt, **fields)
    return await Run.of(person.client.goals.generate_goal(request, idempotency_key=key or None))


async def goals_of(person: Person) -> List[v1.Goal]:
    listed = pages(person.client.goals.list_goals, v1.ListGoalsRequest(), "goals")
    return [goal async for goal in listed]


async def trace(person: Person, last: str, run_id: str = "") -> List[v1.Event]:
    """The events of the person's runs, or of one, once the last of them is of a type."""
    events: List[v1.Event] = []

    async def ends_so() -> bool:
        log = await read_all(person.client, v1.EventFilter(types=["ai.*"]))
        events[:] = [e for e in log if run_id in ("", e.entity_id)]
        return bool(events) and events[-1].type == last

    await eventually(f"{last} to be the last event", ends_so)
    check(events)
    return events
