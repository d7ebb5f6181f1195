"""The parallel documentation and the data sets of this folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(__file__).resolve().parent / "data"
OWN_COURSES = REPOSITORY / "Tests" / "Data"
LARGE_COURSES = REPOSITORY.parent / "shared" / "data" / "fastapi-docs"
LANGUAGES = ("es", "en")
ACCEPTED = ("fastapi", "git", "pairs")
"""The data whose figures must be in the baseline; other documentation is only measured."""


class Corpus(NamedTuple):
    """The same documents in Spanish and English: sections that belong together share an anchor."""

    name: str
    title: str
    folders: Dict[str, Path]
    """By language."""
    documents: Dict[str, List[Path]]
    """By language, relative to the folder; the same place in both lists is the same document."""


class Question(NamedTuple):
    """What a learner asks, and the Spanish section that answers it."""

    text: str
    path: str
    """Empty where the anchor is enough."""
    anchor: str


class Goal(NamedTuple):
    """A goal, and how another learner would say it."""

    title: str
    description: str
    paraphrase: str
    english: str
    """The paraphrase in the other language; empty where there is none."""


class Function(NamedTuple):
    """A piece of code, and what it does in both languages."""

    es: str
    en: str
    code: str


def find() -> Corpus:
    """HITO_EVAL_DOCS (a folder with `es` and `en`), the documentation beside the work tree, or our
    own small course."""
    named = os.environ.get("HITO_EVAL_DOCS")
    for base in [Path(named)] if named else [LARGE_COURSES, OWN_COURSES]:
        for prefix in ("", "course-"):
            folders = {language: base / (prefix + language) for language in LANGUAGES}
            if all(folder.is_dir() for folder in folders.values()):
                return read(base, folders)
    raise FileNotFoundError(f"{named or LARGE_COURSES}: no folders es and en")


def read(base: Path, folders: Dict[str, Path]) -> Corpus:
    documents = {
        language: sorted(path.relative_to(folder) for path in folder.rglob("*.md"))
        for language, folder in folders.items()
    }
    same = sorted(set(documents["es"]) & set(documents["en"]))
    if same:
        documents = {language: same for language in LANGUAGES}
    elif len(documents["es"]) != len(documents["en"]):
        # Names may be translated: then the numbers in front of them keep the order.
        raise ValueError(f"{base}: nobody can tell which documents belong together")
    if base.resolve() == OWN_COURSES:
        return Corpus("git", "Git para equipos", folders, documents)
    name = "fastapi" if "fastapi" in base.name else base.name
    return Corpus(name, name, folders, documents)


def questions(corpus: Corpus) -> List[Question]:
    """Those written for the corpus; none for one that we do not know."""
    path = DATA / f"questions-{corpus.name}.json"
    if not path.exists():
        return []
    entries = json.loads(path.read_text("utf-8"))
    return [Question(e["question"], e.get("path", ""), e["anchor"]) for e in entries]


def goals(language: str) -> List[Goal]:
    entries = json.loads((DATA / f"goals-{language}.json").read_text("utf-8"))
    return [
        Goal(e["title"], e["description"], e["paraphrase"], e.get("english", "")) for e in entries
    ]


def held_out_goals(language: str) -> List[Goal]:
    """Goals that no constant, weight or model was chosen by. Each is there in both languages, and so is what
    another learner would say: `english` is that of the other language."""
    entries = json.loads((DATA / "goals-heldout.json").read_text("utf-8"))
    other = "en" if language == "es" else "es"
    return [Goal(*entry[language], entry[other][2]) for entry in entries]


def off_topic(part: str = "") -> List[str]:
    """Questions that neither documentation nor goals nor code have an answer to; those of `calibration`
    are not those that are reported."""
    name = f"off-topic-{part}.json" if part else "off-topic.json"
    return json.loads((DATA / name).read_text("utf-8"))


def identifiers() -> Tuple[List[Tuple[str, str]], List[Tuple[str, str]]]:
    """Sections (title, text) that name files, functions, versions and hosts; and questions that are such
    a name, with the title of the section."""
    read = json.loads((DATA / "identifiers.json").read_text("utf-8"))
    return [(t, x) for t, x in read["sections"]], [(q, t) for q, t in read["questions"]]


def functions() -> List[Function]:
    """Blocks between lines of hyphens: a line of Spanish, a line of English, then the code."""
    made = []
    for block in (DATA / "code.txt").read_text("utf-8").split("----\n"):
        es, en, code = block.split("\n", 2)
        assert es.startswith("es: ") and en.startswith("en: "), block[:80]
        made.append(Function(es[4:], en[4:], code))
    return made
