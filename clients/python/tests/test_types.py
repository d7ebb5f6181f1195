"""What a strict type checker says of the package, its stubs and the examples."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import readme

import hito
from hito._options import UnaryOptions

USES = '''\
import hito
import hito.sync
from hito import v1


async def uses(client: hito.Client) -> None:
    reveal_type(await client.goals.create_goal(v1.CreateGoalRequest()))
    reveal_type((await client.goals.get_goal(v1.GetGoalRequest())).goal.status)
    async for step in client.progress.watch_resuming(v1.WatchRequest()):
        reveal_type(step.WhichOneof("step"))
    async with client.progress.watch(v1.WatchRequest()) as stream:
        reveal_type(await anext(stream))
    reveal_type(v1.WorkStatus.WORK_STATUS_COMPLETED)
    await client.goals.create_goal(v1.CreateGoalRequest(), hedgign=1)
    await client.goals.create_goal(v1.CreateGoalRequest(titel="x"))
    await client.goals.create_goal(v1.GetGoalRequest())


def blocks(client: hito.sync.Client) -> None:
    reveal_type(client.goals.create_goal(v1.CreateGoalRequest(), timeout=1))
    reveal_type([step.cursor for step in client.progress.watch(v1.WatchRequest())])
    client.courses.ingest_documents([v1.CourseDocument()])
    v1.Goal().created_at = v1.Goal().updated_at
    hito.sync.Client.connect("a:1", tokn="x")
'''
SAID = [
    "hito.v1.goals_pb2.CreateGoalResponse", "hito.v1.common_pb2.WorkStatus",
    "Literal['event'] | Literal['mark'] | None", "hito.v1.progress_pb2.WatchResponse",
    "hito.v1.common_pb2.WorkStatus", 'Unexpected keyword argument "hedgign"',
    'Unexpected keyword argument "titel"', 'incompatible type "GetGoalRequest"',
    "hito.v1.goals_pb2.CreateGoalResponse", "list[str]", 'incompatible type "CourseDocument"',
    'Property "created_at" defined in "Goal" is read-only', 'Unexpected keyword argument "tokn"',
]  # fmt: skip


@pytest.fixture(scope="module", name="check")
def _check(tmp_path_factory):
    cache = tmp_path_factory.mktemp("mypy")

    def check(*what):
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), *what],
            capture_output=True, text=True, cwd=readme.CLIENT, timeout=300, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return check


def test_the_package_and_its_stubs_are_clean(check):
    code, said = check("--package", "hito")
    assert code == 0, said


def test_stubs_of_everything_that_the_generator_promises_are_clean(check, monkeypatch):
    fixtures = readme.CLIENT.parents[1] / "Tests" / "Fixtures" / "python"
    monkeypatch.setenv("MYPYPATH", f"{fixtures}:{readme.CLIENT / 'src'}")
    code, said = check("--package", "fixture")
    assert code == 0, said


def test_the_examples_are_clean(check, tmp_path):
    module = tmp_path / "readme_examples.py"
    module.write_text(readme.module())
    code, said = check(str(module), "examples")
    assert code == 0, said


def test_a_checker_knows_every_type_and_finds_mistakes(check, tmp_path):
    module = tmp_path / "uses.py"
    module.write_text(USES)
    code, said = check(str(module))
    lines = [line for line in said.splitlines() if ": note: Rev" in line or ": error:" in line]
    assert code == 1 and len(lines) == len(SAID), said
    for line, wanted in zip(lines, SAID, strict=True):
        assert wanted in line, said


def test_the_package_says_that_it_has_types():
    assert (Path(hito.__file__).parent / "py.typed").exists()


def test_interceptors_see_every_option_of_a_call():
    assert set(hito.CallOptions.__dataclass_fields__) == set(UnaryOptions.__annotations__)
