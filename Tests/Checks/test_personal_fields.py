"""Payloads are written and read in one place (ADR 0018), and SQL reads nothing of them that may be sealed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Set

SOURCES = Path(__file__).resolve().parents[2] / "Sources"
DECLARED = (SOURCES / "Domain/Events/PersonalFields.swift").read_text()
SEALED_TEXT = re.compile(r"\.sealedText\b|sealedText:|\"sealedText\"")
JSON_MEMBER = re.compile(r"(?:\bpayload|\be\.metadata|\$3)\s*(?:->>?|\?)\s*'(\w+)'")


def swift_files() -> Dict[str, str]:
    files = (path for path in SOURCES.rglob("*.swift") if "Generated" not in path.parts)
    return {str(path.relative_to(SOURCES)): path.read_text() for path in files}


def users_of(pattern: "re.Pattern[str]", files: Dict[str, str]) -> List[str]:
    return sorted(name for name, text in files.items() if pattern.search(text))


def personal_members() -> Set[str]:
    """The first list of each declaration."""
    lists = re.findall(r"(?:PersonalFields\(|\.run\()\s*\[([^\]]*)\]", DECLARED)
    return {name for names in lists for name in re.findall(r'"(\w+)"', names)}


def test_only_the_row_and_the_lake_s_file_have_the_text_as_it_is_stored():
    assert users_of(SEALED_TEXT, swift_files()) == [
        # To systems that are trusted with all of the log: what is sealed stays so.
        "Broker/Messages/OutgoingEvent.swift",
        "Domain/Events/SealedJSON.swift",
        "Domain/Events/StoredEvent+ShownMetadata.swift",
        "EventLake/Lake/LakeRows.swift",
        "EventLake/Schema/EventTable.swift",
        # What is sealed into the chain is the row as it is stored.
        "EventLog/Audit/RowDigest.swift",
        "PostgresStore/Rows/EventRow.swift",
    ]


def test_events_are_inserted_by_one_statement_that_is_given_sealed_ones():
    files = swift_files()
    assert users_of(re.compile(r"INSERT INTO events\b|RowInserts<EventRow>"), files) == [
        "PostgresStore/Statements/EventStatements.swift"
    ]
    assert users_of(re.compile(r"EventStatements\.insert\("), files) == [
        "PostgresStore/Stores/PostgresWriteStore.swift"
    ]
    assert users_of(re.compile(r"StoredEvent\.init\(sealing:|StoredEvent\(sealing:"), files) == [
        "PostgresStore/Stores/PostgresWriteStore.swift"
    ]


def test_statements_read_no_personal_member_of_a_payload():
    personal = personal_members()
    assert {"title", "email", "request", "code_hash", "idempotency_key"} <= personal
    read = {name for text in swift_files().values() for name in JSON_MEMBER.findall(text)}
    assert {"goal_id", "task_id", "course_id"} <= read
    assert read & personal == set()
