"""Reads the Parquet lake as anybody with pyarrow does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pyarrow as arrow
import pyarrow.dataset as dataset
import pyarrow.parquet as parquet
from hito_server import REPOSITORY

NOTES = REPOSITORY / "docs" / "design-notes.md"


def rows(lake: Path) -> List[Dict[str, Any]]:
    """Every row of every file, whatever the file's own schema."""
    files = sorted(lake.rglob("*.parquet"))
    columns = ["event_id", "event_type", "entity_type", "entity_id", "user_id", "position",
               "version", "created_at"]  # fmt: skip
    tables = [parquet.read_table(file, columns=columns, partitioning=None) for file in files]
    return arrow.concat_tables(tables).to_pylist() if tables else []


def own_columns(lake: Path, kind: str, names: List[str]) -> List[Dict[str, Any]]:
    """The rows of the files of one kind: whose they are, and columns that only the kind has."""
    files = sorted(lake.rglob(f"{kind}_events*.parquet"))
    assert files, f"the lake has no file of kind {kind}"
    tables = [
        parquet.read_table(file, columns=["entity_id", *names], partitioning=None) for file in files
    ]
    return arrow.concat_tables(tables).to_pylist()


def opens_as_one_dataset(lake: Path) -> int:
    """The row count by the hive partitioning that the notes use."""
    return dataset.dataset(str(lake), format="parquet", partitioning="hive").count_rows()


def report_function() -> str:
    """The text of `analyze_user_productivity` and its imports, out of the notes, unchanged."""
    blocks = re.findall(r"```python\n(.*?)```", NOTES.read_text(), re.DOTALL)
    [block] = [text for text in blocks if "def analyze_user_productivity" in text]
    return block.split("# Uso\n")[0]


def report_of_the_notes(lake: Path, folder: Path, user_id: str, days: int) -> Dict[str, Any]:
    """Runs the function of the notes where it finds its relative path, in UTC."""
    place = folder / "backend" / "data" / "storage"
    place.mkdir(parents=True, exist_ok=True)
    (place / "events").symlink_to(lake)
    script = (
        f"{report_function()}\n"
        "import json, sys\n"
        "metrics = analyze_user_productivity(sys.argv[1], int(sys.argv[2]))\n"
        "print(json.dumps(metrics, default=float))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, user_id, str(days)],
        cwd=folder, env={"TZ": "UTC", "PATH": ""}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
