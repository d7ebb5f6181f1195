"""The words that docs/contributing.md asks for, in what callers and readers see."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PLACES = {
    "Sources": ("*.swift", "*.c", "*.h", "*.cpp"),
    "Protos/hito": ("*.proto",),
    "docs": ("*.md",),
    "clients": ("*.py", "*.pyi", "*.md"),
}
# What others wrote, texts in a learner's language, and released migrations.
EXCEPTED = re.compile(
    r"docs/design-notes\.md|docs/contributing\.md|Sources/Agents/(Planner|Prompts)/"
    r"|Sources/PostgresStore/Migrations/"
)
REFUSED = re.compile(
    r"\bis no (UUID|JSON)\b|\b(go|goes|went|gone) on\b|\bsomebody\b|\bpatience\b"
    r"|[a-z]Maximum\b|\benrollment\b|\bjudgment\b",
    re.IGNORECASE,
)


def refused(text):
    return [match[0] for match in REFUSED.finditer(text)]


def pages():
    yield REPOSITORY / "README.md"
    for folder, patterns in PLACES.items():
        for pattern in patterns:
            yield from (REPOSITORY / folder).rglob(pattern)


def test_what_callers_and_readers_see_is_in_the_words_of_the_field():
    found = []
    for page in pages():
        name = str(page.relative_to(REPOSITORY))
        if not EXCEPTED.match(name) and "/.venv/" not in name:
            found += [f"{name}: {word}" for word in refused(page.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    "text, words",
    [
        ("user_id is no UUID", ["is no UUID"]),
        ("The stream goes on.", ["goes on"]),
        ("let pageMaximum = 10", ["eMaximum"]),
        ("user_id is not a valid UUID; the stream continues", []),
        ("there is no such method", []),
    ],
)
def test_a_word_of_the_past_is_found(text, words):
    assert refused(text) == words
