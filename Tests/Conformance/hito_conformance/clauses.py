"""Which clauses of the two specifications have cases, and which need none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Set

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
PAGES = (REPOSITORY / "Protos" / "PROTOCOL.md", REPOSITORY / "clients" / "BEHAVIOUR.md")
WITHOUT = HERE.parent / "clauses-without-cases.txt"


class Coverage(NamedTuple):
    """What `--clauses` says."""

    covered: Dict[str, int]
    """Clause: how many cases."""
    excused: Dict[str, str]
    """Clause: why it has none."""
    missing: List[str]
    """Neither."""
    stale: List[str]
    """An excuse for a clause that has cases, or that is not there; or cases of such a clause."""


def clauses(pages: Iterable[Path] = PAGES) -> List[str]:
    """In the order of the texts."""
    found: List[str] = []
    for page in pages:
        found += re.findall(r"\*\*([WC]\d+\.\d+)\*\*", page.read_text(encoding="utf-8"))
    return found


def excuses() -> Dict[str, str]:
    result = {}
    for line in WITHOUT.read_text(encoding="utf-8").splitlines():
        clause, _, reason = line.partition(" ")
        if clause and not clause.startswith("#"):
            result[clause] = reason.strip()
    return result


def coverage(names: Iterable[str]) -> Coverage:
    covered: Dict[str, int] = {}
    for name in names:
        clause = name.partition("/")[0]
        covered[clause] = covered.get(clause, 0) + 1
    known, excused = clauses(), excuses()
    there: Set[str] = set(known)
    missing = [c for c in known if c not in covered and c not in excused]
    stale = [c for c, why in excused.items() if c not in there or c in covered or not why]
    stale += [c for c in covered if c != "grpc" and c not in there]
    return Coverage({c: covered[c] for c in known if c in covered}, excused, missing, stale)


def tell(names: Iterable[str]) -> bool:
    """Prints it; whether every clause has a case or a reason."""
    result = coverage(names)
    for clause, count in result.covered.items():
        print(f"{clause:8}{count:4} cases")
    for clause, why in result.excused.items():
        print(f"{clause:8}   - {why}")
    for clause in result.missing:
        print(f"{clause:8}   MISSING: no case, and no reason in {WITHOUT.name}")
    for clause in result.stale:
        print(f"{clause:8}   STALE: see {WITHOUT.name} and the names of the cases")
    return not result.missing and not result.stale
