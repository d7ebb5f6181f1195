"""The people of the demo and what they do."""

from __future__ import annotations

import asyncio
import json
from typing import Callable, List

from course import Course
from history import Watcher
from hito_server import HitoServer, Login

import hito
from hito import v1

TIMEOUT_SECONDS = 120.0


class Journey:
    """Journeys 1 and 4 of the design, played by Ana, who learns, and Inés, who teaches."""

    def __init__(self, server: HitoServer, course: Course, say: Callable[[str], None]) -> None:
        self.server = server
        self.course = course
        self.goals: List[v1.CreateGoalResponse] = []
        self.completed: List[str] = []
        """Tasks whose completion was acknowledged."""
        self.last_cursor = ""
        self.watchers: List[LiveWatcher] = []
        self.clients: List[hito.Client] = []
        self._say = say

    async def people_arrive(self) -> None:
        self.ana_login = await self._join("Ana", "learner")
        self.ana = await self.connect(self.ana_login)
        self.ines_login = await self._join("Inés", "instructor")
        self.ines = await self.connect(self.ines_login)
        self.admin = await self.connect(self.server.admin())
        self._say("Ana (learner) and Inés (instructor) have their tokens")

    async def teacher_opens_the_course(self) -> None:
        made = await self.ines.courses.create_course(
            v1.CreateCourseRequest(
                title=self.course.title, technologies=self.course.technologies, language="es"
            )
        )
        self.course_id = made.course.id
        await self.ana.courses.enrol(v1.EnrolRequest(course_id=self.course_id))
        self._say(
            f"Inés opens “{self.course.title}” ({len(self.course.chapters)} chapters of "
            f"{self.course.folder}); Ana enrols"
        )

    async def watchers_watch(self) -> None:
        """Ana's telephone sees all that is hers, Inés what happens in her course."""
        phone = await self.connect(self.ana_login)
        desk = await self.connect(self.ines_login)
        self.watchers = [
            LiveWatcher("Ana's phone", phone, None),
            LiveWatcher(
                "Inés' desk", desk, v1.EventFilter(course_ids=[self.course_id]), self._say
            ),
        ]
        for watcher in self.watchers:
            await watcher.caught_up()
        self._say("Two watchers follow live; below is what Inés sees")

    async def learner_sets_goals(self) -> None:
        for chapter in self.course.chapters:
            made = await self.ana.goals.create_goal(
                v1.CreateGoalRequest(
                    title=chapter.title,
                    description=chapter.summary,
                    course_id=self.course_id,
                    tasks=[v1.NewTask(title=heading) for heading in chapter.headings],
                )
            )
            self.goals.append(made)

    async def learner_works(self) -> None:
        """All goals but the last are finished; in the middle the server dies."""
        tasks = [task for goal in self.goals[:-1] for task in goal.tasks]
        tasks.append(self.goals[-1].tasks[0])
        middle = len(tasks) // 2
        for number, task in enumerate(tasks):
            await self.ana.tasks.start_task(
                v1.StartTaskRequest(task_id=task.id), timeout=TIMEOUT_SECONDS
            )
            completing = asyncio.create_task(
                self.ana.tasks.complete_task(
                    v1.CompleteTaskRequest(task_id=task.id), timeout=TIMEOUT_SECONDS
                )
            )
            if number == middle:
                # One turn of the loop: the request is on its way when the server dies.
                await asyncio.sleep(0)
                await self._server_dies()
            done = await completing
            self.completed.append(task.id)
            self.last_cursor = done.receipt.cursor
        for watcher in self.watchers:
            await watcher.has_seen(tasks[-1].id)

    async def _server_dies(self) -> None:
        self._say("⚡ kill -9, with a call of Ana's under way")
        self.server.kill()
        await self.server.restart()
        self._say("⚡ started again; clients and watchers continue by themselves")

    async def print_report(self) -> None:
        report = await self.ana.analytics.get_productivity(
            v1.GetProductivityRequest(min_cursor=self.last_cursor)
        )
        lines = [
            ("Goals created", report.goals_created),
            ("Goals completed", report.goals_completed),
            ("Tasks completed", report.tasks_completed),
            ("Most active day", report.most_active_day),
            ("Events", report.total_events),
        ]
        for name, value in lines:
            print(f"   {name:<18} {value}")
        most = max((entry.count for entry in report.events_by_type), default=1)
        for entry in report.events_by_type:
            bar = "█" * max(1, round(24 * entry.count / most))
            print(f"     {entry.type:<18} {entry.count:>4}  {bar}")
        assert report.tasks_completed == len(self.completed), "the report and the receipts differ"
        assert report.goals_created == len(self.goals)
        assert report.goals_completed == len(self.goals) - 1

    async def connect(self, login: Login) -> hito.Client:
        client = await self.server.connect(login, timeout=TIMEOUT_SECONDS)
        self.clients.append(client)
        return client

    async def close(self) -> None:
        for watcher in self.watchers:
            await watcher.close()
        for client in self.clients:
            await client.close()

    async def _join(self, name: str, role: str) -> Login:
        return await asyncio.to_thread(self.server.join, name, role)


class LiveWatcher(Watcher):
    """A watcher that may say what it sees."""

    def __init__(
        self,
        name: str,
        client: hito.Client,
        event_filter: v1.EventFilter | None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.name = name
        self.client = client
        self.event_filter = event_filter
        self._say = say
        super().__init__(client, event_filter)

    async def has_seen(self, task_id: str) -> None:
        """Waits for the completion of a task."""
        await self.wait_for(
            f"{self.name} to see the last task",
            lambda: any(
                event.entity_id == task_id and event.type == "task.completed"
                for event in self.events
            ),
        )

    def seen(self, event: v1.Event) -> None:
        if self._say is not None:
            line = describe(event)
            if line:
                self._say(f"  {line}")


def describe(event: v1.Event) -> str:
    """One line for a person; empty for what would only be noise."""
    payload = json.loads(event.payload_json)
    text = str(payload.get("title", ""))
    if event.type == "goal.progressed" or event.type == "goal.completed":
        share = float(payload.get("progress_percentage", 0))
        bar = "■" * round(share / 10) + "□" * (10 - round(share / 10))
        return f"{bar} {share:3.0f} %  {text}"
    marks = {"goal.created": "+ goal", "task.completed": "✓ task", "course.enrolled": "+ enrolled"}
    mark = marks.get(event.type)
    return f"{mark}  {text}".rstrip() if mark else ""
