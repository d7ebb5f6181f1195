"""Numbers that the documentation states are those of the code.

A number that has its origin in the code carries it, unseen by readers, in a comment right after it:

    at most 20,000<!-- =PostgresRetrievalStore.exactMax --> vectors

The comment names a constant of Swift as Type.name, and a unit where the text has it elsewhere
(`<!-- =WireLimit.pingIntervalDefault ms -->`). Every constant of WireLimit stands in PROTOCOL.md.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Set

from swift_source import Source, swift_sources

PAGES = [*sorted(Path("docs").glob("*.md")), Path("README.md"), Path("Protos/PROTOCOL.md")]
PROTOCOL = Path("Protos/PROTOCOL.md")
COMPLETE_IN_PROTOCOL = "WireLimit"

_MARKER = re.compile(r"<!-- =(?P<type>\w+)\.(?P<name>\w+)(?: (?P<unit>\w+))? -->")
_STATED = re.compile(
    r"(?P<number>2\^31 - 1|\d[\d,]*(?:\.\d+)?|one|two|three|four|five|six|eight|ten)"
    r"(?:[ -](?P<unit>KiB|MiB|ms|s|min|h|days|times))?$"
)
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8, "ten": 10}
_UNITS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "days": 86400, "KiB": 1024, "MiB": 1 << 20}
_BOUNDS = {"Int(Int32.max)": "2147483647", "UInt32(Int32.max)": "2147483647"}
_DURATION = re.compile(r"^(?:Duration)?\.(seconds|milliseconds)\((.+)\)$")


class Marker(NamedTuple):
    place: str
    type: str
    name: str
    stated: Optional[float]
    """None where no number stands before it."""


def markers() -> Iterator[Marker]:
    for page in PAGES:
        for number, line in enumerate(page.read_text().splitlines(), 1):
            for match in _MARKER.finditer(line):
                before = _MARKER.sub("", line[: match.start()])
                yield Marker(
                    f"{page}:{number}", match["type"], match["name"], stated(before, match["unit"])
                )


def stated(text: str, unit: Optional[str]) -> Optional[float]:
    match = _STATED.search(text)
    if not match:
        return None
    number = match["number"]
    if number == "2^31 - 1":
        value = float((1 << 31) - 1)
    else:
        value = float(_WORDS.get(number) or number.replace(",", ""))
    return value * _UNITS.get(unit or match["unit"] or "", 1)


def constants(sources: List[Source], type_name: str, name: str) -> Set[float]:
    """The values of all declarations of that name in files that declare or extend the type."""
    owner = re.compile(rf"\b(?:struct|class|enum|actor|extension)\s+{type_name}\b")
    declaration = re.compile(rf"\b(?:let|var)\s+{name}\b(?:\s*:\s*[\w.]+\??)?\s*=\s*([^\n{{]+)")
    found: Set[float] = set()
    for source in sources:
        if owner.search(source.code):
            for match in declaration.finditer(source.code):
                value = evaluate(match[1].strip())
                if value is not None:
                    found.add(value)
    return found


def evaluate(text: str) -> Optional[float]:
    """The value of a constant's expression; seconds where it is a duration."""
    text = _BOUNDS.get(text, text)
    duration = _DURATION.match(text)
    if duration:
        value = evaluate(duration[2])
        return None if value is None else value * (1 if duration[1] == "seconds" else 0.001)
    if not re.fullmatch(r"[\d_.\s+*/()<-]+", text):
        return None
    return float(eval(text, {"__builtins__": {}}))  # digits and operators alone


def wrong_numbers(sources: List[Source], all_markers: List[Marker]) -> Iterator[str]:
    for marker in all_markers:
        name = f"{marker.type}.{marker.name}"
        values = constants(sources, marker.type, marker.name)
        if marker.stated is None:
            yield f"{marker.place}: no number stands before the marker of {name}"
        elif len(values) != 1:
            yield f"{marker.place}: {name} is not one constant in Sources: {sorted(values)}"
        elif abs(marker.stated - values.copy().pop()) > 1e-9:
            yield f"{marker.place}: {name} is {values.pop():g}, the page says {marker.stated:g}"


def missing_numbers(sources: List[Source], all_markers: List[Marker]) -> Iterator[str]:
    named = {one.name for one in all_markers if one.place.startswith(str(PROTOCOL))}
    for source in sources:
        body = re.search(rf"enum {COMPLETE_IN_PROTOCOL} {{(.*?)\n}}", source.code, re.DOTALL)
        for name in re.findall(r"static let (\w+)", body[1]) if body else ():
            if name not in named:
                yield f"{PROTOCOL}: {COMPLETE_IN_PROTOCOL}.{name} has no marker"


def main() -> int:
    sources = swift_sources(Path("Sources"))
    all_markers = list(markers())
    findings = [
        *wrong_numbers(sources, all_markers),
        *missing_numbers(sources, all_markers),
    ]
    for finding in findings:
        print(finding, file=sys.stderr)
    if not findings:
        print(f"figures: {len(all_markers)} numbers of the documentation are those of the code")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
