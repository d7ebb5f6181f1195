"""Journey 3: a learner's code fails its task's tests, is mended, passes, and completes the task."""

from __future__ import annotations

import asyncio
import textwrap
import time
from typing import Callable, List

from hito_server import HitoServer

import hito
from hito import v1

WRONG = '''def cuenta_vocales(texto):
    """Cuántas vocales tiene un texto."""
    return sum(1 for letra in texto if letra in "aeiou")
'''
RIGHT = WRONG.replace("in texto if letra", "in texto.lower() if letra")
TESTS = """import unittest

from vocales import cuenta_vocales


class Vocales(unittest.TestCase):
    def test_minusculas(self):
        self.assertEqual(cuenta_vocales("hola"), 2)

    def test_mayusculas(self):
        self.assertEqual(cuenta_vocales("HOLA"), 2)

    def test_vacio(self):
        self.assertEqual(cuenta_vocales(""), 0)
"""


class Student:
    """Played by Leo, who learns, and sets himself the tests of a kata."""

    def __init__(self, server: HitoServer, say: Callable[[str], None]) -> None:
        self.server = server
        self._say = say
        self._clients: List[hito.Client] = []

    async def arrives_with_a_task(self) -> None:
        login = await asyncio.to_thread(self.server.join, "Leo", "learner")
        self.leo = await self.server.connect(login)
        self._clients.append(self.leo)
        made = await self.leo.goals.create_goal(
            v1.CreateGoalRequest(
                title="Practicar cadenas", tasks=[v1.NewTask(title="Contar vocales")]
            )
        )
        self.task_id = made.tasks[0].id
        ids = [f"test_vocales.Vocales.{name}" for name in (
            "test_minusculas", "test_mayusculas", "test_vacio")]  # fmt: skip
        await self.leo.code_validation.set_task_tests(
            v1.SetTaskTestsRequest(
                task_ids=[self.task_id],
                suite=v1.TestSuite(
                    language="python", kind=v1.TestKind.TEST_KIND_UNITTEST, completes_task=True,
                    files=[v1.SourceFile(path="test_vocales.py", content=TESTS)],
                    tests=[v1.ExpectedTest(id=id) for id in ids],
                ),
            )
        )  # fmt: skip
        self._say("Leo (learner) has a task with three tests, which completes itself when they pass")

    async def hands_in_what_is_wrong(self) -> None:
        result = await self._hands_in(WRONG)
        assert result.verdict == v1.Verdict.VERDICT_FAILED, result
        assert "test_mayusculas" in result.validation_feedback, result.validation_feedback
        print(textwrap.indent(result.validation_feedback, "          │ "))
        assert not await self._is_completed()

    async def hands_in_what_is_right(self) -> None:
        result = await self._hands_in(RIGHT)
        assert result.verdict == v1.Verdict.VERDICT_PASSED, result
        assert await self._is_completed(), "a solution that passes completes its task"
        report = await self.leo.analytics.get_productivity(
            v1.GetProductivityRequest(min_cursor="")
        )
        assert report.code_validated == 2 and report.tasks_completed == 1, report
        self._say(
            f"The task is completed; Leo's report: {report.code_validated} validations, "
            f"mean score {report.avg_validation_score:.0%}"
        )

    async def close(self) -> None:
        for client in self._clients:
            await client.close()

    async def _hands_in(self, code: str) -> v1.CodeSnapshot:
        began = time.monotonic()
        submission = v1.Submission(
            task_id=self.task_id, files=[v1.SourceFile(path="vocales.py", content=code)]
        )
        passed = failed = 0
        async for answer in self.leo.code_validation.validate_resuming(
            v1.ValidateCodeRequest(submission=submission)
        ):
            if answer.WhichOneof("step") == "test":
                passed += answer.test.status == v1.TestStatus.TEST_STATUS_PASS
                failed += answer.test.status != v1.TestStatus.TEST_STATUS_PASS
        self._say(
            f"Leo's code ran in the sandbox: {passed} tests pass, {failed} do not, score "
            f"{answer.result.validation_score:.0%}, after {time.monotonic() - began:.2f} s"
        )
        return answer.result

    async def _is_completed(self) -> bool:
        found = await self.leo.tasks.get_task(v1.GetTaskRequest(task_id=self.task_id))
        return bool(found.task.status == v1.WorkStatus.WORK_STATUS_COMPLETED)
