"""The README's tour, word for word: its commands are typed into a shell, and print what stands there."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List

import pytest
import tour
from hito_server import REPOSITORY, HitoServer, binary, waiting

HEADING = "## A five-minute tour"
END = "--end of a step--"


class Shell:
    """A shell that is typed into; both of its streams are what a person sees."""

    def __init__(self, environment: Dict[str, str]) -> None:
        self.process = subprocess.Popen(
            ["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env=environment, cwd=REPOSITORY,
        )  # fmt: skip

    def type(self, command: str) -> List[str]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{command}\necho '{END}'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == END:
                return lines
            lines.append(line.rstrip("\n"))
        raise AssertionError(f"the shell ended in {command}")

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


@pytest.fixture(name="shell")
def _shell(server: HitoServer, tmp_path: Path) -> Iterator[Shell]:
    (tmp_path / "hito").symlink_to(binary())
    own = {name: text for name, text in os.environ.items() if not name.startswith("HITO_")}
    shell = Shell({
        **own, "PATH": f"{tmp_path}:{own['PATH']}", "HITO_DATA_DIR": str(server.data),
        "HITO_ADDRESS": server.address, "NO_COLOR": "1", "COLUMNS": "200",
    })  # fmt: skip
    yield shell
    shell.close()


def test_every_command_of_the_tour_prints_what_stands_there(shell: Shell, tmp_path: Path):
    steps = tour.steps(REPOSITORY / "README.md", HEADING)
    assert len(steps) > 15, "the tour was not found"
    wrong: List[str] = []
    watched = tmp_path / "watched"
    for step in steps:
        if step.command.startswith(("make ", "export PATH=")):
            continue  # The server and the program are those of this test.
        if step.command.startswith("hito watch"):
            # In a terminal of its own, to its end below.
            shell.type(f"{step.command} > {watched} 2>&1 & WATCH=$!")
            watch = step
            continue
        wrong += tour.differences(step, shell.type(step.command))
    for _ in waiting(30, "the watcher to see all of it"):
        if not tour.differences(watch, watched.read_text().splitlines()[: len(watch.expected)]):
            break
    shell.type(f"kill -{int(signal.SIGINT)} $WATCH; wait $WATCH")
    assert "to continue from here: hito watch --from " in watched.read_text()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("expected", "shown", "isRight"),
    [
        (["a", "…", "c"], ["a", "b", "b", "c"], True),
        (["a", "c"], ["a", "b", "c"], False),
        (["a"], ["a", "b"], False),
        (["a", "…"], ["a", "b"], True),
        (["x 2026-01-01T00:00:00Z"], ["x 2027-02-02T01:01:01.5Z"], True),
        (["Events  6"], ["Events  4"], False),
    ],
)
def test_what_is_not_printed_is_found(expected, shown, isRight):
    assert (not tour.differences(tour.Step("x", "x", expected), shown)) == isRight
