"""A course as a folder of Markdown: chapters become goals, their headings tasks."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import List, NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
OWN_COURSE = REPOSITORY / "Tests" / "Data" / "course-es"
LARGE_COURSE = REPOSITORY.parent / "shared" / "data" / "fastapi-docs" / "es"


class Chapter(NamedTuple):
    """One document."""

    title: str
    summary: str
    headings: List[str]


class Course(NamedTuple):
    """What the demo plays with."""

    title: str
    technologies: List[str]
    folder: Path
    chapters: List[Chapter]


def find(chapter_count: int) -> Course:
    """HITO_DEMO_DOCS, the course beside the work tree, or our own small one."""
    named = os.environ.get("HITO_DEMO_DOCS")
    candidates = [Path(named)] if named else [LARGE_COURSE, OWN_COURSE]
    for folder in candidates:
        chapters = read(folder, chapter_count)
        if chapters:
            break
    else:
        raise FileNotFoundError(f"no Markdown chapters in {candidates[0]}")
    if "fastapi" in str(folder):
        return Course("FastAPI: el tutorial", ["python", "fastapi"], folder, chapters)
    if folder == OWN_COURSE:
        return Course("Git para equipos", ["git"], folder, chapters)
    return Course(folder.name, [], folder, chapters)


def read(folder: Path, chapter_count: int) -> List[Chapter]:
    """The first chapters that have headings, in the order of their file names."""
    chapters = []
    for path in sorted(folder.rglob("*.md")):
        chapter = parse(path.read_text(encoding="utf-8"))
        if chapter is not None:
            chapters.append(chapter)
        if len(chapters) == chapter_count:
            break
    return chapters


def parse(text: str) -> Chapter | None:
    """A chapter with a title and at least two headings; at most five are taken."""
    # A `#` inside a code block is a comment, not a heading.
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    title = re.search(r"^# (.+)$", prose, re.MULTILINE)
    headings = [plain(h) for h in re.findall(r"^## (.+)$", prose, re.MULTILINE)]
    if title is None or len(headings) < 2:
        return None
    paragraphs = prose[title.end() :].strip().split("\n\n")
    first = next((p for p in paragraphs if p.strip()[:1].isalnum()), "")
    summary = plain(" ".join(first.split()))
    return Chapter(plain(title.group(1)), summary, headings[:5])


def plain(text: str) -> str:
    """A line of Markdown without its marks, short enough for a title."""
    text = re.sub(r"\{\s*#.*?\}", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[`*]+", "", text).strip()[:200]
