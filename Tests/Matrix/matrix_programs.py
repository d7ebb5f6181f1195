"""The programs of the matrix: one for each language, and what they say."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional

from matrix_checker import Event, History, Write

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = REPOSITORY / "Tests" / "Matrix"
BUILT = REPOSITORY / ".build-clients"
LANGUAGES = ["python", "go", "java", "rust", "c", "typescript", "swift"]


def command(language: str) -> Optional[List[str]]:
    """What runs its program; None where that is not built."""
    if language == "python":
        return [sys.executable, str(HERE / "python" / "main.py")]
    if language == "swift":
        return [sys.executable, str(HERE / "swift" / "main.py")]
    if language == "java":
        built = BUILT / "java"
        parts = [BUILT / "matrix" / "java", built / "hito-client" / "classes", built / "hito-messages" / "classes"]
        path = ":".join([*map(str, parts), "/usr/share/java/protobuf-3.21.12.jar"])
        options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"]
        return ["java", *options, "-cp", path, "Main"] if (parts[0] / "Main.class").exists() else None
    if language == "typescript":
        program = BUILT / "typescript" / "matrix" / "main.mjs"
        node = _node()
        return [node, str(program)] if program.exists() and node else None
    program = {
        "go": BUILT / "matrix" / "go", "c": BUILT / "matrix" / "c",
        "rust": BUILT / "rust" / "target" / "debug" / "matrix",
    }[language]  # fmt: skip
    return [str(program)] if program.exists() else None


def _node() -> Optional[str]:
    """The machine's Node.js, or that of .venv, as clients/typescript/toolchain.sh has it."""
    return shutil.which("node", path=f"{os.environ['PATH']}:{REPOSITORY / '.venv' / 'bin'}")


@dataclass(frozen=True)
class Task:
    """What all programs are told."""

    addresses: str
    ca_file: str
    token_file: str
    seconds: float
    rate: float


class Program:
    """A program that runs, and the history that it tells."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.history = History(name)
        self.has_written = asyncio.Event()
        self.is_done = False
        self._process = process
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls, language: str, task: Task, balancing: str, environment: Dict[str, str], log: Path
    ) -> "Program":
        words = command(language)
        assert words is not None, f"the program in {language} is not built: run Tests/Matrix/build.sh"
        # Programs for whom a process is a client pay for each write with one.
        rate = min(task.rate, 2.0) if language == "swift" else task.rate
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *words, task.addresses, task.ca_file, task.token_file, str(task.seconds), language, balancing,
                str(rate), env={**os.environ, **environment}, stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=file,
            )  # fmt: skip
        return cls(language, process)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for text in self._process.stdout:
            self._take(json.loads(text))
        self.has_written.set()

    def _take(self, line: Dict[str, Any]) -> None:
        history = self.history
        if "saw" in line:
            history.saw.append(Event(**line["saw"]))
        elif "wrote" in line:
            history.wrote.append(Write(**line["wrote"]))
        elif "failed" in line:
            history.failed.append(f"{line['key']}: {line['failed']}")
        elif "written" in line:
            self.has_written.set()
        elif "done" in line:
            self.is_done = True
            history.interruptions = line["interruptions"]

    async def finish(self, end: str, seconds: float) -> bool:
        """Tells it the last cursor, and whether it then said that it is done and ended in peace."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{end}\n".encode())
            async with asyncio.timeout(seconds):
                await self._process.stdin.drain()
                await self._reading
                return await self._process.wait() == 0 and self.is_done
        except (TimeoutError, ConnectionError):
            return False

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
