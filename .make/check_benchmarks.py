"""The tables of figures hold what the benchmarks print, name by name."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Dict, List, Set

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
    files |= set(Path("Tests/Benchmarks").rglob("*.py")) | set(Path("Tests/Attacks").glob("conftest.py"))
    files |= set(Path(".make").glob("bench*.py"))
    # Types of events and names of files look like figures.
    others = event_types()
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
                is_file = Path(text).suffix in (".sql", ".py", ".sh", ".pem", ".token", ".json")
                if re.match(r"[a-z]+\.[a-z][\w.]+", text) and not is_file and text not in others:
                    parts = _INTERPOLATION.split(text)
                    found["[a-z0-9]+".join(map(re.escape, parts))] = f"{path}:{number}"
    return found


def event_types() -> Set[str]:
    text = Path("Sources/Domain/Events/StoredEvent.swift").read_text()
    return set(re.findall(r'case \w+ = "(\w+\.\w+)"', text))


def findings() -> List[str]:
    rows_of_pages, patterns = rows(), names()
    return [
        f"{place}: no benchmark prints {row}"
        for row, place in rows_of_pages.items()
        if not any(re.fullmatch(pattern, row) for pattern in patterns)
    ] + [
        f"{place}: {pattern} has no row in {PAGES[0]} or {PAGES[1]}"
        for pattern, place in patterns.items()
        if not any(re.fullmatch(pattern, row) for row in rows_of_pages)
    ]


def main() -> int:
    found = findings()
    for finding in found:
        print(finding, file=sys.stderr)
    if not found:
        print(f"benchmarks: {len(rows())} figures have their rows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
