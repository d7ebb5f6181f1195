"""`make bench-build`: a first release build with its parts, then builds after one changed line.

The parts are CPU seconds by package and by target of ours, read from /proc four times a second: what
starts and ends between two looks is not in them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Dict, List, Optional

FOLDER = Path(".build-bench")
TREE = FOLDER / "tree"
CHANGED = TREE / "Sources" / "Service" / "Services" / "GoalService.swift"
INTERVAL_SECONDS = 0.25
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Sampler:
    """CPU seconds of the compilers that run, by what they compile."""

    def __init__(self) -> None:
        self._parts: Dict[int, str] = {}
        self._seconds: Dict[int, float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def seconds(self) -> Dict[str, float]:
        result: Dict[str, float] = defaultdict(float)
        for process, seconds in self._seconds.items():
            result[self._parts[process]] += seconds
        return result

    def _run(self) -> None:
        while not self._end.wait(INTERVAL_SECONDS):
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    self._look(entry)

    def _look(self, entry: Path) -> None:
        process = int(entry.name)
        try:
            if process not in self._parts:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                part = part_of(command)
                if part is None:
                    return
                self._parts[process] = part
            # After the name, which may hold anything, come state and numbers: user and system time.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            self._seconds[process] = (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
        except OSError:
            pass  # it has ended


def part_of(command: str) -> Optional[str]:
    """The package or target that a process works for; None where it is none of ours."""
    if str(TREE) not in command:
        return None
    module = re.search(r"-module-name (\S+)", command) or re.search(r"/([\w-]+)\.build/", command)
    if module is None:
        return "manifests and linking"
    return package_of(module[1]) or module[1]


def package_of(module: str) -> Optional[str]:
    """The package that a module is from; None where it is ours."""
    for sources in TREE.glob(f".build/checkouts/*/Sources/{module}"):
        return sources.parts[-3]
    return None


def copy_tree() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True,
    ).stdout.decode().split("\0")  # fmt: skip
    # Not tracked, but the versions that this work tree is built with.
    for name in [*filter(None, names), "Package.resolved"]:
        if Path(name).is_file():
            target = TREE / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, target)


def swift(*arguments: str) -> float:
    """Runs a command of SwiftPM in the copy; seconds."""
    began = time.monotonic()
    command = ["swift", *arguments, "--package-path", str(TREE.absolute())]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return time.monotonic() - began


def figure(name: str, ours: float, unit: str) -> None:
    line = {"name": name, "ours": ours, "peer": None, "theirs": None, "ratio": None, "unit": unit}
    print(f"FIGURE {json.dumps(line)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", default="release", choices=["release", "debug"])
    parser.add_argument("--product", default="hito")
    parser.add_argument("--rounds", type=int, default=3, help="builds after a change")
    options = parser.parse_args()
    build = ("build", "--configuration", options.configuration, "--product", options.product)

    copy_tree()
    fetched = swift("package", "resolve")
    with Sampler() as sampler:
        built = swift(*build)
    # Whatever SwiftPM does once more after a first build is not the change's.
    again = swift(*build)
    changes: List[float] = []
    for number in range(options.rounds):
        with CHANGED.open("a") as file:
            file.write(f"private func changedByBenchBuild{number}() -> Int {{ {number} }}\n")
        changes.append(swift(*build))
    packages = len(json.loads((TREE / "Package.resolved").read_text())["pins"])

    parts = sorted(sampler.seconds().items(), key=lambda part: -part[1])
    print("| part | CPU seconds |\n|---|---:|")
    for part, seconds in parts:
        if seconds >= 0.5:
            print(f"| {part} | {seconds:.0f} |")
    print(f"| all | {sum(seconds for _, seconds in parts):.0f} |\n")
    print(f"{os.cpu_count()} cores; {fetched:.0f} s for packages, {built:.0f} s for the build")
    print(f"{again:.0f} s with nothing changed; {', '.join(f'{one:.0f}' for one in changes)} s after a change")
    figure("build.first_release_seconds", round(fetched + built, 1), "s")
    figure("build.swift_packages", packages, "packages")
    figure("build.incremental_service_seconds", round(statistics.median(changes), 1), "s")
    shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
