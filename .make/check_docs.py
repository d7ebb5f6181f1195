"""What the documentation names exists: paths, `make` targets, commands of `hito`, methods.

Reads `hito --experimental-dump-help` from standard input. Names with a placeholder (`<`, `…`, `*`) stand
for something else. The original notes and the decisions (docs/adr) speak of their own time.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set

PAGES = [
    Path("README.md"),
    *(path for path in sorted(Path("docs").glob("*.md")) if path.name != "design-notes.md"),
]
ROOTS = ("Sources/", "Tests/", "Protos/", "docs/", "clients/", ".make/", ".ci/")
_PLACEHOLDER = re.compile(r"[<…*{]|NNNN")


class Piece(NamedTuple):
    """A piece of code in a page."""

    place: str
    text: str


class Page(NamedTuple):
    path: Path
    links: List[Piece]
    spans: List[Piece]
    """Between backticks."""
    commands: List[Piece]
    """Lines of fenced blocks that a reader could type."""


def read(path: Path) -> Page:
    page = Page(path, [], [], [])
    language = ""
    command: List[str] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        place = f"{path}:{number}"
        if line.startswith("```"):
            language = "" if language else line[3:].strip() or "text"
        elif not language:
            page.links.extend(Piece(place, link) for link in re.findall(r"\]\(([^)#]+)", line))
            page.spans.extend(Piece(place, span) for span in re.findall(r"`([^`]+)`", line))
        elif language == "sh" or (language == "console" and (line.startswith("$ ") or command)):
            # A quotation or a backslash continues in the next line.
            command.append(line.removeprefix("$ "))
            text = "\n".join(command)
            if text.count("'") % 2 == 0 and not text.endswith("\\"):
                page.commands.append(Piece(place, text))
                command = []
    return page


def missing_paths(page: Page) -> Iterator[str]:
    for place, link in page.links:
        if "://" not in link and not (page.path.parent / link).exists():
            yield f"{place}: there is no {link}"
    for place, span in page.spans:
        name = span.split(":")[0]
        if name.startswith(ROOTS) and " " not in name and not _PLACEHOLDER.search(name):
            if not Path(name).exists():
                yield f"{place}: there is no {name}"


def wrong_decisions(folder: Path) -> Iterator[str]:
    """Each decision has a number of its own, in its name and in its title."""
    numbers: Dict[str, Path] = {}
    for path in sorted(folder.glob("*.md")):
        number = path.name[:4]
        if number in numbers:
            yield f"{path}: {numbers[number]} has the same number"
        if not path.read_text().startswith(f"# {number}. "):
            yield f"{path}: the title does not begin with `# {number}. `"
        numbers[number] = path


def missing_commands(page: Page, commands: Dict[str, Set[str]], known: "Known") -> Iterator[str]:
    for place, text in page.commands:
        for line in re.split(r"\n(?![ \t])", text):
            for command in re.findall(r"(?:^|\$\(|&& |\| )((?:make|hito)\b[^#)]*)", line):
                yield from wrong_command(place, command, commands, known)
    for place, text in page.spans:
        if re.match(r"(make|hito) [a-z-]", text):
            yield from wrong_command(place, text, commands, known)


class Known(NamedTuple):
    targets: Set[str]
    methods: Set[str]


def wrong_command(
    place: str, text: str, commands: Dict[str, Set[str]], known: Known
) -> Iterator[str]:
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    if words[0] == "make":
        for word in words[1:2]:
            if re.fullmatch(r"[a-z-]+", word) and word not in known.targets:
                yield f"{place}: there is no `make {word}`"
        return
    path = "hito"
    for word in words[1:]:
        if path + " " + word in commands:
            path += " " + word
        elif path == "hito" and re.fullmatch(r"[a-z]+", word):
            yield f"{place}: there is no `hito {word}`"
            return
        elif re.fullmatch(r"--[a-z][a-z-]*", word) and word not in commands[path]:
            yield f"{place}: `{path}` has no {word}"
        elif path == "hito call" and re.fullmatch(r"(?:\w+Service/)?[A-Z][A-Za-z]+", word):
            if word.split("/")[-1] not in known.methods:
                yield f"{place}: there is no method {word}"


def command_tree(command: dict, above: str = "") -> Dict[str, Set[str]]:
    """`hito call` -> its options."""
    path = f"{above} {command['commandName']}".strip()
    names = (name for argument in command.get("arguments", ()) for name in argument.get("names", ()))
    result = {path: {f"--{name['name']}" for name in names if name["kind"] == "long"}}
    for one in command.get("subcommands", ()):
        result.update(command_tree(one, path))
    return result


def known() -> Known:
    makefiles = [Path("Makefile"), *Path(".make").glob("*.mk")]
    targets = {
        name
        for path in makefiles
        for name in re.findall(r"^([a-z][a-z-]*):", path.read_text(), re.MULTILINE)
    }
    methods = {
        name
        for path in Path("Protos").rglob("*.proto")
        for name in re.findall(r"^\s*rpc (\w+)", path.read_text(), re.MULTILINE)
    }
    return Known(targets, methods)


def main() -> int:
    commands = command_tree(json.load(sys.stdin)["command"])
    names = known()
    pages = [read(path) for path in PAGES]
    findings = [
        finding
        for page in pages
        for finding in (*missing_paths(page), *missing_commands(page, commands, names))
    ]
    findings += wrong_decisions(Path("docs/adr"))
    for finding in findings:
        print(finding, file=sys.stderr)
    if not findings:
        count = sum(len(page.commands) for page in pages)
        print(f"documentation: {len(pages)} pages, {count} commands, everything named exists")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
