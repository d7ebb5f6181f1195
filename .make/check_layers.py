"""The arrows between targets: Package.swift is the only source of them, docs/architecture.md draws them.

Reads `swift package dump-package` from standard input. Package.swift says who may import whom; the
drawing says in which layer each target is. Refused are: an import that is not a declared dependency, a
declared dependency that nobody imports, an arrow that does not point down, a C module with two
importers, event loops outside Transport, SQL outside PostgresStore, and `public` outside what the
client library hands out.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set

from swift_source import Source, swift_sources

PAGE = Path("docs/architecture.md")
MARKER = "<!-- checked by make check: the layers -->"

SYSTEM = {
    "Darwin", "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Musl", "Synchronization",
    "Testing",
}  # fmt: skip
# The standard library's own: what a target may use that stands on no C and on no package.
STANDARD = {"Synchronization"}
# What wraps the system itself for the others.
WRAPPERS = {"Threads"}
EVENT_LOOPS = "swift-nio"

_SQL = re.compile(
    r"(INSERT INTO|DELETE FROM|CREATE (TABLE|INDEX|EXTENSION)|ALTER TABLE|SELECT .+ FROM|"
    r"UPDATE [a-z_]+ SET) "
)
_PUBLIC = re.compile(r"^[ \t]*(?:@\w+(?:\([^)\n]*\))?[ \t]+)*public[ \t]+(?!import)", re.MULTILINE)


class Target(NamedTuple):
    name: str
    kind: str
    """regular, executable, test or system."""
    dependencies: List[str]
    """Targets of ours and products of others."""
    packages: Dict[str, str]
    """Product -> its package."""
    folder: Path
    sources: List[Source]

    @property
    def is_swift(self) -> bool:
        return bool(self.sources)

    @property
    def is_drawn(self) -> bool:
        """Whether it is below Sources: what tests and tools stand on is their own affair."""
        return self.folder.parts[0] == "Sources"


def targets(package: dict) -> Dict[str, Target]:
    result = {}
    for one in package["targets"]:
        dependencies, packages = [], {}
        for dependency in one["dependencies"]:
            (kind, value), *_ = dependency.items()
            dependencies.append(value[0])
            if kind == "product":
                packages[value[0]] = value[1]
        default = f"{'Tests' if one['type'] == 'test' else 'Sources'}/{one['name']}"
        folder = Path(one.get("path") or default)
        result[one["name"]] = Target(
            one["name"], one["type"], dependencies, packages, folder, swift_sources(folder)
        )
    return result


def layers() -> Dict[str, int]:
    """Target -> the number of its layer, from the drawing: `3  RPC  Retrieval`."""
    _, marker, rest = PAGE.read_text().partition(MARKER)
    if not marker:
        raise SystemExit(f"{PAGE} has no line {MARKER}")
    drawing = rest.split("```")[1]
    result = {}
    for line in drawing.splitlines():
        match = re.match(r"\s*(\d+)\s+(.+)", line)
        if match:
            result.update({name: int(match[1]) for name in match[2].split()})
    return result


def reach(all_targets: Dict[str, Target], name: str) -> Set[str]:
    found: Set[str] = set()
    waiting = [name]
    while waiting:
        target = all_targets.get(waiting.pop())
        for dependency in target.dependencies if target else ():
            if dependency not in found:
                found.add(dependency)
                waiting.append(dependency)
    return found


def wrong_imports(all_targets: Dict[str, Target], target: Target) -> Iterator[str]:
    """What is imported and not declared, and what is declared and not imported."""
    below = reach(all_targets, target.name)
    is_pure = target.is_drawn and target.name not in WRAPPERS and all(
        name in all_targets and all_targets[name].is_swift for name in below
    )
    system = STANDARD if is_pure else SYSTEM
    imported: Set[str] = set()
    for source in target.sources:
        for one in source.imports():
            imported.add(one.module)
            place = f"{source.path}:{one.line}"
            if one.module not in target.dependencies and one.module not in system:
                why = " (it stands on no C and on no package)" if one.module in SYSTEM else ""
                yield f"{place}: {target.name} may not import {one.module}{why}"
            if one.is_exported and target.name != "HitoClient":
                yield f"{place}: only HitoClient hands on other modules"
    for dependency in target.dependencies:
        other = all_targets.get(dependency)
        # Tests run executables that they cannot import.
        if dependency not in imported and not (other and other.kind == "executable"):
            yield f"Package.swift: {target.name} does not import its dependency {dependency}"


def wrong_arrows(all_targets: Dict[str, Target], layer: Dict[str, int]) -> Iterator[str]:
    ours = {name for name, target in all_targets.items() if target.is_drawn}
    for name in sorted(ours - layer.keys()):
        yield f"{PAGE}: the drawing has no {name}"
    for name in sorted(layer.keys() - ours):
        yield f"{PAGE}: the drawing has {name}, Package.swift has no such target"
    for name in sorted(ours & layer.keys()):
        for other in all_targets[name].dependencies:
            if layer[name] > 0 and layer.get(other, -1) >= layer[name]:
                yield (
                    f"Package.swift: {name} (layer {layer[name]}) may not depend on "
                    f"{other} (layer {layer[other]})"
                )


def wrong_places(all_targets: Dict[str, Target]) -> Iterator[str]:
    """Rules about what may be used in one target only."""
    exported = {"HitoClient"} | {
        one.module
        for source in all_targets["HitoClient"].sources
        for one in source.imports()
        if one.is_exported
    }
    importers: Dict[str, List[str]] = {}
    for target in all_targets.values():
        if not target.is_drawn or not target.is_swift:
            continue
        for dependency in target.dependencies:
            other = all_targets.get(dependency)
            if other and not other.is_swift:
                importers.setdefault(dependency, []).append(target.name)
            if target.packages.get(dependency) == EVENT_LOOPS and target.name != "Transport":
                yield f"Package.swift: event loops are Transport's: {target.name} uses {dependency}"
        for source in target.sources:
            if target.name != "PostgresStore":
                for match in _SQL.finditer(without_comments(source)):
                    yield f"{source.path}:{source.line(match.start())}: SQL is PostgresStore's"
            if target.name not in exported:
                for match in _PUBLIC.finditer(source.code):
                    line = source.line(match.end())
                    yield f"{source.path}:{line}: public is for what HitoClient hands out: package"
    for module, names in importers.items():
        if len(names) > 1:
            yield f"Package.swift: {module} is C and has several importers: {', '.join(names)}"


def without_comments(source: Source) -> str:
    return re.sub(r"//[^\n]*", lambda match: " " * len(match.group()), source.text)


def main() -> int:
    all_targets = targets(json.load(sys.stdin))
    swift = [target for target in all_targets.values() if target.is_swift]
    findings = [
        *(one for target in swift for one in wrong_imports(all_targets, target)),
        *wrong_arrows(all_targets, layers()),
        *wrong_places(all_targets),
    ]
    for finding in findings:
        print(finding, file=sys.stderr)
    if not findings:
        drawn = [target for target in swift if target.is_drawn]
        arrows = sum(len(target.dependencies) for target in drawn)
        print(f"layers: {len(drawn)} Swift targets, {arrows} arrows, all of them down")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
