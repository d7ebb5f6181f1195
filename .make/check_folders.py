"""No cycles between the folders of a target: who needs whom goes one way inside a target too.

A folder needs another when one of its files names a type or a function that the other declares at
the top level. (Members that an extension adds elsewhere are not seen.)
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Dict, List, Set, Tuple

from swift_source import Source, swift_sources

Needs = Dict[str, Dict[str, List[str]]]
"""Folder -> folder that it needs -> where, for example `Writes/Executor.swift:12 names Clock`."""


def needs(target: Path, sources: List[Source]) -> Needs:
    folder_of = {source.path: folder(target, source) for source in sources}
    owners: Dict[str, Set[str]] = {}
    for source in sources:
        for name in source.declared():
            owners.setdefault(name, set()).add(folder_of[source.path])
    result: Needs = {name: {} for name in set(folder_of.values())}
    for source in sources:
        own = folder_of[source.path]
        seen: Set[str] = set()
        for name, line in source.uses():
            # A name that several folders declare (an overload) says nothing.
            if name in seen or len(owners.get(name, ())) != 1:
                continue
            seen.add(name)
            (owner,) = owners[name]
            if owner != own:
                place = f"{source.path.relative_to(target)}:{line} names {name}"
                result[own].setdefault(owner, []).append(place)
    return result


def folder(target: Path, source: Source) -> str:
    parts = source.path.relative_to(target).parts
    return parts[0] if len(parts) > 1 else "(files beside the folders)"


def cycles(graph: Needs) -> List[List[str]]:
    """The groups of folders in which each reaches each other."""
    reach = {name: reachable(graph, name) for name in graph}
    groups: List[List[str]] = []
    for name in sorted(graph):
        group = sorted({name} | {other for other in reach[name] if name in reach[other]})
        if len(group) > 1 and group not in groups:
            groups.append(group)
    return groups


def reachable(graph: Needs, start: str) -> Set[str]:
    found: Set[str] = set()
    waiting = [start]
    while waiting:
        for other in graph[waiting.pop()]:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def main() -> int:
    failed = 0
    for target in sorted(path for path in Path("Sources").iterdir() if path.is_dir()):
        # Generated code and what it is generated against are one.
        sources = [one for one in swift_sources(target) if "Generated" not in one.path.parts]
        graph = needs(target, sources)
        for group in cycles(graph):
            failed = 1
            print(f"{target}: the folders {', '.join(group)} need each other", file=sys.stderr)
            for own, other in pairs(graph, group):
                places = graph[own][other]
                more = f", and {len(places) - 2} more" if len(places) > 2 else ""
                print(f"  {own} -> {other}: {'; '.join(places[:2])}{more}", file=sys.stderr)
    return failed


def pairs(graph: Needs, group: List[str]) -> List[Tuple[str, str]]:
    return [(own, other) for own in group for other in sorted(graph[own]) if other in group]


if __name__ == "__main__":
    sys.exit(main())
