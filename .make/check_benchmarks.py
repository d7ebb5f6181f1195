"""The tables of figures hold what the benchmarks print, name by name."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Dict, List

PAGES = (Path("docs/benchmarks.md"), Path("docs/building.md"))
_USES_FIGURES = "import BenchmarkSupport"
_INTERPOLATION = re.compile(r"\\\(\w+\)")


def rows() -> Dict[str, str]:
    """The name of each row of a table of figures -> where it stands."""
    found: Dict[str, str] = {}
    for page in PAGES:
        for number, line in enumerate(page.read_text().splitlines(), 1):
            match = re.match(r"\| `([a-z]+\.[\w.]+)` \|", line)
            if match:
                found.setdefault(match[1], f"{page}:{number}")
    return found


def names() -> Dict[str, str]:
    """What benchmarks may print, as patterns -> where they do. `\\(name)` stands for `let name = "..."`."""
    files = {path for path in Path("Tests").rglob("*.swift") if _USES_FIGURES in path.read_text()}
    files |= set(Path("Tests/Benchmarks").rglob("*.py"))
    files |= set(Path(".make").glob("bench*.py"))
    found: Dict[str, str] = {}
    for path in sorted(files):
        prefix = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            alone = re.search(r'let name = "([a-z_.]+)"$', line)
            if alone:
                prefix = alone[1]
                continue
            for text in re.findall(r'"((?:[a-z]|\\\(name\))[\w.\\()]*)"', line):
                text = text.replace("\\(name)", prefix)
                if re.match(r"[a-z]+\.[a-z]\w+", text) and not is_something_else(text):
                    parts = _INTERPOLATION.split(text)
                    found["[a-z0-9]+".join(map(re.escape, parts))] = f"{path}:{number}"
    return found


def is_something_else(text: str) -> bool:
    """Types of events and names of files look like figures."""
    return text in _EVENT_TYPES or Path(text).suffix in (".sql", ".py", ".pem", ".token", ".json")


_EVENT_TYPES = set(
    re.findall(r'case \w+ = "(\w+\.\w+)"', Path("Sources/Domain/Events/Event.swift").read_text())
)


def main() -> int:
    rows_of_pages, patterns = rows(), names()
    findings: List[str] = [
        f"{place}: no benchmark prints {row}"
        for row, place in rows_of_pages.items()
        if not any(re.fullmatch(pattern, row) for pattern in patterns)
    ] + [
        f"{place}: {pattern} has no row in {PAGES[0]} or {PAGES[1]}"
        for pattern, place in patterns.items()
        if not any(re.fullmatch(pattern, row) for row in rows_of_pages)
    ]
    for finding in findings:
        print(finding, file=sys.stderr)
    if not findings:
        print(f"benchmarks: {len(rows_of_pages)} figures have their rows")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
