"""The cross matrix: clients of all languages work on one learner's goals through two servers of one database, which
are killed in turn; then what each saw and wrote is held to the log.

    python matrix.py [--seconds S] [--rate N] [--languages a,b] [--folder F]

Ends with 0 where nothing was lost, doubled or out of order; with 1 otherwise, and then leaves the histories and
the logs in the folder. Tests/Matrix/README.md has the whole of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import List, Sequence

from hito_server import binary
from matrix_checker import Event, History, check, ends_at
from matrix_programs import LANGUAGES, Program, Task, command
from matrix_pair import Pair

WRITES_SECONDS = 60.0
"""After the time, for the last writes."""
CATCH_UP_SECONDS = 60.0


@dataclass
class Result:
    """Of a run."""

    complaints: List[str] = field(default_factory=list)
    histories: List[History] = field(default_factory=list)
    log: List[Event] = field(default_factory=list)
    kills: int = 0


def available(wanted: Sequence[str] = LANGUAGES) -> List[str]:
    """Those whose programs are built. HITO_TEST_CLIENTS=all: one that is not is an error."""
    missing = [language for language in wanted if command(language) is None]
    if missing and os.environ.get("HITO_TEST_CLIENTS") == "all":
        raise FileNotFoundError(f"not built: {', '.join(missing)}; run Tests/Matrix/build.sh")
    if missing:
        print(f"left out, not built: {', '.join(missing)}", flush=True)
    return [language for language in wanted if language not in missing]


async def run(
    languages: Sequence[str], seconds: float, rate: float, folder: Path, down: float = 2.0, up: float = 4.0
) -> Result:
    """One run. What was found is in its result; what kept it from being played is raised."""
    pair = Pair(folder)
    programs: List[Program] = []
    try:
        await asyncio.to_thread(pair.start)
        result = await _play(pair, languages, seconds, rate, programs, down, up)
        if result.complaints:
            _keep(folder, pair, result)
        return result
    finally:
        for program in programs:
            await program.kill()
        await asyncio.to_thread(pair.remove)


async def _play(
    pair: Pair, languages: Sequence[str], seconds: float, rate: float, programs: List[Program],
    down: float, up: float,
) -> Result:  # fmt: skip
    login = pair.servers[0].join("Ana")
    token = pair.folder / "token"
    token.write_text(login.token)
    task = Task(pair.addresses, pair.ca_file, str(token), seconds, rate)
    for number, language in enumerate(languages):
        balancing = ("round_robin", "pick_first")[number % 2]
        log = pair.folder / f"{language}.log"
        programs.append(await Program.start(language, task, balancing, {"HITO_BINARY": binary()}, log))
    await pair.kill_in_turn(seconds, down, up)
    written = asyncio.gather(*(program.has_written.wait() for program in programs))
    result = Result(histories=[program.history for program in programs], kills=pair.kills)
    try:
        await asyncio.wait_for(written, WRITES_SECONDS)
    except TimeoutError:
        late = [program.history.name for program in programs if not program.has_written.is_set()]
        result.complaints.append(f"still writing: {', '.join(late)}")
    cursors = [history.wrote[-1].cursor for history in result.histories if history.wrote]
    before, _ = await pair.read_log(login, cursors)
    end = before[-1].cursor
    done = await asyncio.gather(*(program.finish(end, CATCH_UP_SECONDS) for program in programs))
    result.log, titles = await pair.read_log(login, cursors)
    for history, is_done in zip(result.histories, done):
        name = history.name
        if not history.wrote:
            result.complaints.append(f"{name}: wrote nothing")
        if not ends_at(history, end):
            result.complaints.append(f"{name}: did not see the end of the log, {end}")
        elif not is_done:
            result.complaints.append(f"{name}: did not end well: see {pair.folder / name}.log")
    result.complaints += check(result.log, titles, result.histories)
    return result


def _keep(folder: Path, pair: Pair, result: Result) -> None:
    for history in result.histories:
        (folder / f"{history.name}.json").write_text(json.dumps(asdict(history), indent=1))
    (folder / "log.json").write_text(json.dumps([asdict(event) for event in result.log], indent=1))
    (folder / "complaints.txt").write_text("".join(f"{text}\n" for text in result.complaints))
    for number, server in enumerate(pair.servers):
        shutil.copy(server.log, folder / f"server{number}.log")


def report(result: Result) -> str:
    lines = [
        f"{history.name:>10}: {len(history.wrote)} writes ({sum(w.replayed for w in history.wrote)} replayed), "
        f"{len(history.failed)} failed, {len(history.saw)} events, {history.interruptions} interruptions"
        for history in result.histories
    ]
    for history in result.histories:
        codes = Counter(text.split(": ", 1)[1] for text in history.failed)
        lines += [f"{history.name:>10}: {times} × {code}" for code, times in codes.items()]
    if len(result.complaints) > 20:
        lines.append(f"{len(result.complaints)} complaints, the first 20:")
    return "\n".join(lines + result.complaints[:20])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--rate", type=float, default=20.0, help="writes a second of each client at most")
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--folder", type=Path, help="where the histories of a violation stay")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="hito-matrix-", dir="/tmp"))
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    languages = available(options.languages.split(","))
    result = asyncio.run(run(languages, options.seconds, options.rate, folder))
    print(report(result))
    verdict = f"VIOLATION, see {folder}" if result.complaints else "no violation"
    seconds = time.monotonic() - began
    print(f"{verdict}: {result.kills} kills, {len(result.log)} events, {len(languages)} clients in {seconds:.0f} s")
    if not result.complaints and options.folder is None:
        shutil.rmtree(folder)
    return 1 if result.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
