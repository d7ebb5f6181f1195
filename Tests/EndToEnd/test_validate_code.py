"""Learners' code, run in the real sandbox: from the command line and through the client, to its verdict."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from conftest import _running
from hito import v1
from hito_server import HitoServer
from learning import Person, join

import hito

WRONG = "def add(a, b):\n    return a - b\n"
RIGHT = "def add(a, b):\n    return a + b\n"
TESTS = """import unittest
from sumar import add

class SumTest(unittest.TestCase):
    def test_two(self):
        self.assertEqual(add(1, 2), 3)

    def test_zero(self):
        self.assertEqual(add(0, 0), 0)
"""
PASSED, FAILED = v1.Verdict.VERDICT_PASSED, v1.Verdict.VERDICT_FAILED


@pytest.fixture(scope="module")
def server() -> Iterator[HitoServer]:
    yield from _running({})


@pytest.fixture(scope="module")
def mortal() -> Iterator[HitoServer]:
    """A server to kill, which validates one at a time."""
    yield from _running({}, ["--validation-slots", "1"])


def suite(completes_task: bool = False) -> v1.TestSuite:
    return v1.TestSuite(
        language="python", kind=v1.TestKind.TEST_KIND_UNITTEST, completes_task=completes_task,
        files=[v1.SourceFile(path="test_sumar.py", content=TESTS)],
        tests=[
            v1.ExpectedTest(id="test_sumar.SumTest.test_two"),
            v1.ExpectedTest(id="test_sumar.SumTest.test_zero", hidden=True),
        ],
    )  # fmt: skip


def request(content: str, task_id: str = "", **fields: Any) -> v1.ValidateCodeRequest:
    files = [v1.SourceFile(path="sumar.py", content=content)]
    return v1.ValidateCodeRequest(
        submission=v1.Submission(task_id=task_id, files=files), **fields
    )


async def a_task(person: Person) -> str:
    made = await person.client.goals.create_goal(
        v1.CreateGoalRequest(title="Sumar", tasks=[v1.NewTask(title="suma")])
    )
    return made.tasks[0].id


def command(server: HitoServer, person: Person, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return server.command(
        "validate", *arguments, "--address", server.address, "--ca", server.ca_file,
        "--token", person.login.token,
    )  # fmt: skip


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_sumar.py").write_text(TESTS)
    (tmp_path / "sumar.py").write_text(WRONG)
    return tmp_path


async def test_the_command_line_says_what_is_wrong_and_then_that_it_is_right(server, connect, code):
    ana = await join(server, connect, "Ana")
    file, tests = str(code / "sumar.py"), str(code / "tests")
    wrong = await asyncio.to_thread(command, server, ana, file, "--tests", tests)
    assert wrong.returncode == 2, wrong
    for part in ["✗ test_sumar.SumTest.test_two", "-1 != 3", "✓ test_sumar.SumTest.test_zero",
                 "✗ FAILED", "1 of 2 tests"]:  # fmt: skip
        assert part in wrong.stdout, wrong.stdout
    (code / "sumar.py").write_text(RIGHT)
    right = await asyncio.to_thread(command, server, ana, file, "--tests", tests, "--json")
    assert right.returncode == 0, right
    last = json.loads(right.stdout.splitlines()[-1])
    assert last["validation"]["verdict"] == "VERDICT_PASSED", last
    assert last["result"]["validationScore"] == 1
    alone = await asyncio.to_thread(command, server, ana, file)
    assert alone.returncode == 3 and "INCONCLUSIVE" in alone.stdout, alone
    (code / "roto.py").write_text("def f(:\n")
    broken = await asyncio.to_thread(command, server, ana, str(code / "roto.py"))
    assert broken.returncode == 2 and "  1 | def f(:" in broken.stdout, broken.stdout
    (code / "latin.py").write_bytes("x = 'ñ'\n".encode("latin-1"))
    (code / "nul.py").write_bytes(b"x = 1\0\n")
    for bad in ([str(code / "latin.py")], [str(code / "nul.py")], ["/none"], [file, "--tests", "/none"],
                [file, "--main", tests]):  # fmt: skip
        refused = await asyncio.to_thread(command, server, ana, *bad)
        assert refused.returncode == 1 and refused.stderr.startswith("error: "), refused


async def test_a_right_solution_completes_its_task_and_hides_what_is_hidden(server, connect):
    ana = await join(server, connect, "Ana")
    task = await a_task(ana)
    await ana.client.code_validation.set_task_tests(
        v1.SetTaskTestsRequest(task_ids=[task], suite=suite(completes_task=True))
    )
    results = []
    for content in (WRONG, RIGHT):
        answers = [
            answer async for answer in
            ana.client.code_validation.validate_resuming(request(content, task))
        ]  # fmt: skip
        results.append(answers[-1].result)
        found = (await ana.client.tasks.get_task(v1.GetTaskRequest(task_id=task))).task
        completed = v1.WorkStatus.WORK_STATUS_COMPLETED
        assert (found.status == completed) == (content == RIGHT)
    assert [result.verdict for result in results] == [FAILED, PASSED]
    assert results[1].validation_score == 1 and 0 < results[0].validation_score < 1
    report = await ana.client.analytics.get_productivity(v1.GetProductivityRequest())
    assert report.code_validated == 2


async def test_what_uses_up_everything_is_stopped_and_others_are_served(server, connect):
    ana, bob = [await join(server, connect, name) for name in ("Ana", "Bob")]
    hostile = {
        "forks": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n",
        "memory": "a = []\nwhile True: a.append(bytearray(1 << 24))\n",
        "output": "while True: print('x' * 65536)\n",
        "quits": "import os\nos._exit(0)\n",
        "network": "import socket\nsocket.create_connection(('1.1.1.1', 80), 2)\n",
    }

    async def verdict(person: Person, content: str) -> Any:
        answers: List[Any] = [
            answer async for answer in
            person.client.code_validation.validate_resuming(request(content, suite=suite()))
        ]  # fmt: skip
        return answers[-1].validation

    attacks = [asyncio.create_task(verdict(ana, content)) for content in hostile.values()]
    assert (await verdict(bob, RIGHT)).verdict == PASSED
    for name, attack in zip(hostile, attacks):
        ended = await attack
        assert ended.verdict == FAILED, (name, ended)
        assert not any(test.status == v1.TestStatus.TEST_STATUS_PASS for test in ended.report.tests)
    assert (await verdict(ana, RIGHT)).verdict == PASSED


async def test_a_validation_outlives_a_kill_of_the_server(mortal, connect):
    ana = await join(mortal, connect, "Ana")
    slow = "import time\nend = time.process_time() + 1\nwhile time.process_time() < end: pass\n" + RIGHT
    running = ana.client.code_validation.validate_resuming(request(slow, suite=suite()))
    answers = [await running.__anext__()]
    mortal.kill()
    began = time.monotonic()
    await mortal.restart()
    answers += [answer async for answer in running]
    assert answers[-1].result.verdict == PASSED, answers[-1]
    assert running.interruptions > 0 and time.monotonic() - began < 120
    assert len({answer.run_id for answer in answers if answer.run_id}) == 1
    cursors = [answer.cursor for answer in answers if answer.cursor]
    assert len(cursors) == len(set(cursors))
    listed = await ana.client.code_validation.list_validations(v1.ListValidationsRequest())
    assert len(listed.validations) == 1
    history = await ana.client.events.read_events(
        v1.ReadEventsRequest(filter=v1.EventFilter(types=["code.validated"]))
    )
    assert len(history.events) == 1


async def test_bad_submissions_are_refused_in_words(server, connect):
    ana = await join(server, connect, "Ana")

    async def refusal(what: v1.ValidateCodeRequest) -> hito.HitoError:
        with pytest.raises(hito.InvalidArgument) as caught:
            async for _ in ana.client.code_validation.validate_resuming(what):
                pass
        return caught.value

    for path in ("../x.py", "/x.py", "a//b.py", "-x.py", "a\nb.py"):
        bad = v1.ValidateCodeRequest(
            submission=v1.Submission(files=[v1.SourceFile(path=path, content="x = 1\n")])
        )
        assert "path" in str(await refusal(bad))
    many = [v1.SourceFile(path=f"f{number}.py") for number in range(51)]
    assert "50" in str(await refusal(v1.ValidateCodeRequest(
        submission=v1.Submission(files=many, main_path="f0.py"))))  # fmt: skip
    task = await a_task(ana)
    assert "suite" in str(await refusal(request(RIGHT, task, suite=suite())))
    assert "runs" in str(await refusal(request(RIGHT, runs=6)))
