"""Journey 2: a course is ingested, and a learner lets the server plan a goal out of it."""

from __future__ import annotations

import asyncio
import textwrap
import time
from pathlib import Path
from typing import AsyncIterator, Callable, List, Tuple

from course import Course
from hito_server import HitoServer

import hito
from hito import v1

TIMEOUT_SECONDS = 300.0
HANDLER = '''async def get_user_by_id(id: str, db: Session = Depends(get_db)):
    """The user with this id, or 404."""
    user = await db.get(User, id)
    if user is None:
        raise HTTPException(status_code=404)
    return user
'''
APPLICATION = '''from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def root():
    return {"message": "Hola, mundo"}
'''
HANDLER_WITHOUT_ERRORS = '''async def get_user(user_id, db):
    return await db.get(User, user_id)
'''


class Tutor:
    """Played by Bea, who learns, Inés, who teaches, and a grader of the school."""

    def __init__(self, server: HitoServer, course: Course, say: Callable[[str], None]) -> None:
        self.server = server
        self.course = course
        self.subject = "Git" if "git" in course.technologies else "FastAPI"
        self.clients: List[hito.Client] = []
        self._say = say

    async def people_arrive(self, teacher: hito.Client) -> None:
        login = await asyncio.to_thread(self.server.join, "Bea", "learner")
        self.bea = await self._connect(login)
        self.grader = await self._connect(
            await asyncio.to_thread(self.server.join, "Grader", "service")
        )
        self.ines = teacher
        self._say("Bea (learner) and the school's grader (service) have their tokens")

    async def course_is_ingested(self) -> None:
        """Every document of the folder, and the time until each section is found by meaning."""
        made = await self.ines.courses.create_course(
            v1.CreateCourseRequest(
                title=f"{self.course.title}, con documentos", language="es",
                technologies=self.course.technologies,
            )  # fmt: skip
        )
        self.course_id = made.course.id
        documents = read(self.course.folder)
        began = time.monotonic()
        done = await self.ines.courses.ingest_documents(
            self._stream(documents), timeout=TIMEOUT_SECONDS
        )
        self._say(
            f"{done.documents_received} documents, {done.sections_changed} sections: found by "
            f"words after {time.monotonic() - began:.1f} s"
        )
        # Waits until the vectors of this write are stored.
        await self.ines.retrieval.search(
            v1.SearchRequest(query=self.subject, min_cursor=done.receipt.cursor),
            timeout=TIMEOUT_SECONDS,
        )
        self._say(f"… and by meaning after {time.monotonic() - began:.1f} s")
        again = await self.ines.courses.ingest_documents(
            self._stream(documents), timeout=TIMEOUT_SECONDS
        )
        assert again.documents_changed == 0, "the same documents again changed something"
        self._say("… ingested once more: nothing changed, nothing was embedded again")

    async def learner_has_a_past(self) -> None:
        """A completed goal and a file of code that passed: what the planner may build on."""
        await self.bea.courses.enrol(v1.EnrolRequest(course_id=self.course_id))
        made = await self.bea.goals.create_goal(
            v1.CreateGoalRequest(
                title=f"Primeros pasos con {self.subject}",
                tasks=[
                    v1.NewTask(title=f"Instalar lo que {self.subject} necesita"),
                    v1.NewTask(title="Escribir un ejemplo pequeño y ejecutarlo"),
                ],
            )
        )
        for task in made.tasks:
            await self.bea.tasks.complete_task(v1.CompleteTaskRequest(task_id=task.id))
        snapshots = []
        for path, code in (("main.py", APPLICATION), ("users.py", HANDLER)):
            stored = await self.bea.code_validation.create_snapshot(
                v1.CreateSnapshotRequest(file_path=path, code_content=code)
            )
            judged = await self.grader.code_validation.record_verdict(
                v1.RecordVerdictRequest(
                    snapshot_id=stored.snapshot.id, verdict="VERDICT_PASSED", score=0.95,
                    feedback="¡Bien hecho! Usa la inyección de dependencias correctamente",
                )  # fmt: skip
            )
            snapshots.append(stored.snapshot.id)
        found = await self.bea.retrieval.search_validated_code(
            v1.SearchValidatedCodeRequest(
                query=HANDLER_WITHOUT_ERRORS, language="python",
                min_cursor=judged.receipt.cursor,
            )  # fmt: skip
        )
        hit = found.hits[0]
        assert hit.citation.entity_id == snapshots[1]
        self._say(
            "Bea has a completed goal and validated code; get_user finds get_user_by_id "
            f"(similarity {hit.citation.similarity:.2f})"
        )

    async def goal_is_generated(self) -> None:
        prompt = f"Aprender {self.subject}"
        self._say(f"Bea: “{prompt}”")
        result = None
        written = 0
        async for step in self.bea.goals.generate_goal(
            v1.GenerateGoalRequest(prompt=prompt), timeout=TIMEOUT_SECONDS
        ):
            kind = step.WhichOneof("step")
            if kind == "token":
                written += len(step.token.text)
            else:
                self._say(f"  {describe(step)}")
            if kind == "result":
                result = step.result
        assert result is not None, "the stream ended without a goal"
        if written:
            self._say(f"  (the model streamed {written} characters)")
        self.goal = result
        for number, task in enumerate(result.tasks, 1):
            print(textwrap.indent(textwrap.fill(f"{number}. {task.title}", 72), "     "))
        print(textwrap.indent(textwrap.fill(result.goal.ai_feedback, 72), "     "))
        await self._check()

    async def _check(self) -> None:
        goal = self.goal.goal
        read_back = await self.bea.goals.get_goal(v1.GetGoalRequest(goal_id=goal.id))
        assert read_back.goal == goal and list(read_back.tasks) == list(self.goal.tasks)
        assert 3 <= len(self.goal.tasks) <= 5 and all(
            task.validation_criteria for task in self.goal.tasks
        )
        kinds = {citation.entity_type for citation in self.goal.citations}
        assert kinds, "the goal cites nothing"
        planner = (
            "a language model" if self.goal.planner == "model"
            else "retrieval alone (no model is configured)"
        )  # fmt: skip
        self._say(
            f"✓ stored in one transaction with {len(self.goal.tasks)} tasks, planned by {planner}, "
            f"citing {', '.join(sorted(kinds))}"
        )

    async def goal_is_found_afterwards(self) -> None:
        cursor = self.goal.receipt.cursor
        for task in self.goal.tasks:
            done = await self.bea.tasks.complete_task(v1.CompleteTaskRequest(task_id=task.id))
            cursor = done.receipt.cursor
        for question in (f"aprender {self.subject} paso a paso", f"learn {self.subject}"):
            found = await self.bea.retrieval.search_similar_goals(
                v1.SearchSimilarGoalsRequest(query=question, min_cursor=cursor)
            )
            hits = {hit.citation.entity_id: hit.citation for hit in found.hits}
            assert self.goal.goal.id in hits, f"“{question}” does not find the completed goal"
            self._say(
                f"✓ “{question}” finds the completed goal, similarity "
                f"{hits[self.goal.goal.id].similarity:.2f}, of {len(hits)} similar ones"
            )

    async def close(self) -> None:
        for client in self.clients:
            await client.close()

    async def _connect(self, login: object) -> hito.Client:
        client = await self.server.connect(login, timeout=TIMEOUT_SECONDS)  # type: ignore[arg-type]
        self.clients.append(client)
        return client

    async def _stream(
        self, documents: List[Tuple[str, bytes]]
    ) -> AsyncIterator[v1.IngestDocumentsRequest]:
        yield v1.IngestDocumentsRequest(start=v1.IngestStart(course_id=self.course_id))
        for path, content in documents:
            yield v1.IngestDocumentsRequest(
                document=v1.CourseDocument(path=path, content=content, language="es")
            )


def read(folder: Path) -> List[Tuple[str, bytes]]:
    """Every Markdown file: its path inside the folder, and what is in it."""
    return [
        (path.relative_to(folder).as_posix(), path.read_bytes())
        for path in sorted(folder.rglob("*.md"))
    ]


def describe(step: v1.GenerateGoalResponse) -> str:
    """A line of the stream for a person."""
    kind = step.WhichOneof("step")
    if kind == "node_started":
        return f"▸ {step.node_started.node}"
    if kind == "context":
        sources = ", ".join(
            f"{citation.title} ({citation.entity_type} {citation.similarity:.2f})"
            for citation in step.context.citations
        )
        return f"  found: {sources}"
    if kind == "findings":
        broken = [finding.description for finding in step.findings.findings]
        return "  the contract holds" if not broken else f"  to repair: {'; '.join(broken)}"
    if kind == "result":
        return f"★ {step.result.goal.title}"
    return str(kind)
