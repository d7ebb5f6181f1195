"""docs/commands.md has every status that a command ends with."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_every_status_is_explained():
    page = (REPOSITORY / "docs" / "commands.md").read_text()
    explained = {int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    used = {0}
    for path in ("Text/CommandFailure.swift", "Commands/ValidateCommand.swift"):
        text = (REPOSITORY / "Sources" / "hito" / path).read_text()
        used |= {int(number) for number in re.findall(r"static let \w+(?:: Int32)? = (\d+)$", text, re.M)}
        used |= {int(number) for number in re.findall(r"static let \w+: Int32 = (\d+)$", text, re.M)}
    assert len(used) >= 8, "the statuses were not found"
    assert explained == used
