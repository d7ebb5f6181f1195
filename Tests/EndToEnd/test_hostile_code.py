"""Hostile code through the client, in the real sandbox: each is contained and gets the right verdict, and another
caller is served meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any, Iterator, List

import hostile_code
import pytest
from conftest import _running
from hito import v1
from hito_server import HitoServer
from hostile_code import Attack
from learning import Person, join

FAILED, PASSED = v1.Verdict.VERDICT_FAILED, v1.Verdict.VERDICT_PASSED
LIMITS = v1.RunLimits(cpu_ms=1000, memory_bytes=128 << 20)
PYTHON_TESTS = """import unittest
from adder import add

class AddTest(unittest.TestCase):
    def test_one(self):
        self.assertEqual(add(1, 2), 3)

    def test_two(self):
        self.assertEqual(add(2, 2), 4)
"""
NODE_TESTS = """import { test } from "node:test";
import assert from "node:assert";
import { add } from "./adder.mjs";
test("adds", () => { assert.strictEqual(add(1, 2), 3); });
test("adds more", () => { assert.strictEqual(add(2, 2), 4); });
"""
LANGUAGES = {"py": "python", "c": "c", "sh": "shell"}


def suite(attack: Attack) -> v1.TestSuite:
    if attack.tests == "unittest":
        return v1.TestSuite(
            language="python", kind=v1.TestKind.TEST_KIND_UNITTEST, limits=LIMITS,
            files=[v1.SourceFile(path="test_adder.py", content=PYTHON_TESTS)],
            tests=[v1.ExpectedTest(id=f"test_adder.AddTest.test_{name}") for name in ("one", "two")],
        )  # fmt: skip
    if attack.tests == "node":
        return v1.TestSuite(
            language="javascript", kind=v1.TestKind.TEST_KIND_NODE_TEST, limits=LIMITS,
            files=[v1.SourceFile(path="adder.test.mjs", content=NODE_TESTS)],
            tests=[v1.ExpectedTest(id=f"adder.test.mjs::{name}") for name in ("adds", "adds more")],
        )  # fmt: skip
    return v1.TestSuite(
        language=LANGUAGES[attack.path.rpartition(".")[2]], kind=v1.TestKind.TEST_KIND_STDIO, limits=LIMITS,
        tests=[v1.ExpectedTest(id="sum", input="1 2\n", output="3\n")],
    )  # fmt: skip


async def validation(person: Person, attack: Attack) -> Any:
    request = v1.ValidateCodeRequest(
        submission=v1.Submission(
            files=[v1.SourceFile(path=attack.path, content=attack.code)], main_path=attack.path
        ),
        suite=suite(attack),
    )
    answers: List[Any] = [
        answer async for answer in person.client.code_validation.validate_resuming(request)
    ]
    assert len(answers) < 2000
    return answers[-1].validation


@pytest.fixture(scope="module")
def server() -> Iterator[HitoServer]:
    yield from _running({})


@pytest.mark.parametrize("kind", hostile_code.ALL)
async def test_hostile_code_fails_and_others_are_served(server, connect, kind):
    eve, bob = [await join(server, connect, name) for name in ("Eve", "Bob")]
    right = hostile_code.unittest("", "def add(a, b): return a + b\n")
    attacks = [
        (name, asyncio.create_task(validation(eve, attack)))
        for name, attack in hostile_code.ALL[kind].items()
    ]
    wrong = []
    while not all(task.done() for _, task in attacks):
        served = await validation(bob, right)
        if served.verdict != PASSED:
            wrong.append(("an honest caller", served.verdict, served.report.reason))
    for name, task in attacks:
        ended = await task
        if ended.verdict != FAILED:
            wrong.append((name, v1.Verdict.Name(ended.verdict), ended.report.reason))
        if any(test.status == v1.TestStatus.TEST_STATUS_PASS for test in ended.report.tests):
            wrong.append((name, "a test passed", ended.report.reason))
    assert not wrong, "\n".join(map(str, wrong))
