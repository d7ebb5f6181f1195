"""The cross matrix, for a short time: clients of all languages whose programs are built (Tests/Matrix/build.sh) work
beside each other through two servers that are killed in turn. With HITO_TEST_CLIENTS=all none may be missing."""

from __future__ import annotations

from pathlib import Path

from matrix import available, report, run

SECONDS = 20
RATE = 5
"""Writes a second, of each client."""


async def test_clients_of_all_languages_lose_and_double_nothing(tmp_path: Path):
    languages = available()
    assert "python" in languages
    result = await run(languages, SECONDS, RATE, tmp_path, down=1.0, up=2.0)
    print(report(result))
    assert not result.complaints, report(result)
    assert result.kills >= 2
    assert any(history.interruptions for history in result.histories)
    assert {history.name for history in result.histories} == set(languages)
