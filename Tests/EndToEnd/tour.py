"""The commands of a page's `console` blocks, with what they are said to print."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List, NamedTuple

# What differs from one day or machine to the next, in the order in which it is looked for.
_VARIABLE = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "<time>"),
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\b[rsc]\d_[0-9a-f_]+…?"), "<cursor>"),
    (re.compile(r"\b\d+ ms\b"), "<ms>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
]


class Step(NamedTuple):
    place: str
    """`README.md:57`"""
    command: str
    expected: List[str]


def steps(path: Path, heading: str) -> List[Step]:
    """Those below `heading`, up to the next one of its level, in order."""
    found: List[Step] = []
    level = heading.split(" ")[0] + " "
    inside = in_block = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith(level):
            inside = line == heading
        elif inside and line.startswith("```"):
            in_block = line == "```console"
        elif inside and in_block and line.startswith("$ "):
            found.append(Step(f"{path.name}:{number}", line[2:], []))
        elif inside and in_block and found[-1].command.count("'") % 2:
            # A quotation goes on in the next line.
            found[-1] = found[-1]._replace(command=f"{found[-1].command}\n{line}")
        elif inside and in_block:
            found[-1].expected.append(line)
    return found


def differences(step: Step, shown: List[str]) -> List[str]:
    """The expected lines that were not shown in their order; a line of `…` stands for any lines, `…` in a line
    for any text. Where nothing is left out, nothing else may be shown."""
    lines = [_settled(line) for line in shown]
    at, isOpen, missing = 0, False, []
    for expected in step.expected:
        if expected.strip() == "…":
            isOpen = True
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in _settled(expected).split("…")))
        rest = lines[at:] if isOpen else lines[at : at + 1]
        place = next((i for i, line in enumerate(rest) if pattern.fullmatch(line)), None)
        if place is None:
            missing.append(f"{step.place}: {expected!r} is not what follows in\n" + "\n".join(lines))
            return missing
        at, isOpen = at + place + 1, False
    if not isOpen and lines[at:]:
        missing.append(f"{step.place}: nobody expects {lines[at:]}")
    return missing


def _settled(line: str) -> str:
    line = re.sub(r"01a2…", "<id>", line).replace("r3_…", "<cursor>").replace("s1_…", "<cursor>")
    for pattern, name in _VARIABLE:
        line = pattern.sub(name, line)
    return re.sub(r"  +", "  ", line.rstrip())
