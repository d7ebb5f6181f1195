"""The hostile texts of Tests/Data/injections.json, and what a prompt does with text of others."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import List, NamedTuple

from hito_server import REPOSITORY, HitoServer
from scripted_model import Request

import hito

FILE = REPOSITORY / "Tests" / "Data" / "injections.json"
# What template tokens and scripts look like when nobody has defused them.
TOKENS = ("<|im_", "<|eot", "[INST]", "<s>", "<tool_call>", "<start_of_turn>", "<｜User｜>")


class Injection(NamedTuple):
    id: str
    where: List[str]
    refused: bool
    """Whether the contract must refuse it as a text of a goal."""
    text: str

    def knowing(self, delimiter: str) -> str:
        """The text of an attacker who has seen the fence of an earlier prompt."""
        split = f"{delimiter[:9]}\u200d{delimiter[9:]}"
        text = self.text.replace("{delimiter}", delimiter)
        return text.replace("{DELIMITER}", delimiter.upper()).replace("{split}", split)


def load() -> List[Injection]:
    entries = json.loads(FILE.read_text())
    return [
        Injection(
            entry["id"], entry["where"], entry["refused"],
            entry.get("text") or entry["prefix"] + entry["unit"] * entry["times"],
        )
        for entry in entries
    ]  # fmt: skip


def of(place: str) -> List[Injection]:
    return [injection for injection in load() if place in injection.where]


def is_refused(error: hito.InvalidArgument, *fields: str) -> bool:
    """Whether the error is about these fields: broken rules, or what no text may hold at all."""
    named = {violation.field for violation in error.details.field_violations}
    return named == set(fields) or "contains NUL" in error.message


def has_controls(text: str) -> bool:
    return any(character < " " and character not in "\n\r\t" for character in text)


# What fills a line and shows nothing (Unicode's default ignorables that count as letters).
HANGUL_FILLERS = "\u115f\u1160\u3164\uffa0"


def is_invisible(text: str) -> bool:
    return all(
        character in HANGUL_FILLERS
        or character.isspace()
        or unicodedata.category(character) in ("Cf", "Mn")
        for character in text
    )


def delimiter(request: Request) -> str:
    """The one that the instructions of a prompt name."""
    (found,) = set(re.findall(r"<<(?:DATA|END) … ([0-9a-f]{32})>>", request.system))
    return found


def sections(request: Request) -> List[str]:
    """Reads a prompt as its model is told to; the labels of its sections of data, in order.

    Every section that begins ends under its own label, nothing inside of one looks like a marker,
    and what is outside of all of them is ours.
    """
    assert [m["role"] for m in request.body["messages"]] == ["system", "user"]
    fence = delimiter(request)
    labels, opened = [], ""
    for line in request.user.split("\n"):
        if line.endswith(f"{fence}>>"):
            marker, label, _ = line.split(" ")
            if marker == "<<DATA":
                assert not opened
                labels.append(label)
                opened = label
            else:
                assert marker == "<<END" and label == opened
                opened = ""
            continue
        lower = line.lower()
        assert fence not in lower and "<<data" not in lower and "<<end" not in lower
        if not opened and not line.startswith("- "):
            assert "PWNED" not in line and "evil.example" not in line and len(line) < 300
    assert not opened
    assert not any(token in request.text for token in TOKENS)
    assert len(request.text) < 40_000
    return labels


def leaks(server: HitoServer, texts: List[str]) -> List[str]:
    """Which of the texts are in a log: of the server, or of its database."""
    files = [server.log, *server.data.rglob("*.log")]
    assert len(files) > 1, "the database has a log too"
    logs = "\n".join(file.read_text(errors="replace") for file in files)
    return [text for text in texts if text in logs]


def marks(injections: List[Injection]) -> List[str]:
    """Of each text a line long enough to be of nobody else."""
    lines = [max(injection.text.split("\n"), key=len)[:60] for injection in injections]
    return [line for line in lines if len(line) >= 20]
