"""Writers that keep the server busy and remember what it acknowledged."""

from __future__ import annotations

import asyncio
import random
from typing import Dict, List, Set, Type

import hito
from hito import v1


class Learner:
    """Makes goals and works on their tasks; keeps what was acknowledged."""

    def __init__(self, client: hito.Client, name: str, seed: int, timeout: float) -> None:
        self._client = client
        self._name = name
        self._random = random.Random(seed)
        self._timeout = timeout
        self._open: List[str] = []
        self._number = 0
        self.titles: Dict[str, str] = {}
        """Title of each acknowledged goal, by its id."""
        self.completed: Set[str] = set()
        """Tasks whose completion was acknowledged."""
        self.attempted: Set[str] = set()
        """Titles that were asked for, acknowledged or not."""
        self.failures: List[hito.HitoError] = []
        self.last_cursor = ""
        """Names the last acknowledged write."""

    @property
    def acknowledged(self) -> int:
        return len(self.titles) + len(self.completed)

    async def step(self) -> None:
        """One write; raises what the call raises."""
        if self._open and self._random.random() < 0.6:
            task = self._open[self._random.randrange(len(self._open))]
            self._open.remove(task)
            done = await self._client.tasks.complete_task(
                v1.CompleteTaskRequest(task_id=task), timeout=self._timeout
            )
            self.completed.add(task)
            self.last_cursor = done.receipt.cursor
            return
        self._number += 1
        title = f"{self._name} {self._number}"
        self.attempted.add(title)
        made = await self._client.goals.create_goal(
            v1.CreateGoalRequest(
                title=title, tasks=[v1.NewTask(title=f"Tarea {n}") for n in range(2)]
            ),
            timeout=self._timeout,
        )
        self.titles[made.goal.id] = title
        self.last_cursor = made.receipt.cursor
        self._open.extend(task.id for task in made.tasks)

    async def run(self, until: asyncio.Event, tolerated: tuple[Type[hito.HitoError], ...]) -> None:
        """Writes until told to end; failures of the kinds that are tolerated are remembered."""
        while not until.is_set():
            try:
                await self.step()
            except tolerated as error:
                self.failures.append(error)


async def acknowledgements(learners: List[Learner], more: int, seconds: float = 60.0) -> None:
    """Waits until so many more writes were acknowledged."""
    goal = sum(learner.acknowledged for learner in learners) + more
    try:
        async with asyncio.timeout(seconds):
            while sum(learner.acknowledged for learner in learners) < goal:
                await asyncio.sleep(0.01)
    except TimeoutError:
        got = sum(learner.acknowledged for learner in learners) - goal + more
        raise AssertionError(f"{got} of {more} writes in {seconds:g} s") from None
