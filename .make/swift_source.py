"""What the checks need to know of Swift sources, by their text alone: imports, declarations, names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator, List, NamedTuple, Tuple

_NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|#*""".*?"""#*|#"[^\n]*?"#|"(?:\\.|[^"\\\n])*"', re.DOTALL
)
_IMPORT = re.compile(
    r"^[ \t]*(?:@(?P<attribute>\w+)(?:\(\w+\))?[ \t]+)*(?:(?:public|package|internal|private|fileprivate)[ \t]+)?"
    r"import[ \t]+(?:(?:struct|class|enum|protocol|func|typealias|var|let)[ \t]+)?(?P<module>\w+)",
    re.MULTILINE,
)
_DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)\n]*\))?\s+)*(?:(?:public|package|internal|final|indirect|nonisolated)\s+)*"
    r"(?P<kind>struct|class|enum|protocol|actor|typealias|func)\s+(?P<name>\w+)",
    re.MULTILINE,
)


class Import(NamedTuple):
    line: int
    module: str
    is_exported: bool


class Source:
    """A Swift file; `code` is its text with comments and strings blanked, lines kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text()
        self.code = _NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), self.text)

    def line(self, offset: int) -> int:
        return self.code.count("\n", 0, offset) + 1

    def imports(self) -> List[Import]:
        return [
            Import(self.line(match.start("module")), match["module"], "@_exported" in match.group())
            for match in _IMPORT.finditer(self.code)
        ]

    def declared(self) -> List[str]:
        """Names of types and functions at the top level that other files can see."""
        return [match["name"] for match in _DECLARATION.finditer(self.code)]

    def uses(self) -> Iterator[Tuple[str, int]]:
        """Every name that is not a member of something else, with its line."""
        for number, line in enumerate(self.code.splitlines(), 1):
            for match in re.finditer(r"(?<![.\w])[A-Za-z_]\w*", line):
                yield match.group(), number


def swift_sources(folder: Path) -> List[Source]:
    return [Source(path) for path in sorted(folder.rglob("*.swift"))]
