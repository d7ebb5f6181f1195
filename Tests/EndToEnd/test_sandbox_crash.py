"""A server, and a sandbox, that are killed in the middle of a learner's program."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from pathlib import Path
from typing import Iterator, List, Set, Tuple

import pytest
from conftest import _running
from hito import v1
from hito_server import HitoServer, waiting
from learning import Person, join

DAEMONS = 12
# Daemons of sessions of their own, deaf to every signal that can be ignored, each with a file that it holds open.
PROGRAM = f"""import os, signal, time
for number in range({DAEMONS}):
    if os.fork() == 0:
        os.setsid()
        for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            signal.signal(signum, signal.SIG_IGN)
        held = open('/tmp/held-%d' % number, 'w')
        held.write('x' * 4096)
        held.flush()
        while True: time.sleep(0.01)
end = time.process_time() + 2
while time.process_time() < end: pass
print('listo')
"""


@pytest.fixture(scope="module")
def server() -> Iterator[HitoServer]:
    yield from _running({}, ["--validation-slots", "1"])


def processes() -> Iterator[Tuple[Path, str]]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            yield entry, (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except (FileNotFoundError, ProcessLookupError):
            continue


def named(mark: str) -> List[Path]:
    return [entry for entry, command in processes() if mark in command]


def groups(of: List[Path]) -> Set[Path]:
    """The folders of the control groups that hold processes."""
    found: Set[Path] = set()
    for process in of:
        try:
            lines = (process / "cgroup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for line in lines:
            _, controllers, path = line.split(":", 2)
            if "hito-sandbox" in path:
                folder = controllers.removeprefix("name=") or "unified"
                found.add(Path("/sys/fs/cgroup") / folder / path.lstrip("/"))
                found.add(Path("/sys/fs/cgroup") / path.lstrip("/"))
    return {folder for folder in found if folder.is_dir()}


def request(mark: str) -> v1.ValidateCodeRequest:
    test = v1.ExpectedTest(id="escribe", output="listo\n")
    suite = v1.TestSuite(language="python", kind=v1.TestKind.TEST_KIND_STDIO, tests=[test])
    files = [v1.SourceFile(path=f"{mark}.py", content=PROGRAM)]
    return v1.ValidateCodeRequest(submission=v1.Submission(files=files), suite=suite)


async def test_a_kill_of_the_server_leaves_no_process_no_file_and_no_group(server, connect):
    ana: Person = await join(server, connect, "Ana")
    mark = "marca_" + secrets.token_hex(8)
    mounts = Path("/proc/self/mounts").read_text()
    running = ana.client.code_validation.validate_resuming(request(mark))
    answers = [await running.__anext__()]
    for _ in waiting(60, "the program's daemons"):
        guests = named(mark)
        if len(guests) > DAEMONS:
            break
    held = groups(guests)
    assert held, "the program runs in no control group of the sandbox"

    server.kill()
    for _ in waiting(20, "the program's processes to end with the server"):
        if not named(mark):
            break
    left = {process.name for process in guests}
    for folder in held:
        # Another server may have taken the group since, with processes of its own.
        with contextlib.suppress(FileNotFoundError):
            assert not left & set((folder / "cgroup.procs").read_text().split()), folder
    assert Path("/proc/self/mounts").read_text() == mounts
    assert not list(Path("/tmp").glob("held-*"))

    await server.restart()
    answers += [answer async for answer in running]
    assert answers[-1].result.verdict == v1.Verdict.VERDICT_PASSED, answers[-1]
    assert running.interruptions > 0
    assert not named(mark)
    assert len({answer.run_id for answer in answers if answer.run_id}) == 1


def parent(process: Path) -> Path:
    """The process that started it, as `/proc` shows it."""
    return Path("/proc") / (process / "stat").read_text().rsplit(")", 1)[1].split()[1]


async def test_a_sandbox_that_is_killed_is_no_fault_of_the_code(server, connect):
    ana: Person = await join(server, connect, "Ana")
    mark = "marca_" + secrets.token_hex(8)
    running = ana.client.code_validation.validate_resuming(request(mark))
    answers = [await running.__anext__()]
    for _ in waiting(60, "the program's daemons"):
        guests = named(mark)
        if len(guests) > DAEMONS:
            break
    # From the first of the program's processes up to the one that the server started.
    child = min(guests, key=lambda process: int(process.name))
    while int(parent(child).name) not in (server.pid, 1):
        child = parent(child)
    os.kill(int(child.name), signal.SIGKILL)
    answers += [answer async for answer in running]
    result = answers[-1].result
    # Tried again, and right; where that is not done, it is said to be ours.
    assert result.verdict == v1.Verdict.VERDICT_PASSED, answers[-1]
    assert not named(mark)
